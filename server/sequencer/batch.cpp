// The end of a batch: what a commit, and one that failed, mean for everybody in it.
#include <utility>

#include "server/sequencer/sequencer.hpp"

namespace oncewire::sequencer {

bool Sequencer::write_dirty_rows() {
    for (const auto& id : dirty_) {
        ProducerRow& row = attachments_.find(id)->second.row;
        row.last_contact = wall_clock_;
        if (const auto put = store_.put_producer(row); !put) {
            fail_batch(put.error());
            return false;
        }
    }
    // What the last message put may wait yet. An error that shows now is a plain no; in commit() it would leave
    // everybody in doubt.
    if (const auto marked = store_.mark(); !marked) {
        fail_batch(marked.error());
        return false;
    }
    return true;
}

void Sequencer::finish_committed() {
    ++counts_.commits;
    flush_published();
    show_rewritten();
    note_rewritten();
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

/// What was published and rewritten in the same batch is told as it is by now.
void Sequencer::show_rewritten() {
    if (rewritten_.empty()) return;
    counts_.rewritten += rewritten_.size();
    std::map<delivery::Offset, std::string> newest;
    for (auto& [offset, data] : rewritten_) newest[offset] = std::move(data);
    for (auto& mail : ordered_) {
        auto* published = std::get_if<Published>(&mail.mail);
        const auto first =
            published ? newest.lower_bound(published->entries->front().offset) : newest.end();
        if (first == newest.end()) continue;
        auto entries = *published->entries;
        for (auto& entry : entries) {
            if (const auto data = newest.find(entry.offset); data != newest.end())
                entry.data = data->second;
        }
        published->entries = std::make_shared<const std::vector<LogEntry>>(std::move(entries));
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
    note_rewritten();
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
    rewritten_.clear();
    ordered_.clear();
    session_work_in_batch_ = false;
    replies_.clear();
    settled_at_.clear();
    involved_.clear();
    attaches_.clear();
    dirty_.clear();
}

}  // namespace oncewire::sequencer
