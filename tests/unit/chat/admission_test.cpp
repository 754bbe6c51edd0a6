// What may be stored, and when: asked before anything is.
#include <catch2/catch.hpp>

#include <string>

#include "server/chat/admission.hpp"

namespace chat_admission_test {

using namespace oncewire;

namespace {

struct Asker {
    chat::Door door;
    std::int64_t now = 1'000'000;

    explicit Asker(const chat::Options& options) : door(options) {}
    /// "" or the code.
    std::string ask(const std::string& who, const std::string& data,
                    const std::string& network = "192.0.2.1") {
        const std::string sender = chat::encode(chat::Sender{who, who, network});
        const auto later = door.ask({"/", data, sender, "", UnixMillis{now}});
        return later ? later->code : "";
    }
};

}  // namespace

TEST_CASE("every message counts, whatever it is and whatever would come of it") {
    chat::Options options;
    options.messages = {4, 1};
    Asker asker(options);
    for (const char* data :
         {R"(["chat message","hi"])", R"(["nobody knows this",1])", R"({"no":"event"})", "[]"}) {
        CHECK(asker.ask("ann", data).empty());
    }
    CHECK(asker.ask("ann", R"(["nobody knows this",1])") == "too_fast");
    CHECK(asker.ask("ben", R"(["chat message","hi"])").empty());
    asker.now += 1000;
    CHECK(asker.ask("ann", "[]").empty());
}

TEST_CASE("what a person and a network may store within a day is bounded in bytes") {
    chat::Options options;
    options.stored_of_person_each_day = 100 * 1024;
    options.stored_of_network_each_day = 250 * 1024;
    Asker asker(options);
    const std::string text = "[\"chat message\",\"" + std::string(20 * 1024 - 100, 'x') + "\"]";
    for (int i = 0; i < 5; ++i) CHECK(asker.ask("ann", text).empty());
    CHECK(asker.ask("ann", text) == "too_much_today");
    CHECK(asker.ask("ann", "[]") == "too_much_today");
    int stored = 0;
    for (int i = 0; i < 100; ++i) {
        stored += asker.ask("crowd " + std::to_string(i), text).empty() ? 1 : 0;
    }
    CHECK(stored == 7);  // and a unit for each of their names
    CHECK(asker.ask("cid", text, "192.0.2.2").empty());
    asker.now += 12 * 3'600'000;
    CHECK(asker.ask("ann", text).empty());
    CHECK(asker.ask("ann", text).empty());
    CHECK(asker.ask("ann", text) == "too_much_today");
}

TEST_CASE("nobody floods the list of rooms") {
    chat::Options options;
    options.rooms = {2, 1, 60};
    Asker asker(options);
    for (int i = 0; i < 2; ++i) CHECK(asker.ask("ann", R"(["open room","tea"])").empty());
    CHECK(asker.ask("ann", R"(["open room","tea"])") == "too_fast");
    CHECK(asker.ask("ann", R"([ "open\u0020room","tea"])") == "too_fast");
    CHECK(asker.ask("ann", R"(["chat message","hi"])").empty());
    asker.now += 60'000;
    CHECK(asker.ask("ann", R"(["open room","tea"])").empty());
    CHECK(asker.ask("ann", R"(["open room","tea"])") == "too_fast");
    int opened = 0;
    for (int i = 0; i < 50; ++i) {
        opened += asker.ask(std::to_string(i), R"(["open room","x"])").empty() ? 1 : 0;
    }
    CHECK(opened < 20);
}

TEST_CASE("without limits everything may be stored") {
    Asker asker{chat::Options()};
    for (int i = 0; i < 10'000; ++i) REQUIRE(asker.ask("ann", R"(["open room","x"])").empty());
}

}  // namespace chat_admission_test
