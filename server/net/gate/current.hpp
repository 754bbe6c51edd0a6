#pragma once

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

namespace oncewire::net {

/// What an operator may replace while the server runs. Copies are one: replacing it on one reaches all of
/// them, on any thread. Whoever took now() before keeps what it was.
template <class T>
class Current {
  public:
    // Implicit: wherever one is expected, its value can be written down.
    template <class U = T>
    requires(std::convertible_to<U, T> && !std::derived_from<std::remove_cvref_t<U>, Current>)
        Current(U&& value = {}) {
        replace(std::forward<U>(value));
    }

    /// As it is at the moment; never null.
    std::shared_ptr<const T> now() const { return std::atomic_load(&shared_->value); }
    void replace(T value) {
        std::atomic_store(&shared_->value, std::make_shared<const T>(std::move(value)));
    }

  private:
    struct Shared {
        std::shared_ptr<const T> value;
    };
    std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

}  // namespace oncewire::net
