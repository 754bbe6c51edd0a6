#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/store/log_entry.hpp"
#include "server/store/retention.hpp"
#include "server/store/sessions.hpp"
#include "server/store/sql.hpp"
#include "server/store/verdict.hpp"
#include "shared/base/result.hpp"
#include "shared/delivery/dedupe.hpp"
#include "shared/delivery/position.hpp"
#include "shared/delivery/producer.hpp"

namespace oncewire::store {

/// Why the store could not do it. None of them is a verdict on a message: the sender keeps it.
enum class StoreError : std::uint8_t {
    busy,  ///< locked by another process; try again soon
    full,  ///< no space; reads go on
    read_only,
    io,            ///< the disk or the file failed; reopen
    corrupt,       ///< do not write; keep the evidence
    newer_schema,  ///< written by a newer version of this program
    handler,       ///< not the store: the application's handler failed, so its message waits
};
const char* error_text(StoreError error);

/// How a COMMIT ended. There is no "no": a COMMIT that failed on fsync was seen alive after restart
/// (R3), so whoever had something in the batch learns nothing and asks again.
enum class CommitOutcome : std::uint8_t { committed, unknown };

/// What a transaction survives once committed; told to clients at attach.
enum class Durability : std::uint8_t {
    memory,   ///< nothing: `:memory:`
    process,  ///< kill -9, not power loss
    disk,     ///< power loss: fsynced
};
const char* durability_text(Durability durability);

/// A producer's row: identity, fence, and high-water mark.
struct ProducerRow {
    delivery::ProducerIdentity identity;
    delivery::ProducerEpoch epoch = 0;
    delivery::HighWater seen;
    UnixMillis last_contact;
    std::string user = {};  ///< who used it first; empty: nobody in particular, so far
    /// Verdicts up to here are gone: its lease has ended.
    delivery::Sequence forgotten = 0;
    bool operator==(const ProducerRow&) const = default;
};

/// Tells one text from another without being it, so that a text that is taken back is kept nowhere: its
/// 64-bit FNV-1a and its length. Detects accidents, not attacks: who knows somebody's id and text
/// beforehand could say the same under it first, too.
std::string digest_of_body(std::string_view body);

/// A message stored under an id its sender chose (tier 1).
struct OnceRow {
    std::string body;             ///< what digest_of_body() says of the text that was stored
    std::string scope;            ///< the session that stored it first
    delivery::Offset offset = 0;  ///< where it is in the log
    bool operator==(const OnceRow&) const = default;
};

/// Work that a durable handler left for later (Tx::defer): done at least once, under the same key.
struct TaskRow {
    std::uint64_t id = 0;  ///< 1, 2, 3 …; never used twice while a process runs
    std::string key;       ///< the same at every attempt: idempotency key
    std::string name;
    std::string payload;  ///< JSON text
    bool operator==(const TaskRow&) const = default;
};

/// Something that one client is asked until it answers (Tx::ask): its row is there exactly as long as
/// that has not ended, and what ends it commits with the row's end.
struct QuestionRow {
    std::uint64_t id = 0;  ///< 1, 2, 3 …; never used twice in one history
    ProducerId recipient;
    std::string key;   ///< by which the application knows it; no two that are there share one
    std::string nsp;   ///< where it was asked
    std::string data;  ///< JSON array text: ["event", …args]
    UnixMillis expires_at;
    bool operator==(const QuestionRow&) const = default;
};

/// Statements that make and change tables of the application's own, in order, for Store::prepare_application.
struct SchemaPart {
    std::string component;  ///< empty: the application itself
    std::vector<std::string> statements;
};

/// Where one database stands.
struct LogHead {
    delivery::Epoch epoch;
    delivery::Offset offset = 0;  ///< of the newest committed entry or recorded event; 0 if none
    bool operator==(const LogHead&) const = default;
};

class Reading;

/// Ordered log, producer rows and verdicts of one database. There are two: SQLite, and a reference model
/// in memory that the simulator crashes.
///
/// One thread. Writes happen between begin() and commit(); reads see them before commit too, because
/// the one writer is also the one that decides. After any StoreError inside a transaction call
/// rollback(): until then every call gives that error again and commit() says unknown, so half a
/// message is never committed. After CommitOutcome::unknown call reopen() and read head() and the
/// producers anew: until then every call but head() and read() fails, and those two show what was
/// committed before. Strings passed in are copied; nothing returned points into the store.
class Store : public Sessions {
  public:
    virtual Durability durability() const = 0;
    /// The committed head; inside a transaction, the head as it will be.
    virtual LogHead head() const = 0;

