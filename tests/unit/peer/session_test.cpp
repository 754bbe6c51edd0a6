// Which session a client asks to come back to: the one it lost, and never one that it left.
#include <catch2/catch.hpp>

#include <chrono>
#include <variant>

#include "shared/peer/client.hpp"

namespace client_session_test {

using namespace oncewire;

namespace {

const Instant now{std::chrono::seconds{1}};

/// A client in two namespaces, so that leaving one keeps the link, and the server's side of it by hand.
class Place {
  public:
    Place() : client_(options(), Prng(1)) {
        other_ = client_.open_namespace("/other", std::nullopt);
        index_ = client_.open_namespace("/", std::nullopt);
        client_.connect(other_, now);
        client_.connect(index_, now);
    }

    /// Everything to be done, done; the last CONNECT of "/", or nothing.
    std::string settle() {
        std::string connect;
        while (const auto output = client_.poll_output()) {
            if (const auto* open = std::get_if<peer::OpenLink>(&*output)) greet(open->link);
            if (const auto* ask = std::get_if<peer::AskAuth>(&*output))
                client_.provide_auth(ask->index, "{}", now);
            const auto* sent = std::get_if<peer::SendFrame>(&*output);
            if (!sent || !sent->frame.bytes.starts_with("40")) continue;
            if (sent->frame.bytes.starts_with("40/other")) {
                say(R"(40/other,{"sid":"o","pid":"po"})");
            } else {
                connect = sent->frame.bytes;
                say(R"(40{"sid":"s","pid":"p"})");
            }
        }
        return connect;
    }

    void lose_link() {
        client_.handle_link_closed(link_, now);
        (void)settle();
        client_.handle_timeout(client_.next_timeout().value());
    }
    void leave() { client_.disconnect(index_, now); }
    void come_back() { client_.connect(index_, now); }
    void say(std::string_view text) { client_.handle_frame(link_, {FrameType::text, text}, now); }

  private:
    static peer::Client::Options options() {
        peer::Client::Options made;
        made.engine.transports = {engineio::TransportKind::websocket};
        return made;
    }
    void greet(peer::LinkId link) {
        link_ = link;
        client_.handle_link_opened(link, now);
        say(R"(0{"sid":"e","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000})");
    }

    peer::Client client_;
    peer::NamespaceIndex index_ = 0, other_ = 0;
    peer::LinkId link_ = 0;
};

}  // namespace

TEST_CASE("a client asks for the session that it lost, and for none that it left") {
    Place place;
    CHECK(place.settle() == "40");
    place.say(R"(42["said","e.1"])");
    place.lose_link();
    CHECK(place.settle() == R"(40{"pid":"p","offset":"e.1"})");

    place.leave();
    CHECK(place.settle().empty());
    place.come_back();
    CHECK(place.settle() == "40");
}

}  // namespace client_session_test
