#pragma once

#include <optional>
#include <utility>
#include <variant>

#include "shared/base/verify.hpp"

namespace oncewire {

/// A failure on its way into a Result: `return Err{DecodeError::bad_json};`
template <class E>
struct Err {
    E error;
};
template <class E>
Err(E) -> Err<E>;

/// A T, or the reason there is none. [[nodiscard]]: ignoring one does not compile quietly.
/// Reading the value of a failure (or the error of a success) is our bug and stops the process.
template <class T, class E>
class [[nodiscard]] Result {
  public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Err<E> failure) : state_(std::in_place_index<1>, std::move(failure.error)) {}

    explicit operator bool() const { return state_.index() == 0; }

    T& operator*() { return value(); }
    const T& operator*() const { return const_cast<Result*>(this)->value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &const_cast<Result*>(this)->value(); }
    const E& error() const {
        // Whoever asks has looked: see above.
        VERIFY(state_.index() == 1);
        return *std::get_if<1>(&state_);
    }

  private:
    T& value() {
        // Whoever asks has looked: see above.
        VERIFY(state_.index() == 0);
        return *std::get_if<0>(&state_);
    }

    std::variant<T, E> state_;
};

/// Success without a value, or the reason for failure.
template <class E>
class [[nodiscard]] Result<void, E> {
  public:
    Result() = default;
    Result(Err<E> failure) : error_(std::move(failure.error)) {}

    explicit operator bool() const { return !error_; }
    const E& error() const {
        // Whoever asks has looked: see above.
        VERIFY(error_.has_value());
        return *error_;
    }

  private:
    std::optional<E> error_;
};

}  // namespace oncewire
