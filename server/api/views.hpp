#pragma once

#include <array>
#include <functional>
#include <initializer_list>
#include <span>
#include <string_view>
#include <type_traits>

/// Which types look at what belongs to somebody else. A handler's parameters are made of an event's text
/// and are all that is kept of it, so a view among them would look at memory that is free again.
namespace oncewire::api::internal {

template <class T>
struct IsView : std::is_pointer<T> {};
template <class C, class Traits>
struct IsView<std::basic_string_view<C, Traits>> : std::true_type {};
template <class T, std::size_t extent>
struct IsView<std::span<T, extent>> : std::true_type {};
template <class T>
struct IsView<std::initializer_list<T>> : std::true_type {};
template <class T>
struct IsView<std::reference_wrapper<T>> : std::true_type {};
// Whatever holds one is one: std::vector<std::string_view>, std::map<std::string, const char*>.
template <class T, std::size_t size>
struct IsView<std::array<T, size>> : IsView<T> {};
template <template <class...> class Of, class... T>
struct IsView<Of<T...>> : std::disjunction<IsView<T>...> {};

template <class T>
inline constexpr bool is_view = IsView<std::decay_t<T>>::value;

}  // namespace oncewire::api::internal
