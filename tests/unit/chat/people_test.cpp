// The chat's rooms, private messages, changes, history, search and presence, as clients see them.
#include <algorithm>

#include <catch2/catch.hpp>

#include "server/chat/chat.hpp"
#include "server/chat/limiter.hpp"
#include "server/chat/people.hpp"
#include "tests/unit/support/small_server.hpp"

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
    explicit Town(chat::Options options = trusting(), std::function<UnixMillis()> clock = {}) {
        if (clock) application_.set_wall_clock(std::move(clock));
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
    api::Application& application() { return application_; }

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
    CHECK(any_contains(said, R"("place":"room/tea")"));
    CHECK(any_contains(said, R"("text":"hi")"));
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
    // Once more changes nothing, and what is gone does not come back.
    CHECK(any_contains(town.ask(ann, R"(["edit","chat",1,null])"), R"([null,{"id":3}])"));
    CHECK(any_contains(town.ask(ann, R"(["edit","chat",1,"back again"])"), "taken_back"));
    CHECK(town.heard(ben).empty());
}

TEST_CASE("whoever comes after a change reads what a message says now, where it always was") {
    Town town;
    const auto ann = town.join("ann"), ben = town.join("ben");
    const auto history = [&](const char* place = "chat") {
        return town.ask(ben, R"(["history",")" + std::string(place) + R"(",null,100])").front();
    };
    const auto has = [&](const std::string& text) { return any_contains({history()}, text); };
    town.ask(ann, R"(["chat message","first words"])");
    town.ask(ann, R"(["post","chat",{"text":"beside it"}])");
    town.ask(ann, R"(["edit","chat",1,"second words"])");
    CHECK(!has("first words"));
    CHECK(has(R"([1,["chat message","second words",1,)"));
    CHECK(has(R"("edited":3)"));
    town.ask(ann, R"(["edit","chat",1,"third words"])");
    CHECK(!has("second words"));
    CHECK(has(R"([3,["edit",{"place":"chat",)"));
    CHECK(has(R"([1,["chat message","third words",1,)"));
    for (const char* gone : {"first", "second"}) {
        const std::string question = R"(["search","chat",")" + std::string(gone) + R"(",null])";
        CHECK(!any_contains(town.ask(ben, question), "words"));
    }
    CHECK(any_contains(town.ask(ben, R"(["search","chat","third",null])"), "third words"));
    town.ask(ann, R"(["edit","chat",1,null])");
    CHECK(!has("words"));
    CHECK(has(R"([1,["chat message","",1,)"));
    CHECK(has(R"("gone":5)"));
    CHECK(has("beside it"));
    // Nor does a client that reads from the beginning get it, and its positions have no hole.
    const auto late = town.server().connect(R"(40{"user":"cid","serverOffset":0})");
    const Frames replayed = town.heard(late);
    CHECK(!any_contains(replayed, "words"));
    for (const char* place : {".1\"", ".2\"", ".3\"", ".4\"", ".5\""}) {
        INFO(place);
        CHECK(any_contains(replayed, place));
    }
}

TEST_CASE("a private message is changed and taken back for both of its readers") {
    Town town;
    const auto ann = town.join("ann"), ben = town.join("ben");
    const auto inbox = [&](SmallServer::Client reader) {
        return town.ask(reader, R"(["history","inbox",null,100])");
    };
    town.ask(ann, R"(["post","user/ben",{"text":"secret words"}])");
    // Her own copy is no message of hers to herself.
    CHECK(any_contains(town.ask(ann, R"(["edit","user/ann",2,"x"])"), "not_yours"));
    town.ask(ann, R"(["edit","user/ben",1,"other words"])");
    for (const auto reader : {ann, ben}) {
        CHECK(!any_contains(inbox(reader), "secret words"));
        CHECK(any_contains(inbox(reader), "other words"));
    }
    town.ask(ann, R"(["edit","user/ben",1,null])");
    for (const auto reader : {ann, ben}) {
        CHECK(!any_contains(inbox(reader), "words"));
        CHECK(any_contains(inbox(reader), R"("gone":5)"));
    }
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
    const auto found = town.ask(ann, R"(["search","chat","BOAT",null])");
    CHECK(any_contains(found, "The boat leaves"));
    CHECK(any_contains(found, R"("edited":[1])"));
    CHECK(any_contains(found, R"("before":null)"));
    CHECK(any_contains(town.ask(ann, R"(["search","chat","",null])"), "invalid_search"));
}

