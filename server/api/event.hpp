#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "server/api/values.hpp"
#include "server/store/verdict.hpp"
#include "shared/base/result.hpp"

/// Events, their answers, and the handlers that take them.
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
        return Decoder<T>::decode(index < args.size() ? args[index] : std::string_view(),
                                  attachments);
    }
};

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
    void then(Done done) { std::exchange(start_, nullptr)(std::move(done)); }

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

/// Which argument a handler could not take.
struct Mismatch {
    std::size_t index = 0;
    const char* wanted = "";
};

/// A handler of any signature, after its arguments were found to fit.
using EventHandler =
    std::function<std::optional<Mismatch>(const Socket&, const Event&, const Ack&)>;

namespace internal {

template <class F>
struct Signature : Signature<decltype(&F::operator())> {};
template <class R, class... A>
struct Signature<R (*)(A...)> {
    using Parameters = std::tuple<A...>;
};
template <class R, class C, class... A>
struct Signature<R (C::*)(A...)> : Signature<R (*)(A...)> {};
template <class R, class C, class... A>
struct Signature<R (C::*)(A...) const> : Signature<R (*)(A...)> {};
template <class R, class C, class... A>
struct Signature<R (C::*)(A...) noexcept> : Signature<R (*)(A...)> {};
template <class R, class C, class... A>
struct Signature<R (C::*)(A...) const noexcept> : Signature<R (*)(A...)> {};
template <class R, class... A>
struct Signature<R (*)(A...) noexcept> : Signature<R (*)(A...)> {};

template <class T>
inline constexpr bool is_from_us =
    std::is_same_v<T, Socket> || std::is_same_v<T, Event> || std::is_same_v<T, Ack>;

/// Where in the event's arguments each parameter is found; those that come from us take no place.
template <class... P>
constexpr auto argument_places() {
    std::array<std::size_t, sizeof...(P) + 1> places{};
    std::size_t next = 0, i = 0;
    ((places[i++] = is_from_us<P> ? next : next++), ...);
    return places;
}

template <class P>
struct Slot {
    std::optional<P> value;
    bool fill(const Event& event, std::size_t place) {
        value = event.get<P>(place);
        return value.has_value();
    }
    P&& pass(const Socket&, const Event&, const Ack&) { return std::move(*value); }
};
template <class P>
requires is_from_us<P>
struct Slot<P> {
    bool fill(const Event&, std::size_t) { return true; }
    const P& pass(const Socket& socket, const Event& event, const Ack& ack) {
        return std::get<const P&>(
            std::tuple<const Socket&, const Event&, const Ack&>(socket, event, ack));
    }
};
template <class P>
constexpr const char* wanted() {
    if constexpr (is_from_us<P>) {
        return "";
    } else {
        return Decoder<P>::wanted;
    }
}

template <class F, class... P, std::size_t... I>
std::optional<Mismatch> call(F& handler, [[maybe_unused]] std::tuple<Slot<P>...> slots,
                             const Socket& socket, const Event& event, const Ack& ack,
                             std::index_sequence<I...>) {
    [[maybe_unused]] static constexpr auto places = argument_places<P...>();
    std::optional<Mismatch> mismatch;
    ((mismatch || std::get<I>(slots).fill(event, places[I])
          ? void()
          : void(mismatch = Mismatch{places[I], wanted<P>()})),
     ...);
    if (!mismatch) handler(std::get<I>(slots).pass(socket, event, ack)...);
    return mismatch;
}

template <class F, class... P>
EventHandler adapt(F handler, std::tuple<P...>*) {
    return [handler = std::make_shared<F>(std::move(handler))](const Socket& socket,
                                                               const Event& event, const Ack& ack) {
        return call(*handler, std::tuple<Slot<std::decay_t<P>>...>(), socket, event, ack,
                    std::index_sequence_for<P...>());
    };
}

}  // namespace internal

/// Any function with fixed parameters is a handler. Each parameter takes one argument of the event, see
/// Decoder; except `Socket` (who sent it), `Event` (all of it, unparsed) and `Ack` (how to answer),
/// which take none and may stand anywhere. Arguments beyond the last parameter are ignored.
template <class F>
EventHandler typed_handler(F handler) {
    using Parameters = typename internal::Signature<F>::Parameters;
    return internal::adapt(std::move(handler), static_cast<Parameters*>(nullptr));
}

}  // namespace oncewire::api
