#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "tests/sim/browser.hpp"
#include "tests/sim/env.hpp"
#include "tests/sim/guest.hpp"
#include "tests/sim/guest_house.hpp"
#include "tests/sim/link.hpp"
#include "tests/sim/server_node.hpp"
#include "tests/sim/stock_browser.hpp"

namespace oncewire::sim {

/// What one run came to.
struct Outcome {
    std::uint64_t trace_hash = 0;
    std::uint64_t events = 0;
    std::uint64_t messages = 0;
    std::uint64_t crashes = 0;
    Millis simulated{0};
    FaultCounts faults = {};
    std::vector<Violation> violations;
    std::vector<std::string> trace;      // with Trace::Detail::text
    std::vector<std::uint32_t> choices;  // if they were recorded
};

/// A chat with its browsers, network, server and disk, in one thread on a virtual clock; or, in a third
/// of the seeds, a guest house, whose guests are unmodified clients that come back to their sessions.
///
/// First everything goes wrong for a while (safety: the witness judges after every event), then nothing
/// does any more (liveness: all must be at rest within 120 s), then everybody leaves.
class World {
  public:
    World(Choices choices, Trace::Detail detail, Mutant mutant);

    Outcome run();

  private:
    void add_browsers();
    void add_guests();
    void plan_house();
    void run_house();
    void plan_messages();
    void plan_flood(Browser& browser);
    void plan_mischief();
    void misbehave();
    Browser* some_browser();
    StockBrowser* some_stock();

    bool run_until(Instant end);
    void cause_trouble();
    void come_to_rest();
    void everybody_leaves();
    bool is_at_rest() const;
    Outcome outcome() const;

    Env env_;
    Network network_;
    std::unique_ptr<GuestHouse> house_;  // instead of the chat
    std::unique_ptr<ServerNode> server_;
    std::vector<std::unique_ptr<Guest>> guests_;
    std::vector<std::unique_ptr<Browser>> browsers_;
    std::vector<std::unique_ptr<StockBrowser>> stock_;
    std::uint32_t mischief_pause_ = 0;  // the shortest, in ms
    bool calm_ = false;
};

}  // namespace oncewire::sim
