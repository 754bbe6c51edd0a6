// What a hub remembers of connections that are gone: nothing. Allocations are counted, so the count belongs
// to the whole program.
#include <catch2/catch.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

#include "server/hub/hub.hpp"

namespace hub_memory_test {

std::uint64_t held_bytes = 0;

/// Before each piece of memory, how long it is; as long as any alignment of ours.
constexpr std::size_t note_bytes = 16;

}  // namespace hub_memory_test

// NOLINTBEGIN: replaces what the library has
void* operator new(std::size_t bytes) {
    auto* whole = static_cast<char*>(std::malloc(bytes + hub_memory_test::note_bytes));
    if (whole == nullptr) std::abort();
    *reinterpret_cast<std::size_t*>(whole) = bytes;
    hub_memory_test::held_bytes += bytes;
    return whole + hub_memory_test::note_bytes;
}

/// std::stable_sort asks this way.
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
    return operator new(bytes);
}

void operator delete(void* memory) noexcept {
    if (memory == nullptr) return;
    auto* whole = static_cast<char*>(memory) - hub_memory_test::note_bytes;
    hub_memory_test::held_bytes -= *reinterpret_cast<std::size_t*>(whole);
    std::free(whole);
}

void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }
// NOLINTEND

namespace hub_memory_test {

using namespace oncewire;
using namespace oncewire::hub;

namespace {

/// So many connect from everywhere, join a namespace, are told something and go, while no time passes.
void visit(Hub& hub, int visitors) {
    constexpr Instant now{Millis{1000}};
    for (int i = 0; i < visitors; ++i) {
        for (std::size_t wanted = hub.secrets().wanted(); wanted > 0; --wanted)
            hub.secrets().add(std::string(1, static_cast<char>(i + static_cast<int>(wanted))));
        Request request;
        request.network = std::to_string(i);
        const auto id = hub.handle_accept(request, now);
        hub.handle_frame(id, {FrameType::text, "40"}, now);
        while (auto output = hub.poll_output()) {
            if (const auto* asked = std::get_if<ConnectAsked>(&*output))
                hub.sockets().accept(asked->socket, {{"room"}, std::nullopt, {}}, now);
            if (const auto* write = std::get_if<Write>(&*output))
                hub.handle_written(write->connection, now);
        }
        hub.handle_transport_closed(id, engineio::CloseReason::transport_close, now);
        while (hub.poll_output()) {
        }
    }
}

}  // namespace

TEST_CASE("connections that are gone leave nothing in memory") {
    Hub hub(Hub::Options{});
    for (int round = 0; round < 4; ++round) visit(hub, 200);
    const auto before = held_bytes;
    for (int round = 0; round < 40; ++round) visit(hub, 200);
    // Vectors and tables are as large as the fullest moment needed, which these rounds all share.
    CHECK(held_bytes <= before + 1024);
}

}  // namespace hub_memory_test
