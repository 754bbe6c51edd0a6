#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "server/chat/chat.hpp"
#include "server/core/server.hpp"
#include "server/store/memory/memory_store.hpp"

namespace integration {

/// The chat, or another application, on real sockets in this process, for what needs short deadlines.
class QuickServer {
  public:
    using Install = std::function<void(oncewire::api::Application&)>;

    explicit QuickServer(oncewire::core::Server::Options options,
                         Install install = oncewire::chat::install) {
        options.server.port = 0;
        server_.emplace(std::move(options), std::make_unique<oncewire::store::MemoryStore>(disk_),
                        std::move(install));
        const auto port = server_->start();
        if (port) port_ = *port;
    }
    std::uint16_t port() const { return port_; }

  private:
    oncewire::store::MemoryDisk disk_{.epoch = {"e"}, .tables = {}};
    std::optional<oncewire::core::Server> server_;
    std::uint16_t port_ = 0;
};

}  // namespace integration
