#pragma once

#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/api/application.hpp"
#include "server/core/connection_limits.hpp"
#include "server/core/letters.hpp"
#include "server/core/transports.hpp"
#include "server/core/wake_up.hpp"
#include "server/hub/hub.hpp"
#include "server/net/listener.hpp"
#include "server/net/loop.hpp"
#include "server/turn/core_turn.hpp"

namespace oncewire::core {

/// One line for operators; called from any thread.
using Log = std::function<void(const std::string&)>;

/// One thread with a hub, its application and its connections; shares nothing with other cores.
///
/// Hosts the hub by the contract of all deciders, in turns (server/turn). An exception costs the event that caused
/// it and is counted; the loop goes on.
class Core {
  public:
    struct Options {
        hub::Hub::Options hub;
        net::HttpServer::Options http;
        net::WebSockets::Options web_sockets;
        net::Polling::Options polling;
        ConnectionLimits* limits = nullptr;  ///< of all cores; outlives them
        /// See Transports.
        std::optional<std::uint32_t> sessions_per_connection = sessions_of_one_connection;
        /// Where the messages of a hub that speaks Engine.IO alone go.
        std::function<void(hub::Hub&, const hub::MessageArrived&)> on_message;
        Log log;
    };

    Core(Options options, const std::function<void(api::Application&)>& install);
    Core(const Core&) = delete;
    Core& operator=(const Core&) = delete;

    // ---- before run() ---------------------------------------------------------------------------

    /// `cores`: the mailboxes of all cores by number, this one's too; they outlive the thread.
    void connect(SequencerMailbox& sequencer, std::vector<CoreMailbox*> cores) {
        sequencer_ = &sequencer;
        cores_ = std::move(cores);
    }
    Result<std::uint16_t, std::string> listen(const net::Address& address, bool shared) {
        return listener_.listen(address, shared);
    }
    const api::Application& application() const { return application_; }

    // ---- its thread -----------------------------------------------------------------------------

    void run();

    // ---- any thread -----------------------------------------------------------------------------

    CoreMailbox& inbox() { return inbox_; }
    /// Accepts nobody any more. Ready when what it was doing has come to its end.
    std::future<void> refuse_newcomers();
    /// After that: says goodbye to everybody; `drained()` is ready when all are gone.
    void shut_down();
    std::future<void> drained() { return drained_.get_future(); }
    /// As of now; blocks until the thread comes round, or zeros if it does not.
    hub::HubCounts counts_now();
    net::RefusalCounts refusals_now();  ///< likewise
    /// As Hub::readers_of(); blocks likewise. None: the thread did not come round.
    std::optional<std::vector<hub::RoomReader>> readers_now(const std::string& room,
                                                            delivery::Offset offset);
    /// Makes run() return.
    void stop();

    // ---- after run() ----------------------------------------------------------------------------

    const hub::HubCounts& counts() const { return hub_.counts(); }
    std::uint64_t exceptions() const { return exceptions_; }

    /// 16,384 letters: the answers to sixteen full batches.
    static constexpr std::size_t inbox_capacity = 16'384;
    /// 16 MiB of them: four times the largest answers that one connection may be waiting for, and more.
    static constexpr std::size_t inbox_bytes = 16u << 20;

  private:
    template <class Look>
    auto look_now(Look look) -> std::optional<decltype(look())>;
    void turn(const std::function<void(Instant)>& input);
    // What turn_ asks for.
    friend class turn::CoreTurn<CoreLetter>;
    void perform(hub::HubOutput output, Instant now);
    void post(std::vector<mail::ToSequencer> letters) { sequencer_->post(std::move(letters)); }
    void post(std::size_t core, std::vector<CoreLetter> letters) {
        cores_[core]->post(std::move(letters));
    }
    bool is_stuck(std::size_t core) const { return cores_[core]->is_stuck(); }
    void look_around(Instant& now);

    void ask_application(const hub::HubOutput& output, Instant now);
    /// `what`: what the application threw about it.
    void take_back(const hub::HubOutput& output, const char* what, Instant now);
    void finish_turn();
    void read(CoreLetter letter, Instant now);
    void take_news();
    void hear(Instant now);
    void read_letters(Instant now);
    void serve_foreign();
    bool is_crowded() const;
    bool pause_if_crowded();
    void mind_the_crowd();
    void arm_timer();
    void handle_timeout();
    void note_exception(const std::string& sentence);
    Transports::Host transports_host();
    void welcome(int socket, std::string address);

    net::Loop loop_;  // first in, last out
    std::function<void(hub::Hub&, const hub::MessageArrived&)> on_message_;
    Log log_;
    ConnectionLimits& limits_;
    net::Current<std::vector<net::IpBlock>> trusted_proxies_;
    api::Application application_;
    hub::Hub hub_;
    Transports transports_;
    net::Listener listener_;
    net::Loop::Timer timer_;
    net::Loop::Timer patience_;
    WakeUp wake_up_;

    CoreMailbox inbox_{{inbox_capacity, inbox_bytes, bytes_of}};
    SequencerMailbox* sequencer_ = nullptr;
    std::vector<CoreMailbox*> cores_;
    turn::CoreTurn<CoreLetter> turn_;
    std::vector<net::Foreign> foreign_;  // came by mail, to be served after the turn
    bool has_mail_ = false;
    bool is_stopped_ = false;
    bool shutting_down_ = false;
    bool is_drained_ = false;
    std::promise<void> drained_;
    std::uint64_t exceptions_ = 0;
};

}  // namespace oncewire::core
