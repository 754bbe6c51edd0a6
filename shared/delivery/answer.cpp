#include "shared/delivery/answer.hpp"

#include "shared/base/json.hpp"

namespace oncewire::delivery {
namespace {

std::string beginning(std::string_view question) {
    return "[\"" + std::string(answer_event) + "\",\"" + std::string(question) + "\",";
}

}  // namespace

std::string answer_message(std::string_view question, std::string_view arguments) {
    return beginning(question).append(arguments) + ']';
}

std::optional<Answer> parse_answer(std::string_view message) {
    // Hardly any message is one, and the others may be long.
    const auto event = json::first_element(message);
    if (!event || !json::is_text(*event, answer_event)) return std::nullopt;
    const auto elements = json::elements(message);
    if (elements.size() != 3) return std::nullopt;
    if (json::kind_of(elements[2]) != json::Kind::array) return std::nullopt;
    auto question = parse_position(json::as_string(elements[1]).value_or(""));
    if (!question) return std::nullopt;
    return Answer{std::move(*question), elements[2]};
}

bool is_answer_to(std::string_view message, const Position& question) {
    return message.starts_with(beginning(format(question)));
}

}  // namespace oncewire::delivery
