#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "shared/peer/engine_client.hpp"

namespace engine_client_test {

using namespace oncewire;
using namespace oncewire::peer;
using engineio::TransportKind;
using Kind = EngineClient::Event::Kind;

namespace {

const std::string handshake =
    R"(0{"sid":"S","upgrades":["websocket"],"pingInterval":300,"pingTimeout":200,"maxPayload":20})";

/// An EngineClient, and its server's answers by hand. What it wants done is noted as short words.
struct Line {
    explicit Line(EngineClient::Options options) : engine(std::move(options)) {}

    void open() {
        engine.open(now, out);
        drain();
    }
    void send(const std::string& text) {
        engine.send({FrameType::text, "4" + text}, out);
        drain();
    }
    void respond(LinkId link, bool is_post, const std::string& body, std::uint32_t status = 200) {
        engine.handle_response(link, is_post, status, body, out);
        drain();
    }
    void frame(LinkId link, const std::string& text) {
        engine.handle_frame(link, {FrameType::text, text}, out);
        drain();
    }
    void opened(LinkId link) {
        engine.handle_link_opened(link, out);
        drain();
    }
    void closed(LinkId link) {
        engine.handle_link_closed(link, out);
        drain();
    }
    void pass(Millis time) {
        now += time;
        engine.handle_timeout(now, out);
        drain();
    }
    void close() {
        engine.close(out);
        drain();
    }

    void drain() {
        while (const auto event = engine.next_event(now, out)) {
            if (event->kind == Kind::opened) told.push_back("opened");
            if (event->kind == Kind::message) told.push_back(std::string(event->message.bytes));
            if (event->kind == Kind::upgraded) told.push_back("upgraded");
            if (event->kind == Kind::closed) {
                told.push_back(engineio::reason_text(engine.close_reason()));
            }
        }
        engine.flush(out);
        while (const auto output = out.poll()) note(*output);
    }

    void note(const ClientOutput& output) {
        if (const auto* dial = std::get_if<OpenLink>(&output)) {
            const bool polls = dial->transport == TransportKind::polling;
            did.push_back((polls ? "poll " : "dial ") + std::to_string(dial->link) + dial->sid);
        } else if (const auto* frame = std::get_if<SendFrame>(&output)) {
            did.push_back("send " + std::to_string(frame->link) + ' ' + frame->frame.bytes);
        } else if (const auto* request = std::get_if<SendRequest>(&output)) {
            did.push_back((request->body ? "post " + *request->body : "get " + request->sid));
        } else if (const auto* close = std::get_if<CloseLink>(&output)) {
            did.push_back("close " + std::to_string(close->link));
        }
    }

    std::vector<std::string> take() { return std::exchange(did, {}); }
    std::vector<std::string> take_told() { return std::exchange(told, {}); }

