#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "shared/base/time.hpp"

namespace oncewire::sequencer {

/// A durable message before anything is done about it. Everything points into the message.
struct Offer {
    std::string_view nsp;
    std::string_view data;      ///< JSON array text, the whole of it: what would take room
    std::string_view sender;    ///< as in Message
    std::string_view producer;  ///< as in Message
    UnixMillis now;
};

/// Not now. Nothing is stored, and no number is used up.
struct Later {
    /// How long its sender waits before it offers this again: 1 ms to limits::retry_later_max. Who goes on
    /// all the same is cut off after a while (limits::pauses_ignored_max).
    Millis after{1000};
    /// Stock clients, which cannot be told to wait, are refused with this, as reject() would.
    std::string code = {};
    std::string message = {};
};

/// Whether a message may be stored now; none: it may. Asked about each that would use up a number of its
/// sender or call a handler, whatever its event: a rejection of an event that nobody knows is a row, too.
/// Not asked about copies of what has its verdict, nor about what the application says itself. It may be
/// asked about one message more than once, when the first attempt failed.
using Admission = std::function<std::optional<Later>(const Offer&)>;

}  // namespace oncewire::sequencer
