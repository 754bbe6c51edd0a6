#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/api/signature.hpp"
#include "server/api/values.hpp"
#include "server/store/verdict.hpp"
#include "shared/base/result.hpp"

/// Events and their answers.
namespace oncewire::api {

class Socket;

/// One event as it arrived. Views are valid during the handler's call; keep arguments() instead.
struct Event {
    std::string_view name;
    std::vector<std::string_view> args;  ///< JSON texts
    /// What placeholders in the arguments stand for.
    const std::vector<std::string>& attachments;

    /// All arguments from `first` on, to be kept or passed on: `socket.emit("back", event.arguments())`.
    Arguments arguments(std::size_t first = 0) const;
    template <class T>
    std::optional<T> get(std::size_t index) const {
        return decode<T>(index < args.size() ? args[index] : std::string_view(), attachments);
    }
};

namespace internal {
template <>
inline constexpr bool is_borrowed<Event> = true;
}

/// The answer to one event, to be given at most once, now or later; copies are the same answer. Does
/// nothing if nobody asked for one, or has it, or is gone.
class Ack {
  public:
    using Send = std::function<void(const Arguments&)>;

    Ack() = default;
    explicit Ack(Send send) : send_(std::make_shared<Send>(std::move(send))) {}

    /// True while an answer is wanted.
    explicit operator bool() const { return send_ && *send_; }

    template <class... T>
    void operator()(const T&... values) const {
        if (*this) std::exchange(*send_, nullptr)(encode(values...));
    }

  private:
    std::shared_ptr<Send> send_;
};

/// Why there is no answer.
enum class AckError : std::uint8_t {
    timed_out,     ///< within the given time; one that still comes is ignored
    disconnected,  ///< the client is gone, or was when it was asked
};
const char* error_text(AckError error);

using AckResult = Result<Arguments, AckError>;

/// Something that is done, once, when its result is asked for: with then(), or with co_await
/// (server/api/awaitable.hpp). Nothing happens if it is dropped.
template <class R>
class [[nodiscard]] Request {
  public:
    using Done = std::function<void(R)>;

    explicit Request(std::function<void(Done)> start) : start_(std::move(start)) {}

    /// `done` is called once, on this core, never before then() returns; not at all if the server
    /// stops first.
    template <class F>
    void then(F done) {
        constexpr bool is_fine = internal::is_function_of<F, void, R>;
        static_assert(is_fine,
                      "oncewire: then() wants a function that can be copied and takes the result");
        if constexpr (is_fine) std::exchange(start_, nullptr)(Done(std::move(done)));
    }

  private:
    std::function<void(Done)> start_;
};

/// Why a submitted message has no verdict.
enum class SubmitError : std::uint8_t {
    later,    ///< nothing could be stored, and nothing was: try again
    unknown,  ///< the client is gone; it may have been stored
};
using SubmitResult = Result<store::Verdict, SubmitError>;

/// How the applications of the other cores answered.
struct ServerSideAcks {
    std::vector<Arguments> answers;  ///< of those that have a handler, in the order of arrival
    bool timed_out = false;          ///< some did not answer in time
    std::vector<std::uint16_t> missing = {};  ///< those, by their numbers
};

/// What went wrong with an event of a client, or of ours.
struct Error {
    enum class Kind : std::uint8_t {
        bad_arguments,  ///< not what the handler takes; it was not called
        refused,        ///< by a middleware of the socket; no handler was called
        reserved_name,  ///< emitted by us: one of Socket.IO's own events; nothing was sent
    };
    Kind kind = Kind::bad_arguments;
    std::string event;
    std::string message;
};

}  // namespace oncewire::api
