#pragma once

#include <tuple>
#include <type_traits>

#include "server/api/views.hpp"

/// What functions take, and whether that is what is wanted of them.
namespace oncewire::api::internal {

/// `Parameters` and `Returned` of a function whose parameters are written out; neither for what has
/// several signatures (`auto`, overloads) or none.
template <class F>
struct Signature {};
template <class F>
requires requires { typename std::void_t<decltype(&F::operator())>; }
struct Signature<F> : Signature<decltype(&F::operator())> {};
template <class R, class... A>
struct Signature<R (*)(A...)> {
    using Parameters = std::tuple<A...>;
    using Returned = R;
};
template <class R, class... A>
struct Signature<R (*)(A...) noexcept> : Signature<R (*)(A...)> {};
template <class R, class C, class... A>
struct Signature<R (C::*)(A...)> : Signature<R (*)(A...)> {};
template <class R, class C, class... A>
struct Signature<R (C::*)(A...) const> : Signature<R (*)(A...)> {};
template <class R, class C, class... A>
struct Signature<R (C::*)(A...) noexcept> : Signature<R (*)(A...)> {};
template <class R, class C, class... A>
struct Signature<R (C::*)(A...) const noexcept> : Signature<R (*)(A...)> {};

template <class F>
concept HasSignature = !std::is_member_function_pointer_v<F> && requires {
    typename Signature<F>::Parameters;
};

template <class R>
concept IsCoroutine = requires {
    typename R::promise_type;
};
/// A parameter that is gone when the call is over, a coroutine's first co_await.
template <class P>
inline constexpr bool is_borrowed = std::is_reference_v<P> || is_view<P>;
template <class Parameters>
inline constexpr bool any_borrowed = false;
template <class... P>
inline constexpr bool any_borrowed<std::tuple<P...>> = (is_borrowed<P> || ...);

/// A coroutine that goes on using what its caller has given up.
template <class F>
inline constexpr bool outlives_parameters = false;
template <HasSignature F>
inline constexpr bool outlives_parameters<F> =
    IsCoroutine<typename Signature<F>::Returned>&& any_borrowed<typename Signature<F>::Parameters>;

/// Can be kept and called with these: what std::function asks for, and no coroutine that
/// borrows.
template <class F, class R, class... A>
inline constexpr bool is_function_of =
    std::is_copy_constructible_v<F>&& std::is_invocable_r_v<R, F&, A...> && !outlives_parameters<F>;

}  // namespace oncewire::api::internal
