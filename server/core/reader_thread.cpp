#include "server/core/reader_thread.hpp"

#include <algorithm>
#include <cstddef>
#include <future>
#include <iterator>
#include <limits>
#include <utility>

#include "server/core/environment.hpp"
#include "server/mail/feed.hpp"

namespace oncewire::core {

ReaderThread::ReaderThread(std::unique_ptr<store::Reading> reading, std::vector<CoreMailbox*> cores,
                           Options options)
    : reading_(std::move(reading)),
      reader_(*reading_, std::move(options.reader)),
      cores_(std::move(cores)),
      on_damage_(std::move(options.on_damage)),
      inbox_({std::numeric_limits<std::size_t>::max()}) {}

ReaderThread::~ReaderThread() { stop(); }

void ReaderThread::start() {
    thread_ = std::thread([this] { run(); });
}

void ReaderThread::stop() {
    inbox_.close();
    if (thread_.joinable()) thread_.join();
}

void ReaderThread::run() {
    // Opens what it reads by before somebody waits for it. What fails now is told when it is asked.
    (void)reading_->look();
    reading_->let_go();
    for (;;) {
        inbox_.wait(reader_.has_work() ? std::optional(Millis(0)) : std::nullopt);
        // Before the letters are taken: whoever waits has posted theirs, so they are among these.
        note_waiting();
        const bool is_closed = inbox_.is_closed();
        auto letters = inbox_.take().letters;
        const bool is_over = is_closed && letters.empty() && !reader_.has_work();
        for (auto& letter : letters) reader_.handle_mail(std::move(letter));
        if (!is_over) reader_.step(wall_clock_now());
        note_counts();
        deliver();
        if (!reader_.has_work()) say_finished();
        if (is_over || reader_.is_damaged()) break;
    }
    {
        const std::lock_guard lock(mutex_);
        has_ended_ = true;
    }
    note_waiting();
    say_finished();
    if (reader_.is_damaged()) on_damage_();
}

/// Whoever has enough to do gets no more to read: it asks again.
void ReaderThread::deliver() {
    while (auto output = reader_.poll_output()) {
        CoreMailbox& box = *cores_.at(output->core);
        if (box.is_full()) output->mail = mail::ask_again(std::move(output->mail));
        std::vector<CoreLetter> letters;
        letters.emplace_back(std::move(output->mail));
        box.post(std::move(letters));
    }
}

void ReaderThread::note_counts() {
    const std::lock_guard lock(mutex_);
    counts_ = reader_.counts();
}

sequencer::ReaderCounts ReaderThread::counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
}

void ReaderThread::note_waiting() {
    const std::lock_guard lock(mutex_);
    std::move(when_finished_.begin(), when_finished_.end(), std::back_inserter(waiting_));
    when_finished_.clear();
}

void ReaderThread::say_finished() {
    for (const auto& tell : std::exchange(waiting_, {})) tell();
}

/// It is made to come round once more.
void ReaderThread::finish_letters() {
    std::promise<void> finished;
    {
        const std::lock_guard lock(mutex_);
        if (has_ended_) return;
        when_finished_.emplace_back([&finished] { finished.set_value(); });
    }
    inbox_.interrupt();
    finished.get_future().wait();
}

}  // namespace oncewire::core
