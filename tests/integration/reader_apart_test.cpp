// Long histories are read on a thread of their own, while others store.
#include <catch2/catch.hpp>
#include <string>
#include <thread>

#include "server/store/overlay/overlay.hpp"
#include "server/store/sqlite/store.hpp"
#include "tests/integration/server_process.hpp"
#include "tests/integration/tcp_client.hpp"

namespace reader_apart_test {

using namespace integration;
using namespace oncewire;

namespace {

/// Stores messages `first` to `last`, 100 at a time, and reads what it is told. False: it was cut off.
bool store(WebSocketClient& writer, int first, int last) {
    for (int i = first; i <= last; ++i) {
        const std::string number = std::to_string(i);
        writer.send_text("42" + number + R"(["chat message","text )" + number + "\"]");
        if (i % 100 != 0 && i != last) continue;
        const std::string answer = "43" + number + '[';
        std::optional<std::string> text;
        do text = writer.receive_text();
        while (text && !text->starts_with(answer));
        if (!text) return false;
    }
    return true;
}

}  // namespace

TEST_CASE(
    "who reads a long history misses nothing of what is stored meanwhile, and gets nothing twice") {
    constexpr int stored_before = 3'000, stored_meanwhile = 2'000;
    TemporaryDirectory directory;
    ServerProcess server(
        {.flags = {"--port", "0", "--db", directory.path("chat.db"), "--limits", "off"}});
    WebSocketClient writer(server.port());
    writer.receive_text();
    REQUIRE(writer.join());
    REQUIRE(store(writer, 1, stored_before));

    WebSocketClient reader(server.port());
    reader.receive_text();
    REQUIRE(reader.join(R"({"serverOffset":0})"));
    bool are_stored = false;
    std::thread meanwhile(
        [&] { are_stored = store(writer, stored_before + 1, stored_before + stored_meanwhile); });
    int expected = 1;
    while (expected <= stored_before + stored_meanwhile) {
        const auto text = reader.receive_text();
        if (!text) break;
        if (*text == "2") reader.send_text("3");
        if (!text->starts_with(R"(42["chat message")")) continue;
        const std::string wanted =
            "\"text " + std::to_string(expected) + "\"," + std::to_string(expected);
        if (text->find(wanted) == text->npos) break;
        ++expected;
    }
    meanwhile.join();
    CHECK(are_stored);
    CHECK(expected == stored_before + stored_meanwhile + 1);
}

TEST_CASE("a thread reads while another stores") {
    TemporaryDirectory directory;
    constexpr delivery::Offset count = 500;
    const auto opened = store::SqliteStore::open(directory.path("chat.db"), {"e1"});
    REQUIRE(opened);
    store::Store& store = **opened;
    store::Overlay overlay(store);
    auto reading = store.open_reading();
    delivery::Offset newest = 0;
    bool is_whole = true;
    std::thread reader([&] {
        while (is_whole && newest < count) {
            const auto head = reading->look();
            const auto entries = reading->read({"/,a"}, 0, count, 1u << 20);
            is_whole = head && entries && entries->size() == head->offset && head->offset >= newest;
            if (is_whole) newest = head->offset;
            reading->let_go();
        }
    });
    for (delivery::Offset offset = 1; offset <= count; ++offset) {
        REQUIRE(overlay.log.append("/,a", "[1]", {}));
        REQUIRE(overlay.write().outcome == store::WriteOutcome::committed);
    }
    reader.join();
    CHECK(is_whole);
    reading.reset();
}

}  // namespace reader_apart_test
