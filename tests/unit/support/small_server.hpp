#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/api/application.hpp"
#include "server/hub/hub.hpp"
#include "server/sequencer/sequencer.hpp"
#include "server/store/memory/memory_store.hpp"
#include "shared/base/prng.hpp"

/// Hubs with an application each and one sequencer, in one thread, with frames for clients: enough to
/// ask an application what it does.
class SmallServer {
  public:
    /// A client: its core and its connection there.
    struct Client {
        std::size_t core = 0;
        oncewire::hub::ConnectionId connection = 0;
        bool operator==(const Client&) const = default;
        bool operator<(const Client& other) const {
            return std::pair(core, connection) < std::pair(other.core, other.connection);
        }
    };

    /// One core with handlers that were installed already.
    explicit SmallServer(oncewire::api::Application& application)
        : store_(disk_, &faults),
          sequencer_(store_, application.durable_handlers(),
                     {.admission = application.admission(), .lookups = application.lookups()}) {
        add_core(application, 0, 1);
        start();
    }
    /// Several cores, each with handlers of its own.
    SmallServer(std::uint16_t cores,
                const std::function<void(oncewire::api::Application&)>& install,
                std::optional<oncewire::store::RecoveryLimits> recovery = std::nullopt)
        : recovery_(recovery.has_value()),
          store_(disk_, &faults),
          sequencer_(store_, durable_handlers_of(install),
                     {.recovery = recovery.value_or(oncewire::store::RecoveryLimits{})}) {
        for (std::uint16_t core = 0; core < cores; ++core) {
            applications_.push_back(std::make_unique<oncewire::api::Application>());
            install(*applications_.back());
            add_core(*applications_.back(), core, cores);
        }
        start();
    }

    /// Connects a client, without joining a namespace.
    Client open(std::size_t core = 0, const std::string& url = "/") {
        const auto id = hub(core).handle_accept(
            {.address = address, .network = address, .url = url, .headers = headers}, now_);
        settle();
        return {core, id};
    }
    /// Connects a client and joins a namespace with this CONNECT packet.
    Client connect(const std::string& packet = "40", std::size_t core = 0) {
        const Client client = open(core);
        send(client, packet);
        return client;
    }
    void send(Client client, const std::string& frame) {
        hub(client.core).handle_frame(client.connection, {oncewire::FrameType::text, frame}, now_);
        settle();
    }
    void send_bytes(Client client, const std::string& bytes) {
        hub(client.core)
            .handle_frame(client.connection, {oncewire::FrameType::binary, bytes}, now_);
        settle();
    }
    /// The client is gone without a word.
    void cut(Client client) {
        hub(client.core)
            .handle_transport_closed(client.connection,
                                     oncewire::engineio::CloseReason::transport_close, now_);
        settle();
    }
    /// What the client was sent since the last call, without the handshake.
    std::vector<std::string> heard(Client client) {
        std::vector<std::string> frames;
        frames.swap(sent_[client]);
        std::erase_if(frames, [](const std::string& frame) { return frame.starts_with("0{"); });
        return frames;
    }
    void wait(oncewire::Millis time) {
        now_ += time;
        for (auto& core : cores_) core->hub.handle_timeout(now_);
        settle();
    }
    bool is_open(Client client) const { return !closed_.contains(client); }
    oncewire::hub::Hub& hub(std::size_t core = 0) { return cores_[core]->hub; }
    oncewire::api::Application& application(std::size_t core = 0) {
        return cores_[core]->application;
    }
    /// Lets an application say something out of turn, as a host's posted work does.
    void settle() {
        for (bool busy = true; busy;) {
            busy = false;
            for (auto& core : cores_) busy = drain(*core) || busy;
            sequencer_.commit(now_);
            while (auto mail = sequencer_.poll_output()) {
                busy = true;
                for (auto& core : cores_) {
                    const bool to_all = mail->core == oncewire::sequencer::OutgoingMail::every_core;
                    if (to_all || mail->core == core->number)
                        core->hub.handle_mail(mail->mail, now_);
                }
            }
        }
    }

    /// What hubs say to the sequencer waits until it is let through, or until nothing is kept any more.
    void keep_mail(bool on) {
        keeps_mail_ = on;
        if (!on) let_mail_through(kept_mail_.size());
    }
    void let_mail_through(std::size_t count) {
        for (; count > 0 && !kept_mail_.empty(); --count) {
            sequencer_.handle_mail(std::move(kept_mail_.front()), now_, {1234});
            kept_mail_.pop_front();
        }
        settle();
    }

