#pragma once

#include <map>
#include <string>
#include <vector>

#include "server/api/application.hpp"
#include "server/hub/hub.hpp"
#include "server/store/memory_store.hpp"
#include "server/store/sequencer.hpp"
#include "shared/base/prng.hpp"

/// One hub, one sequencer and an application in one thread, with text frames for clients: enough to
/// ask an application what it does.
class SmallServer {
  public:
    explicit SmallServer(oncewire::api::Application& application)
        : application_(application),
          store_(disk_),
          sequencer_(store_, application.durable_handlers()),
          hub_(options(application)) {
        sequencer_.start();
        settle();
    }

    /// Connects a client and joins a namespace with this CONNECT packet.
    oncewire::hub::ConnectionId connect(const std::string& packet = "40") {
        const auto id =
            hub_.handle_accept({.address = "127.0.0.1", .url = "/", .headers = {}}, now_);
        settle();
        send(id, packet);
        return id;
    }
    void send(oncewire::hub::ConnectionId id, const std::string& frame) {
        hub_.handle_frame(id, {oncewire::FrameType::text, frame}, now_);
        settle();
    }
    /// What the client was sent since the last call, without the handshake and the sid.
    std::vector<std::string> heard(oncewire::hub::ConnectionId id) {
        std::vector<std::string> frames;
        frames.swap(sent_[id]);
        std::erase_if(frames, [](const std::string& frame) { return frame.starts_with("0{"); });
        return frames;
    }
    bool is_open(oncewire::hub::ConnectionId id) const { return !closed_.contains(id); }
    oncewire::hub::Hub& hub() { return hub_; }

  private:
    static oncewire::hub::Hub::Options options(const oncewire::api::Application& application) {
        oncewire::hub::Hub::Options options;
        options.durable_events = application.durable_event_names();
        return options;
    }

    void settle() {
        refill();
        for (bool busy = true; busy;) {
            busy = false;
            while (auto output = hub_.poll_output()) {
                busy = true;
                perform(*output);
            }
            sequencer_.commit(now_);
            while (auto mail = sequencer_.poll_output()) {
                busy = true;
                hub_.handle_mail(std::move(mail->mail), now_);
            }
        }
    }
    /// Not random, but different every time.
    void refill() {
        for (std::size_t wanted = hub_.secrets().wanted(); wanted > 0; --wanted) {
            hub_.secrets().add(std::string(1, static_cast<char>(prng_.next())));
        }
    }
    void perform(const oncewire::hub::HubOutput& output) {
        if (application_.handle(hub_, output, now_)) return;
        if (const auto* write = std::get_if<oncewire::hub::Write>(&output)) {
            for (const auto& frame : write->frames)
                sent_[write->connection].push_back(frame->bytes);
            hub_.handle_written(write->connection, now_);
        } else if (const auto* close = std::get_if<oncewire::hub::CloseTransport>(&output)) {
            closed_[close->connection] = true;
        } else if (const auto* to_store = std::get_if<oncewire::hub::ToStore>(&output)) {
            sequencer_.handle_mail(to_store->mail, now_, {1234});
        }
    }

    oncewire::api::Application& application_;
    oncewire::store::MemoryDisk disk_{.epoch = {"e"}, .tables = {}};
    oncewire::store::MemoryStore store_;
    oncewire::store::Sequencer sequencer_;
    oncewire::hub::Hub hub_;
    oncewire::Instant now_{oncewire::Millis{1000}};
    oncewire::Prng prng_{1};
    std::map<oncewire::hub::ConnectionId, std::vector<std::string>> sent_;
    std::map<oncewire::hub::ConnectionId, bool> closed_;
};
