#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/store/log_entry.hpp"
#include "server/store/verdict.hpp"
#include "shared/delivery/producer.hpp"

namespace oncewire::store {

/// One durable message, by what its sender and its handler (Message::key) call it.
struct MessageKey {
    ProducerId producer;
    delivery::Sequence sequence = 0;
    bool operator==(const MessageKey&) const = default;
};

/// From "producer:sequence"; none for anything else.
std::optional<MessageKey> parse_message_key(std::string_view text);

/// What became of one durable message, as the database knows it.
struct Whereabouts {
    /// A message may put any number of entries into the log: so many are looked at.
    static constexpr std::uint32_t entries_max = 100;

    enum class Outcome : std::uint8_t {
        unknown_sender,  ///< nothing of theirs was ever stored
        /// Beyond `last`: in its sender's outbox, or never sent. Before it: it went with a database that was
        /// replaced by an older copy.
        not_here,
        forgotten,  ///< it was offered, and the lease of its sender ended
        settled,    ///< there is a verdict
    };

    Outcome outcome = Outcome::unknown_sender;
    delivery::Sequence last = 0;  ///< of its sender's messages, the newest one that was settled
    // Settled:
    Verdict verdict = {};
    std::optional<Publication> published = {};
    std::vector<LogEntry> entries =
        {};  ///< of the first entries_max published: those that are kept
};

}  // namespace oncewire::store