    virtual Result<void, StoreError> begin() = 0;
    virtual CommitOutcome commit() = 0;
    virtual void rollback() = 0;
    /// Closes and opens again after an unknown commit; on success head() is what the disk says, and
    /// durable. On failure everything but head() (and read(), if the file opens) keeps failing: call
    /// it again later.
    virtual Result<void, StoreError> reopen() = 0;
    /// For a thread of its own, which sees what is committed. Null: there is none, and whoever reads is on the
    /// store's thread. Must be gone before the store.
    virtual std::unique_ptr<Reading> open_reading();

    /// `entry.offset` must be head().offset + 1, `entry.room_seq` next_room_seq(room). This and all
    /// that is called put_… require begin().
    /// Returns LogEntry::before.
    virtual Result<delivery::Offset, StoreError> append(const LogEntry& entry) = 0;
    virtual Result<std::uint64_t, StoreError> next_room_seq(std::string_view room) = 0;

    /// The entry of `room` at `offset`, as the open transaction leaves it; none: it is another room's, not
    /// there, or not kept any more.
    virtual Result<std::optional<LogEntry>, StoreError> find_entry(std::string_view room,
                                                                   delivery::Offset offset) = 0;
    /// Gives an entry other data; offset, room_seq, stored_at and what is before it stay. Requires begin();
    /// from then on all reads show the new data. False: find_entry() finds none.
    virtual Result<bool, StoreError> rewrite(std::string_view room, delivery::Offset offset,
                                             std::string_view data) = 0;
    /// After a commit with a rewrite(), or after the start: makes sure that no file of the store holds a
    /// byte of what was replaced. Not in a transaction. May write as much as the write-ahead log holds.
    /// False: not now, because something reads; ask again later. An error concerns this alone, unless it
    /// says `corrupt`.
    virtual Result<bool, StoreError> erase_traces() = 0;

    virtual Result<std::optional<ProducerRow>, StoreError> find_producer(const ProducerId& id) = 0;
    /// `row.forgotten` as find_producer() has it.
    virtual Result<void, StoreError> put_producer(const ProducerRow& row) = 0;

    virtual Result<std::optional<StoredVerdict>, StoreError> find_verdict(
        const ProducerId& id, delivery::Sequence sequence) = 0;
    /// The producer must have its row by commit().
    virtual Result<void, StoreError> put_verdict(const ProducerId& id, delivery::Sequence sequence,
                                                 const StoredVerdict& verdict) = 0;

    /// Makes find_verdict_by_digest() ready for this producer, with at most `count_max` of its verdicts in one
    /// call. Of most producers that is never asked, so it is kept of nobody before. False: call again.
    virtual Result<bool, StoreError> prepare_digests(const ProducerId& id,
                                                     std::uint32_t count_max) = 0;
    /// The verdict on whichever message of this producer has this digest: the same message, under
    /// whatever number it was sent. prepare_digests() must have said true in this transaction.
    virtual Result<std::optional<StoredVerdict>, StoreError> find_verdict_by_digest(
        const ProducerId& id, delivery::Digest digest) = 0;

    /// Producers that have verdicts, and no contact since `until`, the longest away first, at most
    /// `count_max`. O(log n + answer).
    virtual Result<std::vector<ProducerId>, StoreError> idle_producers(UnixMillis until,
                                                                       std::uint32_t count_max) = 0;
    /// It was in contact at `now`.
    virtual Result<void, StoreError> renew_producer(const ProducerId& id, UnixMillis now) = 0;
    /// What one call of forget_verdicts() did.
    struct Forgotten {
        std::uint32_t verdicts = 0;
        bool is_finished = true;  ///< none is left
    };
    /// Removes the oldest verdicts of a producer, at most `count_max`. Its row stays, so that what was
    /// offered once is known as that for ever.
    virtual Result<Forgotten, StoreError> forget_verdicts(const ProducerId& id,
                                                          std::uint32_t count_max) = 0;

