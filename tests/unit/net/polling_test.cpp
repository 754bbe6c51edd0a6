#include <catch2/catch.hpp>

#include "server/net/gate/polling.hpp"

namespace polling_test {

using namespace oncewire;
using net::Polling;

namespace {

constexpr Polling::TransportId session = 7;
const Instant start{};

std::vector<Polling::SharedFrame> frames(std::initializer_list<const char*> texts) {
    std::vector<Polling::SharedFrame> made;
    for (const auto* text : texts)
        made.push_back(std::make_shared<Frame>(Frame{FrameType::text, text}));
    return made;
}

struct Seen {
    std::vector<std::pair<Polling::RequestId, std::string>> answers;  // "status body"
    std::vector<std::string> arrived;
    int written = 0;
    std::vector<engineio::CloseReason> closed;
};

Seen drain(Polling& polling) {
    Seen seen;
    while (auto output = polling.poll_output()) {
        if (auto* answer = std::get_if<Polling::Answer>(&*output)) {
            seen.answers.push_back({answer->request, std::to_string(answer->response.status) + ' ' +
                                                         answer->response.body});
        } else if (auto* post = std::get_if<Polling::FramesArrived>(&*output)) {
            for (auto& frame : post->frames) seen.arrived.push_back(frame.bytes);
        } else if (std::get_if<Polling::Written>(&*output)) {
            ++seen.written;
        } else if (auto* closed = std::get_if<Polling::Closed>(&*output)) {
            seen.closed.push_back(closed->reason);
        }
    }
    return seen;
}

using Answers = std::vector<std::pair<Polling::RequestId, std::string>>;

Polling opened() {
    Polling polling;
    polling.open(session, "sid", 1);
    polling.write(session, frames({"0{}"}));
    CHECK(drain(polling).answers == Answers{{1, "200 0{}"}});
    return polling;
}

}  // namespace

TEST_CASE("a parked GET takes what is written, at once and all of it") {
    Polling polling = opened();
    polling.handle_get(session, 2, false, start);
    CHECK(drain(polling).answers.empty());
    polling.write(session, frames({"4a", "4b"}));
    const auto seen = drain(polling);
    CHECK(seen.answers == Answers{{2,
                                   "200 4a\x1e"
                                   "4b"}});
    CHECK(seen.written == 1);
}

TEST_CASE("what is written without a GET waits for the next one") {
    Polling polling = opened();
    polling.write(session, frames({"4a"}));
    CHECK(drain(polling).written == 0);
    polling.handle_get(session, 2, false, start);
    const auto seen = drain(polling);
    CHECK(seen.answers == Answers{{2, "200 4a"}});
    CHECK(seen.written == 1);
}

TEST_CASE("a second GET ends the session: the first is told, the second refused") {
    Polling polling = opened();
    polling.handle_get(session, 2, false, start);
    polling.handle_get(session, 3, false, start);
    const auto seen = drain(polling);
    CHECK(seen.answers == Answers{{2, "200 1"}, {3, "400 "}});
    CHECK(seen.closed == std::vector{engineio::CloseReason::transport_error});
    CHECK_FALSE(polling.is_open(session));
}

TEST_CASE("a POST delivers its packets in order and is answered ok") {
    Polling polling = opened();
    CHECK(polling.handle_post_begun(session));
    polling.handle_post(session, 2,
                        "4a\x1e"
                        "bAQID\x1e"
                        "3");
    const auto seen = drain(polling);
    CHECK(seen.arrived == std::vector<std::string>{"4a", "\x01\x02\x03", "3"});
    CHECK(seen.answers == Answers{{2, "200 ok"}});
}

TEST_CASE("a bad body is refused whole and ends the session with parse error") {
    for (const auto* body : {"", "abc", "\x1e", "40\x1e",
                             "4a\x1e\x1e"
                             "4b",
                             "b###", "4\xff"}) {
        CAPTURE(body);
        Polling polling = opened();
        polling.handle_get(session, 2, false, start);
        CHECK(polling.handle_post_begun(session));
        polling.handle_post(session, 3, body);
        const auto seen = drain(polling);
        CHECK(seen.arrived.empty());
        CHECK(seen.answers == Answers{{3, "400 "}, {2, "400 "}});
        CHECK(seen.closed == std::vector{engineio::CloseReason::parse_error});
    }
}

TEST_CASE("a POST has 65,536 packets at most: each of them costs more than its two bytes") {
    std::string body = "3";
    for (std::uint32_t i = 1; i < limits::packets_per_payload; ++i)
        body +=
            "\x1e"
            "3";
    Polling polling = opened();
    CHECK(polling.handle_post_begun(session));
    polling.handle_post(session, 2, body);
    CHECK(drain(polling).answers == Answers{{2, "200 ok"}});
    CHECK(polling.handle_post_begun(session));
    polling.handle_post(session, 3,
                        body +
                            "\x1e"
                            "3");
    CHECK(drain(polling).answers == Answers{{3, "400 "}});
    CHECK_FALSE(polling.is_open(session));
}

TEST_CASE("a second POST while one is being read ends the session") {
    Polling polling = opened();
    CHECK(polling.handle_post_begun(session));
    CHECK_FALSE(polling.handle_post_begun(session));
    CHECK(drain(polling).closed == std::vector{engineio::CloseReason::transport_error});
    polling.handle_post(session, 2, "4a");  // the first one's body arrives after all
    const auto seen = drain(polling);
    CHECK(seen.answers == Answers{{2, "400 "}});
    CHECK(seen.arrived.empty());
}

TEST_CASE("a client that drops its GET or breaks off a POST is gone") {
    Polling polling = opened();
    polling.handle_get(session, 2, false, start);
    polling.handle_get_aborted(session, 99);  // an old one: answered long ago
    CHECK(drain(polling).closed.empty());
    polling.handle_get_aborted(session, 2);
    auto seen = drain(polling);
    CHECK(seen.answers.empty());
    CHECK(seen.closed.size() == 1);

    Polling other = opened();
    CHECK(other.handle_post_begun(session));
    other.handle_post_aborted(session);
    CHECK(drain(other).closed.size() == 1);
}

TEST_CASE("a session that the server ends tells the parked GET, or the next one, once") {
    Polling polling = opened();
    polling.handle_get(session, 2, false, start);
    polling.close(session, engineio::CloseReason::forced_close, start);
    CHECK(drain(polling).answers == Answers{{2, "200 1"}});

    Polling waiting = opened();
    waiting.write(session, frames({"41"}));
    waiting.close(session, engineio::CloseReason::forced_close, start);
    CHECK(drain(waiting).answers.empty());
    CHECK(waiting.handle_late_get("sid", 3));
    CHECK(drain(waiting).answers == Answers{{3,
                                             "200 41\x1e"
                                             "1"}});
    CHECK_FALSE(waiting.handle_late_get("sid", 4));

    Polling late = opened();
    late.close(session, engineio::CloseReason::forced_close, start);
    REQUIRE(late.next_timeout() == start + Polling::farewell);
    late.handle_timeout(start + Polling::farewell);
    CHECK_FALSE(late.handle_late_get("sid", 3));
    CHECK_FALSE(late.next_timeout());
}

TEST_CASE("an answer that was lost is given again although the session has ended") {
    const std::string end =
        "200 43\x1e"
        "1";
    Polling polling = opened();
    polling.write(session, frames({"42"}));
    polling.handle_get(session, 2, false, start, "a");
    polling.write(session, frames({"43"}));

    SECTION("before its client is told of the end") {
        polling.close(session, engineio::CloseReason::forced_close, start);
        drain(polling);
        CHECK(polling.handle_late_get("sid", 3, "a"));
        CHECK(polling.handle_late_get("sid", 4, "a"));
        CHECK(drain(polling).answers == Answers{{3, "200 42"}, {4, "200 42"}});
        CHECK(polling.handle_late_get("sid", 5, "b"));
        CHECK(drain(polling).answers == Answers{{5, end}});
    }
    SECTION("and so is the word of the end") {
        polling.close(session, engineio::CloseReason::forced_close, start);
        CHECK(polling.handle_late_get("sid", 3, "b"));
        CHECK(polling.handle_late_get("sid", 4, "b"));
        CHECK(polling.handle_late_get("sid", 5, "c"));
        CHECK(drain(polling).answers == Answers{{2, "200 42"}, {3, end}, {4, end}, {5, "400 "}});
    }
    SECTION("also if a GET was parked") {
        polling.handle_get(session, 3, false, start, "b");
        polling.handle_get(session, 4, false, start, "c");
        drain(polling);
        polling.close(session, engineio::CloseReason::forced_close, start);
        CHECK(polling.handle_late_get("sid", 5, "c"));
        CHECK(drain(polling).answers == Answers{{4, "200 1"}, {5, "200 1"}});
    }
    polling.handle_timeout(start + Polling::farewell);
    CHECK_FALSE(polling.handle_late_get("sid", 9, "a"));
}

TEST_CASE("a session that the client ends releases its parked GET with a noop") {
    Polling polling = opened();
    polling.handle_get(session, 2, false, start);
    polling.close(session, engineio::CloseReason::transport_close, start);
    CHECK(drain(polling).answers == Answers{{2, "200 6"}});
    CHECK_FALSE(polling.handle_late_get("sid", 3));
}

TEST_CASE("while a WebSocket is tried a parked GET comes back with a noop, and data is not lost") {
    Polling polling = opened();
    polling.handle_get(session, 2, false, start);
    polling.release_soon(session, start);
    REQUIRE(polling.next_timeout() == start + Polling::noop_after);
    polling.handle_timeout(start + Polling::noop_after);
    CHECK(drain(polling).answers == Answers{{2, "200 6"}});

    polling.handle_get(session, 3, true, start);
    polling.write(session, frames({"4a"}));  // still travels by polling
    CHECK(drain(polling).answers == Answers{{3, "200 4a"}});
    polling.handle_timeout(start + Polling::noop_after);
    CHECK(drain(polling).answers.empty());
    CHECK_FALSE(polling.next_timeout());

    polling.write(session, frames({"4b", "4c"}));
    const auto rest = polling.hand_over(session);
    REQUIRE(rest.size() == 2);
    CHECK(rest[0]->bytes == "4b");
    CHECK_FALSE(polling.is_open(session));
}

TEST_CASE("the WebSocket that takes over releases a GET parked meanwhile") {
    Polling polling = opened();
    polling.handle_get(session, 2, true, start);
    CHECK(polling.hand_over(session).empty());
    CHECK(drain(polling).answers == Answers{{2, "200 6"}});
}

TEST_CASE("a poll that a browser sends again gets the answer that was lost") {
    Polling polling = opened();
    polling.handle_get(session, 2, false, start, "*a");
    polling.write(session, frames({"4one"}));
    CHECK(drain(polling).answers == Answers{{2, "200 4one"}});
    polling.write(session, frames({"4two"}));
    polling.handle_get(session, 3, false, start, "*a");
    const auto again = drain(polling);
    CHECK(again.answers == Answers{{3, "200 4one"}});
    CHECK(again.written == 0);
    polling.handle_get(session, 4, false, start, "*b");
    CHECK(drain(polling).answers == Answers{{4, "200 4two"}});
}

TEST_CASE("a parked poll that is sent again takes the place of the first") {
    Polling polling = opened();
    polling.handle_get(session, 2, false, start, "*a");
    polling.handle_get(session, 3, false, start, "*a");
    CHECK(drain(polling).answers == Answers{{2, "400 "}});
    polling.handle_get_aborted(session, 2);  // noticed late
    polling.write(session, frames({"4one"}));
    const auto seen = drain(polling);
    CHECK(seen.answers == Answers{{3, "200 4one"}});
    CHECK(seen.closed.empty());
}

TEST_CASE("a POST that a browser sends again is answered again and taken once") {
    Polling polling = opened();
    for (const Polling::RequestId request : {2u, 3u}) {
        CHECK(polling.handle_post_begun(session));
        polling.handle_post(session, request, "4a", "*p");
    }
    const auto seen = drain(polling);
    CHECK(seen.arrived == std::vector<std::string>{"4a"});
    CHECK(seen.answers == Answers{{2, "200 ok"}, {3, "200 ok"}});
}

TEST_CASE("requests that promise nothing are each their own") {
    Polling polling = opened();
    for (const Polling::RequestId request : {2u, 3u}) {
        polling.write(session, frames({request == 2 ? "4one" : "4two"}));
        polling.handle_get(session, request, false, start);
        CHECK(polling.handle_post_begun(session));
        polling.handle_post(session, request + 10, "4a");
    }
    const auto seen = drain(polling);
    CHECK(seen.arrived == std::vector<std::string>{"4a", "4a"});
    CHECK(seen.answers ==
          Answers{{2, "200 4one"}, {12, "200 ok"}, {3, "200 4two"}, {13, "200 ok"}});
}

TEST_CASE("a session that is over keeps its place until its client was told, or does not come") {
    for (const bool comes : {true, false}) {
        auto place = std::make_shared<int>();
        Polling polling;
        polling.open(session, "sid", 1, place);
        polling.write(session, frames({"0{}"}));
        polling.close(session, engineio::CloseReason::forced_close, start);
        CHECK(place.use_count() == 2);
        if (comes) CHECK(polling.handle_late_get("sid", 2));
        if (!comes) polling.handle_timeout(start + Polling::farewell);
        CHECK(place.use_count() == 1);
    }
}

TEST_CASE("last words have a bound together: the longest standing are forgotten as a whole") {
    Polling polling({.kept_bytes_max = 100});
    const std::string said(48, 'x');  // and a separator and the close packet: 50
    for (const Polling::TransportId id : {1u, 2u, 3u}) {
        polling.open(id, "sid" + std::to_string(id), id);
        polling.write(id, frames({"0{}"}));
        polling.write(id, frames({said.c_str()}));
        polling.close(id, engineio::CloseReason::forced_close, start);
    }
    drain(polling);
    CHECK_FALSE(polling.has_farewell("sid1"));
    CHECK_FALSE(polling.handle_late_get("sid1", 4));
    for (const std::string sid : {"sid2", "sid3"}) {
        CHECK(polling.handle_late_get(sid, 5));
        CHECK(drain(polling).answers == Answers{{5, "200 " + said + "\x1e" + "1"}});
    }
    // One that does not fit at all is not kept, either.
    const std::string long_said(200, 'x');
    polling.open(4, "sid4", 1);
    polling.write(4, frames({"0{}"}));
    polling.write(4, frames({long_said.c_str()}));
    polling.close(4, engineio::CloseReason::forced_close, start);
    CHECK_FALSE(polling.has_farewell("sid4"));
    // All is free again.
    polling.open(5, "sid5", 1);
    polling.write(5, frames({"0{}"}));
    polling.close(5, engineio::CloseReason::forced_close, start);
    CHECK(polling.has_farewell("sid5"));
    polling.handle_timeout(start + Polling::farewell);
    CHECK_FALSE(polling.has_farewell("sid5"));
    CHECK_FALSE(polling.next_timeout());
}

TEST_CASE("of answers that are too much to keep a repeated poll gets none, nor what follows them") {
    Polling polling({.kept_bytes_max = 10});
    polling.open(session, "sid", 1);
    polling.write(session, frames({"0{}"}));
    polling.handle_get(session, 2, false, start, "*a");
    polling.write(session, frames({"4 more than that"}));
    polling.write(session, frames({"4b"}));
    CHECK(drain(polling).answers == Answers{{1, "200 0{}"}, {2, "200 4 more than that"}});

    SECTION("whoever got it goes on") {
        polling.handle_get(session, 3, false, start, "*b");
        polling.handle_get(session, 4, false, start, "*b");
        CHECK(drain(polling).answers == Answers{{3, "200 4b"}, {4, "200 4b"}});
    }
    SECTION("whoever did not has to connect again") {
        polling.handle_get(session, 3, false, start, "*a");
        const auto seen = drain(polling);
        CHECK(seen.answers == Answers{{3, "400 "}});
        CHECK(seen.closed == std::vector{engineio::CloseReason::transport_error});
    }
    SECTION("also after the end") {
        polling.close(session, engineio::CloseReason::forced_close, start);
        CHECK_FALSE(polling.handle_late_get("sid", 3, "*a"));
        CHECK_FALSE(polling.handle_late_get("sid", 4, "*b"));
    }
}

}  // namespace polling_test
