#include "shared/delivery/cursor.hpp"

namespace oncewire::delivery {

Cursor::Arrival Cursor::arrive(const Epoch& epoch, Offset offset, Offset before) {
    if (!position_) {
        position_ = {epoch, offset};
        return Arrival::fresh;
    }
    if (!(position_->epoch == epoch)) return Arrival::stream_changed;
    if (offset == position_->offset) return Arrival::repeated;
    if (offset < position_->offset) return Arrival::late;
    if (before > position_->offset) return Arrival::hole;
    position_->offset = offset;
    return Arrival::fresh;
}

}  // namespace oncewire::delivery
