#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "shared/socketio/acks.hpp"
#include "shared/socketio/disconnect_reason.hpp"
#include "shared/socketio/namespace_session.hpp"

namespace socketio_state_test {

using namespace oncewire;
using namespace oncewire::socketio;

namespace {

using State = NamespaceState;
using Type = PacketType;
using Does = NamespaceEffect;

Instant at(int millis) { return Instant(Millis(millis)); }

constexpr Type all_types[] = {Type::connect,       Type::disconnect,   Type::event,     Type::ack,
                              Type::connect_error, Type::binary_event, Type::binary_ack};

}  // namespace

TEST_CASE("a server takes nothing but CONNECT for a namespace nobody joined") {
    for (const Type type : all_types)
        CHECK(server_effect(State::absent, type) ==
              (type == Type::connect ? Does::connect_requested : Does::violation));
}

TEST_CASE("a server takes nothing while it has not answered CONNECT") {
    for (const Type type : all_types)
        CHECK(server_effect(State::connecting, type) == Does::violation);
}

TEST_CASE("a server takes events, acks and DISCONNECT from a member, and nothing else") {
    CHECK(server_effect(State::connected, Type::connect) == Does::violation);
    CHECK(server_effect(State::connected, Type::disconnect) == Does::left);
    CHECK(server_effect(State::connected, Type::event) == Does::event);
    CHECK(server_effect(State::connected, Type::binary_event) == Does::event);
    CHECK(server_effect(State::connected, Type::ack) == Does::ack);
    CHECK(server_effect(State::connected, Type::binary_ack) == Does::ack);
    CHECK(server_effect(State::connected, Type::connect_error) == Does::violation);
}

TEST_CASE("a server ignores what crossed its own DISCONNECT, and lets the peer come back") {
    CHECK(server_effect(State::dismissed, Type::connect) == Does::connect_requested);
    CHECK(server_effect(State::dismissed, Type::disconnect) == Does::ignore);
    CHECK(server_effect(State::dismissed, Type::event) == Does::ignore);
    CHECK(server_effect(State::dismissed, Type::binary_event) == Does::ignore);
    CHECK(server_effect(State::dismissed, Type::ack) == Does::ignore);
    CHECK(server_effect(State::dismissed, Type::binary_ack) == Does::ignore);
    CHECK(server_effect(State::dismissed, Type::connect_error) == Does::violation);
}

TEST_CASE("a client ignores everything for a namespace it left") {
    for (const Type type : all_types) {
        CHECK(client_effect(State::absent, type) == Does::ignore);
        CHECK(client_effect(State::dismissed, type) == Does::ignore);
    }
}

TEST_CASE("a client holds the events that come before the answer to CONNECT") {
    CHECK(client_effect(State::connecting, Type::connect) == Does::connected);
    CHECK(client_effect(State::connecting, Type::connect_error) == Does::refused);
    CHECK(client_effect(State::connecting, Type::event) == Does::hold);
    CHECK(client_effect(State::connecting, Type::binary_event) == Does::hold);
    CHECK(client_effect(State::connecting, Type::ack) == Does::ignore);
    CHECK(client_effect(State::connecting, Type::binary_ack) == Does::ignore);
    CHECK(client_effect(State::connecting, Type::disconnect) == Does::left);
}

TEST_CASE("a client takes events, acks and DISCONNECT once connected, and no second answer") {
    CHECK(client_effect(State::connected, Type::event) == Does::event);
    CHECK(client_effect(State::connected, Type::binary_event) == Does::event);
    CHECK(client_effect(State::connected, Type::ack) == Does::ack);
    CHECK(client_effect(State::connected, Type::binary_ack) == Does::ack);
    CHECK(client_effect(State::connected, Type::disconnect) == Does::left);
    CHECK(client_effect(State::connected, Type::connect) == Does::violation);
    CHECK(client_effect(State::connected, Type::connect_error) == Does::violation);
}

TEST_CASE("an answer counts once, and answers to nothing are ignored") {
    PendingAcks acks;
    CHECK(acks.expect(std::nullopt) == 0);
    CHECK(acks.expect(at(10)) == 1);
    CHECK(acks.size() == 2);
    CHECK(acks.settle(1));
    CHECK_FALSE(acks.settle(1));
    CHECK_FALSE(acks.settle(7));
    CHECK(acks.size() == 1);
    CHECK_FALSE(acks.next_timeout().has_value());
    CHECK(acks.expire(at(1'000)).empty());
}

TEST_CASE("overdue answers expire at their deadline, earliest first, and late ones are ignored") {
    PendingAcks acks;
    acks.expect(at(30));
    acks.expect(at(10));
    acks.expect(std::nullopt);
    acks.expect(at(10));
    acks.expect(at(31));
    CHECK(acks.next_timeout() == at(10));
    CHECK(acks.expire(at(9)).empty());
    CHECK(acks.expire(at(30)) == std::vector<AckId>{1, 3, 0});
    CHECK_FALSE(acks.settle(1));
    CHECK(acks.next_timeout() == at(31));
    CHECK(acks.settle(4));
    CHECK_FALSE(acks.next_timeout().has_value());
    CHECK(acks.settle(2));
}

TEST_CASE("abandoned answers are gone and their ids are never used again") {
    PendingAcks acks;
    acks.expect(at(5));
    acks.expect(std::nullopt);
    CHECK(acks.abandon_all() == std::vector<AckId>{0, 1});
    CHECK(acks.size() == 0);
    CHECK_FALSE(acks.next_timeout().has_value());
    CHECK_FALSE(acks.settle(0));
    CHECK(acks.expect(std::nullopt) == 2);
}

TEST_CASE("a client comes back unless somebody meant to leave") {
    using Reason = DisconnectReason;
    std::set<std::string> texts;
    int returning = 0;
    for (int i = 0; i <= static_cast<int>(Reason::io_server_disconnect); ++i) {
        const auto reason = static_cast<Reason>(i);
        texts.insert(reason_text(reason));
        returning += may_reconnect(reason) ? 1 : 0;
    }
    CHECK(texts.size() == 10);
    CHECK(returning == 6);
    for (const Reason reason :
         {Reason::client_namespace_disconnect, Reason::server_namespace_disconnect,
          Reason::io_client_disconnect, Reason::io_server_disconnect})
        CHECK_FALSE(may_reconnect(reason));
    CHECK(std::string(reason_text(Reason::io_server_disconnect)) == "io server disconnect");
    CHECK(std::string(reason_text(Reason::server_shutting_down)) == "server shutting down");
}

}  // namespace socketio_state_test
