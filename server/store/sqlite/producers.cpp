// Producers and what they were told.
//
// VERIFY here: the sequencer begins, writes and ends in order, whatever a peer makes it write.
#include "server/store/sqlite/connection.hpp"
#include "server/store/sqlite/store.hpp"
#include "shared/base/verify.hpp"

namespace oncewire::store {

using sqlite::Run;
using sqlite::Statement;

Result<std::optional<ProducerRow>, StoreError> SqliteStore::find_producer(const ProducerId& id) {
    if (broken_) return Err{*broken_};
    const Run run(connection_->find_producer, std::string_view(id.text));
    if (run.error()) return fail(*run.error());
    if (!run.has_row()) return std::optional<ProducerRow>();
    ProducerRow row;
    row.identity = {id, ProducerSecret(run.text(1))};
    row.epoch = run.number(2);
    row.seen = {run.number(3), run.number(4)};
    row.last_contact = {run.integer(5)};
    row.user = run.text(6);
    row.forgotten = run.number(7);
    return std::optional(std::move(row));
}

Result<void, StoreError> SqliteStore::put_producer(const ProducerRow& row) {
    VERIFY(in_transaction_);
    if (const auto opened = open_mark(); !opened) return opened;
    const auto known = find_producer_number(row.identity.id);
    if (!known) return Err{known.error()};
    const std::int64_t number = *known ? **known : number_producer(row.identity.id);
    const Run run(connection_->put_producer, number, std::string_view(row.identity.id.text),
                  std::string_view(row.identity.secret.text), row.epoch, row.seen.last,
                  row.seen.last_digest, row.last_contact.value, std::string_view(row.user),
                  row.forgotten);
    if (run.error()) return fail(*run.error());
    unbound_producers_.erase(row.identity.id.text);
    return {};
}

Result<std::optional<StoredVerdict>, StoreError> SqliteStore::find_verdict(
    const ProducerId& id, delivery::Sequence sequence) {
    return find_verdict_by(connection_->find_verdict, id, sequence);
}

Result<bool, StoreError> SqliteStore::prepare_digests(const ProducerId& id,
                                                      std::uint32_t count_max) {
    VERIFY(in_transaction_);
    if (const auto kept = keep_marked(); !kept) return Err{kept.error()};
    const auto number = find_producer_number(id);
    if (!number) return Err{number.error()};
    if (!*number) return true;
    delivery::Sequence known = 0;
    {
        const Run run(connection_->digests_to, **number);
        if (run.error()) return fail(*run.error());
        if (run.has_row()) known = run.number(0);
    }
    const Run beyond(connection_->verdicts_beyond, **number, known, std::uint64_t{count_max});
    if (beyond.error()) return fail(*beyond.error());
    const std::uint64_t count = beyond.number(0);
    if (count == 0) return true;
    const Run copied(connection_->copy_digests, **number, known, beyond.number(1));
    if (copied.error()) return fail(*copied.error());
    const Run noted(connection_->set_digests_to, **number, beyond.number(1));
    if (noted.error()) return fail(*noted.error());
    return count < count_max;
}

Result<std::optional<StoredVerdict>, StoreError> SqliteStore::find_verdict_by_digest(
    const ProducerId& id, delivery::Digest digest) {
    return find_verdict_by(connection_->verdict_by_digest, id, digest);
}

Result<std::optional<StoredVerdict>, StoreError> SqliteStore::find_verdict_by(
    const Statement& statement, const ProducerId& id, std::uint64_t number_or_digest) {
    const auto number = find_producer_number(id);
    if (!number) return Err{number.error()};
    if (!*number) return std::optional<StoredVerdict>();
    const Run run(statement, **number, number_or_digest);
    if (run.error()) return fail(*run.error());
    if (!run.has_row()) return std::optional<StoredVerdict>();
    const auto kind = run.integer(1) == 0 ? Verdict::Kind::accepted : Verdict::Kind::rejected;
    StoredVerdict found{run.number(0), Verdict{kind, run.text(2)}, std::nullopt};
    const Publication published{run.number(3), static_cast<std::uint32_t>(run.number(4))};
    if (published.first > 0) found.published = published;
    return std::optional(std::move(found));
}

Result<void, StoreError> SqliteStore::put_verdict(const ProducerId& id, delivery::Sequence sequence,
                                                  const StoredVerdict& verdict) {
    VERIFY(in_transaction_);
    if (const auto kept = keep_marked(); !kept) return kept;
    const auto known = find_producer_number(id);
    if (!known) return Err{known.error()};
    const std::int64_t number = *known ? **known : number_producer(id);
    if (!*known) unbound_producers_.insert(id.text);
    const std::int64_t kind = verdict.verdict.kind == Verdict::Kind::accepted ? 0 : 1;
    const Publication published = verdict.published.value_or(Publication());
    const Run run(connection_->put_verdict, number, sequence, verdict.digest, kind,
                  std::string_view(verdict.verdict.body), published.first,
                  std::uint64_t{published.entries});
    if (run.error()) return fail(*run.error());
    return {};
}

Result<std::optional<std::int64_t>, StoreError> SqliteStore::find_producer_number(
    const ProducerId& id) {
    if (broken_) return Err{*broken_};
    const auto known = producer_numbers_.find(id.text);
    if (known != producer_numbers_.end()) return std::optional(known->second);
    const Run run(connection_->find_producer, std::string_view(id.text));
    if (run.error()) return fail(*run.error());
    if (!run.has_row()) return std::optional<std::int64_t>();
    return std::optional(producer_numbers_[id.text] = run.integer(0));
}

/// For a producer who gets its row in this transaction.
std::int64_t SqliteStore::number_producer(const ProducerId& id) {
    return producer_numbers_[id.text] = ++last_producer_number_;
}

}  // namespace oncewire::store
