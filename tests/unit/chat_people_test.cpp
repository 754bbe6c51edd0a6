// The chat's rooms, private messages, changes, history, search and presence, as clients see them.
#include <algorithm>

#include <catch2/catch.hpp>

#include "server/chat/chat.hpp"
#include "server/chat/limiter.hpp"
#include "tests/unit/small_server.hpp"

namespace chat_people_test {

using namespace oncewire;
using Frames = std::vector<std::string>;

namespace {

/// Believes whatever CONNECT says: {"user": id, "name": …}.
chat::Options trusting() {
    chat::Options options;
    options.identify = [](const api::Json& auth, UnixMillis) -> Result<chat::User, api::Refusal> {
        const auto id = chat::string_in(auth, "user").value_or("");
        return chat::User{id, chat::string_in(auth, "name").value_or(id), true, {}};
    };
    return options;
}

Frames without_pings(Frames frames) {
    std::erase(frames, "2");
    return frames;
}

class Town {
  public:
    explicit Town(chat::Options options = trusting()) {
        chat::install_with(application_, std::move(options));
        server_.emplace(application_);
    }
    SmallServer::Client join(const std::string& user, const std::string& more = "") {
        const auto client =
            server_->connect(R"(40{"live":true,"user":")" + user + "\"" + more + "}");
        server_->heard(client);
        return client;
    }
    Frames ask(SmallServer::Client client, const std::string& event) {
        server_->heard(client);
        server_->send(client, "427" + event);
        return server_->heard(client);
    }
    Frames heard(SmallServer::Client client) { return without_pings(server_->heard(client)); }
    SmallServer& server() { return *server_; }

  private:
    api::Application application_;
    std::optional<SmallServer> server_;
};

bool any_contains(const Frames& frames, const std::string& text) {
    return std::any_of(frames.begin(), frames.end(), [&](const std::string& frame) {
        return frame.find(text) != std::string::npos;
    });
}

}  // namespace

TEST_CASE("what is said in a room reaches those who entered it, with its author") {
    Town town;
    const auto ann = town.join("ann", R"(,"rooms":["room/tea"])");
    const auto ben = town.join("ben", R"(,"rooms":["room/tea"])");
    const auto cid = town.join("cid");
    town.heard(ben);
    CHECK(any_contains(town.ask(ann, R"(["post","room/tea",{"text":"hi"}])"),
                       R"(437[null,{"id":1}])"));
    const Frames said = town.heard(ben);
    CHECK(any_contains(said, R"("place":"room/tea","text":"hi")"));
    CHECK(any_contains(said, R"("from":"ann")"));
    CHECK_FALSE(any_contains(town.heard(cid), "hi"));
    CHECK(town.ask(cid, R"(["enter","room/tea"])") == Frames{"437[null]"});
    town.ask(ann, R"(["post","room/tea",{"text":"again"}])");
    CHECK(any_contains(town.heard(cid), "again"));
}

TEST_CASE("a private message is read by its two readers alone: live, in history and in search") {
    Town town;
    const auto ann = town.join("ann"), ben = town.join("ben"), eve = town.join("eve");
    CHECK(any_contains(town.ask(ann, R"(["post","user/ben",{"text":"secret"}])"), R"("id":1)"));
    CHECK(any_contains(town.heard(ben), "secret"));
    CHECK_FALSE(any_contains(town.heard(eve), "secret"));
    for (const char* question :
         {R"(["history","inbox",null,100])", R"(["search","inbox","secret",null])",
          R"(["history","user/ben",null,100])", R"(["search","user/ben","secret",null])",
          R"(["history","user/ann",null,100])", R"(["history","room/user/ben",null,9])"}) {
        CAPTURE(question);
        CHECK_FALSE(any_contains(town.ask(eve, question), "\"secret\""));
    }
    CHECK(any_contains(town.ask(ann, R"(["history","inbox",null,100])"), "secret"));
    CHECK(any_contains(town.ask(ben, R"(["search","inbox","SECRET",null])"), "secret"));
    // A replay from the beginning, and asking for the log's own room names, give her nothing either.
    const auto again = town.server().connect(
        R"(40{"user":"eve","rooms":["user/ben","room/user/ben","inbox"],"serverOffset":0})");
    CHECK_FALSE(any_contains(town.heard(again), "secret"));
    CHECK(any_contains(town.ask(eve, R"(["enter","user/ben"])"), "invalid_place"));
    town.ask(ann, R"(["post","user/ben",{"text":"secret two"}])");
    CHECK_FALSE(any_contains(town.heard(again), "secret"));
    CHECK_FALSE(any_contains(town.heard(eve), "secret"));
}

