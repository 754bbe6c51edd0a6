#include "server/store/reading.hpp"

#include <utility>

namespace oncewire::store {

std::unique_ptr<Reading> Store::open_reading() { return nullptr; }

Result<LogHead, StoreError> OwnReading::look() {
    if (!is_open_) return Err{StoreError::io};
    return store_.head();
}

void OwnReading::let_go() {
    if (std::exchange(is_in_transaction_, false)) store_.rollback();
}

Result<std::vector<SqlRow>, SqlError> OwnReading::run_sql(std::string_view statement,
                                                          const std::vector<SqlValue>& values) {
    if (!is_in_transaction_) {
        if (const auto begun = store_.begin(); !begun)
            return Err{SqlError{begun.error(), false, error_text(begun.error())}};
        is_in_transaction_ = true;
    }
    return store_.run_sql(statement, values);
}

}  // namespace oncewire::store
