// Letters about sessions of stock clients, each as part of a batch.
#include "server/sequencer/sequencer.hpp"

namespace oncewire::sequencer {

/// False: the store cannot be written now, and sessions are no longer what they were.
bool Sequencer::begin_session_work() {
    if (is_refusing() || !restart_sessions()) return false;
    in_batch_ = true;
    recovery_.begin();
    return true;
}

/// A batch of its own. False: it could not be stored.
bool Sequencer::restart_sessions() {
    if (recovery_.is_ready()) return true;
    if (in_batch_) commit(now_);
    if (is_refusing()) return false;
    recovery_.put_restart();
    in_batch_ = true;
    commit(now_);
    if (is_refusing()) return false;
    recovery_.restarted();
    return true;
}

void Sequencer::finish_session_work(const Result<void, StoreError>& done) {
    if (!done) fail_batch(done.error());
}

void Sequencer::handle(const OpenSession& request) {
    if (!begin_session_work()) return recovery_.open_unkept(request);
    const auto opened = recovery_.open(request);
    if (opened) return;
    fail_batch(opened.error());
    recovery_.open_unkept(request);
}

void Sequencer::handle(const ChangeRooms& change) {
    const auto pid = recovery_.changed_session(change);
    if (!pid) return;
    if (!begin_session_work()) return recovery_.forget_all();
    finish_session_work(recovery_.change_rooms(*pid, change));
}

void Sequencer::handle(const EndSession& end) {
    const auto* known = recovery_.live().pid_of(end.from);
    if (!known) return;
    const std::string pid = *known;
    if (!begin_session_work()) return recovery_.forget_all();
    finish_session_work(recovery_.end(pid, end.is_final));
}

void Sequencer::handle(const Record& record) {
    const bool is_stored = begin_session_work();
    if (!is_stored) recovery_.forget_all();
    recovery_.record(record, is_stored);
}

void Sequencer::handle(const Relay& relay) {
    recovery_.count_command();
    if (relay.effect) {
        if (begin_session_work()) {
            finish_session_work(recovery_.apply(*relay.effect));
        } else {
            recovery_.forget_all();
        }
    }
    recovery_.relay(relay);
}

}  // namespace oncewire::sequencer