TEST_CASE("a guest can neither write to a person nor read an inbox") {
    Town town;
    const auto guest = town.join("");
    CHECK(any_contains(town.ask(guest, R"(["post","user/ben",{"text":"x"}])"), "not_signed_in"));
    CHECK(any_contains(town.ask(guest, R"(["history","inbox",null,1])"), "invalid_place"));
}

TEST_CASE("only its author changes a message, and takes it back") {
    Town town;
    const auto ann = town.join("ann"), ben = town.join("ben");
    town.ask(ann, R"(["chat message","first"])");
    CHECK(any_contains(town.ask(ben, R"(["edit","chat",1,"mine now"])"), "not_yours"));
    CHECK(any_contains(town.ask(ann, R"(["edit","chat",7,"what"])"), "not_yours"));
    CHECK(any_contains(town.ask(ann, R"(["edit","chat",1,"better"])"), R"([null,{"id":2}])"));
    CHECK(any_contains(town.heard(ben), R"("text":"better")"));
    CHECK(any_contains(town.ask(ann, R"(["edit","chat",1,null])"), R"([null,{"id":3}])"));
    CHECK(any_contains(town.heard(ben), R"("text":null)"));
}

TEST_CASE("history comes in pages, newest first") {
    Town town;
    const auto ann = town.join("ann");
    for (int i = 1; i <= 5; ++i) {
        town.ask(ann, R"(["chat message","m)" + std::to_string(i) + R"("])");
    }
    const auto page = town.ask(ann, R"(["history","chat",null,2])");
    REQUIRE(page.size() == 1);
    CHECK(page[0].starts_with(R"(437[null,{"entries":[[5,["chat message","m5",5,)"));
    CHECK(page[0].ends_with(R"("more":true}])"));
    const auto last = town.ask(ann, R"(["history","chat",4,200])");
    CHECK(last[0].starts_with(R"(437[null,{"entries":[[3,)"));
    CHECK(last[0].ends_with(R"("more":false}])"));
}

TEST_CASE("search finds text whatever its case, and says what was changed since") {
    Town town;
    const auto ann = town.join("ann");
    town.ask(ann, R"(["chat message","The Train leaves"])");
    town.ask(ann, R"(["chat message","nothing"])");
    town.ask(ann, R"(["edit","chat",1,"The boat leaves"])");
    const auto found = town.ask(ann, R"(["search","chat","train",null])");
    CHECK(any_contains(found, "The Train leaves"));
    CHECK(any_contains(found, R"("edited":[1])"));
    CHECK(any_contains(found, R"("before":null)"));
    CHECK(any_contains(town.ask(ann, R"(["search","chat","",null])"), "invalid_search"));
}

