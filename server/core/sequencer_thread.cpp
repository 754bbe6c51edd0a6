#include "server/core/sequencer_thread.hpp"

#include <algorithm>
#include <future>
#include <iterator>
#include <memory>
#include <utility>

#include "server/core/environment.hpp"
#include "server/mail/feed.hpp"

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
      is_behind_(cores_.size(), false),
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
        inbox_.wait(has_chores() ? Millis(0) : is_somebody_behind() ? look_again_after : wait);
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
    for (std::size_t done = 0; done < letters.size();) {
        const Instant now = monotonic_now();
        const UnixMillis wall_clock = wall_clock_now();
        const std::size_t end = std::min(done + batch_max, letters.size());
        for (std::size_t bytes = 0; done < end && bytes < batch_bytes; ++done) {
            bytes += mail::bytes_of(letters[done]);
            sequencer_.handle_mail(std::move(letters[done]), now, wall_clock);
        }
        sequencer_.commit(now);
        deliver();
    }
}

void SequencerThread::deliver() {
    std::vector<std::vector<CoreLetter>> outgoing(cores_.size());
    while (auto output = sequencer_.poll_output()) {
        if (output->core < outgoing.size()) {
            outgoing[output->core].push_back(std::move(output->mail));
        } else {
            for (auto& letters : outgoing) letters.push_back(output->mail);
        }
    }
    for (std::size_t core = 0; core < cores_.size(); ++core)
        post_to(core, std::move(outgoing[core]));
    std::vector<mail::ToReader> questions;
    while (auto question = sequencer_.poll_reader_mail()) questions.push_back(std::move(*question));
    if (reader_) reader_->post(std::move(questions));
}

/// Nobody waits for a core that has enough to do. It gets its answers, and reads the rest when it has room.
void SequencerThread::post_to(std::size_t core, std::vector<CoreLetter> letters) {
    CoreMailbox& box = *cores_[core];
    if (!box.is_full()) {
        if (is_behind_[core]) letters.emplace_back(mail::FromSequencer(sequencer_.log_state()));
        is_behind_[core] = false;
    } else if (!letters.empty()) {
        is_behind_[core] = true;
        std::vector<CoreLetter> kept;
        for (auto& letter : letters) {
            auto rest = mail::without_feed(std::move(std::get<mail::FromSequencer>(letter)));
            if (rest) kept.emplace_back(std::move(*rest));
        }
        letters = std::move(kept);
    }
    box.post(std::move(letters));
}

bool SequencerThread::is_somebody_behind() const {
    return std::find(is_behind_.begin(), is_behind_.end(), true) != is_behind_.end();
}

}  // namespace oncewire::core
