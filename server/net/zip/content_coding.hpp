#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// Compression of HTTP answers.
namespace oncewire::net {

/// [RFC9110 8.4.1]
enum class ContentCoding : std::uint8_t { identity, gzip, deflate };

/// What the value of an Accept-Encoding header lets us use: of what it names the heaviest, of equally
/// heavy ones the first. Empty: nothing. [RFC9110 12.5.3]
ContentCoding choose_coding(std::string_view accept_encoding);
/// The value for Content-Encoding.
std::string_view coding_name(ContentCoding coding);
/// `bytes` in this coding; as they are for identity.
std::string encode_content(ContentCoding coding, std::string_view bytes);

}  // namespace oncewire::net
