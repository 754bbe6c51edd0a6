// The parts of a hub that stand alone, each without the others.
#include <catch2/catch.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "server/hub/awaited_acks.hpp"
#include "server/hub/barrier.hpp"
#include "server/hub/connections.hpp"
#include "server/hub/held_connects.hpp"
#include "server/hub/lookups.hpp"
#include "server/hub/namespace_families.hpp"
#include "server/hub/networks.hpp"
#include "server/hub/packed_request.hpp"
#include "server/hub/places.hpp"
#include "server/hub/timers.hpp"
#include "shared/base/limits.hpp"

namespace hub_parts_test {

using namespace oncewire;
using namespace oncewire::hub;

namespace {

constexpr Instant at(int milliseconds) { return Instant(Millis(milliseconds)); }

SharedFrame frame_of(std::size_t bytes) {
    return std::make_shared<const Frame>(Frame{FrameType::text, std::string(bytes, 'x')});
}

/// A question of `socket`, with an acknowledgement.
mail::Submit question(SocketId socket, socketio::AckId ack_id, std::string data = R"(["look"])") {
    mail::Submit submit;
    submit.from.session = socket;
    submit.ack_id = ack_id;
    submit.data = std::move(data);
    return submit;
}

}  // namespace

// ---- numbers, deadlines, requests ---------------------------------------------------------------

TEST_CASE("a number that was given back is never valid again") {
    Places places;
    const auto first = places.take(), second = places.take();
    CHECK(Places::place_of(first) != Places::place_of(second));
    places.give_back(first);
    CHECK_FALSE(places.is_taken(first));
    const auto third = places.take();
    CHECK(Places::place_of(third) == Places::place_of(first));
    CHECK(third != first);
    CHECK(places.is_taken(third));
    CHECK_FALSE(places.is_taken(first));
    CHECK(places.is_taken(second));
    CHECK_FALSE(places.is_taken(1000));
}

TEST_CASE("a timer fires once, at the earliest moment that was set") {
    Timers timers;
    CHECK(timers.next() == std::nullopt);
    timers.set(0, at(30));
    timers.set(1, at(20));
    timers.set(0, at(10));
    timers.set(1, at(40));  // moved back: it looks again at 20
    CHECK(timers.next() == at(10));
    CHECK(timers.take_due(at(9)) == std::nullopt);
    CHECK(timers.take_due(at(35)) == ConnectionId{0});
    CHECK(timers.take_due(at(35)) == ConnectionId{1});
    CHECK(timers.take_due(at(35)) == std::nullopt);
}

TEST_CASE("a connection that is over has no timer, and its successor one of its own") {
    Timers timers;
    const ConnectionId successor = ConnectionId{1} << 32;
    timers.set(0, at(10));
    timers.drop(0);
    timers.set(successor, at(10));
    CHECK(timers.take_due(at(10)) == successor);
    CHECK(timers.take_due(at(10)) == std::nullopt);
}

TEST_CASE("a request comes out as it went in") {
    Request request;
    request.transport = engineio::TransportKind::polling;
    request.address = "2001:db8:1:2::3";
    request.network = "2001:db8:1:2::/64";
    request.url = "/socket.io/?EIO=4";
    request.headers = {
        {"host", "example.org"}, {"x-empty", ""}, {"cookie", std::string("a\0b", 3)}};
    request.secure = true;
    const Request same = PackedRequest(request).unpack();
    CHECK(same.transport == request.transport);
    CHECK(same.address == request.address);
    CHECK(same.network == request.network);
    CHECK(same.url == request.url);
    CHECK(same.headers == request.headers);
    CHECK(same.secure);
    CHECK(PackedRequest().unpack().headers.empty());
}

// ---- bounds -------------------------------------------------------------------------------------

TEST_CASE("connections of one network share what may wait for them") {
    Networks networks({.are_shared = true, .cores = 1, .owed_bytes = 100, .collected_bytes = 50});
    Networks::Share first, second, elsewhere;
    networks.enter(first, "a");
    networks.enter(second, "a");
    networks.enter(elsewhere, "b");
    networks.owe(first, 60);
    networks.owe(second, 60);
    networks.owe(elsewhere, 60);
    CHECK(networks.owes_too_much(first));
    CHECK_FALSE(networks.owes_too_much(elsewhere));
    networks.owe(first, 10);
    CHECK_FALSE(networks.owes_too_much(second));
    CHECK(networks.collect(first, 30));
    CHECK_FALSE(networks.collect(second, 30));
    CHECK(networks.collect(second, 30));  // no more than before
    networks.leave(second, at(0));
    CHECK(networks.collect(first, 50));
}

TEST_CASE("CONNECTs are paid for by the connection and by its network") {
    Networks networks({.are_shared = true, .cores = 1, .owed_bytes = 0, .collected_bytes = 0});
    const auto enter_and_use_up = [&](Networks::Share& share) {
        networks.enter(share, "a");
        std::uint32_t paid = 0;
        while (networks.pay_for_connect(share, at(0))) ++paid;
        return paid;
    };
    std::vector<std::unique_ptr<Networks::Share>> shares;
    std::uint32_t all = 0, last = limits::connects_at_once;
    while (last == limits::connects_at_once) {
        shares.push_back(std::make_unique<Networks::Share>());
        all += last = enter_and_use_up(*shares.back());
    }
    CHECK(all == limits::network_connects_at_once);
    // Whoever leaves and comes back goes on with what its network has used up.
    networks.leave(*shares.front(), at(0));
    Networks::Share back;
    CHECK(enter_and_use_up(back) == 0);
}

TEST_CASE("of one connection a few lookups are under way, and a few wait") {
    Lookups lookups({"look"});
    CHECK(lookups.is_lookup(R"(["look",1])"));
    CHECK_FALSE(lookups.is_lookup(R"(["store",1])"));
    constexpr ConnectionId connection = 7;
    socketio::AckId asked = 0;
    while (!lookups.add(connection, question(1, ++asked))) {
    }
    CHECK(asked == limits::lookups_waiting + 1);
    socketio::AckId sent = 0;
    while (const auto next = lookups.next(connection)) CHECK(next->ack_id == ++sent);
    CHECK(sent == limits::lookups_in_flight);
    CHECK_FALSE(lookups.end(connection, 1, sent + 1));  // it waits yet
    CHECK(lookups.end(connection, 1, 1));
    CHECK_FALSE(lookups.end(connection, 1, 1));
    CHECK(lookups.take_answered() == std::vector<ConnectionId>{connection});
    CHECK(lookups.next(connection)->ack_id == sent + 1);
}

TEST_CASE("a lookup that is too long is refused, and those of a socket that is gone are dropped") {
    Lookups lookups({"look"});
    const std::string longer(limits::lookup_bytes + 1, ' ');
    REQUIRE(lookups.add(7, question(1, 1, longer)));
    CHECK_FALSE(lookups.add(7, question(1, 1)));
    CHECK_FALSE(lookups.add(7, question(2, 1)));
    REQUIRE(lookups.next(7));
    CHECK(lookups.drop(7, 1));
    CHECK_FALSE(lookups.drop(7, 1));
    CHECK(lookups.next(7)->from.session == 2);
}

// ---- acknowledgements, families -----------------------------------------------------------------

TEST_CASE("an event is over when all have acknowledged it or are gone, or its time is over") {
    AwaitedAcks acks;
    const auto id = acks.begin(at(10)), other = acks.begin(std::nullopt), none = acks.begin({});
    CHECK(acks.end_if_complete(none));
    CHECK_FALSE(acks.end_if_complete(none));
    for (const SocketId socket : {1, 2, 3}) acks.wait_for(id, socket);
    acks.wait_for(other, 3);
    CHECK(acks.take(id, 1));
    CHECK_FALSE(acks.take(id, 1));
    CHECK_FALSE(acks.take(id, 9));
    CHECK_FALSE(acks.end_if_complete(id));
    CHECK(acks.abandon(3) == std::vector{other});
    CHECK(acks.next_timeout() == at(10));
    CHECK(acks.expire(at(10)) == std::vector{id});
    CHECK_FALSE(acks.take(id, 2));
    CHECK(acks.abandon(2).empty());
}

TEST_CASE("a family is what was added to it") {
    NamespaceFamilies families;
    CHECK(NamespaceFamilies::is_family("/rooms,"));
    CHECK_FALSE(NamespaceFamilies::is_family("/rooms"));
    CHECK(families.find("/rooms,") == nullptr);
    families.add("/rooms,", "/room-1");
    families.add("/rooms,", "/room-2");
    families.remove("/rooms,", "/room-1");
    REQUIRE(families.find("/rooms,"));
    CHECK(*families.find("/rooms,") == std::vector<std::string>{"/room-2"});
    families.remove("/rooms,", "/room-2");
    CHECK(families.find("/rooms,") == nullptr);
}

// ---- what waits ---------------------------------------------------------------------------------

TEST_CASE("what is deferred waits until all that was sent before it came back") {
    Barrier barrier;
    CHECK_FALSE(barrier.is_closed());
    barrier.note_sent();
    barrier.note_sent();
    barrier.defer(SendAck{1, 5, "[]", {}});
    barrier.note_sent();
    barrier.defer(EndSocket{1, true});
    barrier.note_back();
    CHECK(barrier.take() == std::nullopt);
    barrier.note_back();
    CHECK(std::get<SendAck>(*barrier.take()).id == 5);
    CHECK(barrier.take() == std::nullopt);
    CHECK(barrier.is_closed());
    barrier.note_back();
    CHECK(std::get<EndSocket>(*barrier.take()).close_connection);
    CHECK_FALSE(barrier.is_closed());
}

TEST_CASE("rooms are those that joining and leaving promised") {
    Barrier barrier;
    barrier.note_sent();
    barrier.defer(EnterRoom{1, "/,late"});
    barrier.defer(LeaveRoom{1, "/,first"});
    barrier.defer(EnterRoom{1, "/,short"});
    barrier.defer(LeaveRoom{1, "/,short"});
    barrier.defer(EnterRoom{2, "/,other"});
    std::vector<std::string> rooms = {"first", "kept"};
    barrier.add_deferred_rooms(1, rooms);
    CHECK(rooms == std::vector<std::string>{"kept", "late"});
}

TEST_CASE("what is said to a socket whose CONNECT is held comes behind the answer") {
    HeldConnects held;
    held.hold(1, "{}");
    held.hold(2, "{}");
    held.add(1, frame_of(3));
    held.add(1, frame_of(4));
    held.note_room(2);
    held.note_room(9);
    CHECK(held.bytes_of(1) == 7);
    CHECK(held.take_new() == std::vector<SocketId>{1, 2});
    CHECK_FALSE(held.has_new());
    CHECK_FALSE(held.find(1)->has_new_rooms);
    CHECK(held.find(2)->has_new_rooms);
    CHECK(held.take(1)->frames.size() == 2);
    CHECK_FALSE(held.take(1));
    CHECK(held.find(1) == nullptr);
}

// ---- connections --------------------------------------------------------------------------------

namespace {

struct SmallConnections {
    explicit SmallConnections(std::uint64_t queue_bytes) { options.send_queue_bytes = queue_bytes; }

