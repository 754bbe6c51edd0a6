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

// Who only reads and changes something is the application's mistake.

Result<delivery::Offset, StoreError> Tx::publish(std::string_view room, std::string data) {
    if (!overlay_) return Err{StoreError::handler};
    if (!is_event(data)) return Err{note_mistake(no_event("publish()", room, data))};
    return overlay_->log.append(log_room(nsp_, room), std::move(data), now_);
}

Result<bool, StoreError> Tx::rewrite(std::string_view room, delivery::Offset offset,
                                     std::string data) {
    if (!overlay_) return Err{StoreError::handler};
    if (!is_event(data)) return Err{note_mistake(no_event("rewrite()", room, data))};
    return overlay_->log.rewrite(log_room(nsp_, room), offset, std::move(data));
}

Result<std::optional<LogEntry>, StoreError> Tx::find(std::string_view room,
                                                     delivery::Offset offset) {
    auto entry = overlay_ ? overlay_->log.find(log_room(nsp_, room), offset)
                          : reading_->find_entry(log_room(nsp_, room), offset);
    if (!entry || !*entry) return entry;
    bytes_read_ += (*entry)->data.size() + sizeof **entry;
    if (!is_event((*entry)->data)) (*entry)->data = unreadable_event;
    return entry;
}

Result<std::vector<LogEntry>, StoreError> Tx::read_before(std::string_view room,
                                                          delivery::Offset before,
                                                          std::uint32_t entries_max) {
    store::Reading& reading = overlay_ ? overlay_->store().reading() : *reading_;
    auto entries =
        reading.read_before(log_room(nsp_, room), before, entries_max, limits::page_bytes);
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
    if (!overlay_) return Err{StoreError::handler};
    TaskRow row;
    row.id = overlay_->tasks.last() + 1;
    row.key = key_.empty() ? overlay_->head().epoch.text + '/' + std::to_string(row.id)
                           : std::string(key_) + '/' + std::to_string(++deferred_);
    row.name = name;
    row.payload = std::move(payload);
    std::string key = row.key;
    overlay_->tasks.put(std::move(row));
    return key;
}

Result<Asked, StoreError> Tx::ask(std::string_view recipient, std::string data,
                                  AskOptions options) {
    constexpr Millis longest{100ll * 365 * 24 * 3'600'000};
    using Outcome = Asked::Outcome;
    if (!overlay_) return Err{StoreError::handler};
    if (!delivery::is_producer_token(recipient)) return Asked{Outcome::nobody};
    if (data.size() > limits::durable_message_bytes) return Asked{Outcome::too_large};
    if (!is_question(data)) return Err{note_mistake(no_event("ask()", recipient, data))};
    auto& questions = overlay_->questions;
    QuestionRow row;
    row.id = questions.last() + 1;
    row.recipient = ProducerId(std::string(recipient));
    row.key = options.key.empty()
                  ? overlay_->head().epoch.text + "/question/" + std::to_string(row.id)
                  : std::move(options.key);
    row.nsp = nsp_;
    row.data = std::move(data);
    const auto wait = std::clamp(options.expires_after, Millis{0}, longest);
    row.expires_at.value = now_.value + wait.count();

    const auto known = questions.find(row.key);
    if (!known) return Err{known.error()};
    if (*known) return Asked{Outcome::open_already, row.key};
    const auto open = questions.count(row.recipient);
    if (!open) return Err{open.error()};
    if (*open >= limits::questions_per_client) return Asked{Outcome::too_many};
    Asked asked{Outcome::asked, row.key};
    questions.put(std::move(row));
    return asked;
}

Result<bool, StoreError> Tx::cancel(std::string_view key) {
    if (!overlay_) return Err{StoreError::handler};
    const auto found = overlay_->questions.find(key);
    if (!found) return Err{found.error()};
    if (*found) end(**found);
    return found->has_value();
}

void Tx::end(const QuestionRow& row) { overlay_->questions.end(row.id, row.recipient); }

Result<Tx::OnceAnswer, StoreError> Tx::check_once(std::string_view id, std::string_view scope,
                                                  std::string_view body) {
    if (!overlay_) return Err{StoreError::handler};
    const std::string digest = digest_of_body(body);
    const auto found = overlay_->once.find(once_key(id, scope), scope, digest);
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
    if (!overlay_) return Err{StoreError::handler};
    overlay_->once.put(once_key(id, scope), {digest_of_body(body), std::string(scope), offset});
    return {};
}

}  // namespace oncewire::sequencer
