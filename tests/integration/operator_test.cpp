// What an operator does to a server's database, while it serves and when it does not.
#include <sys/stat.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "server/operator/operations.hpp"
#include "server/store/sqlite/engine.hpp"
#include "tests/integration/server_process.hpp"
#include "tests/integration/tcp_client.hpp"

namespace operator_test {

using namespace integration;

namespace {

struct Said {
    int status = -1;
    std::string output;
    std::string errors;
};

/// The server's program as a command.
Said command(const std::vector<std::string>& flags) {
    ServerProcess process({.flags = flags});
    Said said;
    said.status = process.wait().value_or(-1);
    said.output = process.output();
    said.errors = process.errors();
    return said;
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

void store_message(const ServerProcess& server, const std::string& text) {
    WebSocketClient client(server.port());
    REQUIRE(client.join());
    client.send_text("420[\"chat message\",\"" + text + "\",\"id " + text + "\"]");
    while (true) {
        const auto answer = client.receive_text();
        REQUIRE(answer);
        if (answer->starts_with("430[null")) return;
    }
}

void damage(const std::string& path, std::streamoff at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(at);
    file << std::string(200, '\x7f');
}

}  // namespace

TEST_CASE("a running server is copied, and whoever starts with the copy begins a new history") {
    TemporaryDirectory directory;
    const std::string database = directory.path("chat.db");
    const std::string copy = directory.path("copy.db");
    {
        ServerProcess server({.flags = {"--port", "0", "--db", database}});
        store_message(server, "before");
        const Said said = command({"--db", database, "--backup", copy});
        CHECK(said.status == 0);
        CHECK(contains(said.output, "backup " + copy + ": 1 messages in 1 rooms"));
        CHECK(contains(said.output, "epoch not begun"));
        store_message(server, "after");
        CHECK(command({"--db", database, "--backup", copy}).status == 1);
    }
    const Said checked = command({"--check", copy});
    CHECK(checked.status == 0);
    CHECK(contains(checked.output, "sound; 1 messages"));

    ServerProcess restored({.flags = {"--port", "0", "--db", copy}});
    store_message(restored, "in the new history");
}

TEST_CASE("a server that is not running is copied all the same") {
    TemporaryDirectory directory;
    const std::string database = directory.path("chat.db");
    const std::string copy = directory.path("copy.db");
    CHECK(command({"--db", database, "--backup", copy}).status == 1);
    {
        ServerProcess server({.flags = {"--port", "0", "--db", database}});
        store_message(server, "one");
        server.signal(SIGKILL);
        server.wait();
    }
    CHECK(command({"--db", database, "--backup", copy}).status == 0);
    CHECK(command({"--check", copy}).status == 0);
    CHECK(command({"--check", database}).status == 0);
}

TEST_CASE("a backup that is stopped by a signal leaves no part of it, and others' files alone") {
    TemporaryDirectory directory;
    const std::string database = directory.path("chat.db");
    const std::string copy = directory.path("copy.db");
    const std::string foreign = copy + ".part-abcdef";
    std::ofstream(foreign) << "precious";
    {
        ServerProcess server({.flags = {"--port", "0", "--db", database}});
        store_message(server, "one");
        server.signal(SIGTERM);
        server.wait();
    }
    const auto files = [&] {
        using std::filesystem::directory_iterator;
        const auto folder = std::filesystem::path(copy).parent_path();
        return std::distance(directory_iterator(folder), directory_iterator());
    };
    const auto before = files();
    // It came while the copy was made: here it waits, and is taken away afterwards.
    sigset_t stop;
    sigset_t blocked_before;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &stop, &blocked_before);
    std::raise(SIGTERM);
    const oncewire::store::SqliteEngine engine;
    const oncewire::ops::Database place{engine, database, {"a new history"}};
    const auto answer = oncewire::ops::back_up(place, copy);
    int taken = 0;
    sigwait(&stop, &taken);
    pthread_sigmask(SIG_SETMASK, &blocked_before, nullptr);
    REQUIRE_FALSE(answer);
    CHECK(answer.error() == "the backup '" + copy + "' was given up");
    CHECK(files() == before);
    CHECK(std::filesystem::file_size(foreign) == 8);
    CHECK(oncewire::ops::back_up(place, copy));
}

TEST_CASE("only its own user may open the control socket, and it is gone with the server") {
    TemporaryDirectory directory;
    const std::string database = directory.path("chat.db");
    {
        ServerProcess server({.flags = {"--port", "0", "--db", database}});
        struct stat status {};
        REQUIRE(stat((database + "-control").c_str(), &status) == 0);
        CHECK((status.st_mode & 0777) == 0600);
        CHECK(contains(command({"--db", database, "--status"}).output, "oncewire_log_offset 0\n"));
        store_message(server, "one");
        const Said said = command({"--db", database, "--status"});
        CHECK(said.status == 0);
        CHECK(contains(said.output, "oncewire_log_offset 1\n"));
        CHECK(contains(said.output, "oncewire_stored_total 1\n"));
        CHECK(contains(said.output, "oncewire_durability{level=\"disk\"} 1\n"));
        CHECK(contains(said.output, "oncewire_accepts_messages 1\n"));
        server.signal(SIGTERM);
        CHECK(server.wait() == 0);
    }
    CHECK_FALSE(std::filesystem::exists(database + "-control"));
    CHECK(command({"--db", database, "--status"}).status == 1);
}

TEST_CASE("an operator asks where a message is, while the server runs and when it does not") {
    TemporaryDirectory directory;
    const std::string database = directory.path("chat.db");
    const std::string sender(32, 'a');
    const auto where = [&](const std::string& key) {
        return command({"--db", database, "--where", key});
    };
    {
        ServerProcess server({.flags = {"--port", "0", "--db", database, "--cores", "2"}});
        CHECK(contains(where(sender + ":1").output, "unknown sender"));
        WebSocketClient reader(server.port());
        REQUIRE(reader.join());
        WebSocketClient client(server.port());
        REQUIRE(client.join(R"({"oncewire":{"version":1,"producer":")" + sender +
                            R"(","secret":")" + std::string(32, 'b') + "\"}}"));
        const auto send = [&client](const std::string& number, const std::string& message) {
            client.send_text("42[\"oncewire:send\"," + number + ",\"000000000000000" + number +
                             "\"," + message + "]");
            while (const auto text = client.receive_text()) {
                if (text->starts_with("42[\"oncewire:verdicts\"," + number)) return;
            }
            FAIL("no verdict");
        };
        send("1", R"(["chat message","hello"])");
        send("2", R"(["no such event"])");
        while (const auto text = reader.receive_text()) {
            if (contains(*text, "\"hello\"")) break;
        }
        const Said said = where(sender + ":1");
        CHECK(said.status == 0);
        CHECK(contains(said.output, "accepted; it published 1:\n  "));
        CHECK(contains(said.output, ".1 in room 'chat' of '/', stored at 20"));
        const auto line = said.output.substr(said.output.find("handed to:"));
        CHECK(std::count(line.begin(), line.begin() + static_cast<long>(line.find('\n')), ' ') ==
              3);
        CHECK(contains(said.output, "still behind: nobody\n"));
        CHECK(contains(where(sender + ":2").output, R"(rejected: {"error":"unknown_event")"));
        CHECK(contains(where(sender + ":3").output, "not here: "));
        CHECK(contains(where(sender + ":3").output, "as far as 2\n"));
        const Said mistaken = where("hello");
        CHECK(mistaken.status == 1);
        CHECK(contains(mistaken.errors, "producer:sequence"));
        server.signal(SIGTERM);
        CHECK(server.wait() == 0);
    }
    const Said said = where(sender + ":1");
    CHECK(said.status == 0);
    CHECK(contains(said.output, ".1 in room 'chat' of '/', stored at 20"));
    CHECK_FALSE(contains(said.output, "handed to"));
    CHECK(where("hello").status == 1);
    CHECK(command({"--db", directory.path("none.db"), "--where", sender + ":1"}).status == 1);
}

