#include "server/store/sqlite/fetcher.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace oncewire::store::sqlite {
namespace {

/// 63 verdicts that are not prepared are looked through, at most: each message of a sender may ask for it, without being
/// admitted first, and everybody's messages wait meanwhile.
constexpr std::uint64_t unprepared_max = 64;

StoredVerdict verdict_in(const Run& run) {
    const auto kind = run.integer(1) == 0 ? Verdict::Kind::accepted : Verdict::Kind::rejected;
    StoredVerdict found{run.number(0), Verdict{kind, run.text(2)}, std::nullopt};
    const Publication published{run.number(3), static_cast<std::uint32_t>(run.number(4))};
    if (published.first > 0) found.published = published;
    return found;
}

std::optional<StoredVerdict> found_verdict(const Run& run) {
    return run.has_row() ? std::optional(verdict_in(run)) : std::nullopt;
}

ProducerRow producer_in(const Run& run, const ProducerId& id) {
    ProducerRow row;
    row.identity = {id, ProducerSecret(run.text(0))};
    row.epoch = run.number(1);
    row.seen = {run.number(2), run.number(3)};
    row.last_contact = {run.integer(4)};
    row.user = run.text(5);
    row.forgotten = run.number(6);
    return row;
}

QuestionRow question_in(const Run& run) {
    return {run.number(0), ProducerId(run.text(1)),   run.text(2), run.text(3),
            run.text(4),   UnixMillis{run.integer(5)}};
}

std::optional<StoreError> all_questions(Run& run, std::vector<QuestionRow>& rows) {
    for (; run.has_row(); run.step()) rows.push_back(question_in(run));
    return run.error();
}

}  // namespace

Result<void, Failure> Fetcher::prepare(Database& database, LogTable& log, SessionTables& sessions) {
    log_ = &log;
    sessions_ = &sessions;
    const std::pair<Statement&, const char*> all[] = {
        {room_,
         "SELECT last_seq, (SELECT max(offset) FROM log WHERE room = rooms.id) FROM rooms"
         " WHERE name = ?1"},
        {producer_,
         "SELECT secret, epoch, last, last_digest, last_contact, user, forgotten FROM producers"
         " WHERE name = ?1"},
        {verdict_,
         "SELECT digest, kind, body, first, entries FROM verdicts"
         " WHERE producer = (SELECT id FROM producers WHERE name = ?1) AND sequence = ?2"},
        {digests_to_, "SELECT id, digests_to FROM producers WHERE name = ?1"},
        {count_beyond_,
         "SELECT count(*) FROM (SELECT 1 FROM verdicts WHERE producer = ?1 AND sequence > ?2"
         " LIMIT ?3)"},
        {by_digest_,
         "SELECT verdicts.digest, kind, body, first, entries FROM verdict_digests AS known"
         " CROSS JOIN verdicts ON verdicts.producer = known.producer"
         " AND verdicts.sequence = known.sequence"
         " WHERE known.producer = ?1 AND known.digest = ?2 LIMIT 1"},
        {by_digest_beyond_,
         "SELECT digest, kind, body, first, entries FROM verdicts WHERE producer = ?1"
         " AND sequence > ?2 AND digest = ?3 LIMIT 1"},
        {once_oldest_,
         "SELECT offset, scope, body FROM once WHERE id = ?1 ORDER BY offset LIMIT 1"},
        {once_by_scope_,
         "SELECT offset, scope, body FROM once WHERE collides = 1 AND id = ?1 AND scope = ?2"
         " ORDER BY offset LIMIT 1"},
        {once_by_body_,
         "SELECT offset, scope, body FROM once WHERE collides = 1 AND id = ?1 AND body = ?2"
         " ORDER BY offset LIMIT 1"},
        {question_,
         "SELECT id, recipient, key, nsp, data, expires_at FROM questions WHERE key = ?1"},
        {questions_to_,
         "SELECT id, recipient, key, nsp, data, expires_at FROM questions"
         " WHERE recipient = ?1 AND id > ?2 ORDER BY id LIMIT ?3"},
        {count_questions_, "SELECT count(*) FROM questions WHERE recipient = ?1"},
        {expiring_questions_,
         "SELECT id, recipient, key, nsp, data, expires_at FROM questions"
         " WHERE expires_at <= ?1 ORDER BY expires_at, id LIMIT ?2"},
        {tasks_, "SELECT id, key, name, payload FROM tasks WHERE id > ?1 ORDER BY id LIMIT ?2"},
        {idle_producers_,
         "SELECT name FROM producers WHERE forgotten < last AND last_contact <= ?1"
         " ORDER BY last_contact LIMIT ?2"},
    };
    for (const auto& [statement, sql] : all) {
        auto prepared = database.prepare(sql);
        if (!prepared) return Err{prepared.error()};
        statement = std::move(*prepared);
    }
    return {};
}

Result<Facts, StoreError> Fetcher::fetch(const Wanted& wanted) const {
    Facts facts;
    for (const auto part : {&Fetcher::fetch_log, &Fetcher::fetch_senders, &Fetcher::fetch_questions,
                            &Fetcher::fetch_sessions, &Fetcher::fetch_due}) {
        if (const auto error = (this->*part)(wanted, facts)) return Err{*error};
    }
    return facts;
}

// ---- the log ------------------------------------------------------------------------------------

Fetcher::Trouble Fetcher::fetch_log(const Wanted& wanted, Facts& facts) const {
    for (const auto& room : wanted.rooms) {
        const Run run(room_, std::string_view(room));
        if (run.error()) return run.error();
        facts.rooms.push_back(run.has_row() ? RoomHead{run.number(0), run.number(1)} : RoomHead());
    }
    for (const auto& [room, offset] : wanted.entries) {
        auto entry = log_->find_entry(room, offset);
        if (!entry) return entry.error();
        facts.entries.push_back(std::move(*entry));
    }
    for (const auto& key : wanted.once) {
        if (const auto error = fetch_once(key, facts.once.emplace_back())) return error;
    }
    return std::nullopt;
}

