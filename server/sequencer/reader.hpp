#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "server/sequencer/outgoing_mail.hpp"
#include "server/sequencer/transaction.hpp"
#include "server/sequencer/words.hpp"
#include "server/store/reading.hpp"
#include "shared/base/output_queue.hpp"
#include "shared/base/time.hpp"

namespace oncewire::sequencer {

/// Counters of one Reader, for operators and tests.
struct ReaderCounts {
    std::uint64_t pages = 0;
    std::uint64_t gaps_told = 0;   ///< pages that told that entries are gone (R12)
    std::uint64_t unreadable = 0;  ///< entries left out, as no client could read them
    std::uint64_t looked_up = 0;
    std::uint64_t lookups_dropped = 0;  ///< whoever asked was gone before its turn
};

/// Answers what is only read, from what is committed: pages of the log, and lookups (Application::on_lookup).
///
/// It may stand on a thread of its own, with a Reading of its own, so that nobody who stores waits for who reads.
/// What it says overtakes, or is overtaken by, what the sequencer publishes. So no page of such a Reader says
/// that the head is reached: its end is what the session asks the sequencer from next, and the last page comes
/// from there, in one queue with what is published after it.
///
/// A decider but for the Reading, which may block. Not thread-safe.
class Reader {
  public:
    using Handlers = std::map<std::string, DurableHandler, std::less<>>;
    struct Options {
        /// Another than the sequencer's thread; see above.
        bool is_apart = false;
        /// By event name; what has none is rejected.
        Handlers lookups = {};
        /// Called with a sentence when a handler did what no handler may.
        std::function<void(const std::string&)> on_mistake = {};
    };

    /// `reading` outlives this.
    Reader(store::Reading& reading, Options options)
        : reading_(reading), options_(std::move(options)) {}

    void handle_mail(ToReader mail);
    bool has_work() const { return !pages_.empty() || !lookups_.empty(); }
    /// Answers a page, and lookups until they have read 1 MiB: some 3 ms.
    void step(UnixMillis wall_clock);
    /// As step(), all pages that are asked for, and no lookup.
    void answer_pages();
    /// As step(), no page.
    void answer_lookups(UnixMillis wall_clock);
    std::optional<OutgoingMail> poll_output() { return outputs_.poll(); }
    /// The database is damaged: as Sequencer::is_damaged().
    bool is_damaged() const { return is_damaged_; }
    const ReaderCounts& counts() const { return counts_; }

  private:
    void handle(const ReadPage& request) { pages_.push_back(request); }
    void handle(const Submit& submit);
    void handle(const Detach& detach);

    void answer(const ReadPage& request);
    Submit take_lookup();
    std::uint64_t answer(const Submit& submit, UnixMillis wall_clock);
    Result<Verdict, StoreError> look_up(Tx& tx, const Submit& submit);
    void note(StoreError error) { is_damaged_ = is_damaged_ || error == StoreError::corrupt; }

    store::Reading& reading_;
    Options options_;
    std::deque<ReadPage> pages_;
    std::map<SessionRef, std::deque<Submit>> lookups_;  // none is empty
    SessionRef last_asker_;                             // whose turn it was
    bool is_damaged_ = false;
    OutputQueue<OutgoingMail> outputs_;
    ReaderCounts counts_;
};

}  // namespace oncewire::sequencer
