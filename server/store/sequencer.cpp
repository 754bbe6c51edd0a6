#include "server/store/sequencer.hpp"

#include <algorithm>

#include "shared/base/json.hpp"
#include "shared/base/limits.hpp"
#include "shared/delivery/outbox.hpp"

namespace oncewire::store {
namespace {

/// How long the store is left alone after it failed: a person freeing disk space sees messages flow
/// again at once, and a locked file is not hammered.
constexpr Millis refuse_for{1000};

std::pair<std::uint16_t, std::uint64_t> key_of(const SessionRef& session) {
    return {session.core, session.session};
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

Sequencer::Sequencer(Store& store, std::map<std::string, DurableHandler, std::less<>> handlers,
                     RecoveryLimits recovery)
    : store_(store), handlers_(std::move(handlers)), recovery_(recovery) {}

void Sequencer::start() { announce(); }

void Sequencer::handle_mail(ToSequencer mail, Instant now, UnixMillis wall_clock) {
    now_ = now;
    wall_clock_ = wall_clock;
    std::visit([this](const auto& request) { handle(request); }, mail);
}

void Sequencer::commit(Instant now) {
    now_ = now;
    if (in_transaction_ && tidy_sessions() && write_dirty_rows()) {
        in_transaction_ = false;
        if (store_.commit() == CommitOutcome::committed) {
            finish_committed();
        } else {
            lose_batch();
        }
    }
    flush_published();  // nothing left of a batch that failed
    for (auto& mail : ordered_) outputs_.push_back(std::move(mail));
    for (auto& mail : replies_) outputs_.push_back(std::move(mail));
    clear_batch();
    answer_reads();
}

void Sequencer::handle_timeout(Instant now) {
    now_ = now;
    if (!needs_reopen_ || (refuse_until_ && *refuse_until_ > now)) return;
    if (const auto reopened = store_.reopen(); !reopened) {
        note(reopened.error());
        refuse_until_ = now + refuse_for;
        return;
    }
    needs_reopen_ = false;
    refuse_until_.reset();
    announce();
}

std::optional<Instant> Sequencer::next_timeout() const {
    return needs_reopen_ ? refuse_until_ : std::nullopt;
}

std::optional<OutgoingMail> Sequencer::poll_output() {
    if (is_damaged_) return std::nullopt;
    return outputs_.poll();
}

// ---- requests -----------------------------------------------------------------------------------

void Sequencer::handle(const Attach& attach) {
    if (needs_reopen_) return reply(attach.from, Cut{attach.from});  // it comes back and asks again
    attaches_.push_back(attach);
    const auto& id = attach.identity.id;
    auto known = attachments_.find(id);
    if (known == attachments_.end()) {
        auto row = store_.find_producer(id);
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
        return reply(attach.from, AttachRefused{attach.from, "bad_secret"});
    }
    if (!(attachment.session == attach.from)) {
        ++counts_.fenced;
        reply(attachment.session, Fence{attachment.session});
        producer_of_.erase(key_of(attachment.session));
    }
    attachment.session = attach.from;
    attachment.gone = false;
    attachment.expect_said = false;
    attachment.row.last_contact = wall_clock_;
    producer_of_[key_of(attach.from)] = id;
    ++attachment.row.epoch;
    reply(attach.from, Attached{attach.from, attachment.row.epoch, attachment.row.seen});
}

void Sequencer::handle(const Submit& submit) {
    ++counts_.submitted;
    if (!submit.key) return handle_stock(submit);
    const auto found = attachments_.find(submit.key->id);
    const bool current = found != attachments_.end() && found->second.session == submit.from &&
                         found->second.row.epoch == submit.key->epoch;
    if (!current) return reply(submit.from, Fence{submit.from});  // a zombie's message (R10)
    handle_keyed(submit, found->second);
}

void Sequencer::handle(const ReadPage& request) { reads_.push_back(request); }

void Sequencer::handle(const Detach& detach) { forget(detach.from); }

void Sequencer::handle_keyed(const Submit& submit, Attachment& attachment) {
    const auto sequence = submit.key->sequence;
    auto& seen = attachment.row.seen;
    switch (delivery::judge(seen.last, sequence)) {
        case delivery::Judgement::repeated:
            return answer_repeated(submit, attachment);
        case delivery::Judgement::gap:
            if (attachment.expect_said) return;
            attachment.expect_said = true;
            return reply(submit.from, Expect{submit.from, seen.last + 1});
        case delivery::Judgement::next:
            break;
    }
    auto verdict = store_message(submit);
    if (!verdict) return;
    if (!attachment.bound && !attachment.dirty) {
        if (const auto put = store_.put_producer(attachment.row); !put)
            return fail_batch(put.error());
    }
    const auto stored =
        store_.put_verdict(submit.key->id, sequence, {submit.key->digest, *verdict});
    if (!stored) return fail_batch(stored.error());
    attachment.expect_said = false;
    seen = {sequence, submit.key->digest};
    if (!attachment.dirty) dirty_.push_back(submit.key->id);
    attachment.dirty = true;
    settle(submit, std::move(*verdict));
}

void Sequencer::handle_stock(const Submit& submit) {
    auto verdict = store_message(submit);
    if (verdict && submit.ack_id) {
        reply(submit.from, Answered{submit.from, *submit.ack_id, std::move(*verdict)});
    }
}

/// The first verdict again, any number of times (R4), unless it is another message (R9).
void Sequencer::answer_repeated(const Submit& submit, const Attachment& attachment) {
    involved_.push_back({submit.from, std::nullopt});
    auto stored = store_.find_verdict(submit.key->id, submit.key->sequence);
    if (!stored) return fail_batch(stored.error());
    if (*stored && (*stored)->digest != submit.key->digest) {
        return reply(submit.from,
                     Conflict{submit.from, submit.key->sequence, attachment.row.seen.last});
    }
    ++counts_.repeated;
    settle(submit, *stored ? std::move((*stored)->verdict) : accept());
}

/// Runs the handler inside the batch's transaction. An error has been dealt with already.
Result<Verdict, StoreError> Sequencer::store_message(const Submit& submit) {
    if (needs_reopen_ || (refuse_until_ && *refuse_until_ > now_)) {
        retry_later(submit.from, submit.ack_id);
        return Err{StoreError::busy};
    }
    involved_.push_back({submit.from, submit.ack_id});
    if (!begin_batch()) return Err{StoreError::busy};
    auto verdict = run_handler(submit);
    if (!verdict) fail_batch(verdict.error());
    if (verdict && verdict->kind == Verdict::Kind::rejected) ++counts_.rejected;
    return verdict;
}

/// False: the store said no, and everybody in the batch was told.
bool Sequencer::begin_batch() {
    if (in_transaction_) return true;
    if (const auto begun = store_.begin(); !begun) {
        fail_batch(begun.error());
        return false;
    }
    in_transaction_ = true;
    return true;
}

Result<Verdict, StoreError> Sequencer::run_handler(const Submit& submit) {
    if (submit.data == delivery::cancelled_message) return accept();
    auto elements = json::elements(submit.data);
    const auto event = elements.empty() ? std::nullopt : json::as_string(elements[0]);
    if (!event) return reject("not_an_event", "a message must be an array that begins with a name");
    const auto handler = handlers_.find(*event);
    if (handler == handlers_.end()) {
        return reject("unknown_event", "this server stores no such event");
    }
    elements.erase(elements.begin());
    Message message{submit.nsp, *event, std::move(elements), submit.scope, {}, submit.sender};
    if (submit.key) message.key = submit.key->id.text + ':' + std::to_string(submit.key->sequence);
    Tx tx(store_, submit.nsp, wall_clock_, published_);
    return handler->second(tx, message);
}

// ---- the end of a batch -------------------------------------------------------------------------

bool Sequencer::write_dirty_rows() {
    for (const auto& id : dirty_) {
        ProducerRow& row = attachments_.find(id)->second.row;
        row.last_contact = wall_clock_;
        if (const auto put = store_.put_producer(row); !put) {
            fail_batch(put.error());
            return false;
        }
    }
    return true;
}

void Sequencer::finish_committed() {
    ++counts_.commits;
    flush_published();
    for (auto& mail : ordered_) {
        if (const auto* published = std::get_if<Published>(&mail.mail))
            counts_.stored += published->entries->size();
        outputs_.push_back(std::move(mail));
    }
    ordered_.clear();
    refuse_until_.reset();
    end_dirty([](Attachment& attachment) {
        attachment.committed = attachment.row.seen;
        attachment.bound = true;
    });
    if (!accepts_writes_) {
        accepts_writes_ = true;
        announce();
    }
}

/// Applies `outcome` to every producer with something in the batch; those whose session left meanwhile
/// are dropped.
template <class Outcome>
void Sequencer::end_dirty(Outcome outcome) {
    for (const auto& id : dirty_) {
        const auto found = attachments_.find(id);
        VERIFY(found != attachments_.end());  // a dirty one is never erased before the batch ends
        outcome(found->second);
        found->second.dirty = false;
        if (found->second.gone) attachments_.erase(found);
    }
    dirty_.clear();
}

void Sequencer::fail_batch(StoreError error) {
    note(error);
    if (in_transaction_) store_.rollback();
    in_transaction_ = false;
    refuse_until_ = now_ + refuse_for;
    end_dirty([](Attachment& attachment) {
        attachment.row.seen = attachment.committed;
        attachment.expect_said = false;
    });
    const auto attaches = std::move(attaches_);
    const auto involved = std::move(involved_);
    published_.clear();
    settle_ordered(true);
    void_batch();
    for (const auto& each : involved) retry_later(each.session, each.ack_id);
    for (const auto& attach : attaches) handle(attach);  // attaching only reads, so it is done over
    if (accepts_writes_) {
        accepts_writes_ = false;
        announce();
    }
}

void Sequencer::lose_batch() {
    ++counts_.unknown_commits;
    end_dirty([](Attachment&) {});  // forgotten below: the disk knows, we do not
    auto involved = std::move(involved_);
    for (const auto& attach : attaches_) involved.push_back({attach.from, std::nullopt});
    published_.clear();
    settle_ordered(false);
    void_batch();
    for (const auto& each : involved) {
        forget(each.session);
        reply(each.session, Cut{each.session});
    }
    needs_reopen_ = true;
    refuse_until_.reset();
    handle_timeout(now_);  // reopens now if the disk lets us, and tells every core the head
}

/// What was answered on the strength of the batch is not said; the rest still is.
void Sequencer::void_batch() {
    auto ordered = std::move(ordered_);
    auto kept = std::move(replies_);
    std::erase_if(kept, [](const OutgoingMail& mail) {
        return std::holds_alternative<Settled>(mail.mail) ||
               std::holds_alternative<Answered>(mail.mail) ||
               std::holds_alternative<Attached>(mail.mail);
    });
    clear_batch();
    ordered_ = std::move(ordered);
    replies_ = std::move(kept);
}

void Sequencer::clear_batch() {
    published_.clear();
    ordered_.clear();
    session_work_in_batch_ = false;
    replies_.clear();
    settled_at_.clear();
    involved_.clear();
    attaches_.clear();
    dirty_.clear();
}

/// History is read after the commit, so that a page never shows what may yet be rolled back; what is
/// published later follows it in the same mailbox.
void Sequencer::answer_reads() {
    for (const auto& request : reads_) {
        Page page{request.from, nullptr, request.after};
        auto entries = needs_reopen_ ? Err{StoreError::io}
                                     : store_.read(request.rooms, request.after,
                                                   limits::page_entries, limits::page_bytes);
        if (entries) {
            const auto head = store_.head().offset;
            page.end = entries->empty() ? head : entries->back().offset;
            page.failed = !add_recorded(request, page, *entries);
            page.reached_head = !page.failed && page.end == head;
            page.entries = std::make_shared<const std::vector<LogEntry>>(std::move(*entries));
        } else {
            note(entries.error());
            page.failed = true;
            page.entries = std::make_shared<const std::vector<LogEntry>>();
        }
        outputs_.push_back({request.from.core, std::move(page)});
    }
    reads_.clear();
}

/// The session is gone, or no longer to be trusted with its producer.
void Sequencer::forget(const SessionRef& session) {
    const auto found = producer_of_.find(key_of(session));
    if (found == producer_of_.end()) return;
    const auto attachment = attachments_.find(found->second);
    producer_of_.erase(found);
    if (attachment->second.dirty) {
        attachment->second.gone = true;  // what it sent in the running batch still counts
    } else {
        attachments_.erase(attachment);
    }
}

void Sequencer::settle(const Submit& submit, Verdict verdict) {
    const auto sequence = submit.key->sequence;
    const auto newest = settled_at_.find(key_of(submit.from));
    if (newest != settled_at_.end()) {
        auto& settled = *std::get_if<Settled>(&replies_[newest->second].mail);
        if (settled.first + settled.verdicts.size() == sequence) {
            settled.verdicts.push_back(std::move(verdict));
            return;
        }
    }
    settled_at_[key_of(submit.from)] = replies_.size();
    reply(submit.from, Settled{submit.from, sequence, {std::move(verdict)}});
}

void Sequencer::retry_later(const SessionRef& session, std::optional<socketio::AckId> ack_id) {
    // Tier 2 rewinds everything at the first word; a second says nothing new.
    const bool said =
        !ack_id && std::any_of(replies_.begin(), replies_.end(), [&](const auto& mail) {
            const auto* later = std::get_if<RetryLater>(&mail.mail);
            return later && later->to == session && !later->ack_id;
        });
    if (!said) reply(session, RetryLater{session, ack_id, refuse_for});
}

void Sequencer::announce() {
    outputs_.push_back(
        {OutgoingMail::every_core, LogState{store_.head(), store_.durability(), accepts_writes_}});
}

}  // namespace oncewire::store