    ConnectionId open(const std::string& network = "a") {
        Request request;
        request.network = network;
        const auto id = connections.open(
            request, std::string(Connections::id_bytes, static_cast<char>('a' + ++opened)));
        while (connections.find(id)->peer->poll_output()) {
        }
        return id;
    }
    void say(ConnectionId id, std::size_t bytes) {
        connections.enqueue_or_end(*connections.find(id), id, frame_of(bytes));
    }

    Options options;
    Turn turn{at(1000), {}, {}};
    Connections connections{options, turn};
    int opened = 0;
};

}  // namespace

TEST_CASE("one Write is out at a time, and the next has all that was said meanwhile") {
    SmallConnections small(1000);
    const auto id = small.open();
    small.say(id, 1);
    small.say(id, 2);
    const auto first = small.connections.poll_write();
    REQUIRE(first);
    CHECK(first->frames.size() == 2);
    small.say(id, 3);
    CHECK_FALSE(small.connections.poll_write());
    small.connections.handle_written(*small.connections.find(id), id);
    CHECK(small.connections.poll_write()->frames.size() == 1);
}

TEST_CASE("a connection that is owed too much is not found, and its number not given again") {
    SmallConnections small(100);
    const auto id = small.open(), other = small.open();
    const std::string sid = small.connections.find(id)->peer->session().handshake().sid.text;
    CHECK(small.connections.find_by_sid(sid) == id);
    small.say(other, 300);
    small.say(id, 300);
    CHECK(small.connections.find(id));
    small.say(id, 101);
    CHECK_FALSE(small.connections.find(id));
    CHECK_FALSE(small.connections.find_by_sid(sid));
    CHECK(small.connections.known(id)->queue_bytes == 0);
    CHECK(small.connections.take_overflowed() == id);
    CHECK(small.connections.take_overflowed() == std::nullopt);
    small.connections.end(id, engineio::CloseReason::forced_close);
    CHECK_FALSE(small.connections.known(id));
    CHECK(small.open() != id);
    CHECK(small.connections.find(other));
    CHECK(small.turn.counts.slow_readers_closed == 1);
}

TEST_CASE("a peer that takes nothing for long is closed") {
    SmallConnections small(1000);
    const auto id = small.open();
    small.say(id, 1);
    REQUIRE(small.connections.poll_write());
    // Its pings are due before that, and it answers none; what it is told of them waits.
    small.turn.now += limits::slow_reader_timeout;
    while (small.connections.handle_timeout()) small.connections.set_timer(id);
    CHECK_FALSE(small.connections.find(id));
}

}  // namespace hub_parts_test
