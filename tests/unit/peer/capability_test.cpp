#include <catch2/catch.hpp>

#include "shared/base/json.hpp"
#include "shared/peer/capability.hpp"

namespace peer_capability_test {

using namespace oncewire;
using namespace oncewire::peer;

namespace {

const ClientCapability alice{
    {ProducerId(std::string(32, 'a')), ProducerSecret(std::string(32, 'b'))},
    delivery::Position{delivery::Epoch{"e1"}, 7}};

}  // namespace

TEST_CASE("a client's capability travels inside the application's auth object") {
    for (const auto* auth : {"", "{}", " { } ", R"({"token":"t"})"}) {
        CAPTURE(auth);
        const auto data = add_capability(auth, alice);
        CHECK(json::is_valid(data, 8));
        CHECK(find_client_capability(data) == alice);
    }
    CHECK(json::member(add_capability(R"({"token":"t"})", alice), "token") == "\"t\"");
    auto fresh = alice;
    fresh.position.reset();
    CHECK(find_client_capability(add_capability("{}", fresh)) == fresh);
}

TEST_CASE("a malformed or unknown capability makes a stock client of the peer") {
    for (
        const auto* data :
        {"", "{}", R"({"oncewire":1})", R"({"oncewire":{}})", R"({"oncewire":{"version":2}})",
         R"({"oncewire":{"version":1,"producer":"x","secret":"y"}})",
         R"({"oncewire":{"version":1,"producer":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}})",
         R"({"oncewire":{"version":"1","producer":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","secret":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}})"}) {
        CAPTURE(data);
        CHECK_FALSE(find_client_capability(data));
    }
}

TEST_CASE("the answer to CONNECT carries only the sid unless the capability was asked for") {
    CHECK(encode_connect_answer("abc", std::nullopt) == R"({"sid":"abc"})");
    const ServerCapability capability{3, {12, 0x1f}, {delivery::Epoch{"e1"}, 9}, 64, 65536, "disk"};
    const auto data = encode_connect_answer("abc", capability);
    CHECK(json::is_valid(data, 8));
    CHECK(find_server_capability(data) == capability);
    CHECK_FALSE(find_server_capability(R"({"sid":"abc"})"));
}

TEST_CASE("a server's capability with impossible numbers is not believed") {
    const auto with = [](const char* window, const char* last) {
        return std::string(R"({"sid":"s","oncewire":{"version":1,"epoch":1,"last":)") + last +
               R"(,"digest":"0000000000000000","position":"e.1","messageBytes":9,"durability":"disk","window":)" +
               window + "}}";
    };
    CHECK(find_server_capability(with("1", "0")));
    for (const auto* window : {"0", "-1", "4097", "1.5", "\"1\"", "1e3"}) {
        CAPTURE(window);
        CHECK_FALSE(find_server_capability(with(window, "0")));
    }
    CHECK_FALSE(find_server_capability(with("1", "-1")));
    CHECK_FALSE(find_server_capability(with("1", "9007199254740993")));
}

TEST_CASE("a message is sent as a slice and comes out as it went in") {
    const std::string message = R"(["chat message","h\u00e9",{"a":[1]}])";
    const auto wire = encode(SendEvent{5, 0xabc, message});
    CHECK(wire == R"(["oncewire:send",5,"0000000000000abc",)" + message + ']');
    const auto send = decode_send(wire);
    REQUIRE(send);
    CHECK(send->sequence == 5);
    CHECK(send->digest == 0xabc);
    CHECK(send->message == message);
    CHECK_FALSE(send->renumbered);
    const auto moved = encode(SendEvent{5, 0xabc, message, true});
    CHECK(moved == R"(["oncewire:send",5,"0000000000000abc",)" + message + ",1]");
    CHECK(decode_send(moved)->renumbered);
}

