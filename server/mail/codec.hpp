#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/mail/core_mail.hpp"
#include "server/mail/sequencer_mail.hpp"

/// Letters as bytes, for parts that share no memory. One form for each letter: numbers as LEB128 (signed ones
/// zigzag), texts and lists behind their length, a letter behind its place in its variant. Between versions
/// the form may change; `codec_version` says which one it is.
namespace oncewire::mail {

/// Counts the forms there were; parts that speak another one do not understand each other.
inline constexpr std::uint32_t codec_version = 1;

/// Pointers that a letter's description calls never null must not be.
std::string encode(const ToSequencer& letter);
std::string encode(const ToReader& letter);
std::string encode(const FromSequencer& letter);
std::string encode(const CoreMail& letter);

/// None: the bytes are not what encode() writes, to the last one. No more is allocated than a small multiple of
/// their number.
std::optional<ToSequencer> decode_to_sequencer(std::string_view bytes);
std::optional<ToReader> decode_to_reader(std::string_view bytes);
std::optional<FromSequencer> decode_from_sequencer(std::string_view bytes);
std::optional<CoreMail> decode_core_mail(std::string_view bytes);

}  // namespace oncewire::mail
