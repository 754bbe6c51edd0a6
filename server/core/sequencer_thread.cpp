#include "server/core/sequencer_thread.hpp"

#include <algorithm>
#include <future>
#include <iterator>
#include <memory>
#include <utility>

#include "server/core/environment.hpp"

namespace oncewire::core {
namespace {

/// 20 ms: until a core that had no room for what is new is looked at again.
constexpr Millis look_again_after{20};

}  // namespace

SequencerThread::SequencerThread(
    std::unique_ptr<store::Store> store,
    std::map<std::string, sequencer::DurableHandler, std::less<>> handlers,
    std::vector<CoreMailbox*> cores, Options options)
    : store_(std::move(store)),
      sequencer_(*store_, std::move(handlers), std::move(options.sequencer)),
      cores_(std::move(cores)),
      feeds_(cores_.size()),
      on_damage_(std::move(options.on_damage)),
      on_superseded_(std::move(options.on_superseded)) {}

SequencerThread::~SequencerThread() { stop(); }

void SequencerThread::start() {
    sequencer_.start();
    deliver();
    thread_ = std::thread([this] { run(); });
}

void SequencerThread::stop() {
    inbox_.close();
    if (thread_.joinable()) thread_.join();
}

void SequencerThread::run() {
    for (;;) {
        const auto due = sequencer_.next_timeout();
        const auto wait =
            due ? std::optional(std::max(*due - monotonic_now(), Millis(0))) : std::nullopt;
        inbox_.wait(has_chores()                  ? Millis(0)
                    : feeds_.is_somebody_behind() ? look_again_after
                                                  : wait);
        const bool closed = inbox_.is_closed();
        auto taken = inbox_.take();
        if (closed && taken.letters.empty()) return drop_chores();
        if (taken.was_full) {
            for (CoreMailbox* core : cores_) core->wake();
        }
        work_off(std::move(taken.letters));
        sequencer_.handle_timeout(monotonic_now(), wall_clock_now());
        do_chores();
        deliver();
        if (!sequencer_.is_damaged() && !sequencer_.is_superseded()) continue;
        drop_chores();
        return sequencer_.is_damaged() ? on_damage_() : on_superseded_();
    }
}

/// A chore that is called in one round may be older than the mail that was taken in it, in the next it is
/// not.
void SequencerThread::finish_letters() {
    auto finished = std::make_shared<std::promise<void>>();
    const auto is_next_round = std::make_shared<bool>(false);
    const auto done = finished->get_future();
    add_chore([finished = std::move(finished), is_next_round](sequencer::Sequencer&) {
        if (!std::exchange(*is_next_round, true)) return false;
        finished->set_value();
        return true;
    });
    done.wait();
}

void SequencerThread::add_chore(Chore chore) {
    {
        const std::lock_guard lock(chores_mutex_);
        if (!takes_chores_) return;
        chores_.push_back(std::move(chore));
    }
    inbox_.interrupt();
}

/// Whoever waits for one hears that nothing will come.
void SequencerThread::drop_chores() {
    const std::lock_guard lock(chores_mutex_);
    takes_chores_ = false;
    chores_.clear();
}

bool SequencerThread::has_chores() const {
    const std::lock_guard lock(chores_mutex_);
    return !chores_.empty();
}

/// One step of each, so that no message waits for more than a step.
void SequencerThread::do_chores() {
    std::vector<Chore> due;
    {
        const std::lock_guard lock(chores_mutex_);
        due.swap(chores_);
    }
    std::erase_if(due, [this](const Chore& chore) { return chore(sequencer_); });
    const std::lock_guard lock(chores_mutex_);
    chores_.insert(chores_.begin(), std::make_move_iterator(due.begin()),
                   std::make_move_iterator(due.end()));
}

void SequencerThread::work_off(std::vector<mail::ToSequencer> letters) {
    transactions_.add(std::move(letters));
    while (!transactions_.is_empty()) {
        const Instant now = monotonic_now();
        const UnixMillis wall_clock = wall_clock_now();
        while (auto letter = transactions_.next())
            sequencer_.handle_mail(std::move(*letter), now, wall_clock);
        sequencer_.commit(now);
        deliver();
    }
}

void SequencerThread::deliver() {
    while (auto output = sequencer_.poll_output()) feeds_.add(std::move(*output));
    const mail::LogState state = sequencer_.log_state();
    for (std::size_t core = 0; core < cores_.size(); ++core)
        cores_[core]->post(feeds_.take(core, cores_[core]->is_full(), state));
    std::vector<mail::ToReader> questions;
    while (auto question = sequencer_.poll_reader_mail()) questions.push_back(std::move(*question));
    if (reader_) reader_->post(std::move(questions));
}

}  // namespace oncewire::core
