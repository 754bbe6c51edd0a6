#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "shared/delivery/outbox.hpp"
#include "shared/delivery/position.hpp"
#include "tests/sim/env.hpp"

namespace oncewire::sim {

/// What one lane keeps in browser storage.
struct StoredLane {
    delivery::ProducerIdentity producer;
    delivery::Sequence next_sequence = 1;
    std::map<delivery::Sequence, delivery::OutboxEntry> entries;
    /// Of a page that keeps what it shows: exactly the log up to the cursor.
    std::optional<delivery::Position> cursor;
    std::vector<std::string> shown;

    bool holds(MessageId message) const;
};

/// IndexedDB as strict transactions over one lane: each lands whole or not at all, in order, late; it
/// survives the page, and what the page did not wait for may or may not have landed.
class IndexedDb {
  public:
    using Change = std::function<void(StoredLane&)>;
    /// False: storage refused it for good.
    using Done = std::function<void(bool stored)>;

    IndexedDb(Env& env, delivery::ProducerIdentity producer) : env_(env) {
        lane_.producer = std::move(producer);
    }

    const StoredLane& lane() const { return lane_; }
    bool is_idle() const { return queue_.empty(); }

    void submit(Change change, Done done);
    /// The page is gone: a tail of its transactions is lost, nobody is called back.
    void page_gone();
    /// The profile comes back as it was some time ago. False: no copy was kept.
    bool roll_back();
    /// Every transaction fails for a while.
    void refuse(Millis time);

  private:
    struct Transaction {
        Change change;
        Done done;
    };

    void begin_next();
    void attempt(std::uint64_t life);
    bool refuses();
    void land(const Change& change);
    void keep_copy();
    void note_answers();

    Env& env_;
    StoredLane lane_;
    std::optional<StoredLane> copy_;
    delivery::Epoch copied_in_;  // the history of the server at that time
    std::deque<Transaction> queue_;
    Instant refuses_until_;
    std::uint64_t life_ = 0;  // of the page; older callbacks are nobody's
};

}  // namespace oncewire::sim
