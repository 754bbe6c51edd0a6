// What search finds, held to the slow way: parse everything, then look.
#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "server/api/values.hpp"
#include "server/chat/chat.hpp"
#include "server/chat/needle.hpp"
#include "server/chat/words.hpp"
#include "shared/base/prng.hpp"
#include "tests/unit/support/small_server.hpp"

namespace chat_search_test {

using namespace oncewire;

namespace {

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return text;
}

bool is_in_slowly(const std::string& needle, const std::string& data) {
    const auto event = api::decode_json(data, {});
    if (!event || !event->is_array() || event->size() < 2) return false;
    std::optional<std::string> text;
    if ((*event)[0] == "chat message" && (*event)[1].is_string()) {
        text = (*event)[1].get<std::string>();
    } else if ((*event)[0] == "post" || (*event)[0] == "edit") {
        text = chat::string_in((*event)[1], "text");
    }
    return text && lower(*text).find(lower(needle)) != std::string::npos;
}

class Writer {
  public:
    explicit Writer(std::uint64_t seed) : prng_(seed) {}

    /// Few letters, so that they meet, and whatever has to be escaped, or may be.
    std::string text(std::size_t length) {
        static const std::vector<std::string> letters = {
            "a", "B", "b", "t", "T", "\"", "\\", "\n", "/", "\xC3\xA9", "\xF0\x9F\x98\x80", "u"};
        std::string made;
        for (std::size_t i = 0; i < length; ++i) made += letters[prng_.below(letters.size())];
        return made;
    }
    /// As JSON, in one of its many spellings.
    std::string quoted(const std::string& text) {
        const bool is_plain = prng_.below(3) == 0;
        std::string json = "\"";
        for (const char c : text) {
            const bool must = c == '"' || c == '\\' || c == '\n';
            const bool may = static_cast<unsigned char>(c) < 0x80;
            if (must || (!is_plain && may && prng_.below(4) == 0)) {
                constexpr char digits[] = "0123456789abcdef";
                json += std::string("\\u00") + digits[(c >> 4) & 15] + digits[c & 15];
            } else {
                json += c;
            }
        }
        return json + '"';
    }
    std::string event() {
        const std::string said = quoted(text(prng_.below(12)));
        switch (prng_.below(4)) {
            case 0:
                return "[\"chat message\"," + said + ",5,{\"at\":1,\"name\":\"bat\"}]";
            case 1:
                return "[\"post\",{\"place\":\"room/tab\",\"text\":" + said + "}]";
            case 2:
                return "[\"edit\",{\"id\":3,\"text\":" + (prng_.below(2) ? said : "null") + "}]";
            default:
                return "[\"room opened\",{\"name\":" + said + "}]";
        }
    }
    std::size_t below(std::size_t count) { return prng_.below(count); }

  private:
    Prng prng_;
};

}  // namespace

TEST_CASE("search finds exactly what parsing everything would find") {
    Writer writer(7);
    int found = 0;
    for (int i = 0; i < 20'000; ++i) {
        const std::string needle = writer.text(1 + writer.below(3));
        const std::string event = writer.event();
        CAPTURE(needle, event);
        const bool expected = is_in_slowly(needle, event);
        found += expected ? 1 : 0;
        REQUIRE(chat::Needle(needle).is_in(event) == expected);
    }
    CHECK(found > 1000);
}

TEST_CASE("one search looks at 1 MiB, and the next goes on from there") {
    api::Application application;
    chat::install(application);
    SmallServer server(application);
    const auto client = server.connect("40");
    server.send(client, R"(421["chat message","the needle"])");
    const std::string hay = "[\"chat message\",\"" + std::string(30'000, 'x') + "\"]";
    for (int i = 0; i < 60; ++i) server.send(client, "422" + hay);
    server.heard(client);
    const auto ask = [&](const std::string& before) {
        server.send(client, R"(423["search","chat","needle",)" + before + "]");
        return server.heard(client).at(0);
    };
    const std::string first = ask("null");
    CHECK(first.find("needle") == std::string::npos);
    const auto place = first.find("\"before\":");
    REQUIRE(place != std::string::npos);
    const int before = std::stoi("0" + first.substr(place + 9));
    CHECK(before == 61 - 35 + 1);
    const std::string second = ask(std::to_string(before));
    CHECK(second.find("the needle") != std::string::npos);
    CHECK(second.find("\"before\":null") != std::string::npos);
}

TEST_CASE("of many questions of one client few are under way, and it is told of too many") {
    api::Application application;
    chat::install(application);
    SmallServer server(application);
    const auto client = server.connect("40");
    server.heard(client);
    server.keep_mail(true);
    for (int i = 0; i < 100; ++i) {
        server.send(client, "42" + std::to_string(i) + R"(["history","chat",null,1])");
    }
    const auto refused = server.heard(client);
    CHECK(refused.size() == 100 - 64 - 4);
    CHECK(refused.at(0).find("too_many_questions") != std::string::npos);
    server.send(client, "42999[\"history\",\"" + std::string(4096, 'x') + "\"]");
    CHECK(server.heard(client).at(0).find("too_large") != std::string::npos);
    CHECK(server.kept_mail() == 4);
    server.keep_mail(false);
    CHECK(server.heard(client).size() == 68);
}

TEST_CASE("whoever does not take the answers is not read for") {
    api::Application application;
    chat::install(application);
    SmallServer server(application);
    const auto client = server.connect("40");
    const std::string text = "[\"chat message\",\"" + std::string(30'000, 'x') + "\"]";
    for (int i = 0; i < 20; ++i) server.send(client, "421" + text);
    server.heard(client);
    server.stop_taking(client);
    for (int i = 0; i < 60; ++i) {
        server.send(client, "42" + std::to_string(i) + R"(["history","chat",null,200])");
    }
    std::size_t bytes = 0;
    for (const auto& frame : server.heard(client)) bytes += frame.size();
    CHECK(bytes < 2'000'000);
    CHECK(server.is_open(client));
    CHECK(server.looked_up() <= 6);
    server.go_on_taking(client);
    std::size_t answers = 0;
    for (const auto& frame : server.heard(client)) answers += frame.starts_with("43") ? 1 : 0;
    CHECK(answers >= 54);
}

TEST_CASE("questions of who has left are not read for") {
    api::Application application;
    chat::install(application);
    SmallServer server(application);
    const auto client = server.connect("40");
    server.keep_mail(true);
    for (int i = 0; i < 50; ++i) {
        server.send(client, "42" + std::to_string(i) + R"(["search","chat","x",null])");
    }
    server.cut(client);
    server.keep_mail(false);
    CHECK(server.looked_up() == 0);
}

}  // namespace chat_search_test
