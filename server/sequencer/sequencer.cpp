#include "server/sequencer/sequencer.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "shared/base/limits.hpp"

namespace oncewire::sequencer {
namespace {

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
    answer_lookups();
}

void Sequencer::handle_timeout(Instant now, UnixMillis wall_clock) {
    now_ = now;
    wall_clock_ = wall_clock;
    answer_lookups();
    if (refuse_until_ && *refuse_until_ > now) return;
    if (needs_reopen_) return reopen_store();
    if (erase_at_ && *erase_at_ <= now) erase_traces();
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
    if (!lookups_.empty()) return now_;
    if (needs_reopen_) return refuse_until_;
    auto next = earliest(tasks_.next_timeout(), earliest(expiry_at_, erase_at_));
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
    if (attach.first > attachment.row.seen.last + 1) skip_to(attachment, attach.first);
    producer_of_[attach.from] = id;
    asking_.erase(id);
    unasked_.insert(id);
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

void Sequencer::handle(const ReadPage& request) { reads_.push_back(request); }

void Sequencer::handle(const Detach& detach) {
    drop_lookups(detach.from);
    pauses_.erase(detach.from);
    forget(detach.from);
}

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

// ---- pages of history ---------------------------------------------------------------------------

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
    leave_out_unreadable(*entries, page);
    if (!entries->empty()) {
        page.end = entries->back().offset;
    } else {
        page.end = page.unreadable_to > 0 ? page.unreadable_to : head;
    }
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

/// Those at the beginning of the page; it ends before the next ones, which begin the page after it.
void Sequencer::leave_out_unreadable(std::vector<LogEntry>& entries, Page& page) {
    const auto is_readable = [](const LogEntry& entry) { return is_event(entry.data); };
    const auto first = std::find_if(entries.begin(), entries.end(), is_readable);
    if (first != entries.begin()) {
        counts_.unreadable += static_cast<std::uint64_t>(first - entries.begin());
        page.unreadable_from = entries.front().offset;
        page.unreadable_to = std::prev(first)->offset;
    }
    entries.erase(std::find_if_not(first, entries.end(), is_readable), entries.end());
    entries.erase(entries.begin(), first);
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

LogState Sequencer::log_state() const {
    return {store_.head(), store_.durability(), accepts_writes_, options_.message_bytes_max};
}

void Sequencer::announce() { outputs_.push_back({OutgoingMail::every_core, log_state()}); }

}  // namespace oncewire::sequencer
