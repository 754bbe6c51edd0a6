// Letters as bytes: one of each kind with everything in it, against tests/vectors/letters.json.
#include <catch2/catch.hpp>

#include <map>
#include <string>
#include <vector>

#include "server/mail/codec.hpp"
#include "tests/unit/support/vectors.hpp"

namespace mail_codec_test {

using namespace oncewire;
using namespace oncewire::mail;

namespace {

const SessionRef session{3, 70'000, 9};
const Target target{"/game", {"red", "blue"}, {"green"}};
const ProducerId producer("0123456789abcdef0123456789abcdef");

store::RecordedEvent event() {
    return {7,
            "/",
            {"/,hall"},
            {"/,attic"},
            R"(["news",{"_placeholder":true,"num":0}])",
            {"\1\2"},
            {1'700'000'000'000}};
}

std::shared_ptr<const std::vector<store::LogEntry>> entries() {
    const store::LogEntry first{12, "/,room", 3, R"(["said","h\u00e9"])", {-1}, 9};
    const store::LogEntry second{13, "/,", 1, R"(["said"])", {0}, 0};
    return std::make_shared<const std::vector<store::LogEntry>>(std::vector{first, second});
}

std::shared_ptr<const CoreCommand> shared(CoreCommand command) {
    return std::make_shared<const CoreCommand>(std::move(command));
}

std::map<std::string, ToSequencer> to_sequencer() {
    Submit keyed{session,
                 "/",
                 R"(["say","x"])",
                 "scope",
                 Submit::ProducerKey{producer, 2, 300, ~0ull},
                 std::nullopt,
                 "{}",
                 false,
                 producer};
    Submit acked{session, "/n", R"(["say"])", "", std::nullopt, 5, "", true, {}};
    OpenSession open{
        session, "/", "u1", {"/,", "/,s"}, "sid", "pid", OpenSession::Claim{"old", "e.5"}, 17};
    SessionEffect effect{{"/,a"}, {"/,b"}, {"/,c"}, {"/,d"}, true};
    return {
        {"attach", Attach{session, {producer, ProducerSecret("secret")}, "u1", 4}},
        {"submit keyed", keyed},
        {"submit with ack", acked},
        {"read page", ReadPage{session, {"/,a", "/,b"}, 128, true, "pid"}},
        {"detach", Detach{session}},
        {"task ended", TaskEnded{6, false}},
        {"open session", open},
        {"change rooms", ChangeRooms{session, "/,in", true, 8}},
        {"end session", EndSession{session, true}},
        {"record", Record{1, event(), true}},
        {"relay", Relay{2, shared(JoinRooms{target, {"blue"}}), effect}},
        {"relay of nothing", Relay{2, nullptr, std::nullopt}},
    };
}

std::map<std::string, ToReader> to_reader() {
    return {
        {"read page", ReadPage{session, {"/,a"}, 9, false, ""}},
        {"lookup", Submit{session, "/", R"(["history"])", "", std::nullopt, 5, "{}", false, {}}},
        {"detach", Detach{session}},
    };
}

std::map<std::string, FromSequencer> from_sequencer() {
    Page page{session, entries(), 13};
    page.recorded = {std::make_shared<const store::RecordedEvent>(event())};
    page.reached_head = page.failed = page.lost = true;
    page.lost_to = 1;
    page.after = 2;
    page.unreadable_from = 3;
    page.unreadable_to = 4;
    const store::Verdict no{store::Verdict::Kind::rejected, R"({"error":"no"})"};
    return {
        {"log state", LogState{{{"e"}, 20}, store::Durability::process, false, 1'000}},
        {"attached", Attached{session, 2, {5, 0x0123456789abcdef}}},
        {"attach refused", AttachRefused{session, "bad_secret"}},
        {"fence", Fence{session}},
        {"published", Published{entries()}},
        {"page", page},
        {"settled", Settled{session, 9, {store::Verdict(), no}}},
        {"answered", Answered{session, 1'000'000, no}},
        {"run task", RunTask{{1, "key", "name", "{}"}}},
        {"ask", Ask{session, 3, R"(["how"])"}},
        {"expect", Expect{session, 7}},
        {"conflict", Conflict{session, 7, 8}},
        {"retry later", RetryLater{session, 3, Millis{-5}}},
        {"cut", Cut{session}},
        {"session opened",
         SessionOpened{session, "pid", "sid", {"/,a"}, {{"e"}, 6}, true, "expired"}},
        {"recorded",
         Recorded{1, std::make_shared<const store::RecordedEvent>(event()), true, false}},
        {"recorded, unknown", Recorded{1, nullptr, false, true}},
        {"relayed", Relayed{1, shared(DisconnectSockets{target, true}), 5}},
    };
}

std::map<std::string, CoreMail> between_cores() {
    const auto ordered = CoreMail::Stage::ordered;
    return {
        {"broadcast",
         {CoreMail::Stage::to_be_ordered, shared(Broadcast{target, R"(["b"])", {"\xff"}, true})}},
        {"join rooms", {ordered, shared(JoinRooms{target, {"r"}})}},
        {"leave rooms", {ordered, shared(LeaveRooms{target, {"r"}})}},
        {"disconnect sockets", {ordered, shared(DisconnectSockets{target, true})}},
        {"server-side emit", {ordered, shared(ServerSideEmit{1, "/", R"(["e"])"})}},
        {"question",
         {ordered,
          shared(CoreQuestion{
              1, 2, CoreQuestion::Kind::server_side, target, R"(["q"])", {"a"}, Millis{250}})}},
        {"answer", {ordered, shared(CoreAnswer{1, 2, R"(["a"])", {"b"}, false})}},
    };
}

std::string hex(const std::string& bytes) {
    std::string text;
    for (const char c : bytes) {
        for (const int shift : {4, 0})
            text += "0123456789abcdef"[(static_cast<unsigned char>(c) >> shift) & 15];
    }
    return text;
}

template <class Letter>
void check(const std::map<std::string, Letter>& letters, const char* list,
           std::optional<Letter> decode(std::string_view)) {
    const auto vectors = vectors::load("letters.json", list);
    CHECK(vectors.size() == letters.size());
    for (const auto& [name, letter] : letters) {
        INFO(name);
        const std::string bytes = encode(letter);
        REQUIRE(vectors.contains(name));
        CHECK(hex(bytes) == vectors.at(name).template get<std::string>());
        const auto again = decode(bytes);
        REQUIRE(again);
        CHECK(encode(*again) == bytes);
        for (std::size_t cut = 0; cut < bytes.size(); ++cut)
            CHECK_FALSE(decode(bytes.substr(0, cut)));
        CHECK_FALSE(decode(bytes + '\0'));
    }
}

}  // namespace

TEST_CASE("letters to the sequencer are bytes, and the same letters again") {
    check(to_sequencer(), "to_sequencer", decode_to_sequencer);
}

TEST_CASE("letters to the reader are bytes, and the same letters again") {
    check(to_reader(), "to_reader", decode_to_reader);
}

TEST_CASE("letters from the sequencer are bytes, and the same letters again") {
    check(from_sequencer(), "from_sequencer", decode_from_sequencer);
}

TEST_CASE("letters between cores are bytes, and the same letters again") {
    check(between_cores(), "between_cores", decode_core_mail);
}

TEST_CASE("bytes that encode() does not write are no letter") {
    const std::string detach = encode(ToSequencer(Detach{{1, 2, 0}}));
    CHECK(hex(detach) == "03010200");
    const std::string wrong[] = {
        "",                                                  // nothing
        "\x0a",                                              // no such letter
        std::string("\x03\x81\x00\x02\x00", 5),              // a number in more bytes than it takes
        "\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",  // one beyond 64 bits
        std::string("\x03\x80\x80\x04\x02\x00", 6),          // a core beyond 65,535
        std::string("\x04\x01\x02", 3),                      // neither false nor true
        "\x02\x01\x01\x01\xff\xff\xff\xff\x0f",              // more rooms than there are bytes
    };
    for (const auto& bytes : wrong) {
        INFO(hex(bytes));
        CHECK_FALSE(decode_to_sequencer(bytes));
    }
    CHECK_FALSE(decode_core_mail(std::string("\x02\x00", 2)));  // no such stage
}

}  // namespace mail_codec_test
