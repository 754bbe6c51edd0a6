#include "server/chat/chat.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/support/small_server.hpp"

namespace chat_test {

using namespace oncewire;
using Frames = std::vector<std::string>;

namespace {

class ChatServer {
  public:
    ChatServer() {
        chat::install(application_);
        server_.emplace(application_);
    }
    /// A client that has heard everything so far.
    SmallServer::Client join(const std::string& connect = "40") {
        const auto client = server_->connect(connect);
        server_->heard(client);
        return client;
    }
    /// The frames that answer one frame.
    Frames ask(SmallServer::Client client, const std::string& frame) {
        server_->heard(client);
        server_->send(client, frame);
        return server_->heard(client);
    }
    /// What a new client with this CONNECT is told after the answer.
    Frames history(const std::string& connect) {
        auto frames = server_->heard(server_->connect(connect));
        REQUIRE_FALSE(frames.empty());
        frames.erase(frames.begin());
        return frames;
    }
    SmallServer& server() { return *server_; }

  private:
    api::Application application_;
    std::optional<SmallServer> server_;
};

std::string message(const std::string& text, int id) {
    const std::string n = std::to_string(id);
    return R"(42["chat message",)" + text + "," + n + R"(,{"at":1234},"e.)" + n + R"("])";
}

}  // namespace

TEST_CASE("a message reaches everybody with its id, then its author is told that it is stored") {
    ChatServer chat;
    const auto ann = chat.join(), ben = chat.join();
    CHECK(chat.ask(ann, R"(427["chat message","hi","a-1"])") ==
          Frames{message(R"("hi")", 1), R"(437[null,{"id":1}])"});
    CHECK(chat.server().heard(ben) == Frames{message(R"("hi")", 1)});
}

TEST_CASE("a repeated client offset is acknowledged again and not broadcast") {
    ChatServer chat;
    const auto ann = chat.join();
    chat.ask(ann, R"(421["chat message","hi","a-1"])");
    CHECK(chat.ask(ann, R"(422["chat message","hi","a-1"])") == Frames{R"(432[null,{"id":1}])"});
    CHECK(chat.history("40") == Frames{message(R"("hi")", 1)});
}

TEST_CASE("a client offset reused for another text is refused, from another session it is news") {
    ChatServer chat;
    const auto ann = chat.join(), ben = chat.join();
    chat.ask(ann, R"(421["chat message","hi","a-1"])");
    const auto refused = chat.ask(ann, R"(422["chat message","other","a-1"])");
    REQUIRE(refused.size() == 1);
    CHECK(refused[0].starts_with(R"(432[{"error":"conflict")"));
    CHECK(chat.ask(ben, R"(421["chat message","mine","a-1"])") ==
          Frames{message(R"("mine")", 2), R"(431[null,{"id":2}])"});
    CHECK(chat.history("40") == Frames{message(R"("hi")", 1), message(R"("mine")", 2)});
}

TEST_CASE("client offsets that begin with undefined- belong to their session") {
    ChatServer chat;
    const auto ann = chat.join(), ben = chat.join();
    for (const auto client : {ann, ben, ann}) {
        chat.ask(client, R"(421["chat message","offline","undefined-0"])");
    }
    CHECK(chat.history("40").size() == 2);
}

TEST_CASE("serverOffset decides what is replayed") {
    ChatServer chat;
    const auto ann = chat.join();
    for (const char* text : {"1", "2", "3"}) {
        chat.ask(ann, R"(42["chat message",")" + std::string(text) + R"("])");
    }
    const Frames all{message(R"("1")", 1), message(R"("2")", 2), message(R"("3")", 3)};
    CHECK(chat.history("40") == all);
    CHECK(chat.history(R"(40{"serverOffset":0})") == all);
    CHECK(chat.history(R"(40{"serverOffset":2})") == Frames{all[2]});
    CHECK(chat.history(R"(40{"serverOffset":3})").empty());
    CHECK(chat.history(R"(40{"serverOffset":9007199254740991})").empty());
    // Whose numbers are never whole, or whose auth is text alone, as in Java.
    for (const char* foreign : {"2.0", "\"2\"", "\"2.0\"", "0.2e1"}) {
        CAPTURE(foreign);
        CHECK(chat.history(R"(40{"serverOffset":)" + std::string(foreign) + "}") == Frames{all[2]});
    }
    for (const char* odd : {"-1", "null", "2.5", "{}", "1e400", "1e300", "\"2.5\"", "\"two\"",
                            "\"\"", "\"2.\"", "\".0\"", "\"-1\"", "\"2 1\"", "true", "[2]"}) {
        CAPTURE(odd);
        CHECK(chat.history(R"(40{"serverOffset":)" + std::string(odd) + "}") == all);
    }
}

TEST_CASE("who says so is answered with the value alone, as emitWithAck hands it on") {
    ChatServer chat;
    const auto answer = [&](const std::string& connect, const std::string& frame) {
        return chat.ask(chat.join(connect), frame).back();
    };
    const std::string modern = R"(40{"oncewire:acks":"value","serverOffset":9})";
    CHECK(answer("40", R"(421["chat message","a"])") == R"(431[null,{"id":1}])");
    CHECK(answer(modern, R"(421["chat message","b"])") == R"(431[{"id":2}])");
    CHECK(answer(modern, R"(422["chat message",1])").starts_with(R"(432[{"error":)"));
    CHECK(answer(R"(40{"oncewire:acks":true})", R"(421["chat message","c"])") ==
          R"(431[null,{"id":3}])");
}

TEST_CASE("a message without a text is refused for good") {
    ChatServer chat;
    const auto ann = chat.join();
    const std::string long_text = "\"" + std::string(chat::text_bytes_max, 'x') + "\"";
    const std::string long_offset =
        "\"" + std::string(chat::client_offset_bytes_max + 1, 'x') + "\"";
    for (const std::string& args :
         {std::string("["), std::string("[,1"), std::string("[,null"), std::string("[,{}"),
          "[," + long_text, std::string(R"([,"t",{})"), std::string(R"([,"t","")"),
          R"([,"t",)" + long_offset}) {
        CAPTURE(args);
        const auto answer = chat.ask(ann, R"(421["chat message")" + args.substr(1) + "]");
        REQUIRE(answer.size() == 1);
        CHECK(answer[0].starts_with(R"(431[{"error":")"));
    }
    CHECK(chat.server().is_open(ann));
    CHECK(chat.history("40").empty());
}

TEST_CASE("any text goes through as it was written") {
    ChatServer chat;
    const auto ann = chat.join();
    for (const char* text : {R"("")", R"("\u0000\"\\")", R"("\ud83d\ude00")", "\"\xe3\x81\xa6\""}) {
        const auto frames = chat.ask(ann, R"(42["chat message",)" + std::string(text) + ",null]");
        REQUIRE(frames.size() == 1);
        CHECK(frames[0].starts_with(R"(42["chat message",)" + std::string(text) + ","));
    }
}

TEST_CASE("echo gives the value back") {
    ChatServer chat;
    const auto ann = chat.join();
    CHECK(chat.ask(ann, R"(421["echo",{"a":[1,"x"]}])") == Frames{R"(431[{"a":[1,"x"]}])"});
    CHECK(chat.ask(ann, R"(422["echo"])") == Frames{"432[null]"});
    CHECK(chat.ask(ann, R"(42["echo",1])").empty());
}

TEST_CASE("a tier-2 client's message carries its key") {
    ChatServer chat;
    const std::string producer(32, 'a'), secret(32, 'b');
    const auto ann = chat.join(R"(40{"oncewire":{"version":1,"producer":")" + producer +
                               R"(","secret":")" + secret + R"("}})");
    const auto frames =
        chat.ask(ann, R"(42["oncewire:send",1,"0123456789abcdef",["chat message","hi"]])");
    REQUIRE(frames.size() == 2);
    CHECK(frames[0] ==
          R"(42["chat message","hi",1,{"at":1234,"key":")" + producer + R"(:1"},"e.1"])");
    CHECK(frames[1] == R"(42["oncewire:verdicts",1,[[0,{"id":1}]]])");
}

}  // namespace chat_test
