#include <catch2/catch.hpp>

#include "tests/unit/peer/small_world.hpp"

namespace peer_world_test {

using namespace oncewire;
using test::SmallWorld;

namespace {

std::string chat(std::string_view text) { return "[\"chat message\"," + json::quoted(text) + ']'; }

std::vector<std::string> texts_of(const SmallWorld::Browser& browser) {
    std::vector<std::string> texts;
    for (const auto& data : browser.texts)
        texts.push_back(*json::as_string(json::elements(data)[1]));
    return texts;
}

/// An event of so many arrays, one in another.
std::string nested(std::uint32_t depth, std::string_view event = "chat message") {
    return '[' + json::quoted(event) + ',' + std::string(depth - 1, '[') +
           std::string(depth - 1, ']') + ']';
}

void send(SmallWorld& world, std::size_t browser, std::string_view text) {
    REQUIRE(world[browser].client.emit_durable(world[browser].nsp, chat(text), world.now));
    world.settle();
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("a durable message reaches the log, its sender and everybody else once") {
    SmallWorld world;
    const auto alice = world.add_browser(true);
    const auto bob = world.add_browser(true);
    world.connect(alice);
    world.connect(bob);
    CHECK(world.seen<peer::Connected>(alice).at(0).guarantee == peer::Guarantee::exactly_once);

    send(world, alice, "hello");

    CHECK(world.log_texts() == Texts{"hello"});
    CHECK(texts_of(world[alice]) == Texts{"hello"});
    CHECK(texts_of(world[bob]) == Texts{"hello"});
    CHECK(world[bob].texts.at(0) == R"(["chat message","hello",1])");
    const auto settled = world.seen<peer::MessageSettled>(alice);
    REQUIRE(settled.size() == 1);
    CHECK(settled[0].accepted);
    CHECK(settled[0].body == R"({"id":1})");
    CHECK(world[alice].client.outbox(0)->size() == 0);
}

TEST_CASE("the states of a message come in order and delivered is never told early") {
    SmallWorld world;
    const auto alice = world.add_browser(true);
    world[alice].answers_saves = false;
    world.connect(alice);
    send(world, alice, "hello");
    CHECK(world.log_texts().empty());  // not saved, so not sent (R5)

    world[alice].client.handle_saved(0, world.seen<peer::Save>(alice).back().token, world.now);
    world.settle();

    const auto moves = world.seen<peer::MessageMoved>(alice);
    REQUIRE(moves.size() == 3);
    CHECK(moves[0].state == peer::MessageState::saving);
    CHECK(moves[1].state == peer::MessageState::queued);
    CHECK(moves[2].state == peer::MessageState::sent);
    CHECK(world.seen<peer::MessageSettled>(alice).size() == 1);
}

TEST_CASE("messages written while away are sent in order at the next connection") {
    SmallWorld world;
    const auto alice = world.add_browser(true);
    const auto bob = world.add_browser(true);
    world.connect(alice);
    world.connect(bob);
    world[alice].can_connect = false;
    world.cut(alice);
    for (const auto* text : {"1", "2", "3"}) send(world, alice, text);
    send(world, bob, "b");

    world[alice].can_connect = true;
    world.pass(Millis{6000});

    CHECK(world.log_texts() == Texts{"b", "1", "2", "3"});
    CHECK(texts_of(world[alice]) == Texts{"b", "1", "2", "3"});
    CHECK(texts_of(world[bob]) == Texts{"b", "1", "2", "3"});
}

TEST_CASE("more messages than the window are pipelined and all settle") {
    SmallWorld world;
    const auto alice = world.add_browser(true);
    const int count = 2 * static_cast<int>(limits::window) + 100;
    for (int i = 0; i < count; ++i) send(world, alice, std::to_string(i));
    world.connect(alice);
    CHECK(world.log_texts().size() == static_cast<std::size_t>(count));
    CHECK(world.seen<peer::MessageSettled>(alice).size() == static_cast<std::size_t>(count));
    CHECK(world[alice].client.outbox(0)->size() == 0);
    CHECK(texts_of(world[alice]) == world.log_texts());
}

TEST_CASE("a rejected message keeps its verdict and does not block the lane") {
    SmallWorld world;
    const auto alice = world.add_browser(true);
    world.connect(alice);
    for (const auto* text : {"a", "bad", "b"}) send(world, alice, text);
    CHECK(world.log_texts() == Texts{"a", "b"});
    const auto settled = world.seen<peer::MessageSettled>(alice);
    REQUIRE(settled.size() == 3);
    CHECK_FALSE(settled[1].accepted);
    CHECK(settled[1].body == R"({"error":"bad_text","message":"not that"})");
}

TEST_CASE("a tab that reloads with entries in storage sends them once, in order") {
    SmallWorld world;
    const ProducerId id(std::string(32, 'b'));
    const auto first = world.add_browser(true, {}, 1, id);
    world.connect(first);
    send(world, first, "1");
    send(world, first, "2");
    // The page goes away; storage still holds 2, whose verdict it never recorded, and 3.
    const auto saves = world.seen<peer::Save>(first);
    delivery::OutboxEntry second;
    for (const auto& save : saves) {
        for (const auto& entry : save.put) {
            if (entry.sequence == 2) second = entry;
        }
    }
    world[first].can_connect = false;
    world.cut(first);
    const auto reloaded =
        world.add_browser(true, {second, {3, delivery::digest(chat("3"), 99), chat("3")}}, 4, id);
    world.connect(reloaded);
    CHECK(world.log_texts() == Texts{"1", "2", "3"});
    CHECK(world.seen<peer::MessageSettled>(reloaded).size() == 2);
    CHECK(world.sequencer.counts().repeated == 1);
}

TEST_CASE("storage that was rolled back is noticed and its messages are renumbered, not lost") {
    SmallWorld world;
    const ProducerId id(std::string(32, 'c'));
    const auto first = world.add_browser(true, {}, 1, id);
    world.connect(first);
    for (const auto* text : {"1", "2", "3"}) send(world, first, text);
    world[first].can_connect = false;
    world.cut(first);

    // The profile of yesterday: its counter stands at 2 again, and the user types the same text.
    const auto again = world.add_browser(true, {}, 2, id);
    send(world, again, "2");
    send(world, again, "new");
    world.connect(again);
    CHECK(world.log_texts() == Texts{"1", "2", "3", "2", "new"});
    CHECK(world.seen<peer::MessageSettled>(again).size() == 2);
    CHECK(world[again].client.outbox(0)->size() == 0);
}

TEST_CASE("a window of new messages on rolled-back storage is renumbered whole") {
    SmallWorld world;
    const ProducerId id(std::string(32, 'e'));
    const auto first = world.add_browser(true, {}, 1, id);
    world.connect(first);
    for (const auto* text : {"1", "2", "3"}) send(world, first, text);
    world[first].can_connect = false;
    world.cut(first);

    // 2 and 3 meet other messages, while 4 and 5 would be the next ones the server expects.
    const auto again = world.add_browser(true, {}, 2, id);
    for (const auto* text : {"a", "b", "c", "d"}) send(world, again, text);
    world.connect(again);
    CHECK(world.log_texts() == Texts{"1", "2", "3", "a", "b", "c", "d"});
    CHECK(world.seen<peer::MessageSettled>(again).size() == 4);
    CHECK(world[again].client.outbox(0)->size() == 0);
}

TEST_CASE("a second attach of the same producer fences the first, which may come back") {
    SmallWorld world;
    const ProducerId id(std::string(32, 'd'));
    const auto tab = world.add_browser(true, {}, 1, id);
    world.connect(tab);
    const auto copy = world.add_browser(true, {}, 1, id);
    world.connect(copy);
    const auto gone = world.seen<peer::Disconnected>(tab);
    REQUIRE(gone.size() == 1);
    CHECK(gone[0].reason == socketio::DisconnectReason::transport_close);
    CHECK(world.seen<peer::Reconnecting>(tab).size() == 1);
    CHECK(world[copy].client.is_connected(0));
    CHECK(world.sequencer.counts().fenced == 1);
}

TEST_CASE("an outage stores nothing, breaks nothing and ends by itself") {
    SmallWorld world;
    const auto alice = world.add_browser(true);
    const auto bob = world.add_browser(true);
    world.connect(alice);
    world.connect(bob);
    world.faults.writes = store::StoreError::full;
    for (const auto* text : {"1", "2", "3"}) send(world, alice, text);
    CHECK(world.log_texts().empty());
    CHECK(world.seen<peer::ServerBusy>(alice).size() >= 1);
    CHECK(world.seen<peer::MessageSettled>(alice).empty());
    CHECK(world[alice].client.is_connected(0));

    world.faults.writes.reset();
    for (int i = 0; i < 5; ++i) world.pass(Millis{1100});
    CHECK(world.log_texts() == Texts{"1", "2", "3"});
    CHECK(texts_of(world[bob]) == Texts{"1", "2", "3"});
    CHECK(world.seen<peer::MessageSettled>(alice).size() == 3);
}

TEST_CASE(
    "a commit that failed and landed anyway is neither lost nor repeated, and readers get it") {
    SmallWorld world;
    const auto alice = world.add_browser(true);
    const auto bob = world.add_browser(true);
    world.connect(alice);
    world.connect(bob);
    world.faults.next_commit = store::MemoryFaults::Commit::fails_and_lands;
    send(world, alice, "ghost");
    CHECK(world.seen<peer::Disconnected>(alice).size() == 1);  // cut: it has to ask (R3)
    CHECK(texts_of(world[bob]) == Texts{"ghost"});
    world.pass(Millis{6000});
    CHECK(world.log_texts() == Texts{"ghost"});
    CHECK(texts_of(world[alice]) == Texts{"ghost"});
    CHECK(texts_of(world[bob]) == Texts{"ghost"});
    CHECK(world.seen<peer::MessageSettled>(alice).size() == 1);
}

TEST_CASE("a commit that failed and vanished is sent again") {
    SmallWorld world;
    const auto alice = world.add_browser(true);
    world.connect(alice);
    world.faults.next_commit = store::MemoryFaults::Commit::fails_and_vanishes;
    send(world, alice, "hello");
    CHECK(world.log_texts().empty());
    world.pass(Millis{6000});
    CHECK(world.log_texts() == Texts{"hello"});
    CHECK(texts_of(world[alice]) == Texts{"hello"});
}

TEST_CASE("a reader that does not read waits in the log, and gets everything once when it does") {
    SmallWorld world;
    const auto alice = world.add_browser(true);
    const auto bob = world.add_browser(true);
    world.connect(alice);
    world.connect(bob);
    world[bob].reads = false;
    const std::string large(4000, 'x');
    for (int i = 0; i < 600; ++i) send(world, alice, large + std::to_string(i));
    CHECK(world[bob].texts.empty());

    world[bob].reads = true;
    const auto connection = *world[bob].connection;
    world.hub.handle_written(connection, world.now);
    world.settle();
    // What was in the one Write that nobody read is gone with it; the client notices, and fetches it.
    world.pass(Millis{6'000});
    CHECK(texts_of(world[bob]) == world.log_texts());
}

TEST_CASE("a room that the application lets in on connection is read from where the client stood") {
    SmallWorld world;
    const auto alice = world.add_browser(true);
    const auto bob = world.add_browser(true);
    world.joins_when_connected = "side";
    world.connect(alice);
    world.connect(bob);
    send(world, alice, "side 1");
    world[bob].can_connect = false;
    world.cut(bob);
    send(world, alice, "side 2");
    send(world, alice, "3");
    world[bob].can_connect = true;
    world.pass(Millis{6'000});
    send(world, alice, "side 4");
    CHECK(texts_of(world[bob]) == Texts{"side 1", "side 2", "3", "side 4"});
}

TEST_CASE("an operator learns who is past an entry of a room, and who is behind") {
    SmallWorld world;
    const auto alice = world.add_browser(true);
    const auto bob = world.add_browser(true);
    world.connect(alice);
    world.connect(bob);
    const auto readers = [&world](delivery::Offset offset) {
        std::map<std::string, bool> past;
        for (const auto& [sid, is_past] : world.hub.readers_of("/,chat", offset))
            past[sid] = is_past;
        return past;
    };
    const auto sid = [&world](std::size_t browser) {
        return world.seen<peer::Connected>(browser).at(0).sid;
    };
    send(world, alice, "1");
    CHECK(readers(1) == std::map<std::string, bool>{{sid(alice), true}, {sid(bob), true}});
    CHECK_FALSE(readers(2).at(sid(alice)));
    CHECK(world.hub.readers_of("/,elsewhere", 1).empty());

    world[bob].reads = false;
    const std::string large(4000, 'x');
    for (int i = 0; i < 600; ++i) send(world, alice, large);
    const auto newest = world.disk.tables.log.back().offset;
    CHECK(readers(newest) == std::map<std::string, bool>{{sid(alice), true}, {sid(bob), false}});
    CHECK(readers(1).at(sid(bob)));
}

TEST_CASE("a slow reader is closed at the deadline and catches up when it comes back") {
    SmallWorld world;
    const auto alice = world.add_browser(true);
    const auto bob = world.add_browser(true);
    world.connect(alice);
    world.connect(bob);
    world[bob].reads = false;
    for (int i = 0; i < 10; ++i) send(world, alice, std::to_string(i));
    world.pass(Millis{31'000});
    CHECK(world.hub.counts().slow_readers_closed == 1);
    world[bob].reads = true;
    world.pass(Millis{6'000});
    CHECK(texts_of(world[bob]) == world.log_texts());
}

TEST_CASE("history longer than a page is replayed whole while others go on") {
    SmallWorld world;
    const auto alice = world.add_browser(true);
    world.connect(alice);
    for (int i = 0; i < 2000; ++i) send(world, alice, std::to_string(i));
    const auto late = world.add_browser(true);
    world.connect(late);
    CHECK(texts_of(world[late]) == world.log_texts());
    CHECK(world.log_texts().size() == 2000);
}

TEST_CASE("a client without a lane gets the log with positions and may store without a key") {
    SmallWorld world;
    const auto stock = world.add_browser(false);
    world.connect(stock);
    CHECK(world.seen<peer::Connected>(stock).at(0).guarantee == peer::Guarantee::at_most_once);
    peer::Client::EmitOptions options;
    options.wants_ack = true;
    const auto ack = world[stock].client.emit(0, chat("hi"), {}, options, world.now);
    REQUIRE(ack);
    world.settle();
    CHECK(world[stock].texts.at(0) == R"(["chat message","hi",1,"e1.1"])");
    const auto answers = world.seen<peer::AckArrived>(stock);
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].id == **ack);
    CHECK(answers[0].data == R"([null,{"id":1}])");
}

TEST_CASE("an ephemeral emit reaches the application and is answered") {
    SmallWorld world;
    const auto alice = world.add_browser(true);
    world.connect(alice);
    peer::Client::EmitOptions options;
    options.wants_ack = true;
    REQUIRE(world[alice].client.emit(0, R"(["echo",1])", {}, options, world.now));
    world.settle();
    REQUIRE(world.events.size() == 1);
    CHECK(world.events[0].second == R"(["echo",1])");
    CHECK(world.seen<peer::AckArrived>(alice).at(0).data == R"(["ok"])");
}

TEST_CASE("emits wait for the connection; acknowledgements end when the link does") {
    SmallWorld world;
    const auto alice = world.add_browser(false);
    peer::Client::EmitOptions options;
    options.wants_ack = true;
    options.ack_timeout = Millis{500};
    REQUIRE(world[alice].client.emit(0, R"(["echo",1])", {}, options, world.now));
    world.pass(Millis{600});
    const auto lost = world.seen<peer::AckLost>(alice);
    REQUIRE(lost.size() == 1);
    CHECK(lost[0].why == peer::AckLost::Why::timed_out);
    world.connect(alice);
    CHECK(world.events.empty());  // timed out: it left the buffer as well
}

TEST_CASE("reserved names and data that is no event are refused at the call") {
    SmallWorld world;
    const auto alice = world.add_browser(true);
    auto& client = world[alice].client;
    CHECK(client.emit(0, R"(["connect"])", {}, {}, world.now).error() ==
          peer::EmitError::reserved_name);
    CHECK(client.emit_durable(0, R"(["oncewire:send",1])", world.now).error() ==
          peer::EmitError::reserved_name);
    CHECK(client.emit(0, "{}", {}, {}, world.now).error() == peer::EmitError::not_an_event);
    CHECK(client.emit(0, "[", {}, {}, world.now).error() == peer::EmitError::not_an_event);
    const std::string large = chat(std::string(limits::durable_message_bytes, 'x'));
    CHECK(client.emit_durable(0, large, world.now).error() == peer::EmitError::too_large);
}

TEST_CASE("a durable message leaves one level for the event it travels in; others need none") {
    SmallWorld world;
    const auto alice = world.add_browser(true);
    world.connect(alice);
    auto& client = world[alice].client;
    CHECK(client.emit_durable(0, nested(limits::json_depth), world.now).error() ==
          peer::EmitError::not_an_event);
    CHECK(client.emit(0, nested(limits::json_depth, "echo"), {}, {}, world.now));
    CHECK(client.emit_durable(0, nested(peer::message_depth), world.now));
    CHECK(client.emit(0, nested(limits::json_depth + 1, "echo"), {}, {}, world.now).error() ==
          peer::EmitError::not_an_event);
    world.settle();
    CHECK(world.events.size() == 1);
    CHECK(world.disk.tables.log.size() == 1);
    CHECK(world.seen<peer::Disconnected>(alice).empty());
}

TEST_CASE("what the server announced is the largest message a client takes (R17)") {
    sequencer::Sequencer::Options options;
    options.message_bytes_max = 100;
    SmallWorld world(options);
    const auto alice = world.add_browser(true);
    auto& client = world[alice].client;
    const std::string large = chat(std::string(100, 'x'));
    CHECK(client.emit_durable(0, large, world.now));  // nobody has said anything yet
    world.connect(alice);
    CHECK(client.emit_durable(0, large, world.now).error() == peer::EmitError::too_large);
}

TEST_CASE("an entry that the server's limit shrank below is rejected, and the lane goes on (R17)") {
    sequencer::Sequencer::Options options;
    options.message_bytes_max = 100;
    SmallWorld world(options);
    const auto alice = world.add_browser(true);
    send(world, alice, "1");
    send(world, alice, std::string(100, 'x'));
    send(world, alice, "2");
    world.connect(alice);
    CHECK(world.log_texts() == Texts{"1", "2"});
    const auto settled = world.seen<peer::MessageSettled>(alice);
    REQUIRE(settled.size() == 3);
    CHECK(settled[0].accepted);
    CHECK_FALSE(settled[1].accepted);
    CHECK(settled[1].body.find("too_large") != std::string::npos);
    CHECK(settled[2].accepted);
}

TEST_CASE(
    "an entry that an older client stored and no packet can carry is rejected, and the lane goes "
    "on") {
    SmallWorld world;
    const auto entry = [](delivery::Sequence sequence, std::string message) {
        return delivery::OutboxEntry{sequence, delivery::digest(message, 7), std::move(message)};
    };
    const auto alice = world.add_browser(
        true, {entry(1, chat("1")), entry(2, nested(limits::json_depth)), entry(3, chat("2"))}, 4);
    world.connect(alice);
    CHECK(world.seen<peer::Disconnected>(alice).empty());
    CHECK(world.log_texts() == Texts{"1", "2"});
    const auto settled = world.seen<peer::MessageSettled>(alice);
    REQUIRE(settled.size() == 3);
    CHECK_FALSE(settled[1].accepted);
    CHECK(settled[2].accepted);
}

TEST_CASE("an entry that was accepted before it became too large is told so (R17)") {
    sequencer::Sequencer::Options options;
    options.message_bytes_max = 100;
    SmallWorld world(options);
    const std::string text(100, 'x');
    delivery::OutboxEntry entry{1, 77, chat(text)};
    const ProducerId id(std::string(32, 'c'));
    const auto alice = world.add_browser(true, {entry}, 2, id);
    store::Overlay overlay(world.store);
    overlay.senders.put({{id, ProducerSecret(std::string(32, 'a'))}, 1, {1, 77}, {}});
    overlay.senders.put_verdict(id, 1, {77, store::accept("{\"id\":1}")});
    REQUIRE(overlay.write().outcome == store::WriteOutcome::committed);
    world.connect(alice);
    const auto settled = world.seen<peer::MessageSettled>(alice);
    REQUIRE(settled.size() == 1);
    CHECK(settled[0].accepted);
}

TEST_CASE("an entry whose verdict was forgotten is called unknown, and what follows goes on") {
    SmallWorld world;
    const ProducerId id(std::string(32, 'c'));
    const auto alice = world.add_browser(true, {{1, 77, chat("1")}, {2, 78, chat("2")}}, 3, id);
    store::Overlay overlay(world.store);
    overlay.senders.put({{id, ProducerSecret(std::string(32, 'a'))}, 1, {1, 77}, {}, {}, 1});
    REQUIRE(overlay.write().outcome == store::WriteOutcome::committed);
    world.connect(alice);
    const auto settled = world.seen<peer::MessageSettled>(alice);
    REQUIRE(settled.size() == 2);
    CHECK_FALSE(settled[0].accepted);
    CHECK(settled[0].is_unknown);
    CHECK(settled[1].accepted);
    CHECK_FALSE(settled[1].is_unknown);
    CHECK(world.log_texts() == Texts{"2"});
    CHECK(world[alice].client.outbox(0)->size() == 0);
}

TEST_CASE("a rejection is no unknown outcome") {
    SmallWorld world;
    const auto alice = world.add_browser(true);
    world.connect(alice);
    send(world, alice, "bad");
    CHECK_FALSE(world.seen<peer::MessageSettled>(alice).at(0).is_unknown);
}

TEST_CASE("a cancelled message is not stored and does not hold up the next") {
    SmallWorld world;
    const auto alice = world.add_browser(true);
    send(world, alice, "1");
    send(world, alice, "oops");
    send(world, alice, "2");
    CHECK(world[alice].client.cancel(0, 2, world.now));
    world.settle();
    CHECK(world[alice].client.outbox(0)->entries().size() == 2);
    world.connect(alice);
    CHECK(world.log_texts() == Texts{"1", "2"});
    CHECK(world[alice].client.outbox(0)->size() == 0);
    CHECK_FALSE(world[alice].client.cancel(0, 3, world.now));
}

TEST_CASE("a wrong secret is refused and stores nothing") {
    SmallWorld world;
    const ProducerId id(std::string(32, 'f'));
    const auto alice = world.add_browser(true, {}, 1, id);
    world.connect(alice);
    send(world, alice, "mine");
    world[alice].can_connect = false;
    world.cut(alice);
    auto thief = peer::Client(peer::Client::Options(), Prng(3));
    auto& browser = world.browsers.emplace_back(
        SmallWorld::Browser{std::move(thief), 0, {}, 0, true, true, true, {}, {}});
    peer::RestoredLane lane;
    lane.producer = {id, ProducerSecret(std::string(32, '0'))};
    browser.nsp = browser.client.open_namespace("/", std::move(lane));
    const auto index = world.browsers.size() - 1;
    send(world, index, "planted");
    world.connect(index);
    CHECK(world.log_texts() == Texts{"mine"});
    const auto failed = world.seen<peer::ConnectFailed>(index);
    REQUIRE(failed.size() == 1);
    CHECK(failed[0].refused);
}

TEST_CASE(
    "a restored database is another stream: readers start over and senders offer what they hold") {
    SmallWorld world;
    const auto alice = world.add_browser(true);
    world.connect(alice);
    for (const auto* text : {"1", "2", "3"}) send(world, alice, text);
    world[alice].can_connect = false;
    world.cut(alice);
    send(world, alice, "4");

    SmallWorld restored({}, "e2");
    restored.browsers.push_back(std::move(world.browsers[alice]));
    restored.now = world.now;
    restored[0].can_connect = true;
    restored[0].connection.reset();
    restored.pass(Millis{6000});
    restored.pass(Millis{6000});
    CHECK(restored.seen<peer::StreamChanged>(0).size() == 1);
    CHECK(restored.log_texts() == Texts{"4"});
    CHECK(texts_of(restored[0]).back() == "4");
    CHECK(restored[0].client.outbox(0)->size() == 0);
}

TEST_CASE("leaving before CONNECT is answered neither breaks the link nor leaves a ghost behind") {
    SmallWorld world;
    const auto alice = world.add_browser(false);
    auto& browser = world[alice];
    browser.client.connect(browser.nsp, world.now);
    browser.client.disconnect(browser.nsp, world.now);
    world.settle();
    CHECK(world.hub.counts().sockets_open == 0);
    browser.client.connect(browser.nsp, world.now);
    world.settle();
    CHECK(browser.client.is_connected(browser.nsp));
    CHECK(world.hub.counts().sockets_open == 1);
    CHECK(world.hub.counts().violations == 0);
}

TEST_CASE("what crosses the server's DISCONNECT is ignored and the connection stays") {
    SmallWorld world;
    const auto alice = world.add_browser(false);
    world.connect(alice);
    const auto connection = *world[alice].connection;
    hub::SocketId socket = 0;
    for (const auto& [id, auth] : world.auths) socket = id;
    world.hub.sockets().disconnect(socket, false, world.now);
    world.hub.handle_frame(connection, {FrameType::text, R"(42["late",1])"}, world.now);
    world.settle();
    CHECK(world.seen<peer::Disconnected>(alice).at(0).reason ==
          socketio::DisconnectReason::io_server_disconnect);
    CHECK(world.hub.counts().violations == 0);
    CHECK(world.events.empty());
}

TEST_CASE("a stock client that claims to be beyond the head hears what is new") {
    SmallWorld world;
    world.replay_after = 100;  // it knows a database that is no more
    const auto stock = world.add_browser(false);
    world.connect(stock);
    world.replay_after = 0;
    const auto alice = world.add_browser(true);
    world.connect(alice);
    send(world, alice, "hello");
    CHECK(texts_of(world[stock]) == Texts{"hello"});
}

}  // namespace peer_world_test
