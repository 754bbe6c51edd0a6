#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include "server/api/application.hpp"
#include "server/hub/hub.hpp"
#include "server/sequencer/sequencer.hpp"
#include "server/store/memory/memory_store.hpp"
#include "server/turn/box.hpp"
#include "server/turn/core_turn.hpp"
#include "server/turn/feeds.hpp"
#include "server/turn/transactions.hpp"
#include "tests/sim/core_wires.hpp"
#include "tests/sim/env.hpp"
#include "tests/sim/guest_house.hpp"
#include "tests/sim/link.hpp"
#include "tests/sim/stores.hpp"

namespace oncewire::sim {

/// The machine of the server: a disk that lasts, and a process on it that may die at any step and is
/// started again. In the process run the production deciders: one Hub per core, one Sequencer.
class ServerNode final : public LinkEnd {
  public:
    struct Options {
        std::uint16_t cores = 1;
        engineio::Timings timings;
        GuestHouse* house = nullptr;  ///< runs it, with recovery on, instead of the chat
        store::Retention retention;
        std::optional<Millis> lease = {};
    };

    ServerNode(Env& env, Network& network, Options options);

    void start();
    /// The process is killed; it is started again after a while.
    void crash();
    /// The process ends in order, telling its peers, and is started again.
    void restart();
    /// Copies the disk: what a later crash may come back with.
    void back_up();
    /// The liveness phase: disk and process work from now on.
    void heal();

    /// Lets an application do to somebody what comes to its mind.
    void bother_somebody();
    /// Lets the application of the first core say something, as posted work does. Nothing while down.
    void speak(const std::function<void(api::Application&)>& what);

    /// Nobody is connected, and every gauge says so.
    void check_empty();
    /// Everything is written, read and delivered.
    bool is_idle() const;
    bool is_up() const { return process_ != nullptr; }
    std::uint64_t crashes() const { return crashes_; }
    const store::MemoryDisk& disk() const { return disk_; }

    void link_opened(LinkNumber link) override;
    void link_frame(LinkNumber link, const Frame& frame) override;
    void link_written(LinkNumber link) override;
    void link_closed(LinkNumber link) override;

  private:
    /// What its box holds.
    using CoreLetter = std::variant<mail::FromSequencer, mail::CoreMail>;
    struct Core {
        Core(Env& env, Network& network, const hub::Hub::Options& options, std::size_t box,
             std::size_t look_after, std::function<std::string(std::size_t)> random)
            : hub(options),
              wires(env, network, hub, std::move(random)),
              turn(hub, options.server.cores, look_after),
              inbox({box}) {}
        hub::Hub hub;
        CoreWires wires;
        api::Application application;
        Timer timer;
        turn::CoreTurn<CoreLetter> turn;
        turn::Box<CoreLetter> inbox;
        std::optional<Instant> full_since;
        std::deque<std::function<void()>> unread;  // what its links have brought, in order
        bool is_coming = false;                    // it was woken
        bool is_away = false;                      // busy with something else
        bool is_patient = false;                   // looks again when `patience` is over
    };
    /// What CoreTurn asks for.
    struct CoreHost;
    /// All that is gone when the process dies.
    struct Process {
        Process(Env& env, store::MemoryDisk& disk, std::uint32_t secret_seed,
                const Options& options);
        FaultyStore disk;
        MutantStore store;
        api::Application durable;  // for its transactional handlers
        DiskReading eyes;
        MutantOverlay* overlay;  // the sequencer's
        sequencer::Sequencer sequencer;
        sequencer::Reader reader;
        bool is_reading = false;  // a step of the reader is due
        Instant newest_question;  // to the reader
        Timer timer;
        turn::Box<mail::ToSequencer> inbox;
        turn::Transactions transactions;
        turn::Feeds<CoreLetter> feeds;
        bool is_coming = false;    // the sequencer was woken
        bool looks_again = false;  // for cores that were behind
        bool committing = false;
        std::uint32_t under_way = 0;            // mail, either direction
        std::uint64_t forgotten = 0;            // times that the sequencer forgot all sessions
        std::set<std::uint64_t> just_attached;  // sessions, in the running batch
        std::map<ProducerId, mail::SessionRef> sessions;  // the newest of each
        std::map<ProducerId, mail::SessionRef> attached;  // as the sequencer should know
        Prng entropy;
        std::vector<std::unique_ptr<Core>> cores;
    };

    void install(api::Application& application) const;
    void do_everything(const api::Socket& socket, std::uint32_t odds) const;
    void tell_house();
    void die();
    void check_nobody_was_blamed();
    void start_later();
    void write_late(LateWrite late);
    void replace_disk();
    /// Runs `input` on a core of the living process, then performs what it led to.
    template <class Input>
    void feed(std::uint16_t core, Input input);
    void in_this_life(Instant when, EventHeap::Action action);

    void end_turn(std::uint16_t core);
    void look_around(std::uint16_t core);
    void check(hub::Write& write);
    void arm(std::uint16_t core);

    // the box of a core
    void post_to_core(std::uint16_t core, std::vector<CoreLetter> letters);
    std::optional<CoreLetter> arriving(CoreLetter letter);
    void wake(std::uint16_t core);
    void come_round(std::uint16_t core);
    void read(std::uint16_t core, CoreLetter letter);
    void read_inbox(std::uint16_t core);
    void note_full(std::uint16_t core);
    bool is_stuck(std::uint16_t core) const;
    bool is_crowded() const;
    bool pause_if_crowded(std::uint16_t core);
    template <class Input>
    void hear(std::uint16_t core, Input input);

    // the box of the sequencer
    void post_to_sequencer(std::uint16_t core, std::vector<mail::ToSequencer> letters);
    void wake_sequencer();
    void wake_cores();

    void run_batch();
    void commit_batch();
    void deliver_outputs();
    void post_feeds();
    void look_again();
    void ask_reader(const mail::ToReader& question);
    void read_on();
    void post(sequencer::OutgoingMail mail);
    bool spoil(mail::FromSequencer& mail);
    void do_task(std::uint16_t core, const api::DeferredTask& task, api::EndTask end);
    void post_from_reader(sequencer::OutgoingMail mail);
    void check(const mail::FromSequencer& mail);
    void note_gone(const mail::SessionRef& session);
    void check_number(const mail::Submit& submit);
    void check_leases(UnixMillis clock);
    void check_entries(const std::vector<store::LogEntry>& entries);
    void arm_sequencer();
    UnixMillis wall_clock();
    std::uint16_t core_of(LinkNumber link) const;

    Env& env_;
    Network& network_;
    Options options_;
    store::MemoryDisk disk_;
    std::optional<store::MemoryDisk> backup_;
    std::uint32_t epochs_ = 1;
    std::unique_ptr<Process> process_;
    std::uint64_t life_ = 0;  // of the process; events of earlier ones are nobody's
    std::uint64_t crashes_ = 0;
    std::uint32_t late_writes_ = 0;  // under way
    std::int64_t wall_clock_skew_ = 0;
    std::map<ProducerId, delivery::Sequence> forgotten_;  // verdicts, up to here
    /// The newest number that each message came under, by digest.
    std::map<ProducerId, std::map<delivery::Digest, delivery::Sequence>> numbers_;
};

}  // namespace oncewire::sim
