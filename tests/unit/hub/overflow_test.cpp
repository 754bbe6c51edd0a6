// Whoever does not read, while it is told more and more: its connection is over the moment that is too much,
// whatever the application and the sequencer still have to say to it.
#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <variant>
#include <vector>

#include "server/hub/hub.hpp"
#include "tests/unit/support/small_server.hpp"

namespace hub_overflow_test {

using namespace oncewire;
using namespace oncewire::hub;

namespace {

Hub::Options small(bool recovery = false) {
    Hub::Options options;
    options.send_queue_bytes = 1000;
    if (recovery) options.server.connection_state_recovery.emplace();
    options.durable_events = {"store"};
    return options;
}

/// A hub whose peers never read.
class Deaf {
  public:
    explicit Deaf(Hub::Options options = small()) : hub(std::move(options)) {}

    ConnectionId open(const std::string& network = "a") {
        Request request;
        request.network = network;
        hub.secrets().add(std::string(hub.secrets().wanted(), 'r'));
        return hub.handle_accept(request, now);
    }
    void say(ConnectionId id, const std::string& text) {
        hub.secrets().add(std::string(hub.secrets().wanted(), static_cast<char>('a' + ++said_)));
        hub.handle_frame(id, {FrameType::text, text}, now);
        drain();
    }
    /// What came out since the last call, of one kind.
    template <class Output>
    std::vector<Output> take() {
        drain();
        std::vector<Output> found;
        for (auto& output : outputs_) {
            if (auto* one = std::get_if<Output>(&output)) found.push_back(std::move(*one));
        }
        std::erase_if(outputs_, [](const auto& it) { return std::holds_alternative<Output>(it); });
        return found;
    }
    template <class Mail>
    std::vector<Mail> take_mail() {
        std::vector<Mail> found;
        for (auto& output : take<ToStore>()) {
            if (auto* mail = std::get_if<Mail>(&output.mail)) found.push_back(std::move(*mail));
        }
        return found;
    }
    /// The session that asks for it, not answered yet.
    SocketId ask(ConnectionId id, const std::string& packet) {
        say(id, packet);
        const auto asked = take<ConnectAsked>();
        REQUIRE(asked.size() == 1);
        return asked.front().socket;
    }
    SocketId join(ConnectionId id, const std::string& packet = "40") {
        const SocketId socket = ask(id, packet);
        hub.sockets().accept(socket, {}, now);
        drain();
        return socket;
    }
    void overflow(SocketId socket) {
        take<Write>();
        for (int i = 0; i < 100 && !hub.sockets().sid_of(socket).empty(); ++i)
            hub.sockets().acknowledge(socket, 1, "[\"" + std::string(500, 'x') + "\"]");
        REQUIRE(hub.sockets().sid_of(socket).empty());
    }

    Hub hub;
    Instant now{Millis{1000}};

  private:
    void drain() {
        while (auto output = hub.poll_output()) outputs_.push_back(std::move(*output));
    }

    std::vector<HubOutput> outputs_;
    int said_ = 0;
};

const std::string capable =
    R"({"oncewire":{"version":1,"producer":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",)"
    R"("secret":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}})";

}  // namespace

TEST_CASE("a session whose peer read too little is over at once, and is told gone once") {
    Deaf deaf;
    const auto id = deaf.open();
    const std::string sid(deaf.hub.status_of(id).engine_sid);
    const auto socket = deaf.join(id);
    deaf.say(id, "40/more,");
    deaf.overflow(socket);

    CHECK_FALSE(deaf.hub.find_by_sid(sid));
    CHECK_FALSE(deaf.hub.sockets().request_of(socket));
    CHECK(deaf.hub.server().sockets({"/", {}, {}}).empty());
    CHECK(deaf.hub.status_of(id).queued_bytes == 0);
    const auto action = GENERATE(0, 1, 2, 3, 4);
    if (action == 0) deaf.hub.sockets().disconnect(socket, true, deaf.now);
    if (action == 1) deaf.hub.server().disconnect_sockets({{"/", {}, {}}, false});
    if (action == 2) deaf.hub.sockets().reject(socket, "{}", deaf.now);
    if (action == 3) deaf.hub.sockets().accept(socket, {}, deaf.now);
    if (action == 4) deaf.hub.server().emit_with_ack({socket}, "/", R"(["a"])", {}, std::nullopt);
    deaf.hub.sockets().emit(socket, R"(["late"])");
    deaf.hub.sockets().join(socket, "room");
    deaf.say(id, R"(42["late"])");

    CHECK(deaf.take<Write>().empty());  // a part of it would pass for all
    CHECK(deaf.take<EventArrived>().empty());
    CHECK(deaf.take<CloseTransport>().size() == 1);
    const auto gone = deaf.take<SocketGone>();
    REQUIRE(gone.size() == 2);
    CHECK(std::count_if(gone.begin(), gone.end(), [&](const auto& one) {
              return one.socket == socket && one.was_connected &&
                     one.reason == socketio::DisconnectReason::transport_error;
          }) == 1);
    CHECK(deaf.hub.counts().connections_open == 0);
    CHECK(deaf.hub.counts().sockets_open == 0);
}

