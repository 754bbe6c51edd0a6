#include "server/core/letters.hpp"

#include "server/mail/weight.hpp"

namespace oncewire::core {
namespace {

struct Size {
    std::size_t operator()(const net::Foreign&) const { return sizeof(net::Foreign); }
    template <class Letter>
    std::size_t operator()(const Letter& letter) const {
        return mail::bytes_of(letter);
    }
};

}  // namespace

std::size_t bytes_of(const CoreLetter& letter) { return std::visit(Size(), letter); }

}  // namespace oncewire::core
