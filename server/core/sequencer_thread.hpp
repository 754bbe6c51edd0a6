#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "server/core/letters.hpp"
#include "server/store/sequencer.hpp"
#include "server/store/store.hpp"

namespace oncewire::core {

/// The thread that owns the store. Whatever waits in its mailbox when it comes round is one
/// transaction, so the slower the disk, the bigger the batch.
class SequencerThread {
  public:
    /// `cores` outlive this; the number of each is its place here.
    SequencerThread(std::unique_ptr<store::Store> store,
                    std::map<std::string, store::DurableHandler, std::less<>> handlers,
                    std::vector<CoreMailbox*> cores);
    ~SequencerThread();
    SequencerThread(const SequencerThread&) = delete;
    SequencerThread& operator=(const SequencerThread&) = delete;

    SequencerMailbox& inbox() { return inbox_; }

    /// Tells every core where the log stands, then starts working.
    void start();
    /// Works off what is in the mailbox, then ends. Blocks.
    void stop();
    /// After stop().
    const store::SequencerCounts& counts() const { return sequencer_.counts(); }

    /// 1,024: messages in one transaction; beyond it a commit gains nothing and the first waits longer.
    static constexpr std::size_t batch_max = 1024;
    /// 4,096 letters waiting to be stored: four batches, some 20 ms of work.
    static constexpr std::size_t inbox_capacity = 4096;

  private:
    void run();
    void work_off(std::vector<store::ToSequencer> letters);
    void deliver();

    std::unique_ptr<store::Store> store_;
    store::Sequencer sequencer_;
    std::vector<CoreMailbox*> cores_;
    SequencerMailbox inbox_{inbox_capacity};
    std::thread thread_;
};

}  // namespace oncewire::core