    /// The rows under `id` that can decide about a message: the oldest, the one `scope` stored, the one
    /// with this very `body`. Those there are, each once, oldest first. Never more than three, however
    /// many senders chose the same id: a client that counts 1, 2, 3 … after each load is no attack.
    virtual Result<std::vector<OnceRow>, StoreError> find_once(std::string_view id,
                                                               std::string_view scope,
                                                               std::string_view body) = 0;
    /// `row.offset` must lie beyond every earlier row's under this id.
    virtual Result<void, StoreError> put_once(std::string_view id, const OnceRow& row) = 0;

    /// Remembers the transaction as it is; the newest mark counts. undo() goes back to it, also after an
    /// error of an application's own statement. put_verdict() ends it: what a verdict was given on stays. An
    /// error of what was put since the mark may show only at the next call.
    virtual Result<void, StoreError> mark() = 0;
    virtual Result<void, StoreError> undo() = 0;

    /// `row.id` must be last_task() + 1.
    virtual Result<void, StoreError> put_task(const TaskRow& row) = 0;
    virtual Result<void, StoreError> erase_task(std::uint64_t id) = 0;
    /// Tasks with id > `after`, in order, at most `count_max`; inside a transaction its own, too.
    virtual Result<std::vector<TaskRow>, StoreError> tasks(std::uint64_t after,
                                                           std::uint32_t count_max) = 0;
    /// The newest id given so far.
    virtual std::uint64_t last_task() const = 0;

    /// `row.id` must be last_question() + 1, and no question with its key be there.
    virtual Result<void, StoreError> put_question(const QuestionRow& row) = 0;
    virtual Result<void, StoreError> erase_question(std::uint64_t id) = 0;
    virtual Result<std::optional<QuestionRow>, StoreError> find_question(std::string_view key) = 0;
    /// Those to `recipient` with id > `after`, in order, at most `count_max`.
    virtual Result<std::vector<QuestionRow>, StoreError> questions_to(const ProducerId& recipient,
                                                                      std::uint64_t after,
                                                                      std::uint32_t count_max) = 0;
    virtual Result<std::uint32_t, StoreError> count_questions_to(const ProducerId& recipient) = 0;
    /// Those that expire at `until` or before, soonest first, at most `count_max`.
    virtual Result<std::vector<QuestionRow>, StoreError> expiring_questions(
        UnixMillis until, std::uint32_t count_max) = 0;
    /// The newest id given so far.
    virtual std::uint64_t last_question() const = 0;

    /// Brings the application's own tables forward: statement i of a part leads from version i to i + 1;
    /// those that were run before are not run again, and must be what they were. What was run when there
    /// were no parts is the nameless part's, or else the first's. Error: a sentence. Not in a transaction.
    virtual Result<void, std::string> prepare_application(const std::vector<SchemaPart>& parts) = 0;
    /// One statement on the application's own tables, in the open transaction. Ours cannot be reached.
    virtual Result<std::vector<SqlRow>, SqlError> run_sql(std::string_view statement,
                                                          const std::vector<SqlValue>& values) = 0;

    /// What one call of trim() did.
    struct Trimmed {
        std::uint32_t entries = 0;
        bool is_finished = true;  ///< every room was looked at since the last time it said so
    };
    /// Removes oldest entries that `retention` no longer keeps, at most `entries_max`, in the open
    /// transaction. The head, and what dedupe remembers, stay. Call until finished, then again after a
    /// while.
    virtual Result<Trimmed, StoreError> trim(const Retention& retention, UnixMillis now,
                                             std::uint32_t entries_max) = 0;
    /// Whoever read these rooms up to an offset below this has missed entries that are gone; 0: nothing
    /// was removed.
    virtual Result<delivery::Offset, StoreError> trimmed_to(
        const std::vector<std::string>& rooms) = 0;

    /// Committed entries of these rooms with offset > `after`, in order, until `entries_max` entries or
    /// until the next would exceed `bytes_max` bytes of data (at least one entry if there is any).
    /// Inside a transaction none of its own, unlike all other reads: nobody may see those yet.
    /// O(log n + answer) for each room.
    virtual Result<std::vector<LogEntry>, StoreError> read(const std::vector<std::string>& rooms,
                                                           delivery::Offset after,
                                                           std::uint32_t entries_max,
                                                           std::uint64_t bytes_max) = 0;
    /// The same of one room the other way: entries with offset < `before`, newest first.
    virtual Result<std::vector<LogEntry>, StoreError> read_before(std::string_view room,
                                                                  delivery::Offset before,
                                                                  std::uint32_t entries_max,
                                                                  std::uint64_t bytes_max) = 0;
};

}  // namespace oncewire::store
