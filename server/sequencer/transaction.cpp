#include "server/sequencer/transaction.hpp"

#include <algorithm>
#include <utility>

#include "shared/base/json.hpp"
#include "shared/base/limits.hpp"

namespace oncewire::sequencer {
namespace {

/// The name an id is stored under. Everybody who types while offline gets the tutorial's `undefined-0`,
/// so it says nothing without the session. No other id begins this way, and the length tells where the
/// session begins, so no two can be mistaken for each other.
std::string once_key(std::string_view id, std::string_view scope) {
    std::string key(id);
    if (id.substr(0, 10) != "undefined-") return key;
    key += scope;
    return key += '\n' + std::to_string(id.size());
}

/// As it fits into what carries it, with a name that pages can listen to.
bool is_question(std::string_view data) {
    return is_event(data) && json::is_valid(data, limits::json_depth - 1) &&
           json::kind_of(*json::first_element(data)) == json::Kind::string;
}

constexpr std::size_t shown_bytes = 60;

std::string no_event(std::string_view call, std::string_view to, std::string_view data) {
    return std::string(call) + " to \"" + std::string(to) +
           "\" takes [\"event\", ...args] as JSON text, without bytes and under a name of the "
           "application's own, and was given " +
           (data.empty() ? "nothing" : std::string(data.substr(0, shown_bytes)));
}

}  // namespace

Result<void, StoreError> Tx::mark() {
    if (!store_) return Err{StoreError::handler};  // the application's mistake
    if (is_marked_) return {};
    is_marked_ = true;
    return store_->mark();
}

Result<delivery::Offset, StoreError> Tx::publish(std::string_view room, std::string data) {
    if (!store_) return Err{StoreError::handler};
    if (!is_event(data)) return Err{note_mistake(no_event("publish()", room, data))};
    LogEntry entry;
    entry.offset = next_offset();
    entry.room = log_room(nsp_, room);
    entry.data = std::move(data);
    entry.stored_at = now_;

    const auto room_seq = store_->next_room_seq(entry.room);
    if (!room_seq) return Err{room_seq.error()};
    entry.room_seq = *room_seq;
    if (const auto marked = mark(); !marked) return Err{marked.error()};
    const auto before = store_->append(entry);
    if (!before) return Err{before.error()};
    entry.before = *before;

    published_->push_back(std::move(entry));
    return published_->back().offset;
}

Result<bool, StoreError> Tx::rewrite(std::string_view room, delivery::Offset offset,
                                     std::string data) {
    if (!store_) return Err{StoreError::handler};
    if (!is_event(data)) return Err{note_mistake(no_event("rewrite()", room, data))};
    if (const auto marked = mark(); !marked) return Err{marked.error()};
    const auto done = store_->rewrite(log_room(nsp_, room), offset, data);
    if (done && *done) rewritten_->push_back({offset, std::move(data)});
    return done;
}

Result<std::optional<LogEntry>, StoreError> Tx::find(std::string_view room,
                                                     delivery::Offset offset) {
    auto entry = store_ ? store_->find_entry(log_room(nsp_, room), offset)
                        : reading_->find_entry(log_room(nsp_, room), offset);
    if (!entry || !*entry) return entry;
    bytes_read_ += (*entry)->data.size() + sizeof **entry;
    if (!is_event((*entry)->data)) (*entry)->data = unreadable_event;
    return entry;
}

Result<std::vector<LogEntry>, StoreError> Tx::read_before(std::string_view room,
                                                          delivery::Offset before,
                                                          std::uint32_t entries_max) {
    const std::string name = log_room(nsp_, room);
    auto entries = store_ ? store_->read_before(name, before, entries_max, limits::page_bytes)
                          : reading_->read_before(name, before, entries_max, limits::page_bytes);
    if (!entries) return entries;
    for (auto& entry : *entries) {
        bytes_read_ += entry.data.size() + sizeof entry;
        if (!is_event(entry.data)) entry.data = unreadable_event;
    }
    return entries;
}

StoreError Tx::note_mistake(std::string sentence) {
    mistake_ = std::move(sentence);
    return StoreError::handler;
}

/// A stock client's message has no key of its own; the task's number in this history has to do.
Result<std::string, StoreError> Tx::defer(std::string_view name, std::string payload) {
    if (!store_) return Err{StoreError::handler};
    TaskRow row;
    row.id = store_->last_task() + 1;
    row.key = key_.empty() ? store_->head().epoch.text + '/' + std::to_string(row.id)
                           : std::string(key_) + '/' + std::to_string(++deferred_);
    row.name = name;
    row.payload = std::move(payload);
    if (const auto marked = mark(); !marked) return Err{marked.error()};
    if (const auto put = store_->put_task(row); !put) return Err{put.error()};
    return row.key;
}

Result<Asked, StoreError> Tx::ask(std::string_view recipient, std::string data,
                                  AskOptions options) {
    constexpr Millis longest{100ll * 365 * 24 * 3'600'000};
    using Outcome = Asked::Outcome;
    if (!store_) return Err{StoreError::handler};
    if (!delivery::is_producer_token(recipient)) return Asked{Outcome::nobody};
    if (data.size() > limits::durable_message_bytes) return Asked{Outcome::too_large};
    if (!is_question(data)) return Err{note_mistake(no_event("ask()", recipient, data))};
    QuestionRow row;
    row.id = store_->last_question() + 1;
    row.recipient = ProducerId(std::string(recipient));
    row.key = options.key.empty()
                  ? store_->head().epoch.text + "/question/" + std::to_string(row.id)
                  : std::move(options.key);
    row.nsp = nsp_;
    row.data = std::move(data);
    const auto wait = std::clamp(options.expires_after, Millis{0}, longest);
    row.expires_at.value = now_.value + wait.count();

    const auto known = store_->find_question(row.key);
    if (!known) return Err{known.error()};
    if (*known) return Asked{Outcome::open_already, row.key};
    const auto open = store_->count_questions_to(row.recipient);
    if (!open) return Err{open.error()};
    if (*open >= limits::questions_per_client) return Asked{Outcome::too_many};
    if (const auto marked = mark(); !marked) return Err{marked.error()};
    if (const auto put = store_->put_question(row); !put) return Err{put.error()};
    questions_->push_back({row.recipient, row.id, row.expires_at});
    return Asked{Outcome::asked, std::move(row.key)};
}

Result<bool, StoreError> Tx::cancel(std::string_view key) {
    if (!store_) return Err{StoreError::handler};
    const auto found = store_->find_question(key);
    if (!found) return Err{found.error()};
    if (!*found) return false;
    if (const auto ended = end(**found); !ended) return Err{ended.error()};
    return true;
}

Result<void, StoreError> Tx::end(const QuestionRow& row) {
    if (const auto marked = mark(); !marked) return marked;
    if (const auto erased = store_->erase_question(row.id); !erased) return erased;
    questions_->push_back({row.recipient, row.id, std::nullopt});
    return {};
}

Result<Tx::OnceAnswer, StoreError> Tx::check_once(std::string_view id, std::string_view scope,
                                                  std::string_view body) {
    if (!store_) return Err{StoreError::handler};
    const std::string digest = digest_of_body(body);
    const auto found = store_->find_once(once_key(id, scope), scope, digest);
    if (!found) return Err{found.error()};
    const std::vector<OnceRow>& rows = *found;
    if (rows.empty()) return OnceAnswer{Once::fresh, 0};

    // The body decides before the scope: a collision that was stored is itself repeated from then on,
    // and a resend may come from a new session, whose scope is another.
    const auto same_body = std::find_if(rows.begin(), rows.end(),
                                        [&](const OnceRow& row) { return row.body == digest; });
    if (same_body != rows.end()) return OnceAnswer{Once::repeated, same_body->offset};
    const bool own = std::any_of(rows.begin(), rows.end(),
                                 [&](const OnceRow& row) { return row.scope == scope; });
    return OnceAnswer{own ? Once::conflict : Once::collision, 0};
}

Result<void, StoreError> Tx::remember_once(std::string_view id, std::string_view scope,
                                           std::string_view body, delivery::Offset offset) {
    if (const auto marked = mark(); !marked) return marked;
    return store_->put_once(once_key(id, scope),
                            OnceRow{digest_of_body(body), std::string(scope), offset});
}

}  // namespace oncewire::sequencer
