#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "server/core/letters.hpp"
#include "server/sequencer/reader.hpp"
#include "server/store/reading.hpp"

namespace oncewire::core {

/// The thread of who reads apart from the sequencer: pages of the log, history, search.
class ReaderThread {
  public:
    struct Options {
        sequencer::Reader::Options reader;
        /// As SequencerThread::Options::on_damage.
        std::function<void()> on_damage;
    };

    /// `cores` outlive this; the number of each is its place here.
    ReaderThread(std::unique_ptr<store::Reading> reading, std::vector<CoreMailbox*> cores,
                 Options options);
    ~ReaderThread();
    ReaderThread(const ReaderThread&) = delete;
    ReaderThread& operator=(const ReaderThread&) = delete;

    /// Bounded by manners: a connection asks for one page at a time, and a session has few lookups.
    ReaderMailbox& inbox() { return inbox_; }
    void start();
    /// Answers what has been asked, then ends. Blocks.
    void stop();
    /// Blocks until what has been asked is answered, or the thread has ended.
    void finish_letters();
    /// As they were lately. Any thread.
    sequencer::ReaderCounts counts() const;

  private:
    void run();
    void deliver();
    void note_waiting();
    void say_finished();
    void note_counts();

    std::unique_ptr<store::Reading> reading_;
    sequencer::Reader reader_;
    std::vector<CoreMailbox*> cores_;
    std::function<void()> on_damage_;
    ReaderMailbox inbox_;
    mutable std::mutex mutex_;  // of the next three
    sequencer::ReaderCounts counts_;
    bool has_ended_ = false;
    std::vector<std::function<void()>> when_finished_;
    std::vector<std::function<void()>> waiting_;  // of them, for what the thread has taken; its own
    std::thread thread_;
};

}  // namespace oncewire::core
