#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "server/store/store.hpp"
#include "server/store/verdict.hpp"

namespace oncewire::store {

/// A durable message as its handler sees it.
struct Message {
    std::string_view nsp;
    std::string_view event;              ///< the name, escapes resolved
    std::vector<std::string_view> args;  ///< JSON slices, without the event name
    std::string_view scope;              ///< lasting name of the sender's session
    /// Stable over every resend; empty for stock clients, who have none.
    std::string key;  ///< "producer:sequence"
    /// What the application said of the sender when it let them in (api::Socket::introduce()); empty
    /// if nothing.
    std::string_view sender = {};
};

/// What a durable handler may do: everything it does commits together with the dedupe row and the
/// verdict, or not at all. Valid during the handler's call only.
class Tx {
  public:
    /// `key`: of the message, see Message.
    Tx(Store& store, std::string_view nsp, std::string_view key, UnixMillis now,
       std::vector<LogEntry>& published)
        : store_(store), nsp_(nsp), key_(key), now_(now), published_(published) {}

    /// Whether anything was changed: then undo() takes it back.
    bool is_marked() const { return is_marked_; }

    /// The offset the next publish() gets: useful as the id of what is being published.
    delivery::Offset next_offset() const { return store_.head().offset + 1; }
    UnixMillis now() const { return now_; }

    /// Appends `data` (JSON array text, ["event", …args]) to the log for the members of `room` in the
    /// message's namespace. They
    /// receive it after the commit, with its position as an extra last argument.
    Result<delivery::Offset, StoreError> publish(std::string_view room, std::string data);

    /// Up to `entries_max` committed entries of `room` before `before`, newest first, at most 256 KiB
    /// of them. What this batch has published is not among them.
    Result<std::vector<LogEntry>, StoreError> read_before(std::string_view room,
                                                          delivery::Offset before,
                                                          std::uint32_t entries_max);

    /// Leaves work for after the commit, which the handler of this name (Application::on_task) does at
    /// least once: again after a failure or a crash, with the same key each time. For what cannot be in
    /// the transaction: a mail, a payment, another server. `payload`: JSON text. Returns the key.
    Result<std::string, StoreError> defer(std::string_view name, std::string payload);

    /// One statement on the application's own tables (Application::schema), with `values` bound to ?1, ?2
    /// and so on; all the rows it gives. It commits or vanishes with the message. The tables of this
    /// server, and whatever would end the transaction, are out of reach.
    template <class... A>
    Result<std::vector<SqlRow>, SqlError> sql(std::string_view statement, const A&... values) {
        if (const auto marked = mark(); !marked) {
            return Err{SqlError{marked.error(), false, error_text(marked.error())}};
        }
        return store_.run_sql(statement, {sql_value(values)...});
    }

    /// How a message with a sender-chosen id (tier 1) relates to what is stored.
    enum class Once : std::uint8_t {
        fresh,      ///< publish it, then remember_once()
        repeated,   ///< the same message again: acknowledge, publish nothing
        collision,  ///< another session's id: publish it too; counted
        conflict,   ///< the same session reused its id for another text: reject
    };
    struct OnceAnswer {
        Once outcome = Once::fresh;
        delivery::Offset offset = 0;  ///< of the stored message when repeated
    };
    /// Ids beginning with `undefined-` are compared within `scope` only: the tutorial's client numbers
    /// what is typed offline that way, the same for everybody.
    Result<OnceAnswer, StoreError> check_once(std::string_view id, std::string_view scope,
                                              std::string_view body);
    Result<void, StoreError> remember_once(std::string_view id, std::string_view scope,
                                           std::string_view body, delivery::Offset offset);

  private:
    static SqlValue sql_value(std::nullptr_t) { return std::monostate(); }
    static SqlValue sql_value(double value) { return value; }
    template <class I>
    requires std::is_integral_v<I>
    static SqlValue sql_value(I value) { return static_cast<std::int64_t>(value); }
    static SqlValue sql_value(std::string_view value) { return std::string(value); }
    template <class T>
    static SqlValue sql_value(const std::optional<T>& value) {
        return value ? sql_value(*value) : SqlValue();
    }

    /// Before the first change, so that a message that changes nothing costs no mark.
    Result<void, StoreError> mark();

    Store& store_;
    bool is_marked_ = false;
    std::string_view nsp_;
    std::string_view key_;
    UnixMillis now_;
    std::uint32_t deferred_ = 0;
    std::vector<LogEntry>& published_;
};

/// Runs inside the store transaction, on the sequencer's thread, one message at a time. What it did
/// counts only if it accepts: a rejection is stored alone. A StoreError means "not now": nothing is
/// consumed and the sender tries again; with StoreError::handler, or when it throws, a limited number of
/// times (Sequencer::Options), then the message is rejected, so that it cannot hold up its sender for
/// ever.
using DurableHandler = std::function<Result<Verdict, StoreError>(Tx&, const Message&)>;

}  // namespace oncewire::store
