#include "server/api/application.hpp"

#include <utility>

#include "shared/base/json.hpp"
#include "shared/socketio/disconnect_reason.hpp"

namespace oncewire::api {
namespace {

std::string encode_args(JsonArgs args, std::string out = "[") {
    for (const std::string_view arg : args) {
        if (out.size() > 1) out += ',';
        out += arg;
    }
    return out += ']';
}

std::string encode_event(std::string_view event, JsonArgs args) {
    return encode_args(args, "[" + json::quoted(event));
}

}  // namespace

void BroadcastOperator::emit(std::string_view event, JsonArgs args) const {
    hub::Target target{nsp_, {}, {}};
    if (!room_.empty()) target.rooms.push_back(room_);
    if (except_) target.except.emplace_back(context_->hub->sid_of(*except_));
    context_->hub->broadcast({std::move(target), encode_event(event, args), {}, false});
}

void Socket::emit(std::string_view event, JsonArgs args) const {
    context_->hub->emit(id_, encode_event(event, args));
}

BroadcastOperator Socket::to(std::string_view room, std::string_view nsp) const {
    return {*context_, std::string(nsp), std::string(room), id_};
}

void Socket::disconnect(bool close) const { context_->hub->disconnect(id_, close, context_->now); }

void Ack::operator()(JsonArgs args, const std::vector<std::string>& attachments) {
    if (const auto id = std::exchange(id_, std::nullopt)) {
        context_->hub->acknowledge(socket_, *id, encode_args(args), attachments);
    }
}

Admission refuse(std::string_view message) {
    Admission admission;
    admission.refusal = "{\"message\":" + json::quoted(message) + "}";
    return admission;
}

void Application::use(std::string_view nsp, Middleware middleware) {
    middlewares_.insert_or_assign(std::string(nsp), std::move(middleware));
}

void Application::on(std::string_view event, EventHandler handler) {
    handlers_.insert_or_assign(std::string(event), std::move(handler));
}

void Application::on_durable(std::string_view event, store::DurableHandler handler) {
    durable_.insert_or_assign(std::string(event), std::move(handler));
}

std::vector<std::string> Application::namespaces() const {
    std::vector<std::string> names;
    for (const auto& [name, middleware] : middlewares_) names.push_back(name);
    return names;
}

std::vector<std::string> Application::durable_event_names() const {
    std::vector<std::string> names;
    for (const auto& [name, handler] : durable_) names.push_back(name);
    return names;
}

bool Application::handle(hub::Hub& hub, const hub::HubOutput& output, Instant now) {
    context_ = {&hub, now};
    if (const auto* asked = std::get_if<hub::ConnectAsked>(&output)) {
        handle(*asked);
    } else if (const auto* arrived = std::get_if<hub::EventArrived>(&output)) {
        handle(*arrived);
    } else if (const auto* connected = std::get_if<hub::SocketConnected>(&output)) {
        if (on_connection_) on_connection_(Socket(context_, connected->socket));
    } else if (const auto* gone = std::get_if<hub::SocketGone>(&output)) {
        if (on_disconnect_ && gone->was_connected) {
            on_disconnect_(Socket(context_, gone->socket), socketio::reason_text(gone->reason));
        }
    } else {
        // Answers to events of ours: none of those sent here asks for one.
        return std::holds_alternative<hub::AckArrived>(output) ||
               std::holds_alternative<hub::AcksFinished>(output) ||
               std::holds_alternative<hub::ServerSideEvent>(output) ||
               std::holds_alternative<hub::QuestionArrived>(output) ||
               std::holds_alternative<hub::AnswerArrived>(output) ||
               std::holds_alternative<hub::BroadcastSent>(output);
    }
    return true;
}

void Application::handle(const hub::ConnectAsked& asked) {
    const auto middleware = middlewares_.find(asked.nsp);
    if (middleware == middlewares_.end()) {
        return context_.hub->reject(asked.socket, R"({"message":"Invalid namespace"})",
                                    context_.now);
    }
    Admission admission = middleware->second({asked.auth, context_.hub->request_of(asked.socket)});
    if (admission.refusal) {
        context_.hub->reject(asked.socket, *admission.refusal, context_.now);
    } else {
        context_.hub->accept(asked.socket, {std::move(admission.rooms), admission.replay_after},
                             context_.now);
    }
}

void Application::handle(const hub::EventArrived& arrived) {
    std::vector<std::string_view> args = json::elements(arrived.data);
    if (args.empty()) return;
    const std::string name = json::as_string(args.front()).value_or(std::string(args.front()));
    const auto handler = handlers_.find(name);
    if (handler == handlers_.end()) return;
    args.erase(args.begin());
    handler->second(Socket(context_, arrived.socket), {name, std::move(args), arrived.attachments},
                    Ack(context_, arrived.socket, arrived.ack_id));
}

}  // namespace oncewire::api
