// What the client says, and into which link: not into one whose server has been silent for too long, and nothing
// that would end it. And what is left of a client that nobody wants any more.
#include <catch2/catch.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "shared/peer/client.hpp"

namespace client_link_test {

using namespace oncewire;
using namespace std::chrono_literals;
using engineio::TransportKind;

namespace {

constexpr peer::NamespaceIndex chat = 0;

std::string greeting(const std::string& more) {
    return R"(0{"sid":"S","upgrades":[],"pingInterval":300,"pingTimeout":200)" + more + '}';
}

/// A Client over WebSockets, connected to a server that does what the test says.
struct Page {
    explicit Page(const std::string& more = {}, std::optional<peer::RestoredLane> lane = {}) {
        client.open_namespace("/", std::move(lane));
        client.connect(chat, now);
        connect(more);
    }

    void connect(const std::string& more = {}) {
        drain();
        hear(greeting(more));
        client.provide_auth(chat, "{}", now);
        hear(R"(40{"sid":"s"})");
    }
    void hear(const std::string& frame) {
        client.handle_frame(link, {FrameType::text, frame}, now);
        drain();
    }
    Result<std::optional<socketio::AckId>, peer::EmitError> emit(const std::string& data,
                                                                 bool wants_ack = false) {
        peer::Client::EmitOptions options;
        options.wants_ack = wants_ack;
        auto id = client.emit(chat, data, {}, options, now);
        drain();
        return id;
    }
    void drain() {
        while (const auto output = client.poll_output()) {
            if (const auto* open = std::get_if<peer::OpenLink>(&*output)) link = open->link;
            if (const auto* frame = std::get_if<peer::SendFrame>(&*output))
                sent.push_back(frame->frame.bytes);
            if (std::holds_alternative<peer::Disconnected>(*output)) ++disconnects;
            if (const auto* lost = std::get_if<peer::AckLost>(&*output)) lost_acks.push_back(*lost);
            if (const auto* save = std::get_if<peer::Save>(&*output)) saves.push_back(*save);
            if (const auto* verdict = std::get_if<peer::MessageSettled>(&*output))
                settled.push_back(*verdict);
        }
    }

