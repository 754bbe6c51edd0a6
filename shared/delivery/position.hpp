#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace oncewire::delivery {

/// Which history: made with the database, and again at every restore. Offsets of different epochs say
/// nothing about each other: after a restore, offset 7 is another message.
/// 1 to 32 characters of [0-9A-Za-z_-].
struct Epoch {
    std::string text;
    bool operator==(const Epoch&) const = default;
};

/// How far in that history: 1, 2, 3 … in commit order; 0 is "before everything". At most 2^53-1, so
/// that JavaScript can hold it.
using Offset = std::uint64_t;

/// A place in the log. Replaced as a pair, never one half alone.
struct Position {
    Epoch epoch;
    Offset offset = 0;
    bool operator==(const Position&) const = default;
};

/// An entry's place, and which entry of its room came right before it; 0: not told. Whoever has not
/// come as far as `before` has missed something.
struct LinkedPosition {
    Position position;
    Offset before = 0;
    bool operator==(const LinkedPosition&) const = default;
};

/// The wire form, one opaque string: "epoch.offset".
std::string format(const Position& position);
/// "epoch.offset.before".
std::string format(const LinkedPosition& linked);
/// Either form, behind what `out` holds.
void append_position(std::string& out, const Epoch& epoch, Offset offset,
                     std::optional<Offset> before = std::nullopt);
/// None for anything format() could not have written, so that an application's own trailing string is
/// not mistaken for a position.
std::optional<Position> parse_position(std::string_view text);
/// Either form.
std::optional<LinkedPosition> parse_linked_position(std::string_view text);

}  // namespace oncewire::delivery
