#include "shared/engineio/session.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "tests/unit/support/vectors.hpp"

namespace engineio_session_test {

using namespace oncewire;
using namespace oncewire::engineio;

namespace {

constexpr const char* open_text =
    R"({"sid":"s","upgrades":["websocket"],"pingInterval":300,"pingTimeout":200,"maxPayload":1000})";

Instant at(int millis) { return Instant(Millis(millis)); }

const char* name_of(SessionState state) {
    constexpr const char* names[] = {"opening", "open", "probing", "probed", "closed"};
    return names[static_cast<int>(state)];
}

const char* name_of(Effect effect) {
    constexpr const char* names[] = {"ignore",      "deliver",        "opened",
                                     "answer_pong", "switch_channel", "send_upgrade",
                                     "close_probe", "close_session"};
    return names[static_cast<int>(effect)];
}

/// A cell of the table in the words of engineio_session.json.
std::string describe(const Transition& step) {
    std::string words = name_of(step.effect);
    if (step.is_beat) words += " beat";
    if (step.effect == Effect::close_session) words += std::string(" ") + reason_text(step.reason);
    if (step.next) words += std::string(" > ") + name_of(*step.next);
    return words;
}

Session server(Instant now = at(0)) {
    return Session(Role::server, {EngineSid("s"), true, {Millis(300), Millis(200)}, 1000}, now);
}

Effect give(Session& session, Channel channel, PacketType type, std::string_view payload = {},
            Instant now = at(0)) {
    return session.handle_packet(channel, {type, FrameType::text, payload}, now);
}

Session client(Instant now = at(0)) {
    Session session(Role::client, {}, now);
    CHECK(give(session, Channel::current, PacketType::open, open_text, now) == Effect::opened);
    return session;
}

/// A session brought to `state` by what would bring it there on the wire.
Session session_in(Role role, SessionState state) {
    if (role == Role::client && state == SessionState::opening) return Session(role, {}, at(0));
    Session session = role == Role::server ? server() : client();
    const PacketType probe_answer = role == Role::server ? PacketType::ping : PacketType::pong;
    if (state == SessionState::closed) session.close(CloseReason::forced_close);
    if (state == SessionState::probing || state == SessionState::probed)
        CHECK(session.begin_probe(at(0)));
    if (state == SessionState::probed) give(session, Channel::probe, probe_answer, "probe");
    CHECK(session.state() == state);
    return session;
}

/// The payload with which the table speaks of a packet.
std::string_view payload_of(Channel channel, PacketType type) {
    if (type == PacketType::open) return open_text;
    const bool is_probe = type == PacketType::ping || type == PacketType::pong;
    return channel == Channel::probe && is_probe ? "probe" : "";
}

void check_cell(Role role, SessionState state, Channel channel, PacketType type,
                const std::string& expected) {
    const Transition step = transition(role, state, channel, type);
    CHECK(describe(step) == expected);
    if (role == Role::server && state == SessionState::opening) return;  // no session is ever there

    Session session = session_in(role, state);
    const auto timeout_before = session.next_timeout();
    CHECK(give(session, channel, type, payload_of(channel, type), at(100)) == step.effect);
    CHECK(session.state() == step.next.value_or(state));
    if (step.effect == Effect::close_session) CHECK(session.close_reason() == step.reason);
    if (step.is_beat) CHECK(session.next_timeout() != timeout_before);
}

}  // namespace

TEST_CASE("every state meets every packet on either channel as the table in the vectors says") {
    const auto table = vectors::load("engineio_session.json");
    int cells = 0;
    for (const auto& row : table["rows"]) {
        const Role role = row["role"] == "server" ? Role::server : Role::client;
        int state = 0;
        while (row["state"] != name_of(static_cast<SessionState>(state))) ++state;
        for (const Channel channel : {Channel::current, Channel::probe}) {
            const auto& expected = row[channel == Channel::current ? "current" : "probe"];
            for (int type = 0; type < packet_type_count; ++type, ++cells) {
                CAPTURE(row["role"], row["state"], static_cast<int>(channel), type);
                check_cell(role, static_cast<SessionState>(state), channel,
                           static_cast<PacketType>(type),
                           expected[static_cast<std::size_t>(type)].get<std::string>());
            }
        }
    }
    CHECK(cells == 2 * session_state_count * channel_count * packet_type_count);
}

TEST_CASE("nothing is delivered after the end, and the first reason stays") {
    Session session = server();
    session.close(CloseReason::transport_error);
    session.close(CloseReason::forced_close);
    CHECK(give(session, Channel::current, PacketType::message, "x") == Effect::ignore);
    CHECK(give(session, Channel::current, PacketType::close) == Effect::ignore);
    CHECK(session.close_reason() == CloseReason::transport_error);
    CHECK_FALSE(session.next_timeout().has_value());
    CHECK(session.handle_timeout(at(1'000'000)) == Session::Due::nothing);
    CHECK_FALSE(session.begin_probe(at(0)));
    session.abandon_probe();
    CHECK(session.state() == SessionState::closed);
}

TEST_CASE("binary messages are delivered like text") {
    Session session = server();
    const PacketView packet{PacketType::message, FrameType::binary, "x"};
    CHECK(session.handle_packet(Channel::current, packet, at(0)) == Effect::deliver);
}

TEST_CASE("a client takes nothing before a good handshake") {
    for (const std::string_view bad : {"", "{}", "[]", R"({"sid":"s"})"}) {
        Session session(Role::client, {}, at(0));
        CHECK_FALSE(session.next_timeout().has_value());
        CHECK(give(session, Channel::current, PacketType::open, bad) == Effect::close_session);
        CHECK(session.close_reason() == CloseReason::parse_error);
        CHECK(session.state() == SessionState::closed);
    }
}

TEST_CASE("a client keeps the times the server gave") {
    Session session = client(at(1000));
    CHECK(session.handshake().sid == EngineSid("s"));
    CHECK(session.handshake().payload_bytes_max == 1000);
    CHECK(session.next_timeout() == at(1500));
    CHECK(give(session, Channel::current, PacketType::ping, "", at(1400)) == Effect::answer_pong);
    CHECK(session.next_timeout() == at(1900));
    CHECK(session.handle_timeout(at(1900)) == Session::Due::close_session);
    CHECK(session.close_reason() == CloseReason::ping_timeout);
}

TEST_CASE("a server pings, hears a pong, and closes with ping timeout when it hears none") {
    Session session = server();
    CHECK(session.handle_timeout(at(300)) == Session::Due::send_ping);
    give(session, Channel::current, PacketType::pong, "", at(310));
    CHECK(session.next_timeout() == at(610));
    CHECK(session.handle_timeout(at(610)) == Session::Due::send_ping);
    CHECK(session.handle_timeout(at(810)) == Session::Due::close_session);
    CHECK(session.close_reason() == CloseReason::ping_timeout);
    CHECK(session.state() == SessionState::closed);
}

TEST_CASE("messages alone do not count as a heartbeat") {
    Session session = server();
    CHECK(session.handle_timeout(at(300)) == Session::Due::send_ping);
    give(session, Channel::current, PacketType::message, "x", at(400));
    CHECK(session.handle_timeout(at(500)) == Session::Due::close_session);
}

TEST_CASE("a pong owed before an upgrade is still owed after it") {
    Session session = server();
    CHECK(session.handle_timeout(at(300)) == Session::Due::send_ping);
    CHECK(session.begin_probe(at(310)));
    CHECK(give(session, Channel::probe, PacketType::ping, "probe", at(320)) == Effect::answer_pong);
    CHECK(give(session, Channel::probe, PacketType::upgrade, "", at(330)) ==
          Effect::switch_channel);
    CHECK(session.next_timeout() == at(500));
    CHECK(session.handle_timeout(at(500)) == Session::Due::close_session);
    CHECK(session.close_reason() == CloseReason::ping_timeout);
}

TEST_CASE("an upgrade succeeds once and then refuses every other WebSocket") {
    Session session = server();
    CHECK_FALSE(session.is_upgraded());
    CHECK(session.begin_probe(at(0)));
    CHECK_FALSE(session.begin_probe(at(0)));
    give(session, Channel::probe, PacketType::ping, "probe");
    CHECK_FALSE(session.begin_probe(at(0)));
    CHECK_FALSE(session.is_upgraded());
    give(session, Channel::probe, PacketType::upgrade);
    CHECK(session.is_upgraded());
    CHECK(session.state() == SessionState::open);
    CHECK_FALSE(session.begin_probe(at(0)));
}

TEST_CASE("a session that began on a WebSocket cannot be taken over by another") {
    Session session = server();
    session.started_on_websocket();
    CHECK_FALSE(session.begin_probe(at(0)));
}

TEST_CASE(
    "an upgrade needs no probe before it, and a foreign packet leaves room for another attempt") {
    Session session = server();
    CHECK(session.begin_probe(at(0)));
    CHECK(give(session, Channel::probe, PacketType::message) == Effect::close_probe);
    CHECK_FALSE(session.is_upgraded());
    CHECK(give(session, Channel::current, PacketType::message, "x") == Effect::deliver);
    CHECK(session.begin_probe(at(0)));
    CHECK(give(session, Channel::probe, PacketType::upgrade) == Effect::switch_channel);
    CHECK(session.is_upgraded());
    CHECK_FALSE(session.begin_probe(at(0)));
    CHECK(session.next_timeout() == at(300));  // nothing is left of the attempt
}

TEST_CASE("a probe needs the word probe") {
    for (const std::string_view payload : {"", "prob", "probe ", "Probe"}) {
        Session session = server();
        CHECK(session.begin_probe(at(0)));
        CHECK(give(session, Channel::probe, PacketType::ping, payload) == Effect::close_probe);
        CHECK(session.state() == SessionState::open);
    }
    Session session = client();
    CHECK(session.begin_probe(at(0)));
    CHECK(give(session, Channel::probe, PacketType::pong, "") == Effect::close_probe);
}

TEST_CASE("a probe that dawdles is closed after ten seconds and the session goes on") {
    for (const SessionState state : {SessionState::probing, SessionState::probed}) {
        Session session(Role::server, {EngineSid("s"), true, {}, 1000}, at(0));
        CHECK(session.begin_probe(at(5)));
        if (state == SessionState::probed)
            give(session, Channel::probe, PacketType::ping, "probe", at(9'000));
        CHECK(session.next_timeout() == at(10'005));
        CHECK(session.handle_timeout(at(10'004)) == Session::Due::nothing);
        CHECK(session.handle_timeout(at(10'005)) == Session::Due::close_probe);
        CHECK(session.state() == SessionState::open);
        CHECK(session.next_timeout() == at(25'000));
    }
}

TEST_CASE("what is due at the same moment comes one by one") {
    Session session(Role::server, {EngineSid("s"), true, {Millis(10'000), Millis(5'000)}, 1000},
                    at(0));
    CHECK(session.begin_probe(at(0)));
    CHECK(session.handle_timeout(at(10'000)) == Session::Due::send_ping);
    CHECK(session.next_timeout() == at(10'000));
    CHECK(session.handle_timeout(at(10'000)) == Session::Due::close_probe);
    CHECK(session.next_timeout() == at(15'000));
    CHECK(session.handle_timeout(at(10'000)) == Session::Due::nothing);
}

TEST_CASE("a client upgrades when its probe is answered and its owner has switched") {
    Session session = client();
    CHECK_FALSE(session.finish_upgrade());
    CHECK(session.begin_probe(at(0)));
    CHECK_FALSE(session.finish_upgrade());
    CHECK(give(session, Channel::current, PacketType::message, "x") == Effect::deliver);
    CHECK(give(session, Channel::probe, PacketType::pong, "probe") == Effect::send_upgrade);
    CHECK(give(session, Channel::current, PacketType::message, "y") == Effect::deliver);
    CHECK_FALSE(session.is_upgraded());
    CHECK(session.finish_upgrade());
    CHECK(session.is_upgraded());
    CHECK(session.state() == SessionState::open);
    CHECK(session.next_timeout() == at(500));
    CHECK_FALSE(session.begin_probe(at(0)));
}

TEST_CASE("a probe lost after its answer leaves the client where it was") {
    Session session = client();
    CHECK(session.begin_probe(at(0)));
    give(session, Channel::probe, PacketType::pong, "probe");
    session.abandon_probe();
    CHECK_FALSE(session.finish_upgrade());
    CHECK(session.state() == SessionState::open);
    CHECK(session.begin_probe(at(0)));
}

TEST_CASE("close reasons are the words applications know") {
    CHECK(std::string(reason_text(CloseReason::transport_error)) == "transport error");
    CHECK(std::string(reason_text(CloseReason::transport_close)) == "transport close");
    CHECK(std::string(reason_text(CloseReason::forced_close)) == "forced close");
    CHECK(std::string(reason_text(CloseReason::ping_timeout)) == "ping timeout");
    CHECK(std::string(reason_text(CloseReason::parse_error)) == "parse error");
}

}  // namespace engineio_session_test
