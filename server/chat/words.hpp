#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/api/values.hpp"
#include "shared/delivery/position.hpp"

/// What may be said in the chat: names, places, texts, pictures; and how it is read out of arguments.
namespace oncewire::chat {

/// 32,768 bytes: one text as JSON, so that the whole event stays below what is accepted as durable.
inline constexpr std::size_t text_bytes_max = 32'768;
/// 262,144 bytes: one picture; at 20 kB/s it is through before a heartbeat behind it is missed.
inline constexpr std::size_t picture_bytes_max = 262'144;
/// 4,096: pixels of a picture's side; a few bytes could otherwise fill a reader's memory.
inline constexpr std::uint32_t picture_side_max = 4'096;
/// 32: hexadecimal digits of a picture's id.
inline constexpr std::size_t picture_id_digits = 32;
/// 256 bytes: the id a stock client gives its message; the tutorial's have about 25.
inline constexpr std::size_t client_offset_bytes_max = 256;
/// 40 characters: names of people and rooms; longer ones break every list they stand in.
inline constexpr std::size_t name_characters_max = 40;
/// 64 bytes: a user's id.
inline constexpr std::size_t user_id_bytes_max = 64;
/// 64: rooms one session hears.
inline constexpr std::size_t rooms_max = 64;

inline constexpr std::string_view main_place = "chat";
inline constexpr std::string_view lobby = "lobby";
inline constexpr std::string_view inbox_place = "inbox";
inline constexpr std::string_view room_prefix = "room/";
inline constexpr std::string_view user_prefix = "user/";

/// As it may be shown: without blanks around it, controls and characters that turn the writing
/// direction; none if nothing is left or it is too long.
std::optional<std::string> clean_name(std::string_view name);
/// Letters, digits and a few marks, so that it means one thing everywhere.
bool is_user_id(std::string_view id);
/// "room/" and a name that is clean as it stands.
bool is_room(std::string_view place);
/// "user/" and an id.
bool is_person(std::string_view place);
bool is_picture_id(std::string_view id);

/// Who a session belongs to, as durable handlers get it: Socket::introduce().
struct Sender {
    std::string id;
    std::string name;
    /// Where the session comes from, as limits count it: api::Handshake::network.
    std::string network = {};
};
std::string encode(const Sender& sender);
Sender decode_sender(std::string_view text);

/// The argument as a string; none if it is no string or not there.
std::optional<std::string> string_at(const std::vector<std::string_view>& args, std::size_t index);
/// The argument as an offset; none if it is none.
std::optional<delivery::Offset> offset_at(const std::vector<std::string_view>& args,
                                          std::size_t index);
/// A member of an object that is a string.
std::optional<std::string> string_in(const api::Json& object, const char* name);
/// A member of an object that is an offset, however the client's language writes one: 45, 45.0, "45" or
/// "45.0", since there are those whose numbers are never whole, or whose auth is text alone.
std::optional<delivery::Offset> offset_in(const api::Json& object, const char* name);
/// As JSON text; bytes that are no UTF-8 become U+FFFD.
std::string text_of(const api::Json& json);

}  // namespace oncewire::chat