namespace {

/// What clients hear of one who came or left.
std::string presence(const std::string& joined, const std::string& left, int count) {
    const auto list = [](const std::string& id) {
        return id.empty() ? "[]" : R"([{"id":")" + id + R"(","name":")" + id + "\"}]";
    };
    return R"(42["presence",{"joined":)" + list(joined) + R"(,"left":)" + list(left) +
           R"(,"renamed":[],"count":)" + std::to_string(count) + "}]";
}

}  // namespace

TEST_CASE("whoever is back within the grace has not left, whoever is not has") {
    Town town;
    const auto ann = town.join("ann");
    town.server().wait(Millis{250});
    town.heard(ann);
    const auto ben = town.join("ben");
    CHECK(town.heard(ann).empty());
    town.server().wait(Millis{250});
    CHECK(town.heard(ann) == Frames{presence("ben", "", 2)});
    town.server().cut(ben);
    town.server().wait(Millis{10'000});
    const auto again = town.join("ben");
    town.server().wait(Millis{10'000});
    CHECK(town.heard(ann).empty());
    town.server().cut(again);
    town.server().wait(Millis{14'000});
    CHECK(town.heard(ann).empty());
    town.server().wait(Millis{1'000});
    town.server().wait(Millis{250});
    CHECK(town.heard(ann) == Frames{presence("", "ben", 1)});
}

TEST_CASE("people are the same on every core") {
    SmallServer server(2, [](api::Application& io) { chat::install_with(io, trusting()); });
    const auto ann = server.connect(R"(40{"live":true,"user":"ann"})", 0);
    server.wait(Millis{250});
    server.heard(ann);
    const auto ben = server.connect(R"(40{"live":true,"user":"ben"})", 1);
    CHECK(any_contains(server.heard(ben), R"("count":2)"));
    server.wait(Millis{250});
    CHECK(without_pings(server.heard(ann)) == Frames{presence("ben", "", 2)});
    const auto second = server.connect(R"(40{"live":true,"user":"ben"})", 0);
    server.cut(ben);
    server.wait(Millis{20'000});
    CHECK(without_pings(server.heard(ann)).empty());
    server.cut(second);
    server.wait(Millis{20'000});
    server.wait(Millis{250});
    CHECK(without_pings(server.heard(ann)) == Frames{presence("", "ben", 1)});
}

TEST_CASE("whoever comes, goes and is renamed within a moment is told of once, as it ended") {
    Town town;
    const auto ann = town.join("ann");
    town.server().wait(Millis{250});
    town.heard(ann);
    const auto ben = town.join("ben");
    for (const char* name : {"one", "two", "three"}) {
        town.ask(ben, R"(["rename",")" + std::string(name) + R"("])");
    }
    CHECK(town.heard(ann).empty());
    town.server().wait(Millis{250});
    const Frames told = town.heard(ann);
    REQUIRE(told.size() == 1);
    CHECK(told[0].find(R"("joined":[{"id":"ben","name":"three"}])") != std::string::npos);
    CHECK(told[0].find(R"("renamed":[])") != std::string::npos);
    town.ask(ben, R"(["rename","four"])");
    town.server().wait(Millis{250});
    CHECK(any_contains(town.heard(ann), R"("renamed":[{"id":"ben","name":"four"}])"));
}

TEST_CASE("what a crowd that comes and goes costs the others is bounded by the clock") {
    chat::Options options = trusting();
    options.grace = Millis{0};
    Town town(std::move(options));
    std::vector<SmallServer::Client> listeners;
    for (int i = 0; i < 20; ++i) listeners.push_back(town.join("listener " + std::to_string(i)));
    town.server().wait(Millis{250});
    for (const auto each : listeners) town.heard(each);
    for (int i = 0; i < 1000; ++i) {
        const auto visitor = town.join("visitor number " + std::to_string(i));
        if (i % 2 == 0) town.server().cut(visitor);
    }
    for (int i = 0; i < 4; ++i) town.server().wait(Millis{250});
    for (const auto each : listeners) {
        const Frames told = town.heard(each);
        CHECK(told.size() == 4);
        std::size_t bytes = 0;
        for (const auto& frame : told) bytes += frame.size();
        CHECK(bytes < 4 * chat::People::told_max * 60);
    }
    // All of them are told of in the end, and those who left by then never.
    std::size_t came = 0;
    for (int i = 0; i < 100; ++i) {
        town.server().wait(Millis{250});
        for (const auto& frame : town.heard(listeners[0])) {
            for (std::size_t at = 0; (at = frame.find("visitor number", at) + 1) > 0;) ++came;
        }
    }
    CHECK(came / 2 <= 500);
    CHECK(any_contains(town.ask(town.join("late"), R"(["enter","room/x"])"), "null"));
}

TEST_CASE("who connects again and again from one network is told to wait, and others are not") {
    chat::Options options = trusting();
    options.connects_of_network = {20, 1};
    Town town(std::move(options));
    town.server().address = "192.0.2.1";
    int refused = 0;
    for (int i = 0; i < 20; ++i) {
        const auto client = town.server().connect(R"(40{"user":"v)" + std::to_string(i) + "\"}");
        refused += any_contains(town.server().heard(client), "too_fast_here") ? 1 : 0;
    }
    CHECK(refused == 16);  // a newcomer counts as five
    town.server().address = "192.0.2.2";
    CHECK(any_contains(town.server().heard(town.server().connect(R"(40{"user":"ben"})")), "you"));
}

TEST_CASE("whose page is open, but who is not there, is not counted") {
    Town town;
    const auto ann = town.join("ann");
    const auto ben = town.join("ben", R"(,"away":true)");
    town.server().wait(Millis{250});
    CHECK(any_contains(town.heard(ann), R"("count":1)"));
    town.server().send(ben, R"(42["here",true])");
    town.server().wait(Millis{250});
    CHECK(town.heard(ann) == Frames{presence("ben", "", 2)});
    town.server().send(ben, R"(42["here",false])");
    town.server().send(ben, R"(42["here",false])");
    town.server().wait(Millis{15'000});
    town.server().wait(Millis{250});
    CHECK(town.heard(ann) == Frames{presence("", "ben", 1)});
    town.ask(ann, R"(["chat message","hi"])");
    CHECK(any_contains(town.heard(ben), "hi"));
    town.server().cut(ben);
    town.server().wait(Millis{16'000});
    CHECK(town.heard(ann).empty());
}

TEST_CASE("who is in a room is known to those in it, over all cores") {
    SmallServer server(2, [](api::Application& io) { chat::install_with(io, trusting()); });
    const auto join = [&](const std::string& user, std::size_t core, const std::string& more) {
        return server.connect(R"(40{"live":true,"user":")" + user + "\"" + more + "}", core);
    };
    const std::string tea = R"(,"rooms":["room/tea"])";
    const auto ann = join("ann", 0, tea), ben = join("ben", 1, tea);
    join("ben", 0, tea);
    join("cid", 1, tea + R"(,"away":true)");
    const auto eve = join("eve", 1, "");
    const auto who = [&](SmallServer::Client client) {
        server.heard(client);
        server.send(client, R"(427["who","room/tea"])");
        return server.heard(client).back();
    };
    CHECK(who(ann) == R"(437[null,{"ids":["ann","ben"],"count":2}])");
    CHECK(who(eve).find("invalid_place") != std::string::npos);
    server.send(eve, R"(427["enter","room/tea"])");
    CHECK(who(eve) == R"(437[null,{"ids":["ann","ben","eve"],"count":3}])");
    server.send(eve, R"(42["leave","room/tea"])");
    server.cut(ben);
    CHECK(who(ann) == R"(437[null,{"ids":["ann","ben"],"count":2}])");
    server.send(ann, R"(42["here",false])");
    CHECK(who(ann) == R"(437[null,{"ids":["ben"],"count":1}])");
}

TEST_CASE("a token's session ends when it expires, and renewals leave nothing behind") {
    UnixMillis clock{1'000'000};
    chat::Options options = trusting();
    options.signals = {5, 1};
    options.identify = [](const api::Json& auth, UnixMillis) -> Result<chat::User, api::Refusal> {
        const auto token = chat::string_in(auth, "token").value_or("0");
        return chat::User{"ann", "Ann", true, UnixMillis{std::stoll(token)}, "key"};
    };
    Town town(std::move(options), [&] { return clock; });
    const auto pass = [&](Millis time) {
        clock.value += time.count();
        town.server().wait(time);
    };
    const auto ann = town.server().connect(R"(40{"live":true,"token":"1010000"})");
    const auto waiting = town.application().waiting_calls();
    for (int i = 0; i < 50; ++i) {
        const auto answer = town.ask(ann, R"(["token","10)" + std::to_string(20'000 + i) + "\"]");
        CHECK(any_contains(answer, i < 5 ? "[null]" : "too_fast"));
    }
    CHECK(town.application().waiting_calls() == waiting);
    for (int i = 0; i < 19; ++i) pass(Millis{1000});
    CHECK_FALSE(any_contains(town.heard(ann), "expired"));
    pass(Millis{1000});
    pass(Millis{1000});
    CHECK(any_contains(town.heard(ann), "expired"));
    pass(Millis{60'000});  // the grace
    pass(Millis{1'000});   // the word to the others
    CHECK(town.application().waiting_calls() == 0);
}

TEST_CASE("a session whose key was taken away ends") {
    bool is_revoked = false;
    chat::Options options = trusting();
    options.identify = [](const api::Json& auth, UnixMillis) -> Result<chat::User, api::Refusal> {
        const auto id = chat::string_in(auth, "user").value_or("");
        return chat::User{id, id, true, {}, id == "ann" ? "key" : ""};
    };
    options.is_revoked = [&](const std::string& credential) {
        return is_revoked && credential == "key";
    };
    Town town(std::move(options));
    const auto ann = town.join("ann"), ben = town.join("ben");
    for (int i = 0; i < 30; ++i) town.server().wait(Millis{1000});
    CHECK_FALSE(any_contains(town.heard(ann), "expired"));
    is_revoked = true;
    for (int i = 0; i < 11; ++i) town.server().wait(Millis{1000});
    CHECK(any_contains(town.heard(ann), "expired"));
    CHECK_FALSE(any_contains(town.heard(ben), "expired"));
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
    // U+3164, U+2800, U+FE0F, U+034F, U+E0041, U+180E, U+00A0, U+2003: nothing to be seen
    for (const char* invisible :
         {"\u3164", "\u2800", "\uFE0F", "\u034F", "\U000E0041", "\u180E", "\u00A0", "\u2003"}) {
        CAPTURE(invisible);
        CHECK_FALSE(chat::clean_name(invisible));
        CHECK(chat::clean_name("Ad" + std::string(invisible) + "min").value_or("").size() <= 6);
        CHECK(chat::clean_name(std::string(invisible) + "Admin" + invisible) == "Admin");
        CHECK_FALSE(chat::is_room("room/tea" + std::string(invisible)));
    }
    CHECK(chat::clean_name("Ann\u2003\u00A0Lee") == "Ann Lee");
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
    options.messages = {100, 1};
    options.messages_of_network = {4, 1};  // ann, who is new, counts twice
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
    for (int i = 0; i < 4; ++i) {
        CHECK(post(nearby) ==
              std::string(i < 3 ? "stored" : "refused"));  // this machine counts, too
    }
}

TEST_CASE("a crowd of newcomers gives nobody their allowance back") {
    chat::Limiter limiter(chat::Rate{5, 1});
    const UnixMillis now{1000};
    for (int i = 0; i < 5; ++i) CHECK(limiter.take("ann", now));
    CHECK_FALSE(limiter.take("ann", now));
    for (std::size_t i = 0; i < 3 * chat::Limiter::remembered_max; ++i) {
        limiter.take("crowd " + std::to_string(i), now);
    }
    CHECK_FALSE(limiter.take("ann", now));
    CHECK(limiter.take("ben", UnixMillis{9'000}));
}

TEST_CASE("a full table's newcomer has what the one had whose place it takes") {
    chat::Limiter limiter(chat::Rate{2, 1});
    const UnixMillis now{1000};
    for (std::size_t i = 0; i < chat::Limiter::remembered_max; ++i) {
        for (int n = 0; n < 2; ++n) CHECK(limiter.take(std::to_string(i), now));
    }
    CHECK_FALSE(limiter.take("one more", now));
    CHECK(limiter.take("one more", UnixMillis{3'000}));
}

TEST_CASE("a network pays for the names it makes") {
    chat::Allowance allowance({100, 1}, {100, 1});
    int allowed = 0;
    for (int i = 0; i < 100; ++i) {
        const chat::Sender sender{"visitor " + std::to_string(i), "", "192.0.2.1"};
        allowed += allowance.refuse(sender, UnixMillis{1000}) ? 0 : 1;
    }
    CHECK(allowed == 50);
}

TEST_CASE("what was looked at is paid for afterwards") {
    chat::Allowance allowance({10, 1}, {100, 1});
    const chat::Sender ann{"ann", "", "192.0.2.1"};
    CHECK_FALSE(allowance.refuse(ann, UnixMillis{1000}));
    allowance.charge(ann, UnixMillis{1000}, 12);
    CHECK(allowance.refuse(ann, UnixMillis{1000}) == std::string("too_fast"));
    CHECK(allowance.refuse(ann, UnixMillis{3'500}) == std::string("too_fast"));
    CHECK_FALSE(allowance.refuse(ann, UnixMillis{5'500}));
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
