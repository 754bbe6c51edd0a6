#include "shared/delivery/cursor.hpp"

namespace oncewire::delivery {

Cursor::Arrival Cursor::arrive(const Position& position, Offset before) {
    if (position_) {
        if (!(position_->epoch == position.epoch)) return Arrival::stream_changed;
        if (position.offset == position_->offset) return Arrival::repeated;
        if (position.offset < position_->offset) return Arrival::late;
        if (before > position_->offset) return Arrival::hole;
    }
    position_ = position;
    return Arrival::fresh;
}

}  // namespace oncewire::delivery
