// Whose pictures go when space is short.
#include <catch2/catch.hpp>

#include <memory>
#include <optional>
#include <string>

#include "server/chat/chat.hpp"
#include "server/chat/words.hpp"
#include "server/store/sqlite/store.hpp"
#include "shared/base/base64.hpp"
#include "tests/unit/support/temporary_directory.hpp"

namespace chat_pictures_sqlite_test {

using namespace oncewire;
using namespace oncewire::sequencer;
using namespace oncewire::store;
using namespace std::string_literals;

namespace {

/// A GIF of 3 × 3 pixels and this size; no two calls give the same bytes a name.
std::string picture(std::size_t size) { return "GIF89a\3\0\3\0"s + std::string(size - 10, 'x'); }

/// The chat's own tables and handlers, without clients.
class Album {
  public:
    explicit Album(std::uint64_t bytes_in_all) {
        chat::Options options;
        options.pictures = chat::PictureLimits{bytes_in_all, 0, 0, Millis{0}};
        chat::install_with(application_, options);
        auto opened =
            SqliteStore::open(directory_.file("chat.db"), {"first"}, {.ballast_bytes = 0});
        REQUIRE(opened);
        store_ = std::move(*opened);
        REQUIRE(store_->tables().prepare(application_.schema()));
        overlay_.emplace(*store_);
    }
    /// Returns its id.
    std::string keep(const std::string& owner, const std::string& network, std::size_t size,
                     bool is_posted = true) {
        const std::string digits = std::to_string(++newest_);
        const std::string id = std::string(32 - digits.size(), '0') + digits;
        run(owner, network, "keep picture",
            {'"' + id + '"', '"' + base64::encode(picture(size)) + '"'});
        if (is_posted) run(owner, network, "post", {"\"chat\"", R"({"picture":")" + id + "\"}"});
        return id;
    }
    bool has(const std::string& id, const std::string& reader = "reader") {
        return run(reader, "192.0.2.9", "show picture", {'"' + id + '"'}).kind ==
               Verdict::Kind::accepted;
    }

  private:
    Verdict run(const std::string& owner, const std::string& network, const std::string& event,
                std::vector<std::string> args) {
        Tx tx(*overlay_, "/", "", UnixMillis{++clock_});
        const std::string sender = chat::encode(chat::Sender{owner, owner, network});
        const Message message{"/", event, {args.begin(), args.end()}, "scope", {}, sender, {}};
        const auto verdict = application_.durable_handlers().at(event)(tx, message);
        REQUIRE(verdict);
        REQUIRE(overlay_->write().outcome == WriteOutcome::committed);
        return *verdict;
    }

    test::TemporaryDirectory directory_;
    api::Application application_;
    std::unique_ptr<SqliteStore> store_;
    std::optional<store::Overlay> overlay_;
    int newest_ = 0;
    std::int64_t clock_ = 1'000'000;
};

}  // namespace

TEST_CASE("many names of one network push out none of another's pictures") {
    Album album(1'000'000);
    const auto first = album.keep("ann", "192.0.2.1", 100'000);
    const auto second = album.keep("ann", "192.0.2.1", 100'000);
    for (int i = 0; i < 40; ++i) {
        album.keep("crowd-" + std::to_string(i % 8), "198.51.100.7", 100'000);
    }
    CHECK(album.has(first));
    CHECK(album.has(second));
}

TEST_CASE("in a network who has most makes room, with what they did not post first") {
    Album album(500'000);
    const auto ben = album.keep("ben", "192.0.2.1", 100'000);
    const auto old = album.keep("ann", "192.0.2.1", 100'000);
    const auto unposted = album.keep("ann", "192.0.2.1", 100'000, false);
    const auto newer = album.keep("ann", "192.0.2.1", 100'000);
    album.keep("ben", "192.0.2.1", 100'000);
    CHECK(album.has(unposted, "ann"));
    album.keep("cid", "192.0.2.2", 50'000);
    CHECK(album.has(ben));
    CHECK(album.has(old));
    CHECK_FALSE(album.has(unposted, "ann"));
    album.keep("cid", "192.0.2.2", 60'000);
    CHECK(album.has(newer));
    CHECK(album.has(ben) != album.has(old));  // ann and ben have as much by now
}

}  // namespace chat_pictures_sqlite_test
