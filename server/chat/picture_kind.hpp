#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace oncewire::chat {

/// What a picture is by its own bytes, whatever somebody said of it.
struct PictureKind {
    std::string_view type;  ///< "image/png", "image/jpeg", "image/webp" or "image/gif"
    std::uint32_t width = 0;
    std::uint32_t height = 0;
};

/// None if the bytes begin like none of the four, or hold no size. Any bytes; looks at no more than is
/// needed to know. Other kinds are none on purpose: SVG can hold programs.
std::optional<PictureKind> kind_of_picture(std::string_view bytes);

}  // namespace oncewire::chat
