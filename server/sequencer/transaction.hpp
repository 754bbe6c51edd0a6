#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "server/sequencer/words.hpp"
#include "server/store/reading.hpp"
#include "shared/base/time.hpp"

namespace oncewire::sequencer {

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
    /// Whose lane it came from: can be asked with Tx::ask, now and later. Empty for stock clients, who
    /// have none.
    std::string_view producer = {};
};

struct AskOptions {
    /// Who has not answered by then is not asked any more. Goes by the clock on the wall, to the second.
    Millis expires_after{7 * 24 * 3'600'000};
    /// By which to cancel() it. As long as a question of this name is open it is not asked a second
    /// time. Empty: a name of its own.
    std::string key = {};
};

/// What became of Tx::ask().
struct Asked {
    enum class Outcome : std::uint8_t {
        asked,
        open_already,  ///< under this key, perhaps somebody else: nothing was done
        too_many,      ///< the client has limits::questions_per_client to answer: nothing was done
        too_large,     ///< more than limits::durable_message_bytes: nothing was done
        nobody,        ///< not the name of a producer; stock clients have none: nothing was done
    };
    Outcome outcome = Outcome::asked;
    std::string key = {};
};

/// A question that has come to its end.
struct Question {
    std::string_view nsp;        ///< where it was asked
    std::string_view recipient;  ///< as given to Tx::ask
    std::string_view key;        ///< stable: no other question in this history has it, unless
                                 ///< the application gave it twice
    std::string_view event;      ///< the name, escapes resolved
    std::vector<std::string_view> args;  ///< JSON slices, without the event name
};
struct Reply {
    bool expired = false;                ///< there is no answer, and will be none
    std::vector<std::string_view> args;  ///< what the client answered: JSON slices
};

/// What a durable handler may do: everything it does commits together with the dedupe row and the
/// verdict, or not at all. Valid during the handler's call only.
class Tx {
  public:
    /// Of the batch that `overlay` holds. `key`: of the message, see Message.
    Tx(Overlay& overlay, std::string_view nsp, std::string_view key, UnixMillis now)
        : overlay_(&overlay), nsp_(nsp), key_(key), now_(now) {}
    /// Of a lookup: reads what is committed up to `head`, and changes nothing.
    Tx(store::Reading& reading, delivery::Offset head, std::string_view nsp, UnixMillis now)
        : reading_(&reading), head_(head), nsp_(nsp), now_(now) {}

    /// Of the log, so far, with what an entry costs besides its data: what a lookup costs.
    std::uint64_t bytes_read() const { return bytes_read_; }

    /// The offset the next publish() gets: useful as the id of what is being published.
    delivery::Offset next_offset() const {
        return overlay_ ? overlay_->log.next_offset() : head_ + 1;
    }
    UnixMillis now() const { return now_; }

    /// Appends an event to the log for the members of `room` in the message's namespace. They receive it
    /// after the commit, with its position as an extra last argument. `data`: JSON array text, ["event",
    /// …args]; what is_event() does not take is a mistake of the handler's, whose message is handed back.
    Result<delivery::Offset, StoreError> publish(std::string_view room, std::string data);
    /// The same from values, as socket.emit() takes them, but for bytes: `#include` the public API.
    template <class First, class... A>
    Result<delivery::Offset, StoreError> publish(std::string_view room, std::string_view event,
                                                 const First& first, const A&... args) {
        return publish(room, event_text(*this, event, first, args...));
    }