TEST_CASE("a CONNECT that is answered after its peer read too little is not heard of any more") {
    Deaf deaf;
    const auto id = deaf.open();
    const auto socket = deaf.join(id);
    const auto other = deaf.ask(id, "40/other,");
    deaf.overflow(socket);
    GENERATE(true, false) ? deaf.hub.sockets().accept(other, {}, deaf.now)
                          : deaf.hub.sockets().reject(other, "{}", deaf.now);
    CHECK(deaf.take<SocketConnected>().size() == 1);  // of the first
    CHECK(deaf.take<SocketGone>().size() == 2);
}

TEST_CASE("answers of the sequencer come after their peer read too little") {
    Deaf deaf;
    const auto id = deaf.open();
    const auto socket = deaf.join(id);
    const auto other = deaf.ask(id, "40/other," + capable);
    deaf.hub.sockets().accept(other, {}, deaf.now);
    REQUIRE(deaf.take_mail<mail::Attach>().size() == 1);
    // As one batch of the sequencer: a durable event was answered, and then the second CONNECT.
    const auto verdict = store::accept('"' + std::string(6000, 'x') + '"');
    deaf.hub.handle_mail(mail::Answered{{0, socket}, 1, verdict}, deaf.now);
    deaf.hub.handle_mail(mail::Attached{{0, other}, 1, {}}, deaf.now);
    CHECK(deaf.take<SocketGone>().size() == 2);
    CHECK(deaf.take<CloseTransport>().size() == 1);
    CHECK(deaf.take_mail<mail::Detach>().size() == 1);
}

TEST_CASE("a session is not resumed when its peer read too little meanwhile") {
    Deaf deaf(small(true));
    const auto id = deaf.open();
    const auto socket = deaf.join(id);
    deaf.hub.handle_mail(mail::SessionOpened{{0, socket}, "p", "s", {}, {}, false, {}}, deaf.now);
    const auto other = deaf.join(id, R"(40/other,{"pid":"q","offset":"e.1"})");
    mail::SessionOpened opened{{0, other}, "q", "t", {}, {}, true, {}};
    opened.position = {{"e"}, 1};
    deaf.overflow(socket);
    deaf.hub.handle_mail(std::move(opened), deaf.now);
    CHECK(deaf.take_mail<mail::ReadPage>().empty());
    const auto gone = deaf.take<SocketGone>();
    CHECK(gone.size() == 2);
    CHECK(deaf.take<SocketConnected>().size() == 1);  // of the first
}