    EngineClient engine;
    ClientOutputs out;
    Instant now{};
    std::vector<std::string> did;
    std::vector<std::string> told;
};

using Words = std::vector<std::string>;

EngineClient::Options both() {
    EngineClient::Options options;
    options.transports = {TransportKind::polling, TransportKind::websocket};
    return options;
}

EngineClient::Options polling_only() {
    EngineClient::Options options;
    options.transports = {TransportKind::polling};
    return options;
}

/// Past the handshake, by polling; the probe, if there is one, is link 2.
Line polling_line(EngineClient::Options options) {
    Line line(std::move(options));
    line.open();
    line.respond(1, false, handshake);
    line.take();
    line.take_told();
    return line;
}

}  // namespace

TEST_CASE("a polling client asks again and again, one GET at a time") {
    Line line(polling_only());
    line.open();
    CHECK(line.take() == Words{"poll 1", "get "});
    line.respond(1, false, handshake);
    CHECK(line.take_told() == Words{"opened"});
    CHECK(line.take() == Words{"get S"});
    line.respond(1, false,
                 "4one\x1e"
                 "4two");
    CHECK(line.take_told() == Words{"one", "two"});
    CHECK(line.take() == Words{"get S"});
}

TEST_CASE("a polling client answers pings, with what else there is to say") {
    Line line = polling_line(polling_only());
    line.respond(1, false, "2");
    CHECK(line.take() == Words{"get S", "post 3"});
}

TEST_CASE("one POST at a time, filled up to what the server takes") {
    Line line = polling_line(polling_only());
    line.send("first");
    for (const char* word : {"second", "third", "fourth"}) line.send(word);
    CHECK(line.take() == Words{"post 4first"});
    CHECK_FALSE(line.engine.is_writable());
    line.respond(1, true, "ok");
    CHECK(line.take() == Words{"post 4second\x1e"
                               "4third"});
    line.respond(1, true, "ok");
    CHECK(line.take() == Words{"post 4fourth"});
    line.respond(1, true, "ok");
    line.send("a single one may be larger than that");
    CHECK(line.take().size() == 1);
}

TEST_CASE("an upgrade waits for the GET and the POST, and loses nothing of either direction") {
    Line line = polling_line(both());
    line.opened(2);
    CHECK(line.take() == Words{"send 2 2probe"});
    line.send("by post");
    line.frame(2, "3probe");
    line.send("waits");
    CHECK(line.take() == Words{"post 4by post"});
    line.respond(1, false, "4last by get");
    CHECK(line.take_told() == Words{"last by get"});
    CHECK(line.take() == Words{});  // no further GET
    line.respond(1, true, "ok");
    CHECK(line.take_told() == Words{"upgraded"});
    CHECK(line.take() == Words{"send 2 5", "close 1", "send 2 4waits"});
    line.frame(2, "4by socket");
    line.send("also");
    CHECK(line.take_told() == Words{"by socket"});
    CHECK(line.take() == Words{"send 2 4also"});
}

TEST_CASE("the probe belongs to the session, and its failure harms nobody") {
    Line line(both());
    line.open();
    line.take();
    line.respond(1, false, handshake);
    CHECK(line.take() == Words{"dial 2S", "get S"});
    SECTION("it does not open") { line.closed(2); }
    SECTION("it says something else") {
        line.opened(2);
        line.take();
        line.frame(2, "4surprise");
    }
    SECTION("it says nothing in time") {
        for (int i = 0; i < 31; ++i) {
            line.respond(1, false, "2");
            line.respond(1, true, "ok");
            line.pass(Millis{330});
        }
    }
    CHECK(line.did.size() >= 1);
    line.take();
    line.take_told();
    line.send("still here");
    CHECK(line.take() == Words{"post 4still here"});
    CHECK(line.told.empty());
}

TEST_CASE("a probe that fails while everything waits for it lets polling go on") {
    Line line = polling_line(both());
    line.opened(2);
    line.frame(2, "3probe");
    line.send("waits");
    line.take();
    line.closed(2);
    CHECK(line.take() == Words{"close 2", "post 4waits"});
    line.respond(1, false, "6");
    CHECK(line.take() == Words{"get S"});
}

TEST_CASE("an answer that is none ends the session, and says which") {
    Line line = polling_line(polling_only());
    SECTION("GET") {
        line.respond(1, false, "", 502);
        CHECK(line.engine.error()->message == "xhr poll error");
        CHECK(line.engine.error()->status == 502);
    }
    SECTION("POST") {
        line.send("x");
        line.respond(1, true, "", 0);
        CHECK(line.engine.error()->message == "xhr post error");
    }
    SECTION("nonsense") {
        line.respond(1, false, "4fine\x1e");
        CHECK(line.engine.error()->message == "server error");
    }
    CHECK(line.take_told() == Words{"transport error"});
    CHECK(line.engine.is_closed());
    line.respond(1, false, "4late");
    CHECK(line.told.empty());
}

TEST_CASE("closing tells the server after what waits, in a request of its own") {
    Line line = polling_line(polling_only());
    SECTION("at once") {
        line.close();
        CHECK(line.take() == Words{"post 1", "close 1"});
    }
    SECTION("when what waited has arrived") {
        line.engine.send({FrameType::text, "41"}, line.out);
        line.close();
        CHECK(line.take() == Words{"post 41", "close 1"});
        line.respond(1, true, "ok");
        CHECK(line.take() == Words{"post 1"});
    }
    SECTION("when the POST under way is over") {
        line.send("under way");
        line.send("waits");
        line.take();
        line.close();
        CHECK(line.take() == Words{"close 1"});
        line.respond(1, true, "ok");
        CHECK(line.take() == Words{"post 4waits"});
        line.respond(1, true, "ok");
        CHECK(line.take() == Words{"post 1"});
    }
    line.respond(1, true, "ok");
    CHECK(line.take().empty());
    CHECK(line.told.empty());
}

TEST_CASE("transports that do not open are passed over only if that was asked for") {
    auto options = both();
    options.try_all_transports = GENERATE(true, false);
    Line line(options);
    line.open();
    line.take();
    line.respond(1, false, "", 404);
    if (options.try_all_transports) {
        CHECK(line.take() == Words{"close 1", "dial 2"});
        line.frame(2, handshake);
        CHECK(line.take_told() == Words{"opened"});
    } else {
        CHECK(line.take_told() == Words{"transport error"});
    }
}

TEST_CASE("an upgrade that worked is remembered if that was asked for") {
    auto options = both();
    options.remember_upgrade = GENERATE(true, false);
    Line line = polling_line(options);
    line.opened(2);
    line.frame(2, "3probe");
    line.respond(1, false, "6");
    REQUIRE(line.take_told() == Words{"upgraded"});
    line.closed(2);
    line.take();
    line.open();
    CHECK(line.take().front() == (options.remember_upgrade ? "dial 3" : "poll 3"));
}

TEST_CASE("a silent server is noticed by elapsed time") {
    Line line = polling_line(polling_only());
    line.pass(Millis{499});
    CHECK(line.told.empty());
    line.pass(Millis{1});
    CHECK(line.take_told() == Words{"ping timeout"});
}

}  // namespace engine_client_test
