#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/store/overlay/overlay.hpp"

namespace oncewire::test {

/// A store as its tests speak to it: one call for each thing, between begin() and commit(). What is found is as the
/// batch leaves it; what is read, and what has several rows, is what is committed.
class StoreUser {
    template <class T>
    using Answer = Result<T, store::StoreError>;
    using Done = Answer<void>;

  public:
    /// `store` outlives it, and nobody else writes to it.
    explicit StoreUser(store::Store& store) : overlay_(store) {}

    store::Store& store() { return overlay_.store(); }
    store::Overlay& overlay() { return overlay_; }
    store::Durability durability() { return store().durability(); }
    /// As the batch will leave it.
    store::LogHead head() const { return overlay_.head(); }

    /// Says where a batch begins; there always is one.
    Done begin() { return {}; }
    store::WriteOutcome commit();
    /// All that the last commit() said.
    const store::Written& written() const { return written_; }
    void rollback() { overlay_.drop(); }
    Done mark();
    Done undo() { return overlay_.undo(); }
    Done reopen() { return overlay_.reopen(); }
    Answer<bool> erase_traces() { return store().erase_traces(); }

    Answer<delivery::Offset> append(std::string room, std::string data,
                                    UnixMillis stored_at = {1}) {
        return overlay_.log.append(std::move(room), std::move(data), stored_at);
    }
    Answer<std::uint64_t> next_room_seq(const std::string& room);
    Answer<std::optional<store::LogEntry>> find_entry(std::string_view room,
                                                      delivery::Offset offset) {
        return overlay_.log.find(room, offset);
    }
    Answer<bool> rewrite(std::string_view room, delivery::Offset offset, std::string data) {
        return overlay_.log.rewrite(room, offset, std::move(data));
    }
    void trim(store::Retention retention, UnixMillis now, std::uint32_t entries_max);

    Answer<std::optional<store::ProducerRow>> find_producer(const ProducerId& id) {
        return overlay_.senders.find(id);
    }
    Done put_producer(const store::ProducerRow& row);
    Answer<std::optional<store::StoredVerdict>> find_verdict(const ProducerId& id,
                                                             delivery::Sequence sequence) {
        return overlay_.senders.find_verdict(id, sequence);
    }
    Done put_verdict(const ProducerId& id, delivery::Sequence sequence,
                     store::StoredVerdict verdict);
    Answer<store::Facts::ByDigest> find_by_digest(const ProducerId& id, delivery::Digest digest) {
        return overlay_.senders.find_by_digest(id, digest);
    }
    void prepare_digests(const ProducerId& id, std::uint32_t count_max);
    void renew_producer(const ProducerId& id, UnixMillis now);
    void forget_verdicts(const ProducerId& id, std::uint32_t count_max);
    Answer<std::vector<ProducerId>> idle_producers(UnixMillis until, std::uint32_t count_max);

    Answer<std::vector<store::OnceRow>> find_once(std::string_view id, std::string_view scope,
                                                  std::string_view body) {
        return overlay_.once.find(id, scope, body);
    }
    Done put_once(std::string_view id, store::OnceRow row);

    Done put_task(store::TaskRow row);
    Done erase_task(std::uint64_t id);
    Answer<std::vector<store::TaskRow>> tasks(std::uint64_t after, std::uint32_t count_max);
    std::uint64_t last_task() const { return overlay_.tasks.last(); }

    Done put_question(store::QuestionRow row);
    Done erase_question(std::uint64_t id, const ProducerId& recipient);
    Answer<std::optional<store::QuestionRow>> find_question(std::string_view key) {
        return overlay_.questions.find(key);
    }
    Answer<std::vector<store::QuestionRow>> questions_to(const ProducerId& recipient,
                                                         std::uint64_t after,
                                                         std::uint32_t count_max);
    Answer<std::uint32_t> count_questions_to(const ProducerId& recipient) {
        return overlay_.questions.count(recipient);
    }
    Answer<std::vector<store::QuestionRow>> expiring_questions(UnixMillis until,
                                                               std::uint32_t count_max);
    std::uint64_t last_question() const { return overlay_.questions.last(); }

    Answer<std::optional<store::SessionRow>> find_session(std::string_view pid) {
        return overlay_.sessions.find(pid);
    }
    Done put_session(store::SessionRow row) { return overlay_.sessions.put(std::move(row)); }
    Done join_session(std::string_view pid, const store::Membership& room) {
        return overlay_.sessions.join(pid, room);
    }
    Done leave_session(std::string_view pid, std::string_view room) {
        return overlay_.sessions.leave(pid, room);
    }
    Done drop_session(std::string_view pid) { return overlay_.sessions.drop(pid); }
    Answer<std::vector<std::string>> sessions_in(const std::vector<std::string>& rooms) {
        return overlay_.sessions.in(rooms);
    }
    /// Its offset is the batch's to give.
    void record(store::RecordedEvent event) { overlay_.log.record(std::move(event)); }
    Answer<store::Pruned> pruned() { return overlay_.sessions.pruned(); }

    Result<void, std::string> prepare_application(const std::vector<store::SchemaPart>& parts) {
        return store().tables().prepare(parts);
    }
    Result<std::vector<store::SqlRow>, store::SqlError> run_sql(
        std::string_view statement, const std::vector<store::SqlValue>& values) {
        return overlay_.run_sql(statement, values);
    }

    Answer<std::vector<store::LogEntry>> read(const std::vector<std::string>& rooms,
                                              delivery::Offset after, std::uint32_t entries_max,
                                              std::uint64_t bytes_max);
    Answer<std::vector<store::LogEntry>> read_before(std::string_view room, delivery::Offset before,
                                                     std::uint32_t entries_max,
                                                     std::uint64_t bytes_max);
    Answer<delivery::Offset> trimmed_to(const std::vector<std::string>& rooms);
    Answer<std::vector<store::RecordedEvent>> read_recorded(const std::vector<std::string>& rooms,
                                                            delivery::Offset after,
                                                            std::uint32_t entries_max,
                                                            std::uint64_t bytes_max);

  private:
    template <class Read>
    auto look(Read read) -> decltype(read(store().reading()));

    store::Overlay overlay_;
    store::Written written_;
};

}  // namespace oncewire::test
