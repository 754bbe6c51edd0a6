// What a reader is told who comes back after what it missed was removed.
#include <catch2/catch.hpp>
#include <csignal>
#include <string>
#include <vector>

#include "tests/integration/server_process.hpp"
#include "tests/integration/tcp_client.hpp"

namespace retention_test {

using namespace integration;

namespace {

const std::string capability =
    R"("oncewire":{"version":1,"producer":"0123456789abcdef0123456789abcdef",)"
    R"("secret":"0123456789abcdef0123456789abcdef")";

/// Joins as a client of ours would, at this position of the log if any; what CONNECT was answered.
std::string join_as_ours(WebSocketClient& client, const std::string& position = "") {
    const std::string where = position.empty() ? "" : ",\"position\":\"" + position + '"';
    client.receive_text();
    client.send_text("40{" + capability + where + "}}");
    return client.receive_text().value_or("");
}

}  // namespace

TEST_CASE("a reader who comes back too late is told from where to where, and gets what is left") {
    TemporaryDirectory directory;
    const std::vector<std::string> flags = {
        "--port", "0", "--db", directory.path("chat.db"), "--keep-messages", "2"};
    std::string epoch;
    {
        ServerProcess server({.flags = flags});
        WebSocketClient writer(server.port());
        const std::string answer = join_as_ours(writer);
        const auto at = answer.find("\"position\":\"") + 12;
        epoch = answer.substr(at, answer.find('.', at) - at);
        for (int i = 1; i <= 5; ++i) {
            writer.send_text("42[\"chat message\",\"" + std::to_string(i) + "\"]");
            REQUIRE(writer.receive_text());
        }
        server.signal(SIGTERM);
        CHECK(server.wait() == 0);
    }
    // The first thing a start does is to remove what is too much.
    ServerProcess server({.flags = flags});
    for (std::string heard; heard.find("oncewire:gap") == heard.npos;) {
        WebSocketClient again(server.port());
        join_as_ours(again, epoch + ".1");
        heard = again.receive_text().value_or("oncewire:gap: nothing came");
        if (heard.find("oncewire:gap") == heard.npos) continue;
        CHECK(heard == R"(42["oncewire:gap",2,3])");
        CHECK(again.receive_text().value_or("").starts_with(R"(42["chat message","4")"));
        CHECK(again.receive_text().value_or("").starts_with(R"(42["chat message","5")"));
    }
}

}  // namespace retention_test
