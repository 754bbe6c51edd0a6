#include "shared/engineio/heartbeat.hpp"

namespace oncewire::engineio {

namespace {

/// How long the peer may rest from the moment it was last heard.
Millis patience(Role role, const Timings& timings) {
    return role == Role::server ? timings.ping_interval
                                : timings.ping_interval + timings.ping_timeout;
}

}  // namespace

Heartbeat::Heartbeat(Role role, Timings timings, Instant now)
    : role_(role), timings_(timings), deadline_(now + patience(role, timings)) {}

void Heartbeat::handle_beat(Instant now) {
    awaiting_pong_ = false;
    deadline_ = now + patience(role_, timings_);
}

Heartbeat::Due Heartbeat::handle_timeout(Instant now) {
    if (now < deadline_) return Due::nothing;
    if (role_ == Role::client || awaiting_pong_) return Due::peer_is_silent;
    awaiting_pong_ = true;
    deadline_ = now + timings_.ping_timeout;
    return Due::send_ping;
}

}  // namespace oncewire::engineio
