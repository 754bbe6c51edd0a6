// Letters between the parts of the server: bytes that are taken for one are what would be written for it.
//
// Input: one byte says which kind of letter, the rest is the letter.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "server/mail/codec.hpp"
#include "server/mail/weight.hpp"
#include "shared/base/verify.hpp"

using namespace oncewire;

namespace {

template <class Letter>
void check(std::string_view bytes, std::optional<Letter> decode(std::string_view)) {
    const auto letter = decode(bytes);
    if (!letter) return;
    VERIFY(mail::encode(*letter) == bytes);
    VERIFY(mail::bytes_of(*letter) >= sizeof(Letter));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    if (data[0] % 4 == 0) check(bytes, mail::decode_to_sequencer);
    if (data[0] % 4 == 1) check(bytes, mail::decode_from_sequencer);
    if (data[0] % 4 == 2) check(bytes, mail::decode_core_mail);
    if (data[0] % 4 == 3) check(bytes, mail::decode_to_reader);
    return 0;
}
