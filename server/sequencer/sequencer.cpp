#include "server/sequencer/sequencer.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "shared/base/limits.hpp"

namespace oncewire::sequencer {
namespace {

Reader::Handlers some_of(const Reader::Handlers& handlers,
                         const std::set<std::string, std::less<>>& names) {
    Reader::Handlers some;
    for (const auto& [name, handler] : handlers) {
        if (names.contains(name)) some.emplace(name, handler);
    }
    return some;
}

/// Compares all of it whatever differs first, so that the time taken tells nothing.
bool is_same_secret(const ProducerSecret& a, const ProducerSecret& b) {
    if (a.text.size() != b.text.size()) return false;
    unsigned difference = 0;
    for (std::size_t i = 0; i < a.text.size(); ++i) {
        difference |= static_cast<unsigned>(static_cast<unsigned char>(a.text[i]) ^
                                            static_cast<unsigned char>(b.text[i]));
    }
    return difference == 0;
}

}  // namespace

Sequencer::Sequencer(std::unique_ptr<Overlay> overlay,
                     std::map<std::string, DurableHandler, std::less<>> handlers, Options options)
    : overlay_(std::move(overlay)),
      handlers_(std::move(handlers)),
      options_(std::move(options)),
      reader_(store().reading(), {.lookups = some_of(handlers_, options_.lookups),
                                  .on_mistake = options_.on_mistake}) {}

void Sequencer::start() { announce(); }

void Sequencer::handle_mail(ToSequencer mail, Instant now, UnixMillis wall_clock) {
    now_ = now;
    wall_clock_ = wall_clock;
    recovery_.set_time(now, wall_clock);
    std::visit([this](const auto& request) { handle(request); }, mail);
}

void Sequencer::commit(Instant now) {
    now_ = now;
    recovery_.set_time(now, wall_clock_);
    if (in_batch_) end_batch();
    mail_.send(outputs_);
    clear_batch();
    read_for_others();
    ask_questions();
    look_up_for_others();
    prepare_digests();
}

void Sequencer::handle_timeout(Instant now, UnixMillis wall_clock) {
    now_ = now;
    wall_clock_ = wall_clock;
    look_up_for_others();
    if (refuse_until_ && *refuse_until_ > now) return;
    if (needs_reopen_) return reopen_store();
    prepare_digests();
    if (erase_at_ && *erase_at_ <= now) erase_traces();
    if (!options_.retention.keeps_all() && trim_at_ <= now) trim();
    if (options_.lease && !needs_reopen_) end_leases();
    if (!needs_reopen_ && expiry_at_ && *expiry_at_ <= now) expire_questions();
    ask_questions();
    if (needs_reopen_) return;
    const auto due = tasks_.take_due(store(), now);
    if (!due) return refuse_for_a_while(due.error());
    for (const TaskRow& task : *due) outputs_.push_back({0, RunTask{task}});
}

void Sequencer::refuse_for_a_while(StoreError error) {
    note(error);
    refuse_until_ = now_ + refuse_for;
}

void Sequencer::reopen_store() {
    if (const auto reopened = overlay_->reopen(); !reopened) {
        return refuse_for_a_while(reopened.error());
    }
    needs_reopen_ = false;
    refuse_until_.reset();
    tasks_.look_again();
    expiry_at_ = now_;
    announce();
}

std::optional<Instant> Sequencer::next_timeout() const {
    if (reader_.has_work()) return now_;
    if (needs_reopen_) return refuse_until_;
    auto next = earliest(tasks_.next_timeout(), earliest(expiry_at_, erase_at_));
    if (asked_.has_work() || !unprepared_.empty()) next = now_;
    if (!options_.retention.keeps_all()) next = earliest(next, trim_at_);
    if (options_.lease) next = earliest(next, leases_at_.value_or(now_));
    if (next && refuse_until_ && *next < *refuse_until_) next = refuse_until_;
    return next;
}

std::optional<OutgoingMail> Sequencer::poll_output() {
    if (is_damaged_ || is_superseded_) return std::nullopt;
    return outputs_.poll();
}

// ---- requests -----------------------------------------------------------------------------------

void Sequencer::handle(const Attach& attach) {
    if (needs_reopen_) return reply(attach.from, Cut{attach.from});  // it comes back and asks again
    attaches_.push_back(attach);
    const auto& id = attach.identity.id;
    auto known = attachments_.find(id);
    if (known == attachments_.end()) {
        auto row = overlay_->senders.find(id);
        if (!row) {
            note(row.error());
            return reply(attach.from, Cut{attach.from});
        }
        Attachment fresh;
        fresh.bound = row->has_value();
        if (*row) fresh.row = std::move(**row);
        if (!fresh.bound) fresh.row.identity = attach.identity;
        fresh.committed = fresh.row.seen;
        fresh.session = attach.from;
        known = attachments_.emplace(id, std::move(fresh)).first;
    }
    Attachment& attachment = known->second;
    if (!is_same_secret(attachment.row.identity.secret, attach.identity.secret)) {
        return refuse(attach, "bad_secret");
    }
    auto& user = attachment.row.user;
    if (user.empty()) user = attach.user;  // kept with the next message
    if (user != attach.user) return refuse(attach, "other_user");
    if (!(attachment.session == attach.from)) {
        ++counts_.fenced;
        reply(attachment.session, Fence{attachment.session});
        producer_of_.erase(attachment.session);
    }
    attachment.session = attach.from;
    attachment.gone = false;
    attachment.expect_said = false;
    attachment.row.last_contact = wall_clock_;
    if (attach.first > attachment.row.seen.last + 1) skip_to(attachment, attach.first);
    producer_of_[attach.from] = id;
    asked_.attached(id);
    ++attachment.row.epoch;
    reply(attach.from, Attached{attach.from, attachment.row.epoch, attachment.row.seen});
}

/// This history lacks what its sender was told in the one before: the database was replaced by an older
/// copy. The numbers go on where they are there, so that each stands for the same message in every
/// history. One that came down could be forgotten with its verdict, and its message, offered under the old
/// number by a sender whose storage was put back, would be stored again.
void Sequencer::skip_to(Attachment& attachment, delivery::Sequence first) {
    if (attachment.dirty) return;
    attachment.row.seen = attachment.committed = {first - 1, 0};
}

/// What was read for whoever is refused is not kept.
void Sequencer::refuse(const Attach& attach, std::string reason) {
    const auto& id = attach.identity.id;
    const auto known = attachments_.find(id);
    if (!is_attached(id) && !known->second.dirty) attachments_.erase(known);
    reply(attach.from, AttachRefused{attach.from, std::move(reason)});
}

bool Sequencer::is_attached(const ProducerId& id) const {
    const auto attachment = attachments_.find(id);
    if (attachment == attachments_.end()) return false;
    const auto owner = producer_of_.find(attachment->second.session);
    return owner != producer_of_.end() && owner->second == id;
}

void Sequencer::handle(const ReadPage& request) { questions_to_reader_.push_back(request); }

void Sequencer::handle(const Detach& detach) {
    questions_to_reader_.push_back(detach);
    pauses_.forget(detach.from);
    forget(detach.from);
}

void Sequencer::handle(const TaskEnded& ended) {
    if (!tasks_.ended(ended.id, ended.is_done, now_)) {
        if (!ended.is_done) ++counts_.task_failures;
        return;
    }
    ended_tasks_.push_back(ended.id);
    if (needs_reopen_) return fail_batch(StoreError::io);
    in_batch_ = true;
    overlay_->tasks.end(ended.id);
}

// ---- what is only read --------------------------------------------------------------------------

/// After the commit, so that nobody is shown what may yet be rolled back. Who is near the head is read for here:
/// what is published later follows it in the same mailbox.
void Sequencer::read_for_others() {
    const auto head = store().head().offset;
    const auto far = options_.reads_apart_from;
    for (ToReader& question : std::exchange(questions_to_reader_, {})) {
        auto* page = std::get_if<ReadPage>(&question);
        if (page) {
            const auto* pid = recovery_.live().pid_of(page->from);
            page->pid = pid ? *pid : "";
        }
        const bool is_near = page && far && (page->after >= head || head - page->after < *far);
        if (!far || is_near) {
            reader_.handle_mail(std::move(question));
        } else {
            give_to_reader(std::move(question));
        }
    }
    reader_.answer_pages();
    take_from_reader();
}

/// One step.
void Sequencer::look_up_for_others() {
    reader_.answer_lookups(wall_clock_);
    take_from_reader();
}

void Sequencer::take_from_reader() {
    while (auto output = reader_.poll_output()) outputs_.push_back(std::move(*output));
    if (reader_.is_damaged()) note(StoreError::corrupt);
}

/// A Reader apart is not told of the end of sessions that it does not know.
void Sequencer::give_to_reader(ToReader question) {
    if (const auto* detach = std::get_if<Detach>(&question)) {
        if (read_for_.erase(detach->from) == 0) return;
    } else {
        read_for_.insert(std::visit([](const auto& one) { return one.from; }, question));
    }
    reader_mail_.push_back(std::move(question));
}

/// The session is gone, or no longer to be trusted with its producer.
void Sequencer::forget(const SessionRef& session) {
    const auto found = producer_of_.find(session);
    if (found == producer_of_.end()) return;
    const auto attachment = attachments_.find(found->second);
    asked_.detached(found->second);
    producer_of_.erase(found);
    if (attachment->second.dirty) {
        attachment->second.gone = true;  // what it sent in the running batch still counts
    } else {
        attachments_.erase(attachment);
    }
}

LogState Sequencer::log_state() const {
    const store::Store& store = overlay_->store();
    return {store.head(), store.durability(), accepts_writes_, options_.message_bytes_max};
}

void Sequencer::announce() { outputs_.push_back({OutgoingMail::every_core, log_state()}); }

}  // namespace oncewire::sequencer