TEST_CASE("--check says what it cannot look at") {
    TemporaryDirectory directory;
    const std::string database = directory.path("chat.db");
    const Said missing = command({"--check", database});
    CHECK(missing.status == 1);
    CHECK(contains(missing.errors, "it does not exist"));
    ServerProcess server({.flags = {"--port", "0", "--db", database}});
    const Said locked = command({"--check", database});
    CHECK(locked.status == 1);
    CHECK(contains(locked.errors, "is the server running already?"));
}

TEST_CASE("a damaged database ends the server with 75, before or while it serves") {
    TemporaryDirectory directory;
    const std::string database = directory.path("chat.db");
    {
        ServerProcess server({.flags = {"--port", "0", "--db", database}});
        for (const char* text : {"a", "b", "c"}) store_message(server, text);
        server.signal(SIGTERM);
        CHECK(server.wait() == 0);
    }
    SECTION("its first page: it does not start") {
        damage(database, 100);
        const Said said = command({"--port", "0", "--db", database});
        CHECK(said.status == 75);
        CHECK(contains(said.errors, "malformed"));
        CHECK(command({"--check", database}).status != 0);
    }
    SECTION("a page that is needed later: it serves until it is, and stops") {
        // The table of ids, which no start looks at, is the last one that was made.
        for (std::streamoff page = 2; page < 12; ++page) damage(database, (page - 1) * 4096);
        ServerProcess server({.flags = {"--port", "0", "--db", database}});
        if (server.port() != 0) {
            WebSocketClient client(server.port());
            if (client.join()) client.send_text(R"(420["chat message","d","id a"])");
        }
        CHECK(server.wait() == 75);
        CHECK(command({"--check", database}).status == 75);
    }
    SECTION("its write-ahead log was lost: it does not start, and keeps what is there") {
        {
            ServerProcess server({.flags = {"--port", "0", "--db", database}});
            store_message(server, "d");
            server.signal(SIGKILL);
            server.wait();
        }
        std::filesystem::remove(database + "-wal");
        const Said said = command({"--port", "0", "--db", database});
        CHECK(said.status == 75);
        CHECK(contains(said.errors, "it ends at 3, and had got to 4"));
        CHECK(command({"--check", database}).status == 75);
        ServerProcess again({.flags = {"--port", "0", "--db", database, "--restored"}});
        CHECK(again.port() != 0);
        store_message(again, "e");
    }
}

}  // namespace operator_test
