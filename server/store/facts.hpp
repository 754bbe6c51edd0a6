#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/store/log_entry.hpp"
#include "server/store/rows.hpp"
#include "server/store/sessions.hpp"

namespace oncewire::store {

/// What somebody wants to know of what is committed. Store::fetch answers all of it at once, so that a
/// database behind a network costs one round trip.
struct Wanted {
    struct EntryPlace {
        std::string room;
        delivery::Offset offset = 0;
    };
    struct VerdictKey {
        ProducerId producer;
        delivery::Sequence sequence = 0;
    };
    struct DigestKey {
        ProducerId producer;
        delivery::Digest digest = 0;
    };
    struct OnceKey {
        std::string id;
        std::string scope;
        std::string body;
    };
    struct QuestionsTo {
        ProducerId recipient;
        std::uint64_t after = 0;
        std::uint32_t count_max = 0;
    };
    struct Tasks {
        std::uint64_t after = 0;
        std::uint32_t count_max = 0;
    };
    struct Until {
        UnixMillis until;
        std::uint32_t count_max = 0;
    };

    std::vector<std::string> rooms;  ///< log_room()
    std::vector<EntryPlace> entries;
    std::vector<ProducerId> producers;
    std::vector<VerdictKey> verdicts;
    std::vector<DigestKey> digests;
    std::vector<OnceKey> once;
    std::vector<std::string> questions;  ///< keys
    std::vector<QuestionsTo> questions_to;
    std::vector<ProducerId> question_counts;
    std::vector<std::string> sessions;    ///< pids
    std::vector<std::string> members_of;  ///< rooms
    bool pruned = false;
    std::optional<Tasks> tasks = {};
    std::optional<Until> expiring_questions = {};
    std::optional<Until> idle_producers = {};
};

/// The answers, in the order of what was asked; what is not there is none, zero or empty.
struct Facts {
    /// What of a producer's verdicts is known by digest.
    struct ByDigest {
        /// False: too many verdicts are not prepared for being found so: Upkeep::prepare_digests, and ask again.
        bool is_ready = true;
        /// On whichever message has this digest: the same message, under whatever number it was sent.
        std::optional<StoredVerdict> verdict = {};
    };

    std::vector<RoomHead> rooms;
    /// None: it is another room's, not there, or not kept any more.
    std::vector<std::optional<LogEntry>> entries;
    std::vector<std::optional<ProducerRow>> producers;
    std::vector<std::optional<StoredVerdict>> verdicts;
    std::vector<ByDigest> digests;
    /// The rows under an id that can decide about a message: the oldest, the one the scope stored, the one with this
    /// very body. Those there are, each once, oldest first. Never more than three, however many senders chose the
    /// same id: a client that counts 1, 2, 3 … after each load is no attack.
    std::vector<std::vector<OnceRow>> once;
    std::vector<std::optional<QuestionRow>> questions;
    std::vector<std::vector<QuestionRow>>
        questions_to;  ///< with a larger id than `after`, in order
    std::vector<std::uint32_t> question_counts;
    std::vector<std::optional<SessionRow>> sessions;
    std::vector<std::string>
        members;  ///< pids of all who are in any of the rooms, each once, in order
    Pruned pruned;
    std::vector<TaskRow> tasks;                   ///< with a larger id than `after`, in order
    std::vector<QuestionRow> expiring_questions;  ///< at `until` or before, soonest first
    /// Who has verdicts and had no contact since `until`, the longest away first. O(log n + answer).
    std::vector<ProducerId> idle_producers;
};

}  // namespace oncewire::store
