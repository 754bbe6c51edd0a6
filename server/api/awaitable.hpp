#pragma once

#include <coroutine>
#include <memory>
#include <optional>
#include <utility>

#include "server/api/event.hpp"

/// Requests by co_await, for handlers that are coroutines:
///
///     socket.on("hello", [](Socket socket) -> Task {
///         const AckResult answer = co_await socket.timeout(5s).emit_with_ack("who are you");
///         if (answer) socket.emit("welcome", *answer);
///     });
///
/// Let such a handler take what it needs as parameters, by value: they live as long as it runs, while
/// what a lambda has captured lives only as long as the handler is registered.
///
/// The only part of the API that needs exceptions and coroutines, so it is not part of application.hpp.
namespace oncewire::api {

/// A coroutine that runs by itself, at once until its first co_await, then on its core's thread. What
/// it throws afterwards costs the event that woke it, as with any handler.
struct Task {
    struct promise_type {
        Task get_return_object() { return {}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() { throw; }
    };
};

namespace internal {

/// A coroutine that waits: resumed once, or destroyed when nobody can resume it any more.
class Waiting {
  public:
    explicit Waiting(std::coroutine_handle<> handle) : handle_(handle) {}
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
    ~Waiting() {
        if (handle_) handle_.destroy();
    }
    void resume() { std::exchange(handle_, nullptr).resume(); }

  private:
    std::coroutine_handle<> handle_;
};

template <class R>
class Awaiter {
  public:
    explicit Awaiter(Request<R> request) : request_(std::move(request)) {}

    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> handle) {
        request_.then([this, waiting = std::make_shared<Waiting>(handle)](R result) {
            result_.emplace(std::move(result));
            waiting->resume();
        });
    }
    R await_resume() { return std::move(*result_); }

  private:
    Request<R> request_;
    std::optional<R> result_;
};

}  // namespace internal

template <class R>
internal::Awaiter<R> operator co_await(Request<R> request) {
    return internal::Awaiter<R>(std::move(request));
}

}  // namespace oncewire::api