TEST_CASE("malformed sends are recognised") {
    for (const auto* data :
         {R"(["oncewire:send"])", R"(["oncewire:send",0,"0000000000000abc",["e"]])",
          R"(["oncewire:send",-1,"0000000000000abc",["e"]])", R"(["oncewire:send",1,"abc",["e"]])",
          R"(["oncewire:send",1,"0000000000000abc",[]])",
          R"(["oncewire:send",1,"0000000000000abc",{}])",
          R"(["oncewire:send",1,"0000000000000abc",[1]])",
          R"(["oncewire:send",1,"0000000000000abc",["e"],0])",
          R"(["oncewire:send",1,"0000000000000abc",["e"],1,1])",
          R"(["oncewire:other",1,"0000000000000abc",["e"]])"}) {
        CAPTURE(data);
        CHECK_FALSE(decode_send(data));
    }
}

TEST_CASE("verdicts, expectations, conflicts and pauses survive the wire") {
    const auto wire = encode(VerdictsEvent{4, {{true, "null"}, {false, R"({"error":"x"})"}}});
    CHECK(wire == R"(["oncewire:verdicts",4,[[0,null],[1,{"error":"x"}]]])");
    const auto event = decode_delivery_event(wire);
    REQUIRE(event);
    const auto& verdicts = *std::get_if<VerdictsEvent>(&*event);
    CHECK(verdicts.first == 4);
    REQUIRE(verdicts.verdicts.size() == 2);
    CHECK(verdicts.verdicts[0].accepted);
    CHECK(verdicts.verdicts[1].body == R"({"error":"x"})");

    const auto expect = decode_delivery_event(encode(ExpectEvent{9}));
    CHECK(std::get_if<ExpectEvent>(&*expect)->sequence == 9);
    const auto conflict = decode_delivery_event(encode(ConflictEvent{8, 10}));
    CHECK(std::get_if<ConflictEvent>(&*conflict)->sequence == 8);
    CHECK(std::get_if<ConflictEvent>(&*conflict)->last == 10);
    const auto later = decode_delivery_event(encode(LaterEvent{Millis{50}}));
    CHECK(std::get_if<LaterEvent>(&*later)->after == Millis{50});
}

TEST_CASE("malformed delivery events are recognised") {
    for (const auto* data :
         {R"(["oncewire:verdicts",1])", R"(["oncewire:verdicts",1,[[2,null]]])",
          R"(["oncewire:verdicts",1,[[0]]])", R"(["oncewire:verdicts",1,[0]])",
          R"(["oncewire:verdicts","1",[]])", R"(["oncewire:expect"])", R"(["oncewire:expect",1,2])",
          R"(["oncewire:conflict",1])", R"(["oncewire:later",-5])", R"(["oncewire:unknown",1])"}) {
        CAPTURE(data);
        CHECK_FALSE(decode_delivery_event(data));
    }
}

TEST_CASE("who does not speak of links is told of none") {
    auto old = alice;
    old.links = false;
    const auto data = add_capability("{}", old);
    CHECK(data.find("links") == std::string::npos);
    CHECK(find_client_capability(data) == old);
    ServerCapability server{3, {12, 0x1f}, {delivery::Epoch{"e1"}, 9}, 64, 65536, "disk", true};
    CHECK(find_server_capability(encode_connect_answer("abc", server)) == server);
}

TEST_CASE("what a client noticed, and how far it was brought, have one wire form each") {
    const std::string noticed = encode(NoticedEvent{{1, 2, 3}});
    CHECK(noticed == R"(["oncewire:noticed",1,2,3])");
    CHECK(decode_noticed(noticed)->anomalies == delivery::Anomalies{1, 2, 3});
    for (const auto* data :
         {R"(["oncewire:noticed",1,2])", R"(["oncewire:noticed",1,2,3,4])",
          R"(["oncewire:noticed",1,2,-3])", R"(["oncewire:noticed",1,2,4294967296])",
          R"(["oncewire:noticed","1",2,3])", R"(["oncewire:send",1,2,3])"}) {
        CAPTURE(data);
        CHECK_FALSE(decode_noticed(data));
    }
    const auto reached = decode_delivery_event(encode(ReachedEvent{17}));
    REQUIRE(reached);
    CHECK(std::get<ReachedEvent>(*reached).offset == 17);
    CHECK_FALSE(decode_delivery_event(R"(["oncewire:reached",17,1])"));
    CHECK_FALSE(decode_delivery_event(R"(["oncewire:reached",-1])"));
}

}  // namespace peer_capability_test
