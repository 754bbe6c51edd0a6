#pragma once

#include <cstdint>
#include <optional>

#include "shared/delivery/position.hpp"

namespace oncewire::delivery {

/// The position up to which a reader has processed one log: what was handed to its application. (The server
/// needs an offset for each socket, no more: when its log is another one, every connection ends.)
///
/// A member of few rooms sees offsets skip, so what is missing shows only where entries say which came
/// before them. Knows one epoch at a time.
class Cursor {
  public:
    enum class Arrival : std::uint8_t {
        fresh,           ///< beyond the cursor: hand it on; the cursor has moved already (R6)
        repeated,        ///< at the cursor: drop it
        late,            ///< before the cursor: drop it
        hole,            ///< beyond an entry that never arrived; the cursor stays
        stream_changed,  ///< another epoch: tell the application, then reset()
    };

    Cursor() = default;
    explicit Cursor(std::optional<Position> restored) : position_(std::move(restored)) {}

    /// Judges an entry and, if it is fresh, moves *before* anybody handles it (R6). `before`: see
    /// LinkedPosition.
    Arrival arrive(const Epoch& epoch, Offset offset, Offset before = 0);
    Arrival arrive(const Position& position, Offset before = 0) {
        return arrive(position.epoch, position.offset, before);
    }
    /// The log's owner says where reading starts: at (re)connection, or after stream_changed.
    void reset(Position position) { position_ = std::move(position); }

    /// None until the first entry or reset().
    const std::optional<Position>& position() const { return position_; }

  private:
    std::optional<Position> position_;
};

/// How often a reader met on a living link what no server of ours does there: expected 0, 0 and 0.
struct Anomalies {
    std::uint32_t holes = 0;
    std::uint32_t repeated = 0;
    std::uint32_t late = 0;
    bool operator==(const Anomalies&) const = default;
};

}  // namespace oncewire::delivery
