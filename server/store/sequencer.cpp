#include "server/store/sequencer.hpp"

#include <algorithm>

#include "shared/base/json.hpp"
#include "shared/base/limits.hpp"
#include "shared/delivery/outcome.hpp"

namespace oncewire::store {
namespace {

/// How long the store is left alone after it failed: a person freeing disk space sees messages flow
/// again at once, and a locked file is not hammered.
constexpr Millis refuse_for{1000};
/// 256 entries in one go: a few milliseconds in which no message is stored.
constexpr std::uint32_t trim_entries_max = 256;
/// After a start nobody is taken for away before this: every client has tried again by then.
constexpr Millis come_back_within{10'000};
/// As trim_entries_max, of verdicts.
constexpr std::uint32_t forget_verdicts_max = 256;

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
                     Options options)
    : store_(store), handlers_(std::move(handlers)), options_(std::move(options)) {}

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
    ask_questions();
}

void Sequencer::handle_timeout(Instant now, UnixMillis wall_clock) {
    now_ = now;
    wall_clock_ = wall_clock;
    if (refuse_until_ && *refuse_until_ > now) return;
    if (needs_reopen_) return reopen_store();
    if (!options_.retention.keeps_all() && trim_at_ <= now) trim();
    if (options_.lease && !needs_reopen_) end_leases();
    if (!needs_reopen_ && expiry_at_ && *expiry_at_ <= now) expire_questions();
    ask_questions();
    if (needs_reopen_) return;
    const auto due = tasks_.take_due(store_, now);
    if (!due) return refuse_for_a_while(due.error());
    for (const TaskRow& task : *due) outputs_.push_back({0, RunTask{task}});
}

void Sequencer::refuse_for_a_while(StoreError error) {
    note(error);
    refuse_until_ = now_ + refuse_for;
}

void Sequencer::reopen_store() {
    if (const auto reopened = store_.reopen(); !reopened) {
        return refuse_for_a_while(reopened.error());
    }
    needs_reopen_ = false;
    refuse_until_.reset();
    tasks_.look_again();
    expiry_at_ = now_;
    announce();
}

std::optional<Instant> Sequencer::next_timeout() const {
    if (needs_reopen_) return refuse_until_;
    auto next = earliest(tasks_.next_timeout(), expiry_at_);
    if (!unasked_.empty()) next = now_;
    if (!options_.retention.keeps_all()) next = earliest(next, trim_at_);
    if (options_.lease) next = earliest(next, leases_at_.value_or(now_));
    if (next && refuse_until_ && *next < *refuse_until_) next = refuse_until_;
    return next;
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
    producer_of_[attach.from] = id;
    asking_.erase(id);
    unasked_.insert(id);
    ++attachment.row.epoch;
    reply(attach.from, Attached{attach.from, attachment.row.epoch, attachment.row.seen});
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

void Sequencer::handle(const TaskEnded& ended) {
    if (!tasks_.ended(ended.id, ended.is_done, now_)) {
        if (!ended.is_done) ++counts_.task_failures;
        return;
    }
    ended_tasks_.push_back(ended.id);
    if (needs_reopen_) return fail_batch(StoreError::io);
    if (!begin_batch()) return;
    if (const auto erased = store_.erase_task(ended.id); !erased) fail_batch(erased.error());
}

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
    if (is_refusing()) return retry_later(submit.from, submit.ack_id);
    const auto known = store_.find_verdict_by_digest(submit.key->id, submit.key->digest);
    if (!known) {
        involved_.push_back({submit.from, std::nullopt});
        return fail_batch(known.error());
    }
    const auto before = store_.head().offset;
    auto verdict = *known ? take_number(submit, (*known)->verdict) : store_message(submit);
    if (!verdict) {
        // What follows comes again with it, without being asked for.
        if (verdict.error() == StoreError::handler) attachment.expect_said = true;
        return;
    }
    if (!attachment.bound && !attachment.dirty) {
        if (const auto put = store_.put_producer(attachment.row); !put)
            return fail_batch(put.error());
    }
    const Publication published{before + 1,
                                static_cast<std::uint32_t>(store_.head().offset - before)};
    const auto stored = store_.put_verdict(
        submit.key->id, sequence,
        {submit.key->digest, *verdict, *known ? (*known)->published : published});
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

/// The first verdict again, any number of times (R4), unless it is another message (R9) or that verdict
/// is forgotten.
void Sequencer::answer_repeated(const Submit& submit, const Attachment& attachment) {
    involved_.push_back({submit.from, std::nullopt});
    auto stored = store_.find_verdict(submit.key->id, submit.key->sequence);
    if (!stored) return fail_batch(stored.error());
    if (!*stored || (*stored)->digest != submit.key->digest) {
        // Its sender's storage was put back to before it had to give the message another number.
        const auto known = store_.find_verdict_by_digest(submit.key->id, submit.key->digest);
        if (!known) return fail_batch(known.error());
        if (*known) {
            ++counts_.repeated;
            return settle(submit, std::move((*known)->verdict));
        }
        if (!*stored) return answer_forgotten(submit);
        ++counts_.conflicts;
        return reply(submit.from,
                     Conflict{submit.from, submit.key->sequence, attachment.row.seen.last});
    }
    ++counts_.repeated;
    settle(submit, std::move((*stored)->verdict));
}

/// It may have been stored, or be another message, of a sender whose storage was put back. A new number
/// would store it, perhaps a second time, so it gets a word instead, the same each time. Only an answer
/// cannot be given twice, with or without a number: its question is there, or over.
void Sequencer::answer_forgotten(const Submit& submit) {
    if (delivery::parse_answer(submit.data)) {
        auto verdict = store_message(submit);
        if (verdict) settle(submit, std::move(*verdict));
        return;
    }
    ++counts_.outcomes_unknown;
    settle(submit, outcome_unknown());
}

/// Runs the handler inside the batch's transaction. An error has been dealt with already.
Result<Verdict, StoreError> Sequencer::store_message(const Submit& submit) {
    if (is_refusing()) {
        retry_later(submit.from, submit.ack_id);
        return Err{StoreError::busy};
    }
    involved_.push_back({submit.from, submit.ack_id});
    if (!begin_batch()) return Err{StoreError::busy};
    auto verdict = run_handler(submit);
    if (!verdict && verdict.error() == StoreError::handler) {
        ++counts_.handler_failures;
        if (may_try_again(submit)) {
            retry_later(submit.from, submit.ack_id);
            return verdict;
        }
        verdict = reject("handler_failed", "the server failed on this message again and again");
        if (const auto dropped = drop_question(submit); !dropped) verdict = Err{dropped.error()};
    }
    if (!verdict) fail_batch(verdict.error());
    if (verdict && verdict->kind == Verdict::Kind::rejected &&
        delivery::is_outcome_unknown(verdict->body)) {
        verdict = reject("reserved_code", "a handler rejected it with a code that is not its own");
    }
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

/// The message was stored under another number, and is offered under this one by a sender who does not
/// know: the number is used up, and nothing else happens.
Result<Verdict, StoreError> Sequencer::take_number(const Submit& submit, Verdict verdict) {
    ++counts_.repeated;
    involved_.push_back({submit.from, submit.ack_id});
    if (!begin_batch()) return Err{StoreError::busy};
    return verdict;
}

/// A stock client has no number by which attempts could be counted; it stops by itself.
bool Sequencer::may_try_again(const Submit& submit) {
    if (!submit.key) return true;
    Attachment& attachment = attachments_.find(submit.key->id)->second;
    if (attachment.failed_sequence != submit.key->sequence) attachment.failures = 0;
    attachment.failed_sequence = submit.key->sequence;
    return ++attachment.failures < options_.handler_attempts_max;
}

/// What is not accepted leaves nothing behind.
Result<Verdict, StoreError> Sequencer::run_handler(const Submit& submit) {
    const std::size_t published = published_.size();
    const std::size_t questions = questions_.size();
    const auto verdict = call_handler(submit);
    const bool accepted = verdict && verdict->kind == Verdict::Kind::accepted;
    const bool spoilt = !verdict && verdict.error() != StoreError::handler;
    if (accepted || spoilt || !was_marked_) return verdict;
    if (const auto undone = undo(published, questions); !undone) return Err{undone.error()};
    return verdict;
}

/// Back to where the newest handler began, when there were so many.
Result<void, StoreError> Sequencer::undo(std::size_t published, std::size_t questions) {
    published_.resize(published);
    questions_.resize(questions);
    return store_.undo();
}

Result<Verdict, StoreError> Sequencer::call_handler(const Submit& submit) {
    was_marked_ = false;
    if (submit.data == delivery::cancelled_message) return accept();
    const std::size_t most =
        submit.is_applications ? limits::message_bytes : options_.message_bytes_max;
    if (submit.data == delivery::too_large_message || submit.data.size() > most) {
        return reject("too_large",
                      "a stored message has at most " + std::to_string(most) + " bytes");
    }
    const auto answer = delivery::parse_answer(submit.data);
    if (answer && submit.key) return take_answer(submit, *answer);
    auto elements = json::elements(submit.data);
    const auto event = elements.empty() ? std::nullopt : json::as_string(elements[0]);
    if (!event) return reject("not_an_event", "a message must be an array that begins with a name");
    const auto handler = handlers_.find(*event);
    if (handler == handlers_.end()) {
        return reject("unknown_event", "this server stores no such event");
    }
    elements.erase(elements.begin());
    const ProducerId& producer = submit.key ? submit.key->id : submit.producer;
    Message message{submit.nsp, *event,        std::move(elements), submit.scope,
                    {},         submit.sender, producer.text};
    if (submit.key) message.key = submit.key->id.text + ':' + std::to_string(submit.key->sequence);
    Tx tx(store_, submit.nsp, message.key, wall_clock_, published_, questions_);
    auto verdict = handler->second(tx, message);
    was_marked_ = tx.is_marked();
    return verdict;
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
    counts_.tasks_done += ended_tasks_.size();
    for (const auto id : ended_tasks_) tasks_.erased(id);
    ended_tasks_.clear();
    if (std::exchange(last_task_, store_.last_task()) != last_task_) tasks_.look_again();
    refuse_until_.reset();
    note_questions(true);
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
    // Whoever asks meanwhile must not put off the next attempt to reopen, again and again.
    if (!needs_reopen_) refuse_until_ = now_ + refuse_for;
    end_dirty([](Attachment& attachment) {
        attachment.row.seen = attachment.committed;
        attachment.expect_said = false;
    });
    const auto attaches = std::move(attaches_);
    const auto involved = std::move(involved_);
    published_.clear();
    settle_ordered(true);
    void_batch();
    forget_ended_tasks();
    for (const auto& each : involved) retry_later(each.session, each.ack_id);
    for (const auto& attach : attaches) handle(attach);  // attaching only reads, so it is done over
    if (accepts_writes_) {
        accepts_writes_ = false;
        announce();
    }
}

void Sequencer::lose_batch() {
    ++counts_.unknown_commits;
    note_questions(false);
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
    forget_ended_tasks();
    needs_reopen_ = true;
    refuse_until_.reset();
    reopen_store();  // now if the disk lets us, and tells every core the head
}

/// Their erasure did not happen, or may not have: they are given out again.
void Sequencer::forget_ended_tasks() {
    for (const auto id : std::exchange(ended_tasks_, {})) tasks_.not_erased(id, now_);
}

/// One step; the next one follows at once until nothing is left to remove.
void Sequencer::trim() {
    if (in_transaction_) return;
    trim_at_ = now_ + options_.trim_every;
    if (const auto begun = store_.begin(); !begun) return refuse_for_a_while(begun.error());
    const auto trimmed = store_.trim(options_.retention, wall_clock_, trim_entries_max);
    if (!trimmed) {
        store_.rollback();
        return refuse_for_a_while(trimmed.error());
    }
    if (store_.commit() == CommitOutcome::unknown) return lose_batch();
    counts_.trimmed += trimmed->entries;
    if (!trimmed->is_finished) trim_at_ = now_;
}

/// One step, as of trim(). Whoever is there is not away, however long ago they sent something.
void Sequencer::end_leases() {
    if (!leases_at_) leases_at_ = now_ + come_back_within;
    if (in_transaction_ || *leases_at_ > now_) return;
    leases_at_ = now_ + options_.trim_every;
    const UnixMillis until{wall_clock_.value - options_.lease->count()};
    const auto idle = store_.idle_producers(until, forget_verdicts_max);
    if (!idle) return refuse_for_a_while(idle.error());
    if (idle->empty()) return;
    if (const auto begun = store_.begin(); !begun) return refuse_for_a_while(begun.error());
    const auto step = end_leases(*idle);
    if (!step) {
        store_.rollback();
        return refuse_for_a_while(step.error());
    }
    if (store_.commit() == CommitOutcome::unknown) return lose_batch();
    counts_.leases_ended += step->ended;
    if (!step->is_finished) leases_at_ = now_;
}

Result<Sequencer::LeaseStep, StoreError> Sequencer::end_leases(
    const std::vector<ProducerId>& idle) {
    LeaseStep step;
    std::uint32_t left = forget_verdicts_max;
    for (const auto& id : idle) {
        if (is_attached(id)) {
            const auto renewed = store_.renew_producer(id, wall_clock_);
            if (!renewed) return Err{renewed.error()};
            --left;
        } else {
            const auto forgotten = store_.forget_verdicts(id, left);
            if (!forgotten) return Err{forgotten.error()};
            left -= forgotten->verdicts;
            if (forgotten->is_finished) ++step.ended;
        }
        step.is_finished = left > 0;
        if (!step.is_finished) break;
    }
    return step;
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
    questions_.clear();
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
    for (const auto& request : std::exchange(reads_, {})) answer_read(request);
}

void Sequencer::answer_read(const ReadPage& request) {
    Page page;
    page.to = request.from;
    page.after = page.end = request.after;
    auto entries = read_page(request, page);
    page.failed = !entries;
    if (!entries) note(entries.error());
    page.entries = std::make_shared<const std::vector<LogEntry>>(entries ? std::move(*entries)
                                                                         : std::vector<LogEntry>());
    outputs_.push_back({request.from.core, std::move(page)});
}

/// Fills in all of `page` but its entries, and returns these.
Result<std::vector<LogEntry>, StoreError> Sequencer::read_page(const ReadPage& request,
                                                               Page& page) {
    if (needs_reopen_) return Err{StoreError::io};
    auto entries =
        store_.read(request.rooms, request.after, limits::page_entries, limits::page_bytes);
    if (!entries) return entries;
    const auto trimmed = store_.trimmed_to(request.rooms);
    if (!trimmed) return Err{trimmed.error()};
    const auto head = store_.head().offset;
    page.end = entries->empty() ? head : entries->back().offset;
    if (const auto added = add_recorded(request, page, *entries); !added) {
        return Err{added.error()};
    }
    page.reached_head = page.end == head;
    if (request.after < *trimmed) {
        ++counts_.gaps_told;
        page.lost_to = *trimmed;
    }
    return entries;
}

/// The session is gone, or no longer to be trusted with its producer.
void Sequencer::forget(const SessionRef& session) {
    const auto found = producer_of_.find(session);
    if (found == producer_of_.end()) return;
    const auto attachment = attachments_.find(found->second);
    asking_.erase(found->second);
    producer_of_.erase(found);
    if (attachment->second.dirty) {
        attachment->second.gone = true;  // what it sent in the running batch still counts
    } else {
        attachments_.erase(attachment);
    }
}

void Sequencer::settle(const Submit& submit, Verdict verdict) {
    const auto sequence = submit.key->sequence;
    const auto newest = settled_at_.find(submit.from);
    if (newest != settled_at_.end()) {
        auto& settled = *std::get_if<Settled>(&replies_[newest->second].mail);
        if (settled.first + settled.verdicts.size() == sequence) {
            settled.verdicts.push_back(std::move(verdict));
            return;
        }
    }
    settled_at_[submit.from] = replies_.size();
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
        {OutgoingMail::every_core, LogState{store_.head(), store_.durability(), accepts_writes_,
                                            options_.message_bytes_max}});
}

}  // namespace oncewire::store
