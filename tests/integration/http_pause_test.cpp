// Bodies wait in their sockets while whoever takes them has enough to do.
#include <catch2/catch.hpp>

#include <atomic>
#include <chrono>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/net/http_server.hpp"
#include "server/net/listener.hpp"
#include "tests/integration/quick_server.hpp"
#include "tests/integration/tcp_client.hpp"

namespace http_pause_test {

using namespace integration;
using oncewire::Millis;
namespace net = oncewire::net;

namespace {

/// Has one session, "s", and takes whatever it is sent.
class Host : public net::EngineHost {
  public:
    net::SessionKind session_kind(std::string_view sid) override {
        return sid == "s" ? net::SessionKind::polling : net::SessionKind::unknown;
    }
    bool asks_admission() override { return false; }
    std::optional<net::Seat> take_seat_by_proxy(const std::string&) override { return net::Seat(); }
    std::optional<net::Seat> take_websocket_seat(const net::HttpRequest&) override {
        return net::Seat();
    }
    void handle_handshake(net::RequestId, const net::HttpRequest&) override {}
    bool is_busy() override { return busy; }
    bool is_leaving() override { return false; }
    bool takes_others() override { return true; }
    void handle_other(net::RequestId id, const net::HttpRequest& request) override {
        taken.push_back({id, request.body});
    }
    void handle_get(net::RequestId, const net::HttpRequest&) override {}
    bool handle_post_begun(const net::HttpRequest&) override { return ++begun; }
    void handle_post(net::RequestId id, const net::HttpRequest& request) override {
        taken.push_back({id, request.body});
    }
    void handle_post_aborted(const net::HttpRequest&) override { ++aborted; }
    void handle_abandoned(net::RequestId, const net::HttpRequest&) override {}
    void handle_upgrade(net::Upgraded) override {}
    void handle_foreign(std::string_view, net::Foreign) override {}

    bool busy = false;
    int begun = 0;
    int aborted = 0;
    std::vector<std::pair<net::RequestId, std::string>> taken;
};

/// A server on this thread: it does nothing but in run_until().
struct World {
    explicit World(net::HttpServer::Options options = {}) : server(loop, std::move(options), host) {
        const auto bound = listener.listen({"127.0.0.1", 0}, false);
        REQUIRE(bound);
        port = *bound;
    }

    template <class Condition>
    void run_until(const Condition& is_met) {
        const auto limit = std::chrono::steady_clock::now() + patience;
        while (!is_met() && std::chrono::steady_clock::now() < limit) {
            loop.turn(Millis(5));
        }
        REQUIRE(is_met());
    }

    net::Loop loop;
    Host host;
    net::HttpServer server;
    net::Listener listener{loop, [this](int socket, std::string address) {
                               server.serve(socket, {std::move(address)});
                           }};
    std::uint16_t port = 0;
};

const std::string post = "POST /socket.io/?EIO=4&transport=polling&sid=s HTTP/1.1\r\nHost: a\r\n";

}  // namespace

TEST_CASE("a body waits while its taker is busy, and goes on when it is not") {
    World world;
    world.host.busy = true;
    TcpClient whole(world.port), cut(world.port), other(world.port);
    whole.send(post + "Content-Length: 2\r\n\r\n40");
    cut.send(post + "Transfer-Encoding: chunked\r\n\r\n1\r\n4");
    other.send("PUT /other HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
    world.run_until([&] { return world.host.begun == 2; });
    cut.send("\r\n1\r\n0\r\n0\r\n\r\n");
    world.loop.turn(Millis(0));
    CHECK(world.host.taken.empty());
    world.server.resume();  // too early
    world.loop.turn(Millis(0));
    CHECK(world.host.taken.empty());
    world.host.busy = false;
    world.server.resume();
    world.run_until([&] { return world.host.taken.size() == 3; });
    for (const auto& [id, body] : world.host.taken) CHECK((body == "40" || body == "hello"));
    CHECK(world.host.aborted == 0);
}

TEST_CASE("the time in which a body waits is not its sender's") {
    net::HttpServer::Options options;
    options.engine.server.body_timeout = Millis(2000);
    World world(options);
    world.host.busy = true;
    TcpClient client(world.port);
    client.send(post + "Content-Length: 2\r\n\r\n4");
    world.run_until([&] { return world.host.begun == 1; });
    bool has_passed = false;
    net::Loop::Timer timer(world.loop, [&] { has_passed = true; });
    timer.set_after(Millis(2500));
    world.run_until([&] { return has_passed; });
    CHECK(world.host.aborted == 0);
    client.send("0");
    world.host.busy = false;
    world.server.resume();
    world.run_until([&] { return world.host.taken.size() + world.host.aborted > 0; });
    CHECK(world.host.aborted == 0);
    // And what was left of it still ends.
    world.host.busy = true;
    TcpClient slow(world.port);
    slow.send(post + "Content-Length: 2\r\n\r\n4");
    world.run_until([&] { return world.host.begun == 2; });
    world.host.busy = false;
    world.server.resume();
    world.run_until([&] { return world.host.aborted == 1; });
}

TEST_CASE("posts are taken no faster than they are stored") {
    constexpr int sessions = 150;
    constexpr int events = 100;  // of each; in all four times what the sequencer's mailbox holds
    const auto is_open = std::make_shared<std::atomic<bool>>(false);
    oncewire::core::Server::Options options;
    options.server.ping_interval = patience;
    options.server.ping_timeout = patience;
    QuickServer server(std::move(options), [is_open](oncewire::api::Application& io) {
        io.on_durable("kept", [is_open](oncewire::api::Tx&, const oncewire::api::Message&) {
            is_open->wait(false);
            return oncewire::api::accept();
        });
    });
    const auto let_go = [is_open] {
        *is_open = true;
        is_open->notify_all();
    };
    const std::shared_ptr<void> at_the_end(nullptr, [let_go](void*) { let_go(); });
    const std::string path = "/socket.io/?EIO=4&transport=polling";
    std::string body = R"(42["kept"])";
    for (int i = 1; i < events; ++i) body += std::string("\x1e") + R"(42["kept"])";
    const auto post_of = [&](const std::string& sid, const std::string& packets) {
        return "POST " + path + sid +
               " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(packets.size()) +
               "\r\n\r\n" + packets;
    };
    std::list<TcpClient> crowd;
    std::vector<std::string> sids;
    for (int i = 0; i < sessions; ++i) {
        TcpClient& client = crowd.emplace_back(server.port());
        client.send(get(path));
        const std::string open = receive_answer(client).body;
        const std::string sid = "&sid=" + open.substr(9, open.find('\"', 9) - 9);
        client.send(post_of(sid, "40"));
        REQUIRE(receive_answer(client).body == "ok");
        client.send(get(path + sid));
        REQUIRE(receive_answer(client).body.starts_with("40{"));
        sids.push_back(sid);
    }
    // From here on nothing is stored, and whoever posts waits when the mailbox is full.
    auto sid = sids.begin();
    for (TcpClient& client : crowd) client.send(post_of(*sid++, body));
    // As long as nothing is stored there is room for a mailbox, and for what was taken out of one.
    std::size_t taken = 0;
    for (TcpClient& client : crowd) taken += client.receive(Millis(20)) ? 1 : 0;
    CHECK(taken < 100);
    let_go();
    for (TcpClient& client : crowd) CHECK(receive_answer(client).body == "ok");
}

}  // namespace http_pause_test
