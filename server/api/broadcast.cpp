#include "server/api/broadcast.hpp"

#include "server/api/context.hpp"

namespace oncewire::api {

BroadcastOperator BroadcastOperator::to(std::string_view room) const {
    BroadcastOperator copy = *this;
    copy.rooms_.emplace_back(room);
    return copy;
}

BroadcastOperator BroadcastOperator::except(std::string_view room) const {
    BroadcastOperator copy = *this;
    copy.except_.emplace_back(room);
    return copy;
}

BroadcastOperator BroadcastOperator::local() const {
    BroadcastOperator copy = *this;
    copy.local_ = true;
    return copy;
}

BroadcastOperator BroadcastOperator::volatile_() const {
    BroadcastOperator copy = *this;
    copy.volatile_flag_ = true;
    return copy;
}

BroadcastOperator BroadcastOperator::timeout(Millis time) const {
    BroadcastOperator copy = *this;
    copy.timeout_ = time;
    return copy;
}

BroadcastOperator BroadcastOperator::with_on_answer(OnAnswer handler) const {
    BroadcastOperator copy = *this;
    copy.on_answer_ = std::move(handler);
    return copy;
}

bool BroadcastOperator::is_attached() const { return context_ && context_->hub && !nsp_.empty(); }

void BroadcastOperator::send(std::string_view event, Arguments data) const {
    if (!is_attached() || !context_->check_event_name(0, event)) return;
    mail::Broadcast command{target(), std::move(data.data), std::move(data.attachments),
                            volatile_flag_};
    if (local_) {
        context_->hub->server().broadcast_local(command);
    } else {
        context_->hub->server().broadcast(std::move(command));
    }
}

Request<BroadcastAcks> BroadcastOperator::ask(Arguments data) const {
    return Request<BroadcastAcks>([self = *this,
                                   data = std::move(data)](Request<BroadcastAcks>::Done done) {
        if (!self.context_ || !self.context_->hub) return;
        mail::CoreQuestion question;
        question.kind = mail::CoreQuestion::Kind::acknowledge;
        question.target = self.target();
        question.data = data.data;
        question.attachments = data.attachments;
        question.timeout = self.timeout_;
        self.context_->ask_many(std::move(question), self.local_, self.on_answer_, std::move(done));
    });
}

Request<RemoteSockets> BroadcastOperator::fetch_sockets() const {
    using Fetch = Request<RemoteSockets>;
    return Fetch([self = *this](Fetch::Done done) {
        if (!self.context_ || !self.context_->hub) return;
        mail::CoreQuestion question;
        question.target = self.target();
        self.context_->fetch(std::move(question), self.local_, std::move(done));
    });
}

void BroadcastOperator::sockets_join(std::string_view room) const {
    if (is_attached()) context_->hub->server().join_rooms({target(), {std::string(room)}});
}

void BroadcastOperator::sockets_leave(std::string_view room) const {
    if (is_attached()) context_->hub->server().leave_rooms({target(), {std::string(room)}});
}

void BroadcastOperator::disconnect_sockets(bool close) const {
    if (is_attached()) context_->hub->server().disconnect_sockets({target(), close});
}

}  // namespace oncewire::api
