#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/api/application.hpp"
#include "server/hub/hub.hpp"
#include "server/sequencer/sequencer.hpp"
#include "server/store/memory/memory_store.hpp"
#include "shared/peer/client.hpp"
#include "tests/sim/exhaustive.hpp"
#include "tests/sim/fingerprint.hpp"
#include "tests/sim/known_states.hpp"
#include "tests/sim/odometer.hpp"

namespace oncewire::sim {

/// One browser that sends messages, one hub, one sequencer and the links between them, taking the steps
/// that an Odometer chooses. Not a World: no chance, and no clock but the one that moves when nothing else
/// can.
///
/// Steps that come to the same in either order take one order. A cut loses what is on the link and is
/// seen by nobody until it is noticed, so it is offered where an end of the link has just moved. A crash
/// loses the process and its links, so it is offered where the disk or the browser has just changed. The
/// browser does nothing on a link that is cut, so it notices at once; the server may notice much later.
///
/// Nothing is left to chance, so the state of browser, hub and sequencer is what each was given so far, in
/// order (History); what they say to each other follows from that. After a crash the server's history is
/// the disk it starts with: this is where most paths meet.
class SmallWorld {
  public:
    /// `odometer` and `known` outlive it.
    SmallWorld(const SmallSpace& space, Mutant mutant, Search search, Odometer& odometer,
               KnownStates& known);

    /// Until nothing can happen any more, something is wrong, or (Search::every_state) the rest is known.
    void run();
    bool is_known() const { return is_known_; }
    /// What it came to, in words; if it came to an end.
    std::string ending() const;
    /// Empty: every promise was kept.
    const std::string& violation() const { return violation_; }
    std::uint32_t steps() const { return steps_; }

  private:
    /// What is gone when the server dies.
    struct Process {
        explicit Process(store::MemoryDisk& disk);
        store::MemoryStore store;
        api::Application durable;  // for its transactional handlers
        sequencer::Sequencer sequencer;
        hub::Hub hub;
        api::Application application;
        std::deque<mail::ToSequencer> inbox;
        std::deque<mail::FromSequencer> mail;
        History hub_saw;
        History sequencer_saw;
    };
    enum class Input : std::uint8_t {
        started,
        frame,
        mail,
        accepted,
        opened,
        closed,
        timeout,
        batch
    };
    struct Link {
        peer::LinkId client_id = 0;
        hub::ConnectionId server_id = 0;
        std::deque<Frame> to_server;
        std::deque<Frame> to_client;
    };
    struct Cause {
        Fingerprint state;
        std::uint32_t chosen = 0;
    };
    using Action = void (SmallWorld::*)();

    void report(const std::string& what);
    void note(History& history, Input input, std::uint64_t number = 0);
    void note(History& history, Input input, std::uint64_t number, const Frame& frame);
    Fingerprint state(std::uint32_t possible) const;
    bool is_worth_going_on(const Fingerprint& state, std::uint32_t possible);
    void check_effect(const Fingerprint& effect);

    void step();
    std::vector<Action> possible_steps() const;
    void frame_to_server();
    void frame_to_client();
    void mail_to_hub();
    void batch();
    void cut();
    void crash();
    void server_notices();
    void pass_time();
    void say_all_and_forget_it();

    void start_server();
    void open_link(peer::LinkId id);
    void lose_link();
    void drain_hub();
    void drain_client();
    void perform(const hub::HubOutput& output);
    void settle(bool accepted);

    bool is_at_rest() const;
    void check_outcome();
    std::string describe() const;

    SmallSpace space_;
    Mutant mutant_;
    Odometer& odometer_;
    KnownStates& known_;
    Search search_;
    bool is_known_ = false;
    std::optional<Cause> cause_;  // of what comes next; of every_path alone
    Instant now_{Millis{1'000'000}};
    store::MemoryDisk disk_;
    store::MemoryDisk disk_before_batch_;
    std::unique_ptr<Process> process_;
    peer::Client client_{{}, Prng(7)};
    History client_saw_;
    std::optional<Link> link_;                    // the client's
    std::optional<hub::ConnectionId> unnoticed_;  // gone, but the server does not know
    bool may_cut_ = false;
    bool may_crash_ = false;
    std::uint32_t crashes_ = 0;
    std::uint32_t cuts_ = 0;
    std::uint32_t secrets_ = 0;
    std::uint32_t steps_ = 0;
    std::uint32_t settled_ = 0;
    std::vector<std::string> shown_;
    std::string violation_;
};

}  // namespace oncewire::sim
