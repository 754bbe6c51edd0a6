// Any application on top of any peers: see hub_world.hpp for what is demanded of the hub between them.
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/hub_world.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    oncewire::fuzz::play_hub({reinterpret_cast<const char*>(data), size});
    return 0;
}
