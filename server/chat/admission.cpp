#include "server/chat/admission.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <string>

#include "shared/base/json.hpp"

namespace oncewire::chat {
namespace {

constexpr std::uint32_t day_seconds = 86'400;
/// 1,024 bytes: what the shortest message counts as, because rows and indexes are kept for it, too.
constexpr std::uint64_t unit_bytes = 1024;
constexpr Millis a_moment{1'000}, a_while{60'000};

Rate each_day(std::uint64_t bytes) {
    const auto units = std::min<std::uint64_t>((bytes + unit_bytes - 1) / unit_bytes,
                                               std::numeric_limits<std::uint32_t>::max() / 2);
    return {static_cast<std::uint32_t>(units), static_cast<std::uint32_t>(units), day_seconds};
}

bool opens_room(std::string_view data) {
    const auto name = json::first_element(data);
    return name && json::is_text(*name, "open room");
}

}  // namespace

Door::Door(const Options& options)
    : messages_(options.messages, options.messages_of_network),
      rooms_(options.rooms),
      bytes_(each_day(options.stored_of_person_each_day),
             each_day(options.stored_of_network_each_day)) {}

std::optional<api::Later> Door::ask(const api::Offer& offer) {
    const Sender sender = decode_sender(offer.sender);
    if (const char* code = messages_.refuse(sender, offer.now)) {
        return api::Later{a_moment, code, "too many messages at once; wait a moment"};
    }
    const bool is_room = opens_room(offer.data);
    if (const char* code = is_room ? rooms_.refuse(sender, offer.now) : nullptr) {
        return api::Later{a_while, code, "too many new rooms at once; wait a while"};
    }
    const auto units = static_cast<std::uint32_t>(1 + offer.data.size() / unit_bytes);
    if (bytes_.refuse(sender, offer.now, units)) {
        return api::Later{a_while, "too_much_today", "that is enough for one day; wait a while"};
    }
    return std::nullopt;
}

void install_admission(api::Application& application, const Options& options) {
    const auto door = std::make_shared<Door>(options);
    application.admit([door](const api::Offer& offer) { return door->ask(offer); });
}

}  // namespace oncewire::chat
