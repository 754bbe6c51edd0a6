// A reader who is told which entry came before misses what does not come.
#include <catch2/catch.hpp>

#include "tests/unit/peer/small_world.hpp"

namespace peer_links_test {

using namespace oncewire;
using test::SmallWorld;

namespace {

using Texts = std::vector<std::string>;

struct Story {
    SmallWorld world;
    std::size_t alice = world.add_browser(true);
    std::size_t bob = world.add_browser(true);

    Story() {
        world.connect(alice);
        world.connect(bob);
    }
    void say(const char* text) {
        const std::string message = std::string(R"(["chat message",")") + text + "\"]";
        REQUIRE(world[alice].client.emit_durable(0, message, world.now));
        world.settle();
    }
    Texts read_by(std::size_t browser) {
        Texts texts;
        for (const auto& data : world[browser].texts)
            texts.push_back(*json::as_string(json::elements(data)[1]));
        return texts;
    }
    /// Of the client, and as the server heard it.
    delivery::Anomalies noticed_by(std::size_t browser) {
        const auto noticed = world.seen<peer::Noticed>(browser);
        const auto anomalies = noticed.empty() ? delivery::Anomalies() : noticed.back().anomalies;
        CHECK(world.hub.counts().noticed == anomalies);
        return anomalies;
    }
    hub::SocketId socket_of(std::size_t browser) {
        const auto sid = world.seen<peer::Connected>(browser).back().sid;
        for (const auto socket : world.hub.server().sockets({"/", {}, {}})) {
            if (world.hub.sockets().sid_of(socket) == sid) return socket;
        }
        FAIL("no such session");
        return 0;
    }
};

}  // namespace

TEST_CASE("an entry that vanished is noticed by the next one, and fetched") {
    Story story;
    story.say("1");
    story.world[story.bob].loses = "\"2\"";
    story.say("2");
    CHECK(story.read_by(story.bob) == Texts{"1"});
    story.say("3");
    CHECK(story.read_by(story.bob) == Texts{"1"});  // "3" is not shown without "2"
    story.world.pass(Millis{6'000});
    CHECK(story.read_by(story.bob) == Texts{"1", "2", "3"});
    CHECK(story.noticed_by(story.bob) == delivery::Anomalies{1, 0, 0});
    CHECK(story.world.seen<peer::HistoryLost>(story.bob).empty());
    CHECK(story.read_by(story.alice) == Texts{"1", "2", "3"});
}

TEST_CASE("what not even the next link brings is told as lost, and reading goes on") {
    Story story;
    story.say("1");
    story.world[story.bob].loses = "\"2\"";
    story.say("2");
    story.say("3");
    story.world[story.bob].loses = "\"2\"";
    story.world.pass(Millis{6'000});
    CHECK(story.read_by(story.bob) == Texts{"1", "3"});
    const auto lost = story.world.seen<peer::HistoryLost>(story.bob);
    REQUIRE(lost.size() == 1);
    CHECK(lost[0].from == 2);
    CHECK(lost[0].to == 2);
    story.say("4");
    CHECK(story.read_by(story.bob) == Texts{"1", "3", "4"});
    CHECK(story.noticed_by(story.bob) == delivery::Anomalies{1, 0, 0});
}

// Versions before this one stored whatever a handler published.
TEST_CASE("entries that no client can read are told as lost, and everything around them comes") {
    Story story;
    const auto store_raw = [&](const char* data) {
        const mail::Submit said{{0, 1}, "/", R"(["chat message","x"])", "scope", {}, {}};
        story.world.sequencer.handle_mail(said, story.world.now, {});
        story.world.settle();
        story.world.disk.tables.log.back().data = data;
    };
    const bool begins = GENERATE(true, false), ends = GENERATE(true, false);
    for (const auto browser : {story.alice, story.bob}) {
        story.world[browser].can_connect = false;
        story.world.cut(browser);
    }
    if (begins) store_raw("not json");
    store_raw(R"(["chat message","1"])");
    store_raw(R"(["disconnect"])");
    store_raw("{}");
    store_raw(R"(["chat message","2"])");
    if (ends) store_raw("");
    const auto carol = story.world.add_browser(true);
    story.world.connect(carol);
    for (const auto browser : {story.alice, story.bob}) story.world[browser].can_connect = true;
    story.world.pass(Millis{6'000});
    story.say("3");
    for (const auto browser : {story.alice, story.bob, carol}) {
        CHECK(story.read_by(browser) == Texts{"1", "2", "3"});
        const auto lost = story.world.seen<peer::HistoryLost>(browser);
        CHECK(lost.size() == 1u + (begins ? 1 : 0) + (ends ? 1 : 0));
        CHECK(story.world.seen<peer::Noticed>(browser).empty());
    }
    CHECK(story.world.hub.counts().violations == 0);
    CHECK(story.world.sequencer.reader_counts().unreadable ==
          3 * (2u + (begins ? 1 : 0) + (ends ? 1 : 0)));
}

TEST_CASE("who comes into a room misses nothing of what was said there before") {
    Story story;
    const auto place = [&] { return story.socket_of(story.bob); };
    story.world.hub.sockets().leave(place(), "chat");
    story.say("1");
    story.say("2");
    story.world.hub.sockets().join(place(), "chat");
    story.world.settle();
    story.say("3");
    story.say("4");
    CHECK(story.read_by(story.bob) == Texts{"3", "4"});

    story.world.hub.server().leave_rooms({{"/", {}, {}}, {"chat"}});
    story.world.settle();
    story.say("5");
    story.world.hub.server().join_rooms({{"/", {}, {}}, {"chat"}});
    story.world.settle();
    story.say("6");
    CHECK(story.read_by(story.bob) == Texts{"3", "4", "6"});
    CHECK(story.noticed_by(story.bob) == delivery::Anomalies());
}

TEST_CASE("who comes into a room while a page of others is on its way misses nothing either") {
    Story story;
    story.say("1");
    story.world[story.bob].can_connect = false;
    story.world.cut(story.bob);
    story.say("side, before");
    story.world[story.bob].can_connect = true;
    story.world.joins_when_reading = "side";
    story.world.pass(Millis{6'000});
    story.say("side, after");
    CHECK(story.read_by(story.bob) == Texts{"1", "side, after"});
    CHECK(story.noticed_by(story.bob) == delivery::Anomalies());
}

TEST_CASE("clients of before read as they did") {
    Story story;
    story.world[story.bob].knows_links = false;
    story.world.cut(story.bob);
    story.world.pass(Millis{6'000});
    story.say("1");
    story.world[story.bob].loses = "\"2\"";
    story.say("2");
    story.say("3");
    CHECK(story.read_by(story.bob) == Texts{"1", "3"});
    CHECK(story.world[story.bob].texts.at(0) == R"(["chat message","1",1])");
    CHECK(story.noticed_by(story.bob) == delivery::Anomalies());
}

}  // namespace peer_links_test
