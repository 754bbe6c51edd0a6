// What our client allows a server, and its own application: each bound at its edge, from limits.hpp.
#include <catch2/catch.hpp>

#include <chrono>
#include <string>
#include <variant>

#include "shared/base/limits.hpp"
#include "shared/engineio/payload.hpp"
#include "shared/peer/client.hpp"

namespace client_limits_test {

using namespace oncewire;

namespace {

const Instant start{std::chrono::seconds{1}};
const std::string greeting =
    R"(0{"sid":"S","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":100000000})";

/// A client whose application joins one namespace, and what it does about what it hears.
class Heard {
  public:
    explicit Heard(bool joins = true) {
        peer::Client::Options options;
        options.engine.transports = {engineio::TransportKind::websocket};
        client_.emplace(options, Prng(1));
        index_ = client_->open_namespace("/", std::nullopt);
        client_->open(start);
        client_->connect(index_, start);
        drain();
        client_->handle_link_opened(link_, start);
        text(greeting);
        client_->provide_auth(index_, "{}", start);
        drain();
        if (joins) text(R"(40{"sid":"x"})");
    }
    /// One text frame of the server.
    void text(const std::string& bytes) {
        client_->handle_frame(link_, {FrameType::text, bytes}, start);
        drain();
    }
    auto emit(std::string data) {
        auto result = client_->emit(index_, std::move(data), {}, {}, start);
        drain();
        return result;
    }
    void leave() { client_->handle_link_closed(link_, start), drain(); }
    bool is_connected() const { return client_->is_connected(index_); }
    int events = 0;
    bool is_closed = false;

  private:
    void drain() {
        while (const auto output = client_->poll_output()) {
            if (const auto* open = std::get_if<peer::OpenLink>(&*output)) link_ = open->link;
            if (std::holds_alternative<peer::EventArrived>(*output)) ++events;
            if (std::holds_alternative<peer::CloseLink>(*output)) is_closed = true;
        }
    }

    std::optional<peer::Client> client_;
    peer::NamespaceIndex index_ = 0;
    peer::LinkId link_ = 0;
};

std::string event_of(std::size_t bytes) {
    const std::string frame = R"(42["x",""])";
    return frame.substr(0, frame.size() - 2) + std::string(bytes - frame.size() + 1, 'x') + "\"]";
}

}  // namespace

TEST_CASE("a client takes a packet of 64 MiB, and closes at more") {
    Heard client;
    client.text(event_of(limits::received_bytes));  // without the '4', one byte less
    CHECK(client.events == 1);
    CHECK(!client.is_closed);
    client.text(event_of(limits::received_bytes + 2));
    CHECK(client.events == 1);
    CHECK(client.is_closed);
}

TEST_CASE("an event of more than 64 MiB is refused before it is sent") {
    Heard client;
    const auto data_of = [](std::size_t bytes) {
        return R"(["x",")" + std::string(bytes - 8, 'x') + "\"]";
    };
    CHECK(client.emit(data_of(limits::emitted_bytes)));
    const auto refused = client.emit(data_of(limits::emitted_bytes + 1));
    REQUIRE(!refused);
    CHECK(refused.error() == peer::EmitError::too_large);
}

TEST_CASE("what is said without a connection waits, 10,000 events of it") {
    Heard client;
    client.leave();
    for (std::uint32_t i = 0; i < limits::send_buffer_packets; ++i)
        REQUIRE(client.emit(R"(["x"])"));
    const auto refused = client.emit(R"(["x"])");
    REQUIRE(!refused);
    CHECK(refused.error() == peer::EmitError::outbox_full);
}

TEST_CASE("what comes before the answer to CONNECT is held, 16 MiB of it") {
    Heard client(false);
    const std::string event = event_of(1u << 20);
    for (int i = 0; i < 16; ++i) client.text(event);
    CHECK(!client.is_closed);
    CHECK(client.events == 0);
    client.text(event);
    CHECK(client.is_closed);
}

TEST_CASE("an answer to a poll has 65,536 packets at most") {
    std::string body = "2";
    for (std::uint32_t i = 1; i < limits::packets_per_payload; ++i)
        body +=
            "\x1e"
            "2";
    CHECK(engineio::decode_payload(body, limits::packets_per_payload));
    CHECK(!engineio::decode_payload(body + "\x1e"
                                           "2",
                                    limits::packets_per_payload));
}

}  // namespace client_limits_test
