#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "shared/delivery/position.hpp"

namespace oncewire::delivery {

/// How a client answers a question of the server: with a message of its outbox, so that an answer has
/// all that a message has. It is given once, survives what the outbox survives, and is the mark by which
/// a client knows after a restart what it need not ask its application again.
///
///     ["oncewire:answer","epoch.number",[…arguments]]
///
/// A question is named by the epoch of the server's log and the number the store gave it.
inline constexpr std::string_view answer_event = "oncewire:answer";

struct Answer {
    Position question;
    std::string_view arguments;  ///< JSON array text; points into the message
};

/// `question`: format() of its Position. `arguments`: JSON array text.
std::string answer_message(std::string_view question, std::string_view arguments);
/// None if `message` (valid JSON) is something else.
std::optional<Answer> parse_answer(std::string_view message);
/// Whether `message`, which this client made, answers `question`.
bool is_answer_to(std::string_view message, const Position& question);

}  // namespace oncewire::delivery
