#include "shared/delivery/cursor.hpp"

namespace oncewire::delivery {

Cursor::Arrival Cursor::arrive(const Position& position) {
    if (position_) {
        if (!(position_->epoch == position.epoch)) return Arrival::stream_changed;
        if (position.offset <= position_->offset) return Arrival::repeated;
    }
    position_ = position;
    return Arrival::fresh;
}

}  // namespace oncewire::delivery
