#include "tests/sim/pipe.hpp"

#include <algorithm>

namespace oncewire::sim {

void Pipe::send(Kind kind, SharedFrame frame, Instant now, Instant due) {
    if (frame) bytes_ += frame->bytes.size();
    if (cut_ && kind == Kind::frame) return;
    if (!items_.empty()) due = std::max(due, items_.back().due);
    items_.push_back({kind, now, due, std::move(frame)});
}

std::optional<Pipe::Item> Pipe::take(Instant now) {
    const auto due = next();
    if (!due || *due > now) return std::nullopt;
    Item item = std::move(items_.front());
    items_.pop_front();
    if (item.frame) bytes_ -= item.frame->bytes.size();
    return item;
}

std::optional<Instant> Pipe::next() const {
    if (items_.empty()) return std::nullopt;
    return std::max(items_.front().due, stalled_until_);
}

void Pipe::cut(std::uint32_t lost) {
    cut_ = true;
    for (; lost > 0 && !items_.empty(); --lost) items_.pop_back();
}

void Pipe::postpone(Millis by) {
    for (auto& item : items_) item.due += by;
}

}  // namespace oncewire::sim