TEST_CASE("a handler that says much and disconnects costs one connection") {
    api::Application application;
    application.of("/").on_connection([](api::Socket socket) {
        socket.emit("much", std::string(200'000, 'x'));
        socket.disconnect();
    });
    SmallServer server(application);
    const auto bystander = server.open();
    const auto client = server.open();
    server.stop_taking(client);
    for (int i = 0; i < 40; ++i) server.send(client, "40");
    CHECK_FALSE(server.is_open(client));
    CHECK(server.is_open(bystander));
}

TEST_CASE("what waits for the readers of one network has a bound of its own") {
    auto options = small();
    options.network_queue_bytes = 4000;
    options.limits_networks = GENERATE(true, false);
    Deaf deaf(options);
    const auto first = deaf.open("a"), second = deaf.open("a"), other = deaf.open("b");
    const auto emit = [&](ConnectionId id) {
        const auto socket = deaf.join(id);
        for (int i = 0; i < 6; ++i)
            deaf.hub.sockets().emit(socket, '[' + std::string(500, '1') + ']');
    };
    emit(first);
    emit(other);
    CHECK(deaf.take<CloseTransport>().empty());
    emit(second);
    const auto closed = deaf.take<CloseTransport>();
    REQUIRE(closed.size() == (options.limits_networks ? 1 : 0));
    if (!closed.empty()) CHECK(closed.front().connection == second);
}

TEST_CASE("what the peers of one network let wait for its attachments has a bound of its own") {
    auto options = small();
    options.server.max_http_buffer_size = 30'000;
    options.network_attachments_bytes = 60'000;
    options.limits_networks = GENERATE(true, false);
    Deaf deaf(options);
    const auto attach = [&](ConnectionId id, std::size_t bytes) {
        deaf.hub.handle_frame(id, {FrameType::binary, std::string(bytes, 'x')}, deaf.now);
    };
    // Each is counted with some 10,000.
    const auto begin = [&](const std::string& network) {
        const auto id = deaf.open(network);
        deaf.join(id);
        deaf.say(id, R"(452-["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}])");
        attach(id, 26'300);
        return id;
    };
    const auto closed = [&] {
        std::vector<ConnectionId> ids;
        for (const auto& each : deaf.take<CloseTransport>()) ids.push_back(each.connection);
        return ids;
    };
    using Ids = std::vector<ConnectionId>;
    const auto first = begin("a");
    for (int i = 1; i < 6; ++i) begin("a");
    CHECK(closed() == Ids{});
    const auto seventh = begin("a");
    CHECK(closed() == (options.limits_networks ? Ids{seventh} : Ids{}));
    begin("b");
    CHECK(closed() == Ids{});
    attach(first, 1);  // the packet is whole
    deaf.hub.handle_transport_closed(begin("a"), engineio::CloseReason::transport_close, deaf.now);
    closed();
    begin("a");
    CHECK(closed() == Ids{});
    const auto last = begin("a");
    CHECK(closed() == (options.limits_networks ? Ids{last} : Ids{}));
}

TEST_CASE("one connection joins namespaces as often as people do") {
    Deaf deaf;
    const auto id = deaf.open();
    const auto churn = [&] {
        deaf.say(id, "40");
        const auto asked = deaf.take<ConnectAsked>();
        if (asked.empty()) return false;
        deaf.hub.sockets().accept(asked.front().socket, {}, deaf.now);
        deaf.say(id, "41");
        for (const auto& write : deaf.take<Write>())
            deaf.hub.handle_written(write.connection, deaf.now);
        return true;
    };
    std::uint32_t joined = 0;
    while (joined < 1000 && churn()) ++joined;
    CHECK(joined == limits::connects_at_once);
    const auto told = deaf.take<Write>();
    REQUIRE_FALSE(told.empty());
    CHECK(told.back().frames.back()->bytes.starts_with(R"(44{"message":"too many connects)"));
    deaf.hub.handle_written(id, deaf.now);
    deaf.now += limits::connect_every;
    CHECK(churn());
    CHECK_FALSE(churn());
    CHECK(deaf.take<CloseTransport>().empty());
}

TEST_CASE("the auth of a CONNECT is short") {
    Deaf deaf;
    const auto id = deaf.open();
    deaf.take<Write>();
    deaf.hub.handle_written(id, deaf.now);
    deaf.say(id, R"(40{"token":")" + std::string(limits::auth_bytes, 'x') + "\"}");
    CHECK(deaf.take<ConnectAsked>().empty());
    const auto told = deaf.take<Write>();
    REQUIRE(told.size() == 1);
    CHECK(told.front().frames.back()->bytes.starts_with(R"(44{"message":"auth is too large)"));
    deaf.join(id, R"(40{"token":")" + std::string(limits::auth_bytes - 100, 'x') + "\"}");
}

TEST_CASE("auth is there until the connection handlers have returned") {
    api::Application application;
    std::vector<std::string> seen;
    const auto look = [&](const api::Socket& socket) {
        seen.push_back(socket.handshake().auth_value<std::string>("token").value_or(""));
    };
    application.of("/").use([&](const api::Socket& socket, const api::Next& next) {
        look(socket);
        next();
    });
    application.of("/").on_connection([&](api::Socket socket) {
        look(socket);
        socket.on("look", [&, socket] { look(socket); });
    });
    SmallServer server(application);
    const auto client = server.connect(R"(40{"token":"t"})");
    server.send(client, R"(42["look"])");
    CHECK(seen == std::vector<std::string>{"t", "t", ""});
}

TEST_CASE("any core can tell whose session it is") {
    for (const int core : {0, 1, 255, 256, 300, 65534}) {
        Hub::Options options;
        options.core = static_cast<std::uint16_t>(core);
        options.server.cores = 65535;
        Deaf deaf(options);
        CHECK(Hub::owner_of(deaf.hub.status_of(deaf.open()).engine_sid) == core);
    }
}

}  // namespace hub_overflow_test
