#include "server/store/sqlite/writer.hpp"

#include <unordered_set>
#include <utility>

namespace oncewire::store::sqlite {
namespace {

using Trouble = std::optional<StoreError>;

}  // namespace

Result<void, Failure> Writer::prepare(Database& database, SessionTables& sessions) {
    database_ = &database;
    sessions_ = &sessions;
    const std::pair<Statement&, const char*> all[] = {
        {standing_,
         "SELECT epoch, fence, max(coalesce((SELECT max(offset) FROM log), 0),"
         " coalesce((SELECT max(offset) FROM recorded), 0)) FROM meta"},
        {raise_fence_, "UPDATE meta SET fence = fence + 1"},
        {fence_, "SELECT fence FROM meta"},
        {find_producer_, "SELECT id FROM producers WHERE name = ?1"},
        {put_producer_,
         "INSERT INTO producers (id, name, secret, epoch, last, last_digest, last_contact, user,"
         " forgotten) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (id) DO UPDATE SET"
         " secret = ?3, epoch = ?4, last = ?5, last_digest = ?6, last_contact = ?7, user = ?8,"
         " forgotten = ?9"},
        {put_verdict_,
         "INSERT OR REPLACE INTO verdicts (producer, sequence, digest, kind, body, first, entries)"
         " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"},
        {find_room_, "SELECT id FROM rooms WHERE name = ?1"},
        {put_room_,
         "INSERT INTO rooms (id, name, last_seq) VALUES (?1, ?2, ?3)"
         " ON CONFLICT (id) DO UPDATE SET last_seq = ?3"},
        {append_,
         "INSERT INTO log (offset, room, room_seq, data, stored_at) VALUES (?1, ?2, ?3, ?4, ?5)"},
        {rewrite_, "UPDATE log SET data = ?2 WHERE offset = ?1"},
        {put_once_,
         "INSERT INTO once (id, offset, scope, body, collides)"
         " VALUES (?1, ?2, ?3, ?4, EXISTS (SELECT 1 FROM once WHERE id = ?1))"},
        {put_task_, "INSERT INTO tasks (id, key, name, payload) VALUES (?1, ?2, ?3, ?4)"},
        {end_task_, "DELETE FROM tasks WHERE id = ?1"},
        {put_question_,
         "INSERT INTO questions (id, recipient, key, nsp, data, expires_at)"
         " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"},
        {end_question_, "DELETE FROM questions WHERE id = ?1"},
    };
    for (const auto& [statement, sql] : all) {
        auto prepared = database.prepare(sql);
        if (!prepared) return Err{prepared.error()};
        statement = std::move(*prepared);
    }
    const auto last_room = database.integer("SELECT max(id) FROM rooms");
    if (!last_room) return Err{last_room.error()};
    const auto last_producer = database.integer("SELECT max(id) FROM producers");
    if (!last_producer) return Err{last_producer.error()};
    last_room_ = *last_room;
    last_producer_ = *last_producer;
    return upkeep_.prepare(database);
}

Result<std::uint64_t, Failure> Writer::take_fence() {
    const auto failed = [](const Run& run) {
        return Err{Failure{*run.error(), error_text(*run.error())}};
    };
    {
        const Run raised(raise_fence_);
        if (raised.error()) return failed(raised);
    }
    const Run taken(fence_);
    if (taken.error()) return failed(taken);
    return taken.number(0);
}

Result<bool, StoreError> Writer::may_write(const LogHead& from, std::uint64_t fence) const {
    const Run standing(standing_);
    if (standing.error()) return Err{*standing.error()};
    if (!standing.has_row()) return Err{StoreError::corrupt};
    return standing.text(0) == from.epoch.text && standing.number(1) == fence &&
           standing.number(2) == from.offset;
}

Result<Written, StoreError> Writer::write(const Batch& batch) {
    if (rooms_.size() > remembered_max) rooms_.clear();
    if (producers_.size() > remembered_max) producers_.clear();
    if (const auto error = write_senders(batch)) return Err{*error};
    if (const auto error = write_log(batch)) return Err{*error};
    if (const auto error = write_once(batch)) return Err{*error};
    if (const auto error = write_work(batch)) return Err{*error};
    if (const auto error = write_sessions(batch)) return Err{*error};
    return upkeep_.write(batch.upkeep);
}

void Writer::forget() {
    rooms_.clear();
    producers_.clear();
    upkeep_.forget();
}

/// What is new gets the next number.
Result<std::int64_t, StoreError> Writer::number_of(Numbers& known, const Statement& find,
                                                   const std::string& name, std::int64_t& newest) {
    const auto remembered = known.find(name);
    if (remembered != known.end()) return remembered->second;
    const Run found(find, std::string_view(name));
    if (found.error()) return Err{*found.error()};
    return known[name] = found.has_row() ? found.integer(0) : ++newest;
}

Trouble Writer::write_senders(const Batch& batch) {
    for (const auto& [id, change] : batch.senders) {
        const auto number = number_of(producers_, find_producer_, id.text, last_producer_);
        if (!number) return number.error();
        if (const auto& row = change.row) {
            const auto error = run(put_producer_, *number, std::string_view(id.text),
                                   std::string_view(row->identity.secret.text), row->epoch,
                                   row->seen.last, row->seen.last_digest, row->last_contact.value,
                                   std::string_view(row->user), row->forgotten);
            if (error) return error;
        }
        for (const auto& [sequence, stored] : change.verdicts) {
            const std::int64_t kind = stored.verdict.kind == Verdict::Kind::accepted ? 0 : 1;
            const Publication published = stored.published.value_or(Publication());
            const auto error = run(put_verdict_, *number, sequence, stored.digest, kind,
                                   std::string_view(stored.verdict.body), published.first,
                                   std::uint64_t{published.entries});
            if (error) return error;
        }
    }
    return std::nullopt;
}

Trouble Writer::write_log(const Batch& batch) {
    for (const auto& [name, head] : batch.rooms) {
        const auto number = number_of(rooms_, find_room_, name, last_room_);
        if (!number) return number.error();
        if (const auto error = run(put_room_, *number, std::string_view(name), head.last_seq))
            return error;
    }
    for (const auto& entry : batch.entries) {
        const auto number = number_of(rooms_, find_room_, entry.room, last_room_);
        if (!number) return number.error();
        const auto error = run(append_, entry.offset, *number, entry.room_seq,
                               std::string_view(entry.data), entry.stored_at.value);
        if (error) return error;
    }
    for (const auto& [offset, data] : batch.rewritten) {
        if (const auto error = run(rewrite_, offset, std::string_view(data))) return error;
    }
    return std::nullopt;
}

Trouble Writer::write_once(const Batch& batch) const {
    for (const auto& [id, rows] : batch.once) {
        for (const OnceRow& row : rows) {
            const auto error = run(put_once_, std::string_view(id), row.offset,
                                   std::string_view(row.scope), std::string_view(row.body));
            if (error) return error;
        }
    }
    return std::nullopt;
}

Trouble Writer::write_work(const Batch& batch) const {
    for (const TaskRow& row : batch.tasks) {
        const auto error = run(put_task_, row.id, std::string_view(row.key),
                               std::string_view(row.name), std::string_view(row.payload));
        if (error) return error;
    }
    for (const auto id : batch.ended_tasks) {
        if (const auto error = run(end_task_, id)) return error;
    }
    return write_questions(batch);
}

/// A key is free for the next question as soon as the one before it has ended, which may be in the same batch. What is
/// asked and ended at once is put, too, so that its number is not given again.
Trouble Writer::write_questions(const Batch& batch) const {
    std::unordered_set<std::uint64_t> ended;
    for (const auto& one : batch.ended_questions) {
        ended.insert(one.id);
        if (const auto error = run(end_question_, one.id)) return error;
    }
    for (const QuestionRow& row : batch.questions) {
        const auto error = run(put_question_, row.id, std::string_view(row.recipient.text),
                               std::string_view(row.key), std::string_view(row.nsp),
                               std::string_view(row.data), row.expires_at.value);
        if (error) return error;
        if (!ended.contains(row.id)) continue;
        if (const auto failed = run(end_question_, row.id)) return failed;
    }
    return std::nullopt;
}

Trouble Writer::write_sessions(const Batch& batch) const {
    const Upkeep& upkeep = batch.upkeep;
    if (upkeep.drops_sessions) {
        if (const auto error = sessions_->drop_all()) return error;
    }
    if (const auto& restart = upkeep.restart_sessions) {
        if (const auto error = sessions_->restart(restart->now, restart->slack)) return error;
    }
    for (const auto& [pid, change] : batch.sessions) {
        if (const auto error = sessions_->change(pid, change)) return error;
    }
    if (const auto before = upkeep.drop_unseen_before) {
        if (const auto error = sessions_->drop_unseen_since(*before)) return error;
    }
    for (const auto& event : batch.recorded) {
        if (const auto error = sessions_->record(event)) return error;
    }
    return upkeep.prune ? sessions_->prune(*upkeep.prune) : std::nullopt;
}

}  // namespace oncewire::store::sqlite
