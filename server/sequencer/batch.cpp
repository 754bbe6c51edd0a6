// The end of a batch: what a commit, and one that failed, mean for everybody in it.
#include <utility>

#include "server/sequencer/sequencer.hpp"

namespace oncewire::sequencer {

void Sequencer::put_dirty_rows() {
    for (const auto& id : dirty_) {
        ProducerRow& row = attachments_.find(id)->second.row;
        row.last_contact = wall_clock_;
        overlay_->senders.put(row);
    }
}

void Sequencer::end_batch() {
    put_dirty_rows();
    recovery_.tidy();
    mail_.publish_to(overlay_->batch().entries.size());
    rewritten_ = overlay_->batch().rewritten.size();
    in_batch_ = false;
    const Written written = overlay_->write();
    switch (written.outcome) {
        case WriteOutcome::committed:
            return finish_committed();
        case WriteOutcome::refused:
            return fail_batch(written.error);
        case WriteOutcome::moved:
            is_superseded_ = true;
            return;
        case WriteOutcome::unknown:
            return lose_batch();
    }
}

void Sequencer::finish_committed() {
    ++counts_.commits;
    counts_.stored += overlay_->written().entries.size();
    mail_.fill_in(overlay_->written().entries);
    note_rewritten();
    counts_.rewritten += rewritten_;
    counts_.tasks_done += ended_tasks_.size();
    for (const auto id : ended_tasks_) tasks_.erased(id);
    ended_tasks_.clear();
    if (!overlay_->written().tasks.empty()) tasks_.look_again();
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
    overlay_->drop();
    in_batch_ = false;
    // Whoever asks meanwhile must not put off the next attempt to reopen, again and again.
    if (!needs_reopen_) refuse_until_ = now_ + refuse_for;
    end_dirty([](Attachment& attachment) {
        attachment.row.seen = attachment.committed;
        attachment.expect_said = false;
    });
    const auto attaches = std::move(attaches_);
    const auto involved = mail_.take_involved();
    void_batch(true);
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
    auto involved = mail_.take_involved();
    for (const auto& attach : attaches_) involved.push_back({attach.from, std::nullopt});
    void_batch(false);
    for (const auto& each : involved) {
        forget(each.session);
        reply(each.session, Cut{each.session});
    }
    forget_ended_tasks();
    needs_reopen_ = true;
    refuse_until_.reset();
    reopen_store();  // now if the disk lets us, and tells every core the head
}

void Sequencer::void_batch(bool outcome_known) {
    mail_.void_batch(outcome_known);
    recovery_.end_batch(true);
    clear_batch();
}

void Sequencer::clear_batch() {
    recovery_.end_batch(false);
    attaches_.clear();
    dirty_.clear();
}

}  // namespace oncewire::sequencer
