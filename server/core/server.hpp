#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "server/api/application.hpp"
#include "server/core/core.hpp"
#include "server/core/reader_thread.hpp"
#include "server/core/sequencer_thread.hpp"
#include "server/net/folder_files.hpp"
#include "server/net/listener.hpp"
#include "server/operator/running_server.hpp"
#include "server/store/recovery.hpp"
#include "server/store/store.hpp"
#include "shared/base/result.hpp"

namespace oncewire::core {

[[noreturn]] void end_process_for_damage();
[[noreturn]] void end_process_superseded();

/// Cores and the sequencer, started and stopped together.
class Server final : public ops::RunningServer {
  public:
    struct Options {
        /// Goes on to every part, into the options of each, whatever those say. Its origins, names and
        /// trusted proxies are those of `http`, which may be replaced while the server runs.
        ServerOptions server = {};
        net::HttpServer::Options http;
        net::FolderFiles files;  ///< served beside those that are built in
        net::WebSockets::Options web_sockets;
        net::Polling::Options polling;
        net::UnfinishedBytes::Options unfinished;  ///< of all cores together
        /// See Transports.
        std::optional<std::uint32_t> sessions_per_connection = sessions_of_one_connection;
        /// Set: the server speaks Engine.IO alone, and this gets the messages.
        std::function<void(hub::Hub&, const hub::MessageArrived&)> on_message;
        /// The database was found to be damaged. It must not be closed: closing writes, and what is there
        /// is evidence. By default the process ends at once, with exit status 75.
        std::function<void()> on_damage = end_process_for_damage;
        /// Somebody else has opened the database since and writes to it, so nothing more may be said. By default the
        /// process ends at once, with exit status 1.
        std::function<void()> on_superseded = end_process_superseded;
        /// 8 s: for clients to take what is queued for them and go.
        Millis drain_timeout{8'000};
    };

    /// `install` registers handlers; called first for the sequencer and then once for each core, so what it
    /// captures must be fit for several threads. Each Application it is called with lives as long as the
    /// server; the sequencer's has nobody connected, so what is sent through it reaches nobody.
    Server(Options options, std::unique_ptr<store::Store> store,
           const std::function<void(api::Application&)>& install);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// The port it listens on, or a sentence why it cannot.
    Result<std::uint16_t, std::string> start();
    /// While it runs; any thread. See SequencerThread.
    void add_chore(Chore chore) override { sequencer_->add_chore(std::move(chore)); }
    hub::HubCounts hub_counts() override;
    net::RefusalCounts refusals() override;
    sequencer::ReaderCounts reader_counts() const override {
        return reader_ ? reader_->counts() : sequencer::ReaderCounts();
    }
    std::optional<std::vector<hub::RoomReader>> readers_of(const std::string& room,
                                                           delivery::Offset offset) override;
    /// Finishes the handlers that run and tells what came of them, says goodbye to clients, stores what was
    /// received, and ends all threads. Blocks.
    void stop();

  private:
    Core::Options core_options(std::uint16_t index);
    void read_apart(std::unique_ptr<store::Reading> reading,
                    const sequencer::Reader::Handlers& handlers,
                    const std::vector<CoreMailbox*>& inboxes);
    void finish_handlers();
    Result<std::uint16_t, std::string> listen();
    void report() const;

    Options options_;
    ConnectionLimits limits_;
    api::Application durable_;  // what the sequencer runs is its own
    std::vector<std::unique_ptr<Core>> cores_;
    std::unique_ptr<SequencerThread> sequencer_;
    std::unique_ptr<ReaderThread> reader_;  // reads beside the sequencer's store, if that can be
    std::vector<std::thread> threads_;
};

}  // namespace oncewire::core
