// Where a core waits: descriptors, timers, and what is left for later.
#include "server/net/loop.hpp"

#include <catch2/catch.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace loop_test {

using oncewire::Millis;
using oncewire::net::Loop;
using oncewire::net::Watcher;

namespace {

/// Two ends of a connection; the loop watches the first.
class Pair final : public Watcher {
  public:
    explicit Pair(Loop& loop, bool takes_note = false) : loop_(loop), takes_note_(takes_note) {
        REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends_.data()) == 0);
        REQUIRE(loop_.watch(ends_[0], EPOLLIN, *this));
    }
    ~Pair() override {
        loop_.forget(ends_[0]);
        for (const int end : ends_) close(end);
    }
    Pair(const Pair&) = delete;

    void handle_ready(int descriptor, std::uint32_t) override {
        ++told;
        char byte = 0;
        CHECK(recv(descriptor, &byte, 1, 0) == 1);
        if (on_ready) on_ready();
    }
    bool takes_note() const override { return takes_note_; }
    void say() { CHECK(send(ends_[1], "x", 1, 0) == 1); }
    int socket() const { return ends_[0]; }

    int told = 0;
    std::function<void()> on_ready;

  private:
    Loop& loop_;
    bool takes_note_;
    std::array<int, 2> ends_{};
};

}  // namespace

TEST_CASE("who watches a descriptor hears of it as long as it is watched") {
    Loop loop;
    Pair pair(loop);
    loop.turn(Millis(0));
    CHECK(pair.told == 0);
    pair.say();
    pair.say();
    loop.turn();
    loop.turn();
    CHECK(pair.told == 2);
    loop.unwatch(pair.socket());
    pair.say();
    loop.turn(Millis(0));
    CHECK(pair.told == 2);
    CHECK(loop.watch(pair.socket(), EPOLLIN, pair));
    loop.turn();
    CHECK(pair.told == 3);
}

TEST_CASE("a descriptor changes hands") {
    Loop loop;
    Pair first(loop), second(loop);
    CHECK(loop.watch(first.socket(), EPOLLIN, second));
    first.say();
    loop.turn();
    CHECK((first.told == 0 && second.told == 1));
}

TEST_CASE("a glance tells those who take note, and the others later") {
    Loop loop;
    Pair notes(loop, true), acts(loop);
    notes.say();
    acts.say();
    loop.glance();
    CHECK((notes.told == 1 && acts.told == 0));
    loop.turn();
    CHECK((notes.told == 1 && acts.told == 1));
}

TEST_CASE("timers fire in their order, not before their time, and once") {
    Loop loop;
    std::string fired;
    Loop::Timer a(loop, [&] { fired += 'a'; });
    Loop::Timer b(loop, [&] { fired += 'b'; });
    Loop::Timer never(loop, [&] { fired += 'n'; });
    const auto begun = loop.now();
    a.set(begun + Millis(30));
    b.set(begun + Millis(10));
    never.set_after(Millis(5));
    never.stop();
    CHECK_FALSE(never.due());
    b.set(begun + Millis(20));
    CHECK(b.due() == begun + Millis(20));
    while (fired.size() < 2) loop.turn();
    CHECK(fired == "ba");
    CHECK(loop.now() >= begun + Millis(30));
    loop.turn(Millis(0));
    CHECK(fired == "ba");
}

TEST_CASE("a timer may be set again, or go, while it fires") {
    Loop loop;
    int fired = 0;
    std::unique_ptr<Loop::Timer> timer;
    timer = std::make_unique<Loop::Timer>(loop, [&] {
        if (++fired < 3) return timer->set_after(Millis(0));
        timer.reset();
    });
    timer->set_after(Millis(0));
    while (timer) loop.turn();
    CHECK(fired == 3);
}

TEST_CASE("what is left for later is done in the next turn, and what it leaves in the one after") {
    Loop loop;
    std::string done;
    loop.later([&] {
        done += '1';
        loop.later([&] { done += '3'; });
    });
    loop.later([&] { done += '2'; });
    loop.turn();
    CHECK(done == "12");
    loop.turn();
    CHECK(done == "123");
}

TEST_CASE("who throws costs nobody else a turn") {
    Loop loop;
    Pair thrower(loop), other(loop);
    bool is_done = false;
    thrower.on_ready = [] { throw std::runtime_error("on purpose"); };
    loop.later([] { throw std::runtime_error("on purpose"); });
    loop.later([&] { is_done = true; });
    thrower.say();
    other.say();
    int thrown = 0;
    for (int i = 0; i < 3; ++i) {
        try {
            loop.turn(Millis(0));
        } catch (const std::runtime_error&) {
            ++thrown;
        }
    }
    CHECK(thrown == 2);
    CHECK((other.told == 1 && is_done));
}

}  // namespace loop_test
