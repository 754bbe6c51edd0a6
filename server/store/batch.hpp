#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/store/error.hpp"
#include "server/store/log_entry.hpp"
#include "server/store/retention.hpp"
#include "server/store/rows.hpp"
#include "server/store/sessions.hpp"

namespace oncewire::store {

/// Other data for an entry of the log, which keeps its place.
struct Rewrite {
    delivery::Offset offset = 0;
    std::string data;
    bool operator==(const Rewrite&) const = default;
};

/// What a batch means for one producer.
struct SenderChange {
    std::optional<ProducerRow> row = {};  ///< there, if the database has none of it yet
    std::vector<std::pair<delivery::Sequence, StoredVerdict>> verdicts = {};  ///< by sequence
    bool operator==(const SenderChange&) const = default;
};

/// What a batch means for one session of a stock client.
struct SessionChange {
    std::optional<SessionRow> before = {};  ///< as the database has it; none: it has none
    std::optional<SessionRow> after = {};   ///< none: it is dropped
    bool operator==(const SessionChange&) const = default;
};

/// What a question's end needs: whose it was.
struct EndedQuestion {
    std::uint64_t id = 0;
    ProducerId recipient;
    bool operator==(const EndedQuestion&) const = default;
};

/// What is tidied beside what is stored.
struct Upkeep {
    /// All sessions end, before anything else that concerns sessions.
    bool drops_sessions = false;
    /// The process that knew who is live is gone, and nobody knows for how long, nor whether the clock was set
    /// meanwhile. So time starts anew: nobody is live, whoever was is seen now, and all that is kept is as if it was
    /// recorded now. What was dropped is, too, unless it was older than the newest event by more than `slack`, so
    /// that all who were live have it.
    struct Restart {
        UnixMillis now;
        Millis slack{0};
    };
    std::optional<Restart> restart_sessions = {};
    /// Sessions that are not live and were not seen since are dropped.
    std::optional<UnixMillis> drop_unseen_before = {};
    /// The oldest recorded events go until these limits hold.
    std::optional<RecordLimits> prune = {};

    /// These were in contact now, though they sent nothing.
    std::vector<std::pair<ProducerId, UnixMillis>> renewed = {};
    /// Of these the oldest verdicts go, one producer after the other, at most so many. Their rows stay, so that what
    /// was offered once is known as that for ever.
    std::vector<ProducerId> forgotten = {};
    std::uint32_t verdicts_max = 0;
    /// So many verdicts more of each become ready to be found by digest. Of most producers that is never asked, so it
    /// is kept of nobody before.
    std::vector<ProducerId> prepare_digests = {};
    std::uint32_t digests_max = 0;

    /// The oldest entries that retention no longer keeps go, at most so many. The head, and what dedupe remembers,
    /// stay.
    struct Trim {
        Retention retention;
        UnixMillis now;
        std::uint32_t entries_max = 0;
    };
    std::optional<Trim> trim = {};
};

/// All that one transaction writes, as a value: it is stored whole or not at all.
struct Batch {
    /// The head before it, and behind it.
    LogHead from;
    delivery::Offset to = 0;

    /// Offsets from from.offset + 1 to `to`, each once, in `entries` or `recorded`.
    std::vector<LogEntry> entries;
    std::vector<RecordedEvent> recorded;
    std::map<std::string, RoomHead, std::less<>> rooms;  ///< of `entries`, as they leave them
    std::vector<Rewrite> rewritten;                      ///< the last one of an offset counts
    std::map<ProducerId, SenderChange> senders;
    std::map<std::string, std::vector<OnceRow>, std::less<>> once;  ///< by id
    std::vector<TaskRow> tasks;
    std::vector<std::uint64_t> ended_tasks;
    std::vector<QuestionRow> questions;
    std::vector<EndedQuestion> ended_questions;
    std::map<std::string, SessionChange, std::less<>> sessions;  ///< by pid
    Upkeep upkeep;
};

/// How writing a batch ended.
enum class WriteOutcome : std::uint8_t {
    committed,
    /// Nothing of it is there, and a later attempt may succeed.
    refused,
    /// Nothing of it is there: somebody else writes to this database now. Whoever hears this may not go on.
    moved,
    /// Nobody knows: a COMMIT that failed on fsync was seen alive after a restart (R3), so whoever had something in
    /// the batch learns nothing and asks again.
    unknown,
};

struct Written {
    WriteOutcome outcome = WriteOutcome::committed;
    StoreError error = {};           ///< why it was refused
    std::uint32_t trimmed = 0;       ///< entries that Upkeep::trim removed
    bool is_trimmed = true;          ///< every room was looked at since the last time it said so
    std::uint32_t leases_ended = 0;  ///< producers of Upkeep::forgotten of whom no verdict is left
    bool are_leases_ended = true;    ///< so it is with all of them
};

}  // namespace oncewire::store
