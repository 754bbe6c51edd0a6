#include <catch2/catch.hpp>

#include "server/sequencer/transaction.hpp"
#include "server/store/memory/memory_store.hpp"
#include "shared/base/json.hpp"

namespace store_transaction_test {

using namespace oncewire;
using namespace oncewire::sequencer;
using namespace oncewire::store;
using Once = Tx::Once;

namespace {

struct Transaction {
    MemoryDisk disk{{"e"}, {}};
    MemoryFaults faults;
    MemoryStore store{disk, &faults};
    Overlay overlay{store};
    Tx tx{overlay, "/", "", UnixMillis{42}};

    const std::vector<LogEntry>& published() const { return overlay.batch().entries; }
    Tx::OnceAnswer check(const char* id, const char* scope, const char* body) {
        return *tx.check_once(id, scope, body);
    }
    delivery::Offset keep(const char* id, const char* scope, const char* body) {
        const delivery::Offset offset = *tx.publish("lobby", R"(["kept"])");
        CHECK(tx.remember_once(id, scope, body, offset));
        return offset;
    }
};

}  // namespace

TEST_CASE(
    "what a handler publishes is in the log under its namespace, and handed on as it was stored") {
    Transaction t;
    CHECK(t.tx.next_offset() == 1);
    CHECK(*t.tx.publish("lobby", R"(["hi"])") == 1);
    CHECK(*t.tx.publish("attic", R"(["hi"])") == 2);
    CHECK(*t.tx.publish("lobby", R"(["ho"])") == 3);
    CHECK(t.tx.next_offset() == 4);
    CHECK(t.published()[2] == LogEntry{3, "/,lobby", 2, R"(["ho"])", UnixMillis{42}, 1});
    CHECK(t.overlay.write().outcome == WriteOutcome::committed);
    CHECK(*t.store.reading().read({"/,lobby", "/,attic"}, 0, 10, 1000) ==
          t.overlay.written().entries);
}

TEST_CASE("a handler sees what it rewrote, and gives it data that is an event") {
    Transaction t;
    CHECK(*t.tx.publish("lobby", R"(["hi"])") == 1);
    CHECK(*t.tx.rewrite("lobby", 1, R"(["hush"])"));
    CHECK(!*t.tx.rewrite("attic", 1, R"(["hush"])"));
    CHECK(!*t.tx.rewrite("lobby", 2, R"(["hush"])"));
    CHECK((*t.tx.find("lobby", 1))->data == R"(["hush"])");
    CHECK(!*t.tx.find("attic", 1));
    CHECK(t.overlay.batch().rewritten.size() == 1);
    CHECK(t.tx.rewrite("lobby", 1, "no event").error() == StoreError::handler);
    CHECK(t.tx.mistake().starts_with("rewrite() to \"lobby\""));
    CHECK(t.overlay.write().outcome == WriteOutcome::committed);
    t.faults.reads = StoreError::io;
    CHECK(t.tx.rewrite("lobby", 1, R"(["ho"])").error() == StoreError::io);
    CHECK(t.overlay.batch().rewritten.empty());
}

TEST_CASE("what could not be stored is not handed on") {
    Transaction t;
    t.faults.fail_call = 1;
    t.faults.fail_call_with = StoreError::full;
    CHECK(t.tx.publish("lobby", R"(["hi"])").error() == StoreError::full);
    CHECK(t.published().empty());
}

TEST_CASE("what no client could read is not published, and the handler's mistake is told") {
    Transaction t;
    const std::string deep = std::string(70, '[') + std::string(70, ']');
    const std::string data =
        GENERATE_COPY(std::string("not json"), std::string(), std::string("{}"), std::string("[]"),
                      std::string(R"("hi")"), std::string("[null]"), std::string("[[]]"),
                      std::string(R"(["hi"] )") + "x", std::string("[\"\xff\"]"),
                      R"(["hi",)" + deep + "]", std::string(R"(["disconnect"])"),
                      std::string(R"(["\u0063onnect",1])"), std::string(R"(["oncewire:later",1])"));
    INFO(data);
    CHECK(t.tx.publish("lobby", data).error() == StoreError::handler);
    CHECK(t.tx.mistake().find("publish() to \"lobby\" takes") == 0);
    CHECK(t.published().empty());
}

TEST_CASE("any event that a client may listen to is published") {
    Transaction t;
    for (const auto* data : {R"(["hi"])", R"( [ "hi" , null ] )", "[7]", R"(["",{}])"}) {
        INFO(data);
        CHECK(t.tx.publish("lobby", data));
    }
    CHECK(t.tx.mistake().empty());
}

TEST_CASE(
    "an entry of an older version that is no event does not come to an application as it is") {
    Transaction t;
    CHECK(t.overlay.log.append("/,lobby", "not json", UnixMillis{1}));
    CHECK(t.overlay.log.append("/,lobby", R"(["hi"])", UnixMillis{1}));
    CHECK(t.overlay.write().outcome == WriteOutcome::committed);
    const auto entries = t.tx.read_before("lobby", 9, 9);
    REQUIRE(entries->size() == 2);
    CHECK(entries->at(0).data == R"(["hi"])");
    CHECK(entries->at(1).data == unreadable_event);
    CHECK(is_event(unreadable_event));
}

TEST_CASE("the same id with the same body is the same message, whoever sends it") {
    Transaction t;
    CHECK(t.check("id", "ann", "hello").outcome == Once::fresh);
    const auto offset = t.keep("id", "ann", "hello");
    CHECK(t.check("id", "ann", "hello").outcome == Once::repeated);
    CHECK(t.check("id", "ann", "hello").offset == offset);
    CHECK(t.check("id", "ann after a reload", "hello").outcome == Once::repeated);
    CHECK(t.check("another id", "ann", "hello").outcome == Once::fresh);
}

TEST_CASE("the same id with another body is a conflict within a session") {
    Transaction t;
    t.keep("id", "ann", "hello");
    CHECK(t.check("id", "ann", "hello!").outcome == Once::conflict);
    CHECK(t.check("id", "ann", "").outcome == Once::conflict);
}

TEST_CASE("the same id with another body is another person's message across sessions") {
    Transaction t;
    t.keep("id", "ann", "hello");
    CHECK(t.check("id", "bob", "hi").outcome == Once::collision);
    const auto bobs = t.keep("id", "bob", "hi");

    // From then on it is a message like any other.
    CHECK(t.check("id", "bob", "hi").outcome == Once::repeated);
    CHECK(t.check("id", "bob", "hi").offset == bobs);
    CHECK(t.check("id", "bob after a reload", "hi").offset == bobs);
    CHECK(t.check("id", "bob", "hey").outcome == Once::conflict);
    CHECK(t.check("id", "ann", "hey").outcome == Once::conflict);
    CHECK(t.check("id", "ann", "hello").outcome == Once::repeated);
    CHECK(t.check("id", "cleo", "hey").outcome == Once::collision);
}

TEST_CASE("an id that begins with undefined- means something within its session only") {
    Transaction t;
    const auto anns = t.keep("undefined-0", "ann", "hello");
    CHECK(t.check("undefined-0", "bob", "hello").outcome == Once::fresh);
    CHECK(t.check("undefined-0", "bob", "hi").outcome == Once::fresh);
    const auto bobs = t.keep("undefined-0", "bob", "hello");
    CHECK(t.check("undefined-0", "ann", "hello").offset == anns);
    CHECK(t.check("undefined-0", "bob", "hello").offset == bobs);
    CHECK(t.check("undefined-0", "ann", "hi").outcome == Once::conflict);
    CHECK(t.check("undefined-1", "ann", "hi").outcome == Once::fresh);
}

TEST_CASE("no id can be mistaken for another with its session") {
    Transaction t;
    t.keep("undefined-0", "x\ny", "hello");
    CHECK(t.check("undefined-0\nx", "y", "hello").outcome == Once::fresh);
    t.keep("undefined", "ann", "hello");  // an ordinary id
    CHECK(t.check("undefined", "bob", "hello").outcome == Once::repeated);
}

TEST_CASE("an error while asking about an id is no answer") {
    Transaction t;
    t.faults.reads = StoreError::io;
    CHECK(t.tx.check_once("id", "ann", "hello").error() == StoreError::io);
    t.faults.reads.reset();
    CHECK(t.check("id", "ann", "hello").outcome == Once::fresh);
}

TEST_CASE("a rejection says why in JSON, whatever the words") {
    const Verdict verdict = reject("too_long", "at most \"500\"\n");
    CHECK(verdict.kind == Verdict::Kind::rejected);
    CHECK(json::is_valid(verdict.body, 2));
    CHECK(json::as_string(*json::member(verdict.body, "error")) == "too_long");
    CHECK(json::as_string(*json::member(verdict.body, "message")) == "at most \"500\"\n");
    CHECK(accept() == Verdict{Verdict::Kind::accepted, "null"});
}

TEST_CASE("durability and errors have words") {
    CHECK(std::string(durability_text(Durability::memory)) == "memory");
    CHECK(std::string(durability_text(Durability::process)) == "process");
    CHECK(std::string(durability_text(Durability::disk)) == "disk");
    for (const auto error : {StoreError::busy, StoreError::full, StoreError::read_only,
                             StoreError::io, StoreError::corrupt, StoreError::newer_schema}) {
        CHECK(std::string(error_text(error)) != "unknown");
    }
}

}  // namespace store_transaction_test
