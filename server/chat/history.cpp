#include "server/chat/history.hpp"

#include <algorithm>
#include <memory>

#include "server/chat/limiter.hpp"
#include "server/chat/messages.hpp"
#include "shared/base/json.hpp"

namespace oncewire::chat {
namespace {

using api::Json;
using store::LogEntry;
using store::Message;
using store::reject;
using store::StoreError;
using store::Tx;
using store::Verdict;
using Answer = Result<Verdict, StoreError>;

/// 200: entries of one page, whatever was asked for.
constexpr std::uint32_t page_max = 200;
/// 4,096 and 50: entries one search looks at, and finds at most, before it answers how far it came; the
/// thread that stores messages does it.
constexpr std::uint32_t searched_max = 4096;
constexpr std::size_t found_max = 50;
/// 100 bytes: what is searched for.
constexpr std::size_t needle_bytes_max = 100;
constexpr delivery::Offset newest = delivery::Offset{1} << 53;

/// Which log room a place is for this reader; none if it is not theirs to read. A question with a key
/// would have its answer kept as a verdict, for ever.
std::optional<std::string> readable(const Message& message) {
    if (!message.key.empty()) return std::nullopt;
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

std::string folded(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return text;
}

/// The text of an entry that is a message, "" for a picture; none for everything else.
std::optional<std::string> text_in(const Json& event) {
    if (event[0] == "chat message" && event.size() > 1 && event[1].is_string()) {
        return event[1].get_ref<const std::string&>();
    }
    const bool has_text = event[0] == "post" || event[0] == "edit";
    return has_text && event.size() > 1 ? string_in(event[1], "text") : std::nullopt;
}

/// One search, as far as one answer goes.
class Search {
  public:
    explicit Search(std::string needle) : needle_(folded(std::move(needle))) {}

    void look_at(const LogEntry& entry) {
        ++searched_;
        before_ = entry.offset;
        const auto event = api::decode_json(entry.data, {});
        if (!event || !event->is_array() || event->empty()) return;
        if ((*event)[0] == "edit" && event->size() > 1) note_edit((*event)[1]);
        const auto text = text_in(*event);
        if (!text || folded(*text).find(needle_) == std::string::npos) return;
        append_entry(found_, entry);
        ++count_;
    }
    bool is_full() const { return searched_ >= searched_max || count_ >= found_max; }
    delivery::Offset before() const { return before_; }
    std::string answer(bool has_more) const {
        return "{\"entries\":" + found_ + "],\"edited\":" + text_of(edited_) +
               ",\"before\":" + (has_more ? std::to_string(before_) : "null") + '}';
    }

  private:
    // Newest first: whoever sees the message knows already that it says something else now.
    void note_edit(const Json& edit) {
        if (edit.is_object() && edit.contains("id")) edited_.push_back(edit["id"]);
    }

    std::string needle_;
    std::string found_ = "[";
    Json edited_ = Json::array();
    std::uint32_t searched_ = 0;
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
        application.on_durable(event, [=](Tx& tx, const Message& message) -> Answer {
            const char* code = allowance->refuse(decode_sender(message.sender), tx.now());
            return code ? reject(code, "too many questions at once; wait a moment")
                        : take(tx, message);
        });
    };
    answer("history", options.questions, take_history);
    answer("search", options.searches, take_search);
}

}  // namespace oncewire::chat
