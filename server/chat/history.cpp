#include "server/chat/history.hpp"

#include <algorithm>
#include <memory>

#include "server/chat/limiter.hpp"
#include "server/chat/messages.hpp"
#include "server/chat/needle.hpp"
#include "shared/base/json.hpp"
#include "shared/base/limits.hpp"

namespace oncewire::chat {
namespace {

using sequencer::Message;
using sequencer::Tx;
using store::LogEntry;
using store::reject;
using store::StoreError;
using store::Verdict;
using Answer = Result<Verdict, StoreError>;

/// 200: entries of one page, whatever was asked for.
constexpr std::uint32_t page_max = 200;
/// 1 MiB and 50: what one search looks at, and finds at most, before it answers how far it came; the
/// thread that stores messages does it, in some milliseconds.
constexpr std::uint64_t searched_bytes_max = 1u << 20;
constexpr std::size_t found_max = 50;
/// 262,144 bytes: what is looked at for the price of one question; beyond it each begun costs one more.
constexpr std::uint64_t charged_bytes = 262'144;
/// 100 bytes: what is searched for.
constexpr std::size_t needle_bytes_max = 100;
constexpr delivery::Offset newest = delivery::Offset{1} << 53;

/// Which log room a place is for this reader; none if it is not theirs to read.
std::optional<std::string> readable(const Message& message) {
    const auto place = string_at(message.args, 0);
    if (!place) return std::nullopt;
    if (*place == main_place || *place == lobby || is_room(*place)) return place;
    const std::string reader = decode_sender(message.sender).id;
    if (*place == inbox_place && !reader.empty()) return inbox_of(reader);
    return std::nullopt;
}

Verdict refuse_place() { return reject("invalid_place", "there is nothing here for you to read"); }

void append_entry(std::string& out, const LogEntry& entry) {
    if (out.back() != '[') out += ',';
    out += '[' + std::to_string(entry.offset) + ',' + entry.data + ']';
}

Answer take_history(Tx& tx, const Message& message) {
    const auto room = readable(message);
    if (!room) return refuse_place();
    const auto before = offset_at(message.args, 1).value_or(newest);
    const auto count = offset_at(message.args, 2).value_or(page_max);
    const auto wanted =
        static_cast<std::uint32_t>(std::clamp<delivery::Offset>(count, 1, page_max));
    const auto entries = tx.read_before(*room, before, wanted);
    if (!entries) return Err{entries.error()};
    std::string body = "{\"entries\":[";
    for (const auto& entry : *entries) append_entry(body, entry);
    const bool has_more = !entries->empty() && entries->back().room_seq > 1;
    return store::accept(body + (has_more ? "],\"more\":true}" : "],\"more\":false}"));
}

// ---- search -------------------------------------------------------------------------------------

/// One search, as far as one answer goes.
class Search {
  public:
    explicit Search(std::string_view needle) : needle_(needle) {}

    void look_at(const LogEntry& entry) {
        bytes_ += entry.data.size() + sizeof entry;  // many short ones take time, too
        before_ = entry.offset;
        note_edit(entry.data);
        if (!needle_.is_in(entry.data)) return;
        append_entry(found_, entry);
        ++count_;
    }
    bool is_full() const {
        return bytes_ >= searched_bytes_max || count_ >= found_max ||
               found_.size() >= limits::page_bytes;
    }
    delivery::Offset before() const { return before_; }
    std::string answer(bool has_more) const {
        return "{\"entries\":" + found_ + "],\"edited\":[" + edited_ +
               "],\"before\":" + (has_more ? std::to_string(before_) : "null") + '}';
    }

  private:
    // Newest first: whoever sees the message knows already that it says something else now.
    void note_edit(std::string_view event) {
        if (!event.starts_with("[\"edit\",")) return;
        const auto elements = json::elements(event);
        const auto id = elements.size() > 1 ? json::member(elements[1], "id") : std::nullopt;
        if (!id) return;
        if (!edited_.empty()) edited_ += ',';
        edited_ += *id;
    }

    Needle needle_;
    std::string found_ = "[";
    std::string edited_;
    std::uint64_t bytes_ = 0;
    std::size_t count_ = 0;
    delivery::Offset before_ = newest;
};

Answer take_search(Tx& tx, const Message& message) {
    const auto room = readable(message);
    if (!room) return refuse_place();
    const auto needle = string_at(message.args, 1);
    if (!needle || needle->empty() || needle->size() > needle_bytes_max) {
        return reject("invalid_search", "search for 1 to 100 bytes of text");
    }
    Search search(*needle);
    auto before = offset_at(message.args, 2).value_or(newest);
    while (!search.is_full()) {
        const auto entries = tx.read_before(*room, before, page_max);
        if (!entries) return Err{entries.error()};
        if (entries->empty()) return store::accept(search.answer(false));
        for (const auto& entry : *entries) {
            if (!search.is_full()) search.look_at(entry);
        }
        before = search.before();
    }
    return store::accept(search.answer(true));
}

}  // namespace

void install_history(api::Application& application, const Options& options) {
    const auto answer = [&](std::string_view event, Rate rate, auto take) {
        const auto allowance = std::make_shared<Allowance>(rate);
        application.on_lookup(event, [=](Tx& tx, const Message& message) -> Answer {
            const Sender sender = decode_sender(message.sender);
            if (const char* code = allowance->refuse(sender, tx.now())) {
                return reject(code, "too many questions at once; wait a moment");
            }
            auto answered = take(tx, message);
            const auto extra = tx.bytes_read() / charged_bytes;
            allowance->charge(sender, tx.now(), static_cast<std::uint32_t>(extra));
            return answered;
        });
    };
    answer("history", options.questions, take_history);
    answer("search", options.searches, take_search);
}

}  // namespace oncewire::chat