    Instant now{1s};
    peer::Client client{{}, Prng(1)};
    peer::LinkId link = 0;
    int disconnects = 0;
    std::vector<std::string> sent;
    std::vector<peer::AckLost> lost_acks;
    std::vector<peer::Save> saves;
    std::vector<peer::MessageSettled> settled;
};

}  // namespace

TEST_CASE("what is emitted after the heartbeat's deadline goes by the next link, and is answered") {
    Page page;
    page.sent.clear();
    page.now += 499ms;
    REQUIRE(page.emit(R"(["in time"])"));
    CHECK(page.sent == std::vector<std::string>{R"(42["in time"])"});
    page.now += 1ms;  // asleep: no timer has told
    const auto id = page.emit(R"(["after sleep"])", true);
    REQUIRE((id && *id));
    CHECK(page.disconnects == 1);
    CHECK(page.sent.size() == 1);
    page.now += 10s;
    page.client.handle_timeout(page.now);
    page.connect();
    CHECK(page.sent.back() == "42" + std::to_string(**id) + R"(["after sleep"])");
    CHECK(page.lost_acks.empty());
}

TEST_CASE("what is larger than the server said it takes is refused, and the link lives on") {
    Page page(R"(,"maxPayload":100)");
    page.sent.clear();
    const std::string fits = R"([")" + std::string(94, 'x') + R"("])";
    const std::string too_large = R"([")" + std::string(95, 'x') + R"("])";
    CHECK(page.emit(fits));
    CHECK(page.emit(too_large, true).error() == peer::EmitError::too_large);
    CHECK(page.sent == std::vector<std::string>{"42" + fits});
    CHECK_FALSE(page.client.acknowledge(chat, 1, too_large, {}));
    CHECK(page.client.acknowledge(chat, 1, "[1]", {}));
    page.drain();
    CHECK(page.sent.back() == "431[1]");
    CHECK(page.disconnects == 0);
    CHECK(page.lost_acks.empty());
}

TEST_CASE(
    "what waited for the connection and turns out to be too large is told, and the rest is sent") {
    Page page(R"(,"maxPayload":100)");
    page.client.handle_link_closed(page.link, page.now);
    page.drain();
    const auto id = page.emit(R"([")" + std::string(100, 'x') + R"("])", true);
    REQUIRE((id && *id));
    REQUIRE(page.emit(R"(["small"])"));
    page.now += 10s;
    page.client.handle_timeout(page.now);
    page.connect(R"(,"maxPayload":100)");
    REQUIRE(page.lost_acks.size() == 1);
    CHECK(page.lost_acks[0].id == **id);
    CHECK(page.lost_acks[0].why == peer::AckLost::Why::too_large);
    CHECK(page.sent.back() == R"(42["small"])");
}

TEST_CASE("a server that tells no maximum is not held to a guess") {
    Page page;
    page.sent.clear();
    CHECK(page.emit(R"([")" + std::string(1'500'000, 'x') + R"("])"));
    CHECK(page.sent.size() == 1);
}

TEST_CASE(
    "a durable message too large for a stock server is rejected instead of ending every link") {
    peer::RestoredLane lane;
    lane.producer = {ProducerId(std::string(32, 'a')), ProducerSecret(std::string(32, 'b'))};
    Page page(R"(,"maxPayload":1000)", lane);
    const auto sequence =
        page.client.emit_durable(chat, R"([")" + std::string(2'000, 'x') + R"("])", page.now);
    REQUIRE(sequence);
    REQUIRE(page.client.emit_durable(chat, R"(["small"])", page.now));
    page.drain();
    for (const auto& save : page.saves) page.client.handle_saved(chat, save.token, page.now);
    page.drain();
    REQUIRE(page.settled.size() == 1);
    CHECK(page.settled[0].sequence == *sequence);
    CHECK_FALSE(page.settled[0].accepted);
    CHECK(page.settled[0].body.find("too_large") != std::string::npos);
    CHECK(page.sent.back() == R"(421["small"])");
    CHECK(page.disconnects == 0);
}

TEST_CASE("a reconnection that is forbidden while it waits is not made") {
    Page page;
    page.client.handle_link_closed(page.link, page.now);
    page.drain();
    REQUIRE(page.client.next_timeout());
    peer::Client::Options options;
    options.reconnection = false;
    page.client.set_options(options);
    CHECK_FALSE(page.client.next_timeout());
    page.client.handle_timeout(page.now + 10s);
    CHECK_FALSE(page.client.poll_output());
    page.client.connect(chat, page.now);
    CHECK(std::holds_alternative<peer::AttemptBegun>(page.client.poll_output().value()));
}

TEST_CASE("a client that nobody wants is at rest") {
    Page page;
    CHECK_FALSE(page.client.is_at_rest());
    page.client.handle_link_closed(page.link, page.now);
    page.drain();
    CHECK_FALSE(page.client.is_at_rest());
    page.client.disconnect(chat, page.now);
    page.drain();
    CHECK(page.client.is_at_rest());
}

TEST_CASE("a client is not at rest while its last words are under way, or a message waits") {
    peer::Client::Options options;
    options.engine.transports = {TransportKind::polling};
    peer::Client client(options, Prng(1));
    const Instant now{1s};
    client.open(now);
    while (client.poll_output()) {
    }
    client.handle_response(1, false, 200, greeting(""), now);
    while (client.poll_output()) {
    }
    client.close(now);
    while (client.poll_output()) {
    }
    CHECK(client.is_at_rest());  // its only word, the end, has left

    peer::RestoredLane lane;
    lane.producer = {ProducerId(std::string(32, 'a')), ProducerSecret(std::string(32, 'b'))};
    client.open_namespace("/", lane);
    CHECK(client.is_at_rest());
    REQUIRE(client.emit_durable(0, R"(["kept"])", now));
    while (client.poll_output()) {
    }
    CHECK_FALSE(client.is_at_rest());
}

}  // namespace client_link_test
