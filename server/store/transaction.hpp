#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
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
    Tx(Store& store, std::string_view nsp, UnixMillis now, std::vector<LogEntry>& published)
        : store_(store), nsp_(nsp), now_(now), published_(published) {}

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
    Store& store_;
    std::string_view nsp_;
    UnixMillis now_;
    std::vector<LogEntry>& published_;
};

/// Runs inside the store transaction, on the sequencer's thread, one message at a time. A StoreError
/// means "not now": nothing is consumed and the sender tries again.
using DurableHandler = std::function<Result<Verdict, StoreError>(Tx&, const Message&)>;

}  // namespace oncewire::store
