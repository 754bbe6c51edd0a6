#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/net/zip/message_deflate.hpp"
#include "shared/base/frame.hpp"

namespace oncewire::net {

using SharedFrame = std::shared_ptr<const Frame>;

/// The bytes of a list of frames, made once for all connections that are sent the same list one after
/// another: that is what a broadcast looks like from here.
class FramedBatch {
  public:
    FramedBatch() = default;
    /// Messages of at least this many bytes are compressed. [RFC7692]
    explicit FramedBatch(std::uint32_t deflate_from) : deflate_from_(deflate_from) {}

    /// Valid until the next call.
    std::string_view frame(std::vector<SharedFrame> frames);
    /// The same bytes for a connection that could not send all of them now.
    std::shared_ptr<const std::string> share();
    /// Lets go of frames and bytes.
    void forget();

  private:
    void append(FrameView message);

    std::optional<std::uint32_t> deflate_from_;
    std::unique_ptr<MessageDeflater> deflater_;  // once there was something to compress
    std::vector<SharedFrame> frames_;
    std::string bytes_;
    std::shared_ptr<const std::string> shared_;
};

/// What one connection has not sent yet: first the rest of a batch, which it shares with other slow
/// readers, then bytes of its own.
class SendBuffer {
  public:
    enum class Outcome : std::uint8_t { sent, waiting, failed };

    bool empty() const { return !batch_ && own_.empty(); }
    void append(std::string_view bytes);
    /// At most one unsent pong waits: a newer one replaces it. [RFC6455 5.5.3]
    void append_pong(std::string_view payload);

    /// One system call: all that waits, then `more`. What the operating system does not take of it is
    /// kept; `batch` is what `more` came from.
    Outcome send(int socket, std::string_view more, FramedBatch& batch);
    /// The same for what waits alone.
    Outcome flush(int socket);

  private:
    Outcome keep(std::size_t sent, std::string_view more, FramedBatch* batch);
    Outcome send(int socket, std::string_view more, FramedBatch* batch);

    std::shared_ptr<const std::string> batch_;
    std::size_t batch_sent_ = 0;
    std::string own_;
    std::optional<std::uint32_t> pong_at_;  // an unsent pong is the end of own_, from here on
};

}  // namespace oncewire::net
