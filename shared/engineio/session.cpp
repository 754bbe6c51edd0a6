#include "shared/engineio/session.hpp"

#include <utility>

#include "shared/base/verify.hpp"

namespace oncewire::engineio {

namespace {

// Cells. Short names, because the tables below are to be read as tables.
constexpr Transition none{};
constexpr Transition deliver{Effect::deliver};
constexpr Transition beat{Effect::ignore, std::nullopt, true};
constexpr Transition answer{Effect::answer_pong, std::nullopt, true};
constexpr Transition opened{Effect::opened, SessionState::open};
constexpr Transition probed{Effect::answer_pong, SessionState::probed};
constexpr Transition again{Effect::answer_pong};
constexpr Transition change{Effect::switch_channel, SessionState::open};
constexpr Transition upgrade{Effect::send_upgrade, SessionState::probed};
constexpr Transition unprobe{Effect::close_probe, SessionState::open};
constexpr Transition no_probe{Effect::close_probe};

constexpr Transition closing(CloseReason reason) {
    return {Effect::close_session, SessionState::closed, false, reason};
}
constexpr Transition closed = closing(CloseReason::transport_close);
constexpr Transition invalid = closing(CloseReason::parse_error);
// The reference's words for a client that pings: "invalid heartbeat direction", a transport error.
constexpr Transition wrong_way = closing(CloseReason::transport_error);

using Row = Transition[packet_type_count];
using Table = Row[session_state_count][channel_count];

// clang-format off
// A server is never opening: its row is there because the table is complete.
//                      open       close      ping       pong       message    upgrade    noop
constexpr Table server_table = {
    /* opening */     {{none,      none,      none,      none,      none,      none,      none     },
    /*   probe */      {none,      none,      none,      none,      none,      none,      none     }},
    /* open */        {{none,      closed,    wrong_way, beat,      deliver,   none,      none     },
    /*   probe */      {no_probe,  no_probe,  no_probe,  no_probe,  no_probe,  no_probe,  no_probe }},
    /* probing */     {{none,      closed,    wrong_way, beat,      deliver,   none,      none     },
    /*   probe */      {unprobe,   unprobe,   probed,    unprobe,   unprobe,   change,    unprobe  }},
    /* probed */      {{none,      closed,    wrong_way, beat,      deliver,   none,      none     },
    /*   probe */      {unprobe,   unprobe,   again,     unprobe,   unprobe,   change,    unprobe  }},
    /* closed */      {{none,      none,      none,      none,      none,      none,      none     },
    /*   probe */      {none,      none,      none,      none,      none,      none,      none     }},
};

//                      open       close      ping       pong       message    upgrade    noop
constexpr Table client_table = {
    /* opening */     {{opened,    closed,    invalid,   invalid,   invalid,   invalid,   invalid  },
    /*   probe */      {no_probe,  no_probe,  no_probe,  no_probe,  no_probe,  no_probe,  no_probe }},
    /* open */        {{invalid,   closed,    answer,    none,      deliver,   none,      none     },
    /*   probe */      {no_probe,  no_probe,  no_probe,  no_probe,  no_probe,  no_probe,  no_probe }},
    /* probing */     {{invalid,   closed,    answer,    none,      deliver,   none,      none     },
    /*   probe */      {unprobe,   unprobe,   unprobe,   upgrade,   unprobe,   unprobe,   unprobe  }},
    /* probed */      {{invalid,   closed,    answer,    none,      deliver,   none,      none     },
    /*   probe */      {unprobe,   unprobe,   unprobe,   unprobe,   unprobe,   unprobe,   unprobe  }},
    /* closed */      {{none,      none,      none,      none,      none,      none,      none     },
    /*   probe */      {none,      none,      none,      none,      none,      none,      none     }},
};
// clang-format on

bool is_probing(SessionState state) {
    return state == SessionState::probing || state == SessionState::probed;
}

/// `2` and `3` mean something on the probe channel only with this payload; others count as foreign.
PacketType meaning_of(Channel channel, const PacketView& packet) {
    const bool is_beat = packet.type == PacketType::ping || packet.type == PacketType::pong;
    if (channel == Channel::probe && is_beat && packet.payload != "probe")
        return PacketType::message;
    return packet.type;
}

}  // namespace

const char* reason_text(CloseReason reason) {
    switch (reason) {
        case CloseReason::transport_error:
            return "transport error";
        case CloseReason::transport_close:
            return "transport close";
        case CloseReason::forced_close:
            return "forced close";
        case CloseReason::ping_timeout:
            return "ping timeout";
        case CloseReason::parse_error:
            return "parse error";
    }
    VERIFY(false);  // there is a case for each
}

Transition transition(Role role, SessionState state, Channel channel, PacketType type) {
    const Table& table = role == Role::server ? server_table : client_table;
    return table[static_cast<int>(state)][static_cast<int>(channel)][static_cast<int>(type)];
}

Session::Session(Role role, Handshake handshake, Instant now)
    : role_(role),
      state_(role == Role::server ? SessionState::open : SessionState::opening),
      handshake_(std::move(handshake)) {
    if (role == Role::server) heartbeat_.emplace(role, handshake_.timings, now);
}

Effect Session::handle_packet(Channel channel, const PacketView& packet, Instant now) {
    const Transition step = transition(role_, state_, channel, meaning_of(channel, packet));
    if (step.effect == Effect::opened && !accept_handshake(packet.payload, now)) {
        close(CloseReason::parse_error);
        return Effect::close_session;
    }
    if (step.is_beat) heartbeat_->handle_beat(now);
    if (step.effect == Effect::switch_channel) upgraded_ = true;
    if (step.effect == Effect::close_session) close_reason_ = step.reason;
    if (step.next) enter(*step.next);
    return step.effect;
}

bool Session::begin_probe(Instant now) {
    if (state_ != SessionState::open || upgraded_) return false;
    enter(SessionState::probing);
    probe_deadline_ = now + upgrade_timeout;
    return true;
}

bool Session::finish_upgrade() {
    if (role_ != Role::client || state_ != SessionState::probed) return false;
    upgraded_ = true;
    enter(SessionState::open);
    return true;
}

void Session::abandon_probe() {
    if (is_probing(state_)) enter(SessionState::open);
}

void Session::close(CloseReason reason) {
    if (state_ == SessionState::closed) return;
    close_reason_ = reason;
    enter(SessionState::closed);
}

Session::Due Session::handle_timeout(Instant now) {
    if (state_ == SessionState::closed) return Due::nothing;
    const auto beat_due = heartbeat_ ? heartbeat_->handle_timeout(now) : Heartbeat::Due::nothing;
    switch (beat_due) {
        case Heartbeat::Due::peer_is_silent:
            close(CloseReason::ping_timeout);
            return Due::close_session;
        case Heartbeat::Due::send_ping:
            return Due::send_ping;
        case Heartbeat::Due::nothing:
            break;
    }
    if (!probe_deadline_ || now < *probe_deadline_) return Due::nothing;
    abandon_probe();
    return Due::close_probe;
}

std::optional<Instant> Session::next_timeout() const {
    if (state_ == SessionState::closed) return std::nullopt;
    const auto silence = heartbeat_ ? std::optional(heartbeat_->next_timeout()) : std::nullopt;
    return earliest(silence, probe_deadline_);
}

/// [EIO4 Handshake] False if the server's words make no sense; nothing was taken over then.
bool Session::accept_handshake(std::string_view json, Instant now) {
    auto decoded = decode_handshake(json);
    if (!decoded) return false;
    handshake_ = std::move(*decoded);
    heartbeat_.emplace(role_, handshake_.timings, now);
    return true;
}

void Session::enter(SessionState next) {
    state_ = next;
    if (!is_probing(next)) probe_deadline_.reset();
}

}  // namespace oncewire::engineio
