#include "shared/socketio/placeholders.hpp"

#include <array>
#include <cstddef>

#include "shared/base/json.hpp"
#include "shared/base/limits.hpp"

namespace oncewire::socketio {

namespace {

/// Walks the text once, remembering for each open object what its last `_placeholder` and `num` said
/// (the last of repeated keys counts, as in JSON.parse).
class Walk {
  public:
    Walk(std::string_view data, std::uint32_t count) : data_(data), count_(count) {}

    bool finds_all_good() {
        for (at_ = 0; at_ < data_.size();) {
            switch (data_[at_]) {
                case '{':
                case '[':
                    open_[depth_++] = {};
                    ++at_;
                    break;
                case '}':
                case ']':
                    if (!close()) return false;
                    ++at_;
                    break;
                case '"':
                    last_text_ = string();
                    break;
                case ':':
                    member();
                    break;
                default:
                    ++at_;
                    break;
            }
        }
        return true;
    }

  private:
    struct Open {
        bool is_placeholder = false;
        bool names_attachment = false;
    };

    bool close() {
        const Open& ending = open_[--depth_];
        return !ending.is_placeholder || ending.names_attachment;
    }

    /// A colon: what came before it is a key, what follows is its value.
    void member() {
        Open& object = open_[depth_ - 1];
        const bool is_flag = json::is_text(last_text_, "_placeholder");
        const bool is_index = !is_flag && json::is_text(last_text_, "num");
        const std::string_view value = scalar_after_colon();
        if (is_flag) object.is_placeholder = value == "true";
        if (is_index) object.names_attachment = is_attachment(value);
    }

    bool is_attachment(std::string_view value) const {
        const auto index = json::as_integer(value);
        return index && *index >= 0 && *index < static_cast<std::int64_t>(count_);
    }

    /// A number or literal after the colon, taken; empty if something else follows, left for the loop.
    std::string_view scalar_after_colon() {
        at_ = data_.find_first_not_of(" \t\n\r", at_ + 1);
        const std::size_t start = at_;
        at_ = data_.find_first_of("\"{}[], \t\n\r", at_);
        return data_.substr(start, at_ - start);
    }

    std::string_view string() {
        const std::size_t start = at_;
        for (++at_; data_[at_] != '"'; ++at_)
            if (data_[at_] == '\\') ++at_;
        ++at_;
        return data_.substr(start, at_ - start);
    }

    std::string_view data_;
    std::uint32_t count_;
    std::size_t at_ = 0;
    std::string_view last_text_;
    std::uint32_t depth_ = 0;
    std::array<Open, limits::json_depth> open_;
};

}  // namespace

bool are_placeholders_good(std::string_view data, std::uint32_t count) {
    return Walk(data, count).finds_all_good();
}

}  // namespace oncewire::socketio