Fetcher::Trouble Fetcher::fetch_once(const Wanted::OnceKey& key, std::vector<OnceRow>& rows) const {
    const auto add = [&rows](const Run& run) {
        if (!run.has_row()) return;
        OnceRow row{run.text(2), run.text(1), run.number(0)};
        if (rows.empty() || !(rows.back() == row)) rows.push_back(std::move(row));
    };
    const std::string_view id(key.id);
    const Run oldest(once_oldest_, id);
    if (oldest.error()) return oldest.error();
    add(oldest);
    if (rows.empty()) return std::nullopt;
    if (rows.front().scope != key.scope) {
        const Run run(once_by_scope_, id, std::string_view(key.scope));
        if (run.error()) return run.error();
        add(run);
    }
    if (rows.front().body != key.body) {
        const Run run(once_by_body_, id, std::string_view(key.body));
        if (run.error()) return run.error();
        add(run);
    }
    std::sort(rows.begin(), rows.end(),
              [](const OnceRow& a, const OnceRow& b) { return a.offset < b.offset; });
    return std::nullopt;
}

// ---- producers ----------------------------------------------------------------------------------

Fetcher::Trouble Fetcher::fetch_senders(const Wanted& wanted, Facts& facts) const {
    for (const auto& id : wanted.producers) {
        const Run run(producer_, std::string_view(id.text));
        if (run.error()) return run.error();
        facts.producers.push_back(run.has_row() ? std::optional(producer_in(run, id))
                                                : std::nullopt);
    }
    for (const auto& [id, sequence] : wanted.verdicts) {
        const Run run(verdict_, std::string_view(id.text), sequence);
        if (run.error()) return run.error();
        facts.verdicts.push_back(found_verdict(run));
    }
    for (const auto& key : wanted.digests) {
        if (const auto error = fetch_by_digest(key, facts.digests.emplace_back())) return error;
    }
    return std::nullopt;
}

Fetcher::Trouble Fetcher::fetch_by_digest(const Wanted::DigestKey& key,
                                          Facts::ByDigest& found) const {
    const Run producer(digests_to_, std::string_view(key.producer.text));
    if (producer.error() || !producer.has_row()) return producer.error();
    const std::int64_t number = producer.integer(0);
    const std::uint64_t prepared = producer.number(1);
    const Run beyond(count_beyond_, number, prepared, unprepared_max);
    if (beyond.error()) return beyond.error();
    found.is_ready = beyond.number(0) < unprepared_max;
    if (!found.is_ready) return std::nullopt;
    const Run known(by_digest_, number, key.digest);
    if (known.error()) return known.error();
    found.verdict = found_verdict(known);
    if (found.verdict || beyond.number(0) == 0) return std::nullopt;
    const Run other(by_digest_beyond_, number, prepared, key.digest);
    found.verdict = found_verdict(other);
    return other.error();
}

// ---- what is to be done -------------------------------------------------------------------------

Fetcher::Trouble Fetcher::fetch_questions(const Wanted& wanted, Facts& facts) const {
    for (const auto& key : wanted.questions) {
        const Run run(question_, std::string_view(key));
        if (run.error()) return run.error();
        facts.questions.push_back(run.has_row() ? std::optional(question_in(run)) : std::nullopt);
    }
    for (const auto& [recipient, after, count_max] : wanted.questions_to) {
        Run run(questions_to_, std::string_view(recipient.text), after, std::uint64_t{count_max});
        if (const auto error = all_questions(run, facts.questions_to.emplace_back())) return error;
    }
    for (const auto& recipient : wanted.question_counts) {
        const Run run(count_questions_, std::string_view(recipient.text));
        if (run.error()) return run.error();
        facts.question_counts.push_back(static_cast<std::uint32_t>(run.number(0)));
    }
    return std::nullopt;
}

Fetcher::Trouble Fetcher::fetch_sessions(const Wanted& wanted, Facts& facts) const {
    for (const auto& pid : wanted.sessions) {
        auto row = sessions_->find(pid);
        if (!row) return row.error();
        facts.sessions.push_back(std::move(*row));
    }
    if (!wanted.members_of.empty()) {
        auto pids = sessions_->pids_in(wanted.members_of);
        if (!pids) return pids.error();
        facts.members = std::move(*pids);
    }
    if (wanted.pruned) {
        const auto pruned = sessions_->pruned();
        if (!pruned) return pruned.error();
        facts.pruned = *pruned;
    }
    return std::nullopt;
}

Fetcher::Trouble Fetcher::fetch_due(const Wanted& wanted, Facts& facts) const {
    if (const auto& tasks = wanted.tasks) {
        Run run(tasks_, tasks->after, std::uint64_t{tasks->count_max});
        for (; run.has_row(); run.step())
            facts.tasks.push_back({run.number(0), run.text(1), run.text(2), run.text(3)});
        if (run.error()) return run.error();
    }
    if (const auto& due = wanted.expiring_questions) {
        Run run(expiring_questions_, due->until.value, std::uint64_t{due->count_max});
        if (const auto error = all_questions(run, facts.expiring_questions)) return error;
    }
    if (const auto& due = wanted.idle_producers) {
        Run run(idle_producers_, due->until.value, std::uint64_t{due->count_max});
        for (; run.has_row(); run.step()) facts.idle_producers.push_back(ProducerId(run.text(0)));
        if (run.error()) return run.error();
    }
    return std::nullopt;
}

}  // namespace oncewire::store::sqlite
