#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "server/api/event.hpp"
#include "server/api/signature.hpp"
#include "server/api/values.hpp"
#include "server/api/views.hpp"

/// The handlers that take events.
namespace oncewire::api {

/// Which argument a handler could not take.
struct Mismatch {
    std::size_t index = 0;
    const char* wanted = "";
};

/// A handler of any signature, after its arguments were found to fit.
using EventHandler =
    std::function<std::optional<Mismatch>(const Socket&, const Event&, const Ack&)>;

namespace internal {

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

/// What is wrong with a handler.
enum class HandlerFault : std::uint8_t { none, signature, view, reference, type, coroutine };

/// `P`: a parameter as it is written.
template <class P>
constexpr HandlerFault fault_of_parameter() {
    using T = std::decay_t<P>;
    constexpr bool is_lvalue = std::is_lvalue_reference_v<P>;
    constexpr bool is_const = std::is_const_v<std::remove_reference_t<P>>;
    if (is_view<P>) return HandlerFault::view;
    if (is_lvalue && !is_const) return HandlerFault::reference;
    if constexpr (is_from_us<T>) {
        return std::is_rvalue_reference_v<P> ? HandlerFault::reference : HandlerFault::none;
    } else if constexpr (!is_view<P>) {
        return IsReadable<T>::value ? HandlerFault::none : HandlerFault::type;
    }
}
template <class R, class... P>
constexpr HandlerFault fault_of_parameters(std::tuple<P...>*) {
    auto first = HandlerFault::none;
    ((first = first == HandlerFault::none ? fault_of_parameter<P>() : first), ...);
    const bool is_late = IsCoroutine<R> && any_borrowed<std::tuple<P...>>;
    return first == HandlerFault::none && is_late ? HandlerFault::coroutine : first;
}
template <class F>
constexpr HandlerFault fault_of() {
    if constexpr (HasSignature<F>) {
        using Found = Signature<F>;
        return fault_of_parameters<typename Found::Returned>(
            static_cast<typename Found::Parameters*>(nullptr));
    } else {
        return HandlerFault::signature;
    }
}

}  // namespace internal

/// Any function with fixed parameters is a handler. Each parameter takes one argument of the event, see
/// Decoder; except `Socket` (who sent it), `Event` (all of it, unparsed) and `Ack` (how to answer),
/// which take none and may stand anywhere. Arguments beyond the last parameter are ignored.
///
/// What cannot work does not compile, with one sentence that says what to write instead.
template <class F>
EventHandler typed_handler(F handler) {
    using internal::HandlerFault;
    constexpr HandlerFault fault = internal::fault_of<F>();
    static_assert(
        fault != HandlerFault::signature,
        "oncewire: a handler is a function or lambda whose parameter types are written out, like "
        "[](Socket socket, std::string text, Ack ack) { }; instead of auto write the type or Json, "
        "and put a member function into a lambda");
    static_assert(
        fault != HandlerFault::view,
        "oncewire: a parameter of a handler cannot be a view or a pointer, because nothing would "
        "keep what it looks at; write std::string instead of std::string_view or const char*, "
        "std::vector<T> instead of std::span<T>, T instead of T*");
    static_assert(
        fault != HandlerFault::reference,
        "oncewire: a handler takes its parameters by value or by reference to const; write T or "
        "const T& instead of T&, and Socket, Event or Ack without &&");
    static_assert(fault != HandlerFault::type,
                  "oncewire: an argument cannot become a parameter of this type; give it "
                  "void from_json(const oncewire::api::Json&, T&) and a default constructor, or "
                  "specialise oncewire::api::Decoder<T>");
    static_assert(
        fault != HandlerFault::coroutine,
        "oncewire: a handler that is a coroutine takes its parameters by value and no Event, "
        "because after its first co_await all others are gone; write T instead of const T&, and "
        "Json or the arguments' own types instead of Event");
    if constexpr (fault == HandlerFault::none) {
        using Parameters = typename internal::Signature<F>::Parameters;
        return internal::adapt(std::move(handler), static_cast<Parameters*>(nullptr));
    } else {
        return {};
    }
}

}  // namespace oncewire::api