    /// Replaces the data of an entry of `room`, which keeps its position, so nobody who counts misses it:
    /// whoever reads it after the commit, in replay, history or search, gets the new data, and soon no file
    /// of the database holds a byte of the old. Whoever has read it already is told nothing: publish() an
    /// event for them. `data` as in publish(). False: there is no such entry, or it is not kept any more.
    /// Errors are those of publish(). Copies of the database that were made earlier keep the old data.
    Result<bool, StoreError> rewrite(std::string_view room, delivery::Offset offset,
                                     std::string data);
    /// The same from values, as publish() takes them.
    template <class First, class... A>
    Result<bool, StoreError> rewrite(std::string_view room, delivery::Offset offset,
                                     std::string_view event, const First& first, const A&... args) {
        return rewrite(room, offset, event_text(*this, event, first, args...));
    }
    /// The entry of `room` at `offset`, as this batch leaves it; none: there is none, or it is not kept any
    /// more. One that is no event comes as unreadable_event.
    Result<std::optional<LogEntry>, StoreError> find(std::string_view room,
                                                     delivery::Offset offset);

    /// What the handler did that no handler may, in a sentence; empty: nothing.
    const std::string& mistake() const { return mistake_; }

    /// Up to `entries_max` committed entries of `room` before `before`, newest first, at most 256 KiB
    /// of them. What this batch has published is not among them. One that is no event comes as
    /// unreadable_event.
    Result<std::vector<LogEntry>, StoreError> read_before(std::string_view room,
                                                          delivery::Offset before,
                                                          std::uint32_t entries_max);

    /// Leaves work for after the commit, which the handler of this name (Application::on_task) does at
    /// least once: again after a failure or a crash, with the same key each time. For what cannot be in
    /// the transaction: a mail, a payment, another server. `payload`: JSON text. Returns the key.
    Result<std::string, StoreError> defer(std::string_view name, std::string payload);

    /// Asks one client of ours (Message::producer) until it answers, over lost links, its refreshes and
    /// crashes of this process: `socket.on(event, (…args, ack) => …)` there. `data`: JSON array text,
    /// ["event", …args]. What is asked of one client comes in order. Its answer, or the end of the
    /// waiting, is handled once, by the handler of this event (Application::on_reply).
    Result<Asked, StoreError> ask(std::string_view recipient, std::string data,
                                  AskOptions options = {});
    /// Takes back the question of this key: an answer that comes yet has no effect, and no handler is
    /// called. False: there is none, so it was answered, or expired.
    Result<bool, StoreError> cancel(std::string_view key);
    /// The question is over, whatever it came to.
    void end(const QuestionRow& row);

    /// One statement on the application's own tables (Application::schema), with `values` bound to ?1, ?2
    /// and so on; all the rows it gives. It commits or vanishes with the message. The tables of this
    /// server, and whatever would end the transaction, are out of reach. What it sorts without an index
    /// is in memory meanwhile.
    template <class... A>
    Result<std::vector<SqlRow>, SqlError> sql(std::string_view statement, const A&... values) {
        return overlay_ ? overlay_->run_sql(statement, {sql_value(values)...})
                        : reading_->run_sql(statement, {sql_value(values)...});
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

    StoreError note_mistake(std::string sentence);

    // One of the two.
    Overlay* overlay_ = nullptr;
    store::Reading* reading_ = nullptr;
    delivery::Offset head_ = 0;  // of reading_
    std::uint64_t bytes_read_ = 0;
    std::string_view nsp_;
    std::string_view key_;
    UnixMillis now_;
    std::uint32_t deferred_ = 0;
    std::string mistake_;
};

/// Runs as part of a batch, on the sequencer's thread, one message at a time. What it did
/// counts only if it accepts: a rejection is stored alone. A StoreError means "not now": nothing is
/// consumed and the sender tries again; with StoreError::handler, or when it throws, a limited number of
/// times (Sequencer::Options), then the message is rejected, so that it cannot hold up its sender for
/// ever.
using DurableHandler = std::function<Result<Verdict, StoreError>(Tx&, const Message&)>;

/// Runs inside the transaction that ends the question, so that its effect is there exactly once. Errors
/// are those of a DurableHandler; one that fails too often ends the question without an effect.
using AnswerHandler = std::function<Result<void, StoreError>(Tx&, const Question&, const Reply&)>;
using AnswerHandlers = std::map<std::string, AnswerHandler, std::less<>>;

}  // namespace oncewire::sequencer