TEST_CASE("whoever is back within the grace has not left, whoever is not has") {
    Town town;
    const auto ann = town.join("ann");
    const auto ben = town.join("ben");
    CHECK(any_contains(town.heard(ann), R"(["joined",{"id":"ben")"));
    town.server().cut(ben);
    town.server().wait(Millis{10'000});
    const auto again = town.join("ben");
    town.server().wait(Millis{10'000});
    CHECK(town.heard(ann).empty());
    town.server().cut(again);
    town.server().wait(Millis{14'000});
    CHECK(town.heard(ann).empty());
    town.server().wait(Millis{1'000});
    CHECK(town.heard(ann) == Frames{R"(42["left",{"id":"ben","name":"ben"}])"});
}

TEST_CASE("people are the same on every core") {
    SmallServer server(2, [](api::Application& io) { chat::install_with(io, trusting()); });
    const auto ann = server.connect(R"(40{"live":true,"user":"ann"})", 0);
    server.heard(ann);
    const auto ben = server.connect(R"(40{"live":true,"user":"ben"})", 1);
    CHECK(without_pings(server.heard(ann)) == Frames{R"(42["joined",{"id":"ben","name":"ben"}])"});
    CHECK(any_contains(server.heard(ben), R"("count":2)"));
    const auto second = server.connect(R"(40{"live":true,"user":"ben"})", 0);
    server.cut(ben);
    server.wait(Millis{20'000});
    CHECK(without_pings(server.heard(ann)).empty());
    server.cut(second);
    server.wait(Millis{20'000});
    CHECK(without_pings(server.heard(ann)) == Frames{R"(42["left",{"id":"ben","name":"ben"}])"});
}

TEST_CASE("typing reaches the others in the place, and in private the other one alone") {
    Town town;
    const auto ann = town.join("ann"), ben = town.join("ben"), eve = town.join("eve");
    for (const auto each : {ann, ben, eve}) town.heard(each);
    town.server().send(ann, R"(42["typing","chat"])");
    CHECK(town.heard(ben) == Frames{R"(42["typing","chat",{"id":"ann","name":"ann"}])"});
    CHECK(town.heard(eve).size() == 1);
    town.server().send(ann, R"(42["typing","user/ben"])");
    CHECK(town.heard(ben) == Frames{R"(42["typing","user/ann",{"id":"ann","name":"ann"}])"});
    CHECK(town.heard(eve).empty());
}

TEST_CASE("names are what can be shown") {
    CHECK(chat::clean_name("  Ann \n Lee ") == "Ann Lee");
    CHECK(chat::clean_name("\xE2\x80\xAE"
                           "evil\xE2\x80\xAC") == "evil");
    CHECK(chat::clean_name("\xE4\xB8\xAD\xE6\x96\x87") == "\xE4\xB8\xAD\xE6\x96\x87");
    CHECK_FALSE(chat::clean_name("\xE2\x80\x8B "));
    CHECK_FALSE(chat::clean_name("\xff"));
    CHECK(chat::clean_name(std::string(40, 'x')));
    CHECK_FALSE(chat::clean_name(std::string(41, 'x')));
    CHECK_FALSE(chat::is_room("room/ tea"));
    CHECK_FALSE(chat::is_room("room/"));
    CHECK(chat::is_room("room/tea"));
}

TEST_CASE("who searches, asks or tells too much at once is told so, and nobody else is") {
    chat::Options options = trusting();
    options.searches = options.questions = options.signals = {2, 1};
    Town town(std::move(options));
    const auto ann = town.join("ann"), ben = town.join("ben");
    const auto is_refused = [&](SmallServer::Client client, const std::string& question) {
        return any_contains(town.ask(client, question), R"("error":"too_fast")");
    };
    for (const char* question : {R"(["search","chat","x",null])", R"(["history","chat",null,1])"}) {
        CAPTURE(question);
        for (int i = 0; i < 2; ++i) CHECK_FALSE(is_refused(ann, question));
        CHECK(is_refused(ann, question));
        CHECK_FALSE(is_refused(ben, question));
    }
    CHECK_FALSE(is_refused(ann, R"(["enter","room/tea"])"));
    CHECK_FALSE(is_refused(ann, R"(["typing","chat"])"));
    CHECK(any_contains(town.heard(ben), R"(["typing","chat")"));
    CHECK(any_contains(town.ask(ann, R"(["typing","chat"])"), R"(["refused",{"error":"too_fast")"));
    CHECK(is_refused(ann, R"(["rename","Anne"])"));
    CHECK_FALSE(any_contains(town.heard(ben), "typing"));
}

TEST_CASE("who shares an address with somebody who sends too much is told so, guests too") {
    chat::Options options = trusting();
    options.messages_of_address = {3, 1};
    Town town(std::move(options));
    const auto post = [&](SmallServer::Client client) {
        const auto frames = town.ask(client, R"(["chat message","hi"])");
        return any_contains(frames, "too_fast_here") ? "refused" : "stored";
    };
    const auto nearby = town.join("local");
    town.server().address = "192.0.2.1";
    const auto ann = town.join("ann"), guest = town.join("");
    town.server().address = "192.0.2.2";
    const auto ben = town.join("ben");
    CHECK(post(ann) == std::string("stored"));
    CHECK(post(guest) == std::string("stored"));
    CHECK(post(guest) == std::string("stored"));
    CHECK(post(ann) == std::string("refused"));
    CHECK(post(guest) == std::string("refused"));
    CHECK(post(ben) == std::string("stored"));
    for (int i = 0; i < 9; ++i) CHECK(post(nearby) == std::string("stored"));
}

TEST_CASE("a person who sends too much is told so, and may go on after a while") {
    chat::Limiter limiter(chat::Rate{3, 1});
    for (int i = 0; i < 3; ++i) CHECK(limiter.take("ann", UnixMillis{1000}));
    CHECK_FALSE(limiter.take("ann", UnixMillis{1000}));
    CHECK(limiter.take("ben", UnixMillis{1000}));
    CHECK_FALSE(limiter.take("ann", UnixMillis{500}));
    CHECK(limiter.take("ann", UnixMillis{1500}));
    CHECK_FALSE(limiter.take("ann", UnixMillis{1600}));
    CHECK(limiter.take("", UnixMillis{1600}));
}

}  // namespace chat_people_test
