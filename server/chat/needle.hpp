#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace oncewire::chat {

/// What is searched for: a text, whatever the case of its Latin letters.
class Needle {
  public:
    explicit Needle(std::string_view text);

    /// Whether the text of a stored event (JSON array text, ["event", …args]) holds it: of a "chat
    /// message", a "post" or an "edit". Linear, and most events cost no more than a look at their bytes.
    bool is_in(std::string_view event) const;

  private:
    bool is_in_text(std::string text) const;

    std::string folded_;
};

/// The text of a stored event that is a message or a change of one; none for everything else.
std::optional<std::string> text_of_event(std::string_view event);

}  // namespace oncewire::chat
