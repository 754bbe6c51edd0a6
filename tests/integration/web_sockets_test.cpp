// The transport alone, on socket pairs: partial writes, turns, goodbyes.
#include "server/net/web_sockets.hpp"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

namespace web_sockets_test {

using namespace oncewire;
using net::TransportInput;
using Kind = net::TransportInput::Kind;

namespace {

Instant at(std::int64_t ms) { return Instant(Millis(ms)); }

net::SharedFrame text(std::string bytes) {
    return std::make_shared<const Frame>(Frame{FrameType::text, std::move(bytes)});
}

/// With a loop of their own.
struct Looped {
    net::Loop loop;
};
struct WebSockets : Looped, net::WebSockets {
    explicit WebSockets(Options options) : net::WebSockets(loop, std::move(options)) {}
};

/// The other end of one connection.
class Peer {
  public:
    Peer(net::WebSockets& web_sockets, net::TransportId id, std::string answer = "",
         std::string unread = "") {
        int ends[2];
        REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
        const int small = 4096;
        setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
        end_ = ends[1];
        web_sockets.open(id, {ends[0], answer, std::move(unread)});
    }
    ~Peer() { hang_up(); }
    Peer(const Peer&) = delete;

    void say(const std::string& bytes) {
        CHECK(write(end_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    }
    /// What has come so far.
    std::string hear() {
        std::string all;
        char piece[65536];
        ssize_t count = 0;
        while ((count = read(end_, piece, sizeof piece)) > 0) {
            all.append(piece, static_cast<std::size_t>(count));
        }
        ended_ = count == 0;
        return all;
    }
    bool ended() {
        hear();
        return ended_;
    }
    void hang_up() {
        if (end_ >= 0) close(end_);
        end_ = -1;
    }

  private:
    int end_ = -1;
    bool ended_ = false;
};

/// Runs one turn and tells what happened, one line each.
std::vector<std::string> turn(WebSockets& web_sockets, std::int64_t now = 0) {
    std::vector<std::string> happened;
    const auto drain = [&] {
        while (const auto input = web_sockets.poll_input()) {
            const std::string id = std::to_string(input->id) + " ";
            switch (input->kind) {
                case Kind::frame:
                    happened.push_back(id + std::string(input->frame.bytes));
                    break;
                case Kind::written:
                    happened.push_back(id + "written");
                    break;
                case Kind::closed:
                    happened.push_back(id + engineio::reason_text(input->reason));
            }
        }
    };
    web_sockets.loop.turn(Millis(0));
    web_sockets.collect();
    drain();
    web_sockets.end_turn(at(now));
    drain();
    return happened;
}

using Happened = std::vector<std::string>;
const std::string masked_hi("\x81\x82\0\0\0\0hi", 8);

}  // namespace

TEST_CASE("the handshake's answer leaves together with the first frames") {
    WebSockets web_sockets({});
    Peer peer(web_sockets, 1, "101\r\n\r\n");
    CHECK(web_sockets.write(1, {text("a"), text("b")}));
    CHECK(peer.hear() ==
          "101\r\n\r\n\x81\x01"
          "a\x81\x01"
          "b");
    Peer silent(web_sockets, 2, "101\r\n\r\n");
    CHECK(silent.hear().empty());
    turn(web_sockets);
    CHECK(silent.hear() == "101\r\n\r\n");
}

TEST_CASE("frames are heard from all who said something, glued bytes first") {
    WebSockets web_sockets({});
    Peer ann(web_sockets, 1), ben(web_sockets, 2, "", masked_hi.substr(0, 5));
    ann.say(masked_hi + masked_hi);
    ben.say(masked_hi.substr(5));
    auto happened = turn(web_sockets);
    std::sort(happened.begin(), happened.end());
    CHECK(happened == Happened{"1 hi", "1 hi", "2 hi"});
    CHECK(turn(web_sockets).empty());
}

TEST_CASE("of what one network has begun and not ended only so much is kept") {
    net::WebSockets::Options options;
    options.unfinished = std::make_shared<net::UnfinishedBytes>(
        net::UnfinishedBytes::Options{.in_all = 1000, .of_one_network = 100, .uncounted = 10});
    WebSockets web_sockets(std::move(options));
    Peer ann(web_sockets, 1), ben(web_sockets, 2), cid(web_sockets, 3);
    const std::string begun("\x81\xfe\x01\xf4\0\0\0\0", 8);  // 500 bytes follow
    ann.say(begun + std::string(80, 'a'));
    CHECK(turn(web_sockets).empty());
    ben.say(begun + std::string(60, 'b'));
    CHECK(turn(web_sockets) == Happened{"2 transport error"});
    CHECK(ben.hear() == std::string("\x88\x02\x03\xf5"));  // 1013: try again later
    // Small ones get in, and one that is whole holds nothing.
    cid.say(masked_hi.substr(0, 7));
    CHECK(turn(web_sockets).empty());
    cid.say(masked_hi.substr(7));
    CHECK(turn(web_sockets) == Happened{"3 hi"});
    ann.say(std::string(420, 'a'));
    CHECK(turn(web_sockets) == Happened{"1 " + std::string(500, 'a')});
    cid.say(begun + std::string(100, 'c'));
    CHECK(turn(web_sockets).empty());
    cid.hang_up();
    turn(web_sockets);
    ann.say(begun + std::string(100, 'a'));
    CHECK(turn(web_sockets).empty());
}

TEST_CASE("one turn takes only so much, however many have much to say") {
    constexpr std::size_t many = 200, packets = 2000;
    WebSockets web_sockets({});
    std::string much;
    for (std::size_t i = 0; i < packets; ++i) much += masked_hi;
    std::vector<std::unique_ptr<Peer>> peers;
    for (std::size_t id = 1; id <= many; ++id) {
        peers.push_back(std::make_unique<Peer>(web_sockets, id));
        peers.back()->say(much);
    }
    std::size_t turns = 0;
    for (std::size_t heard = 0; heard < many * packets; ++turns) {
        const std::size_t count = turn(web_sockets).size();
        REQUIRE(count > 0);
        CHECK(count * masked_hi.size() <= 150'000);
        heard += count;
    }
    CHECK(turns >= many * packets * masked_hi.size() / 150'000);
}

TEST_CASE("what the system does not take is kept, sent later, and then reported") {
    WebSockets web_sockets({});
    Peer slow(web_sockets, 1), slower(web_sockets, 2);
    const std::vector<net::SharedFrame> big = {text(std::string(300'000, 'x')), text("end")};
    CHECK_FALSE(web_sockets.write(1, big));
    CHECK_FALSE(web_sockets.write(2, big));
    CHECK(turn(web_sockets).empty());
    std::string heard;
    Happened happened;
    for (int i = 0; i < 1000 && happened.empty(); ++i) {
        heard += slow.hear();
        happened = turn(web_sockets);
    }
    heard += slow.hear();
    CHECK(happened == Happened{"1 written"});
    CHECK(heard.size() == 10 + 300'000 + 5);
    CHECK(
        heard.ends_with("x\x81\x03"
                        "end"));
    CHECK(web_sockets.write(1, {text("next")}));
    CHECK(slow.hear() == "\x81\x04next");
}

TEST_CASE("pings of one turn are answered once, with the last, behind what is on its way") {
    WebSockets web_sockets({});
    Peer peer(web_sockets, 1);
    const auto ping = [](char c) { return std::string("\x89\x81\0\0\0\0", 6) + c; };
    peer.say(ping('a') + ping('b') + ping('c'));
    CHECK(turn(web_sockets).empty());
    CHECK(peer.hear() ==
          "\x8a\x01"
          "c");
    CHECK_FALSE(web_sockets.write(1, {text(std::string(300'000, 'x'))}));
    for (char c = 'd'; c < 'z'; ++c) {
        peer.say(ping(c));
        turn(web_sockets);
    }
    std::string heard;
    for (Happened happened; happened.empty(); happened = turn(web_sockets)) heard += peer.hear();
    heard += peer.hear();
    CHECK(heard.size() == 10 + 300'000 + 3);
    CHECK(heard.ends_with("x\x8a\x01y"));
}

TEST_CASE("a goodbye follows what was written, and waits for the peer's") {
    WebSockets web_sockets({});
    Peer peer(web_sockets, 1);
    CHECK(web_sockets.write(1, {text("last")}));
    web_sockets.close(1);
    CHECK_FALSE(web_sockets.write(1, {text("too late")}));
    turn(web_sockets);
    CHECK(peer.hear() == std::string("\x81\x04last\x88\x00", 8));
    CHECK(peer.ended());
    CHECK(web_sockets.size() == 1);
    peer.say(masked_hi);
    CHECK(turn(web_sockets).empty());
    peer.hang_up();
    CHECK(turn(web_sockets).empty());
    CHECK(web_sockets.size() == 0);
}

TEST_CASE("a peer that never ends its side is dropped in time") {
    WebSockets web_sockets({.close_timeout = Millis(100)});
    Peer reading(web_sockets, 1), stuck(web_sockets, 2);
    CHECK_FALSE(web_sockets.write(2, {text(std::string(300'000, 'x'))}));
    CHECK_FALSE(web_sockets.next_timeout());
    web_sockets.close(1);
    web_sockets.close(2);
    turn(web_sockets, 1000);
    CHECK(web_sockets.next_timeout() == at(1100));
    web_sockets.handle_timeout(at(1099));
    CHECK(web_sockets.size() == 2);
    web_sockets.handle_timeout(at(1100));
    CHECK(web_sockets.size() == 0);
    CHECK_FALSE(web_sockets.next_timeout());
}

TEST_CASE("the owner is told once how a connection ended, and its id is free at once") {
    WebSockets web_sockets({});
    Peer gone(web_sockets, 1), rude(web_sockets, 2), polite(web_sockets, 3);
    gone.say(masked_hi);
    gone.hang_up();
    rude.say(std::string("\x83\x80\0\0\0\0", 6) + masked_hi);
    polite.say(std::string("\x88\x82\0\0\0\0\x03\xe8", 8));
    auto happened = turn(web_sockets);
    const auto again = turn(web_sockets);
    happened.insert(happened.end(), again.begin(), again.end());
    std::sort(happened.begin(), happened.end());
    CHECK(happened ==
          Happened{"1 hi", "1 transport close", "2 transport error", "3 transport close"});
    CHECK(rude.hear() == "\x88\x02\x03\xea");
    CHECK(polite.hear() == "\x88\x02\x03\xe8");
    web_sockets.close(1);
    Peer next(web_sockets, (1ull << 32) | 1);
    CHECK(web_sockets.write((1ull << 32) | 1, {text("new")}));
    CHECK_FALSE(web_sockets.write(1, {text("old")}));
    CHECK(next.hear() == "\x81\x03new");
}

TEST_CASE("writing to a connection that is gone is no news until the owner looks") {
    WebSockets web_sockets({});
    Peer peer(web_sockets, 1);
    peer.hang_up();
    CHECK_FALSE(web_sockets.write(1, {text("x")}));
    CHECK(turn(web_sockets) == Happened{"1 transport error"});
    CHECK(web_sockets.size() == 0);
}

}  // namespace web_sockets_test
