#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace oncewire::store {

enum class StoreError : std::uint8_t;

/// A value of an application's own tables: NULL, a number, text.
using SqlValue = std::variant<std::monostate, std::int64_t, double, std::string>;
using SqlRow = std::vector<SqlValue>;

/// Why a statement of an application did not run.
struct SqlError {
    /// The store's trouble, not the statement's: hand it on, and the message is tried again. None: the
    /// statement is wrong, or it broke a constraint of the application's tables.
    std::optional<StoreError> store;
    bool is_constraint = false;
    std::string reason;  ///< for people
};

/// The value in `row` as a T (std::int64_t, double or std::string); none if it is NULL, something else or
/// not there.
template <class T>
std::optional<T> get(const SqlRow& row, std::size_t column) {
    if (column >= row.size()) return std::nullopt;
    const T* value = std::get_if<T>(&row[column]);
    return value ? std::optional<T>(*value) : std::nullopt;
}

}  // namespace oncewire::store
