// How mail becomes transactions, and what a core hears whose box is full.
#include <catch2/catch.hpp>
#include <memory>
#include <variant>
#include <vector>

#include "server/turn/box.hpp"
#include "server/turn/feeds.hpp"
#include "server/turn/transactions.hpp"

using namespace oncewire;

namespace {

using Letter = std::variant<mail::FromSequencer>;

mail::ToSequencer message(std::size_t bytes) {
    mail::Submit submit;
    submit.data = std::string(bytes, 'x');
    return submit;
}

std::vector<mail::ToSequencer> messages(std::size_t count, std::size_t bytes) {
    return std::vector<mail::ToSequencer>(count, message(bytes));
}

std::size_t taken_by_one(turn::Transactions& transactions) {
    std::size_t count = 0;
    while (transactions.next()) ++count;
    return count;
}

sequencer::OutgoingMail published() {
    return {sequencer::OutgoingMail::every_core,
            mail::Published{std::make_shared<std::vector<store::LogEntry>>(1)}};
}

template <class Kind>
std::size_t count_of(const std::vector<Letter>& letters) {
    std::size_t count = 0;
    for (const auto& letter : letters)
        count += std::holds_alternative<Kind>(std::get<mail::FromSequencer>(letter));
    return count;
}

}  // namespace

TEST_CASE("a box wakes its owner once, and is full of few large letters, too") {
    turn::Box<std::string> box({3, 10, [](const std::string& letter) { return letter.size(); }});
    CHECK(box.post({"a"}));
    CHECK_FALSE(box.post({"b"}));
    CHECK_FALSE(box.is_full());
    box.post({"cdefghij"});
    CHECK(box.is_full());
    const auto taken = box.take();
    CHECK(taken.was_full);
    CHECK(taken.letters == std::vector<std::string>{"a", "b", "cdefghij"});
    CHECK_FALSE(box.is_full());
    CHECK_FALSE(box.post({}));
    CHECK(box.post({"0123456789"}));
    CHECK(box.is_full());
}

TEST_CASE("transactions take so many letters, and nothing between them is lost") {
    turn::Transactions transactions(4);
    CHECK(transactions.is_empty());
    transactions.add(messages(6, 1));
    CHECK(taken_by_one(transactions) == 4);
    transactions.add(messages(3, 1));
    CHECK(taken_by_one(transactions) == 4);
    CHECK(taken_by_one(transactions) == 1);
    CHECK(transactions.is_empty());
}

TEST_CASE("transactions take so many bytes, and one letter at least") {
    turn::Transactions transactions;
    transactions.add(messages(3, turn::Transactions::bytes_max));
    CHECK(taken_by_one(transactions) == 1);
    transactions.add(messages(1, 1));
    CHECK(taken_by_one(transactions) == 1);
    CHECK(taken_by_one(transactions) == 1);
    CHECK(taken_by_one(transactions) == 1);
    CHECK(transactions.is_empty());
}

TEST_CASE("a core whose box is full misses the feed alone, and hears of it when there is room") {
    turn::Feeds<Letter> feeds(2);
    feeds.add(published());
    feeds.add({0, mail::Cut{}});
    const auto kept = feeds.take(0, true, {});
    CHECK(count_of<mail::Published>(kept) == 0);
    CHECK(count_of<mail::Cut>(kept) == 1);
    CHECK(feeds.is_somebody_behind());
    const auto others = feeds.take(1, false, {});
    CHECK(count_of<mail::Published>(others) == 1);
    CHECK(count_of<mail::LogState>(others) == 0);
    CHECK(feeds.take(0, true, {}).empty());
    CHECK(feeds.is_behind(0));
    const auto told = feeds.take(0, false, {});
    CHECK(count_of<mail::LogState>(told) == 1);
    CHECK_FALSE(feeds.is_somebody_behind());
    CHECK(feeds.take(0, false, {}).empty());
}
