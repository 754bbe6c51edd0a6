#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include "shared/base/frame.hpp"
#include "shared/base/time.hpp"

namespace oncewire::sim {

using SharedFrame = std::shared_ptr<const Frame>;

/// One direction of a link: what is sent arrives whole, in order, and late; a broken link loses a tail
/// of it, never something from the middle (TCP).
class Pipe {
  public:
    enum class Kind : std::uint8_t { opened, frame, closed };
    struct Item {
        Kind kind = Kind::frame;
        Instant sent;
        Instant due;
        SharedFrame frame;
    };

    /// Sent now, it arrives at `due`, or behind what was sent before. Frames vanish once the pipe is cut.
    void send(Kind kind, SharedFrame frame, Instant now, Instant due);
    /// The next item that has arrived by `now`, if any.
    std::optional<Item> take(Instant now);
    /// When the next item arrives.
    std::optional<Instant> next() const;

    /// Nothing arrives before `until`.
    void stall(Instant until) { stalled_until_ = until; }
    /// Of what is under way the last `lost` items vanish, and so does every frame sent from here on.
    void cut(std::uint32_t lost);
    /// What is under way arrives this much later.
    void postpone(Millis by);

    std::uint32_t size() const { return static_cast<std::uint32_t>(items_.size()); }
    /// What the sender's operating system holds: under way, or swallowed by a broken link.
    std::uint64_t bytes() const { return bytes_; }

  private:
    std::deque<Item> items_;
    Instant stalled_until_;
    std::uint64_t bytes_ = 0;
    bool cut_ = false;
};

}  // namespace oncewire::sim