    std::size_t kept_mail() const { return kept_mail_.size(); }
    std::uint64_t looked_up() const { return sequencer_.reader_counts().looked_up; }

    /// What goes out to this client is handed to its socket, and no more until it reads again.
    void stop_taking(Client client) { deaf_[client] = false; }
    void go_on_taking(Client client) {
        const bool has_write = deaf_.at(client);
        deaf_.erase(client);
        if (has_write) hub(client.core).handle_written(client.connection, now_);
        settle();
    }

    std::vector<std::pair<std::string, std::string>> headers;
    /// Where clients that open from now on come from.
    std::string address = "127.0.0.1";
    oncewire::store::MemoryFaults faults;

  private:
    struct Core {
        std::size_t number;
        oncewire::api::Application& application;
        oncewire::hub::Hub hub;
        std::deque<oncewire::mail::CoreMail> inbox;
    };

    /// `install` by value: what it counts is none of the cores' business.
    static std::map<std::string, oncewire::sequencer::DurableHandler, std::less<>>
    durable_handlers_of(std::function<void(oncewire::api::Application&)> install) {
        oncewire::api::Application application;
        install(application);
        return application.durable_handlers();
    }
    void add_core(oncewire::api::Application& application, std::uint16_t core,
                  std::uint16_t cores) {
        oncewire::hub::Hub::Options options;
        options.core = core;
        options.server.cores = cores;
        options.durable_events = application.durable_event_names();
        options.lookups = application.lookups();
        if (recovery_) options.server.connection_state_recovery.emplace();
        cores_.push_back(std::make_unique<Core>(
            Core{core, application, oncewire::hub::Hub(std::move(options)), {}}));
        application.attach(cores_.back()->hub, now_);
    }
    void start() {
        sequencer_.start();
        settle();
    }
    bool drain(Core& core) {
        bool busy = false;
        refill(core.hub);
        while (!core.inbox.empty()) {
            auto mail = std::move(core.inbox.front());
            core.inbox.pop_front();
            core.hub.handle_core_mail(std::move(mail), now_);
            busy = true;
        }
        while (auto output = core.hub.poll_output()) {
            busy = true;
            perform(core, *output);
        }
        return busy;
    }
    /// Not random, but different every time.
    void refill(oncewire::hub::Hub& hub) {
        for (std::size_t wanted = hub.secrets().wanted(); wanted > 0; --wanted) {
            hub.secrets().add(std::string(1, static_cast<char>(prng_.next())));
        }
    }
    void perform(Core& core, const oncewire::hub::HubOutput& output) {
        if (core.application.handle(core.hub, output, now_)) return;
        if (const auto* write = std::get_if<oncewire::hub::Write>(&output)) {
            for (const auto& frame : write->frames)
                sent_[{core.number, write->connection}].push_back(frame->bytes);
            const auto deaf = deaf_.find({core.number, write->connection});
            if (deaf != deaf_.end()) {
                deaf->second = true;
            } else {
                core.hub.handle_written(write->connection, now_);
            }
        } else if (const auto* close = std::get_if<oncewire::hub::CloseTransport>(&output)) {
            closed_[{core.number, close->connection}] = true;
        } else if (const auto* to_store = std::get_if<oncewire::hub::ToStore>(&output)) {
            if (keeps_mail_) return kept_mail_.push_back(to_store->mail);
            sequencer_.handle_mail(to_store->mail, now_, {1234});
        } else if (const auto* to_core = std::get_if<oncewire::hub::ToCore>(&output)) {
            cores_[to_core->core]->inbox.push_back(to_core->mail);
        }
    }

    bool recovery_ = false;
    bool keeps_mail_ = false;
    std::deque<oncewire::mail::ToSequencer> kept_mail_;
    oncewire::Instant now_{oncewire::Millis{1000}};
    oncewire::store::MemoryDisk disk_{.epoch = {"e"}, .tables = {}};
    oncewire::store::MemoryStore store_;
    oncewire::sequencer::Sequencer sequencer_;
    std::vector<std::unique_ptr<oncewire::api::Application>> applications_;
    std::vector<std::unique_ptr<Core>> cores_;
    oncewire::Prng prng_{1};
    std::map<Client, std::vector<std::string>> sent_;
    std::map<Client, bool> closed_;
    std::map<Client, bool> deaf_;  // whether a write is out
};
