#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "server/core/letters.hpp"
#include "server/mail/weight.hpp"
#include "server/sequencer/sequencer.hpp"
#include "server/store/store.hpp"
#include "server/turn/feeds.hpp"
#include "server/turn/transactions.hpp"

namespace oncewire::core {

/// The thread that owns the store. Whatever waits in its mailbox when it comes round is one
/// transaction, so the slower the disk, the bigger the batch.
class SequencerThread {
  public:
    /// Something an operator wants done with the store, in small steps: called between two batches until
    /// it says true. At the thread's end what is not done is dropped.
    using Chore = std::function<bool(sequencer::Sequencer&)>;

    struct Options {
        sequencer::Sequencer::Options sequencer;
        /// The database is damaged; called once, on this thread, which does nothing more. It should end
        /// the process.
        std::function<void()> on_damage;
        /// As Server::Options::on_superseded; likewise.
        std::function<void()> on_superseded;
    };

    /// `cores` outlive this; the number of each is its place here.
    SequencerThread(std::unique_ptr<store::Store> store,
                    std::map<std::string, sequencer::DurableHandler, std::less<>> handlers,
                    std::vector<CoreMailbox*> cores, Options options);
    ~SequencerThread();
    SequencerThread(const SequencerThread&) = delete;
    SequencerThread& operator=(const SequencerThread&) = delete;

    SequencerMailbox& inbox() { return inbox_; }

    /// For a thread that reads, if the store has such a thing; before start(). It must be gone before this.
    std::unique_ptr<store::Reading> open_reading() { return store_->open_reading(); }
    /// Before start(), if the sequencer's options say that it reads apart. Outlives the running thread.
    void set_reader(ReaderMailbox& reader) { reader_ = &reader; }

    /// Before start(). Error: a sentence.
    Result<void, std::string> prepare_application(const std::vector<store::SchemaPart>& parts) {
        return store_->tables().prepare(parts);
    }
    /// Tells every core where the log stands, then starts working.
    void start();
    /// Works off what is in the mailbox, then ends. Blocks.
    void stop();
    /// Blocks until what is in the mailbox now is stored and told, or the thread has ended.
    void finish_letters();
    /// Any thread.
    void add_chore(Chore chore);
    /// After stop().
    const sequencer::SequencerCounts& counts() const { return sequencer_.counts(); }

    /// 4,096 letters waiting to be stored: four transactions, some 20 ms of work.
    static constexpr std::size_t inbox_capacity = 4096;
    /// As much as one transaction takes: whoever fills both keeps everybody else waiting for some 50 ms.
    static constexpr std::size_t inbox_bytes = turn::Transactions::bytes_max;

  private:
    void run();
    void work_off(std::vector<mail::ToSequencer> letters);
    bool has_chores() const;
    void do_chores();
    void drop_chores();
    void deliver();

    std::unique_ptr<store::Store> store_;
    sequencer::Sequencer sequencer_;
    ReaderMailbox* reader_ = nullptr;
    std::vector<CoreMailbox*> cores_;
    turn::Transactions transactions_;
    turn::Feeds<CoreLetter> feeds_;
    std::function<void()> on_damage_;
    std::function<void()> on_superseded_;
    SequencerMailbox inbox_{{inbox_capacity, inbox_bytes, mail::bytes_of}};
    mutable std::mutex chores_mutex_;
    std::vector<Chore> chores_;
    bool takes_chores_ = true;
    std::thread thread_;
};

}  // namespace oncewire::core
