#include "shared/engineio/heartbeat.hpp"

#include <catch2/catch.hpp>

namespace engineio_heartbeat_test {

using namespace oncewire;
using namespace oncewire::engineio;

namespace {

constexpr Timings timings{Millis(300), Millis(200)};

Instant at(int millis) { return Instant(Millis(millis)); }

}  // namespace

TEST_CASE(
    "the server pings after the interval and gives up after the timeout, to the millisecond") {
    Heartbeat heartbeat(Role::server, timings, at(1000));
    CHECK(heartbeat.next_timeout() == at(1300));
    CHECK(heartbeat.handle_timeout(at(1299)) == Heartbeat::Due::nothing);
    CHECK(heartbeat.handle_timeout(at(1300)) == Heartbeat::Due::send_ping);
    CHECK(heartbeat.next_timeout() == at(1500));
    CHECK(heartbeat.handle_timeout(at(1499)) == Heartbeat::Due::nothing);
    CHECK(heartbeat.handle_timeout(at(1500)) == Heartbeat::Due::peer_is_silent);
}

TEST_CASE("the next ping is due one interval after the pong, not after the last ping") {
    Heartbeat heartbeat(Role::server, timings, at(0));
    CHECK(heartbeat.handle_timeout(at(300)) == Heartbeat::Due::send_ping);
    heartbeat.handle_beat(at(450));
    CHECK(heartbeat.next_timeout() == at(750));
    CHECK(heartbeat.handle_timeout(at(500)) == Heartbeat::Due::nothing);
    CHECK(heartbeat.handle_timeout(at(750)) == Heartbeat::Due::send_ping);
}

TEST_CASE("a pong nobody asked for restarts the interval") {
    Heartbeat heartbeat(Role::server, timings, at(0));
    heartbeat.handle_beat(at(100));
    CHECK(heartbeat.next_timeout() == at(400));
}

TEST_CASE("the client allows interval and timeout together between two pings") {
    Heartbeat heartbeat(Role::client, timings, at(0));
    CHECK(heartbeat.next_timeout() == at(500));
    CHECK(heartbeat.handle_timeout(at(499)) == Heartbeat::Due::nothing);
    heartbeat.handle_beat(at(499));
    CHECK(heartbeat.next_timeout() == at(999));
    CHECK(heartbeat.handle_timeout(at(999)) == Heartbeat::Due::peer_is_silent);
}

TEST_CASE("a host that slept through its timers asks once more before it gives up") {
    Heartbeat heartbeat(Role::server, timings, at(0));
    CHECK(heartbeat.handle_timeout(at(60'000)) == Heartbeat::Due::send_ping);
    CHECK(heartbeat.next_timeout() == at(60'200));
    heartbeat.handle_beat(at(60'100));
    CHECK(heartbeat.handle_timeout(at(60'300)) == Heartbeat::Due::nothing);
}

}  // namespace engineio_heartbeat_test
