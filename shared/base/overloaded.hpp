#pragma once

namespace oncewire {

/// A visitor of std::visit that is made of one lambda for each alternative.
template <class... Handlers>
struct Overloaded : Handlers... {
    using Handlers::operator()...;
};
template <class... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

}  // namespace oncewire
