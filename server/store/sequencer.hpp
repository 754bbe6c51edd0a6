#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "server/store/mail.hpp"
#include "server/store/store.hpp"
#include "server/store/transaction.hpp"
#include "shared/base/time.hpp"

namespace oncewire::store {

/// What left the sequencer and for whom.
struct OutgoingMail {
    static constexpr std::uint16_t every_core = 0xffff;
    std::uint16_t core = every_core;
    FromSequencer mail;
};

/// Counters of one sequencer, for operators and tests.
struct SequencerCounts {
    std::uint64_t submitted = 0;
    std::uint64_t stored = 0;      ///< log entries committed
    std::uint64_t repeated = 0;    ///< resent copies answered from the stored verdict
    std::uint64_t rejected = 0;
    std::uint64_t collisions = 0;  ///< one tier-1 id used by two people
    std::uint64_t fenced = 0;
    std::uint64_t commits = 0;
    std::uint64_t unknown_commits = 0;
};

/// The one writer: gives positions, dedupes, runs durable handlers, answers from history.
///
/// Promise: nothing it says about a message leaves before the transaction that holds the message, its
/// dedupe row and its verdict is durable (R1, R16). All that is handled between two commit() calls is
/// one transaction: that is group commit. Order of output: what was published, then verdicts.
///
/// A decider in all but one respect: it calls the Store, which may block. So it lives on a thread of
/// its own, and in the simulator on a node of its own. Not thread-safe.
class Sequencer {
  public:
    /// `store` outlives the sequencer. `handlers`: by event name; an event without one is rejected.
    Sequencer(Store& store, std::map<std::string, DurableHandler, std::less<>> handlers,
              std::uint16_t cores);

    /// Says where the log stands, to every core. Call once, before any mail.
    void start();
    /// Takes one request into the current batch.
    void handle_mail(ToSequencer mail, Instant now, UnixMillis wall_clock);
    /// Ends the batch: one COMMIT for everything handled since the last. No-op for an empty batch.
    void commit(Instant now);
    /// While the store takes no writes: tries again.
    void handle_timeout(Instant now);
    std::optional<Instant> next_timeout() const { return retry_at_; }

    std::optional<OutgoingMail> poll_output();
    const SequencerCounts& counts() const { return counts_; }

  private:
    struct CurrentSession {
        SessionRef session;
        delivery::ProducerEpoch epoch = 0;
    };

    void handle(Attach attach);
    void handle(Submit submit);
    void handle(ReadPage request);
    void handle(Detach detach);

    bool ensure_transaction();
    void fail_batch(StoreError error);
    void cut_batch();
    void refuse(const Submit& submit);
    Result<Verdict, StoreError> run_handler(const Submit& submit);
    void settle(SessionRef to, delivery::Sequence sequence, Verdict verdict);
    void announce();

    Store& store_;
    std::map<std::string, DurableHandler, std::less<>> handlers_;
    std::uint16_t cores_;
    UnixMillis wall_clock_;

    // The batch: what is said once it is durable, and who must be cut if that cannot be known.
    bool in_transaction_ = false;
    std::vector<LogEntry> published_;
    std::vector<OutgoingMail> replies_;
    std::vector<SessionRef> involved_;
    std::vector<ToSequencer> batch_;
    std::vector<ReadPage> reads_;
    std::map<ProducerId, CurrentSession> attached_in_batch_;

    std::map<ProducerId, CurrentSession> current_;
    bool accepts_writes_ = true;
    std::optional<Instant> retry_at_;
    std::vector<OutgoingMail> outputs_;  // drained from the front by poll_output()
    std::size_t outputs_taken_ = 0;
    SequencerCounts counts_;
};

}  // namespace oncewire::store
