// One message: whether it is new, what its handler says, and what its sender is told.
#include <algorithm>

#include "server/sequencer/mistake.hpp"
#include "server/sequencer/sequencer.hpp"
#include "shared/base/json.hpp"
#include "shared/base/limits.hpp"
#include "shared/delivery/outcome.hpp"

namespace oncewire::sequencer {
namespace {

/// By then some verdicts more are ready to be found by digest.
constexpr Millis prepare_again_after{20};

/// At most 64 bytes of a name, and none of a character that does not fit: half of one would not be JSON,
/// and the client would end the link over the verdict, each time.
std::string beginning_of(const std::string& name) {
    std::size_t end = std::min<std::size_t>(name.size(), 64);
    while (end > 0 && end < name.size() && (static_cast<unsigned char>(name[end]) & 0xc0) == 0x80)
        --end;
    return name.substr(0, end);
}

}  // namespace

void Sequencer::handle(const Submit& submit) {
    ++counts_.submitted;
    if (!submit.key) return handle_stock(submit);
    const auto found = attachments_.find(submit.key->id);
    const bool current = found != attachments_.end() && found->second.session == submit.from &&
                         found->second.row.epoch == submit.key->epoch;
    if (!current) return reply(submit.from, Fence{submit.from});  // a zombie's message (R10)
    handle_keyed(submit, found->second);
}

void Sequencer::handle_keyed(const Submit& submit, Attachment& attachment) {
    const auto sequence = submit.key->sequence;
    auto& seen = attachment.row.seen;
    switch (delivery::judge(seen.last, sequence)) {
        case delivery::Judgement::repeated:
            return answer_repeated(submit, attachment);
        case delivery::Judgement::gap:
            if (attachment.expect_said) return;
            attachment.expect_said = true;
            return reply(submit.from, Expect{submit.from, seen.last + 1});
        case delivery::Judgement::next:
            break;
    }
    if (is_refusing()) return retry_later(submit.from, submit.ack_id);
    if (const auto later = ask_admission(submit)) {
        attachment.expect_said = true;  // what follows comes again with it, without being asked for
        return put_off(submit, *later);
    }
    std::optional<store::StoredVerdict> known;
    if (submit.key->renumbered) {
        auto found = find_under_another_number(submit, attachment);
        if (!found) return;
        known = std::move(*found);
    }
    const auto before = overlay_->head().offset;
    auto verdict = known ? take_number(submit, known->verdict) : store_message(submit);
    if (!verdict) {
        // What follows comes again with it, without being asked for.
        if (verdict.error() == StoreError::handler) attachment.expect_said = true;
        return;
    }
    const Publication published{before + 1,
                                static_cast<std::uint32_t>(overlay_->head().offset - before)};
    overlay_->senders.put_verdict(
        submit.key->id, sequence,
        {submit.key->digest, *verdict, known ? known->published : published});
    attachment.expect_said = false;
    seen = {sequence, submit.key->digest};
    if (!attachment.dirty) dirty_.push_back(submit.key->id);
    attachment.dirty = true;
    mail_.settle(submit.from, submit.key->sequence, std::move(*verdict));
}

bool Sequencer::is_lookup(const Submit& submit) const {
    if (options_.lookups.empty()) return false;
    const auto name = json::first_element(submit.data);
    const auto event = name ? json::as_string(*name) : std::nullopt;
    return event && options_.lookups.contains(*event);
}

void Sequencer::handle_stock(const Submit& submit) {
    if (is_lookup(submit)) return questions_to_reader_.push_back(submit);
    if (!is_refusing()) {
        if (const auto later = ask_admission(submit)) return put_off(submit, *later);
    }
    auto verdict = store_message(submit);
    if (verdict && submit.ack_id) {
        reply(submit.from, Answered{submit.from, *submit.ack_id, std::move(*verdict)});
    }
}

/// The verdict on this message under whatever number it was stored. An error has been dealt with already: it
/// comes again.
Result<std::optional<store::StoredVerdict>, StoreError> Sequencer::find_under_another_number(
    const Submit& submit, Attachment& attachment) {
    if (is_refusing()) {
        retry_later(submit.from, submit.ack_id);
        return Err{StoreError::busy};
    }
    mail_.involve(submit.from, std::nullopt);
    auto found = overlay_->senders.find_by_digest(submit.key->id, submit.key->digest);
    if (!found) {
        fail_batch(found.error());
        return Err{found.error()};
    }
    if (found->is_ready) return std::move(found->verdict);
    unprepared_.insert(submit.key->id);
    attachment.expect_said = true;  // what follows comes again with it, without being asked for
    retry_later(submit.from, submit.ack_id, prepare_again_after);
    return Err{StoreError::busy};
}

/// The first verdict again, any number of times (R4), unless it is another message (R9) or that verdict
/// is forgotten. A number without either was passed over by skip_to(): it cannot be used any more, and its
/// message is new here.
void Sequencer::answer_repeated(const Submit& submit, Attachment& attachment) {
    mail_.involve(submit.from, std::nullopt);
    auto stored = overlay_->senders.find_verdict(submit.key->id, submit.key->sequence);
    if (!stored) return fail_batch(stored.error());
    if (!*stored || (*stored)->digest != submit.key->digest) {
        // Its sender's storage was put back to before it had to give the message another number.
        auto known = find_under_another_number(submit, attachment);
        if (!known) return;
        if (*known) {
            ++counts_.repeated;
            return mail_.settle(submit.from, submit.key->sequence, std::move((*known)->verdict));
        }
        const bool is_forgotten = submit.key->sequence <= attachment.row.forgotten;
        if (is_forgotten) return answer_forgotten(submit);
        ++counts_.conflicts;
        return reply(submit.from,
                     Conflict{submit.from, submit.key->sequence, attachment.row.seen.last});
    }
    ++counts_.repeated;
    mail_.settle(submit.from, submit.key->sequence, std::move((*stored)->verdict));
}

/// It may have been stored, or be another message, of a sender whose storage was put back. A new number
/// would store it, perhaps a second time, so it gets a word instead, the same each time. Only an answer
/// cannot be given twice, with or without a number: its question is there, or over.
void Sequencer::answer_forgotten(const Submit& submit) {
    if (delivery::parse_answer(submit.data)) {
        auto verdict = store_message(submit);
        if (verdict) mail_.settle(submit.from, submit.key->sequence, std::move(*verdict));
        return;
    }
    ++counts_.outcomes_unknown;
    mail_.settle(submit.from, submit.key->sequence, outcome_unknown());
}

/// Runs the handler inside the batch's transaction. An error has been dealt with already.
Result<Verdict, StoreError> Sequencer::store_message(const Submit& submit) {
    if (is_refusing()) {
        retry_later(submit.from, submit.ack_id);
        return Err{StoreError::busy};
    }
    mail_.involve(submit.from, submit.ack_id);
    in_batch_ = true;
    auto verdict = run_handler(submit);
    if (!verdict && verdict.error() == StoreError::handler) {
        ++counts_.handler_failures;
        if (may_try_again(submit)) {
            retry_later(submit.from, submit.ack_id);
            return verdict;
        }
        verdict = reject("handler_failed", "the server failed on this message again and again");
        drop_question(submit);
    }
    if (!verdict) fail_batch(verdict.error());
    if (verdict && verdict->kind == Verdict::Kind::rejected &&
        delivery::is_outcome_unknown(verdict->body)) {
        verdict = reject("reserved_code", "a handler rejected it with a code that is not its own");
    }
    if (verdict && verdict->kind == Verdict::Kind::rejected) ++counts_.rejected;
    return verdict;
}

/// The message was stored under another number, and is offered under this one by a sender who does not
/// know: the number is used up, and nothing else happens.
Result<Verdict, StoreError> Sequencer::take_number(const Submit& submit, Verdict verdict) {
    ++counts_.repeated;
    mail_.involve(submit.from, submit.ack_id);
    in_batch_ = true;
    return verdict;
}

/// A stock client has no number by which attempts could be counted; it stops by itself.
bool Sequencer::may_try_again(const Submit& submit) {
    if (!submit.key) return true;
    Attachment& attachment = attachments_.find(submit.key->id)->second;
    if (attachment.failed_sequence != submit.key->sequence) attachment.failures = 0;
    attachment.failed_sequence = submit.key->sequence;
    return ++attachment.failures < options_.handler_attempts_max;
}

/// What is not accepted leaves nothing behind.
Result<Verdict, StoreError> Sequencer::run_handler(const Submit& submit) {
    overlay_->mark();
    const auto verdict = call_handler(submit);
    const bool accepted = verdict && verdict->kind == Verdict::Kind::accepted;
    const bool spoilt = !verdict && verdict.error() != StoreError::handler;
    if (accepted || spoilt) return verdict;
    if (const auto undone = overlay_->undo(); !undone) return Err{undone.error()};
    return verdict;
}

Result<Verdict, StoreError> Sequencer::call_handler(const Submit& submit) {
    if (submit.data == delivery::cancelled_message) return accept();
    const std::size_t most =
        submit.is_applications ? limits::message_bytes : options_.message_bytes_max;
    if (submit.data == delivery::too_large_message || submit.data.size() > most) {
        return reject("too_large",
                      "a stored message has at most " + std::to_string(most) + " bytes");
    }
    const auto answer = delivery::parse_answer(submit.data);
    if (answer && submit.key) return take_answer(submit, *answer);
    auto elements = json::elements(submit.data);
    const auto event = elements.empty() ? std::nullopt : json::as_string(elements[0]);
    if (!event) return reject("not_an_event", "a message must be an array that begins with a name");
    const auto handler = handlers_.find(*event);
    if (handler == handlers_.end()) {
        return reject("unknown_event",
                      "this server stores no event '" + beginning_of(*event) +
                          "': register it by on_durable(), or leave it out of what "
                          "the client's option delivery names");
    }
    // Its answer would be kept as the verdict, for ever.
    if (options_.lookups.contains(*event)) {
        return reject("not_stored", "this is a question; ask it without a promise");
    }
    elements.erase(elements.begin());
    const ProducerId& producer = submit.key ? submit.key->id : submit.producer;
    Message message{submit.nsp, *event,        std::move(elements), submit.scope,
                    {},         submit.sender, producer.text};
    if (submit.key) message.key = submit.key->id.text + ':' + std::to_string(submit.key->sequence);
    Tx tx(*overlay_, submit.nsp, message.key, wall_clock_);
    auto verdict = handler->second(tx, message);
    const std::string mistake = mistake_of(tx, verdict);
    if (mistake.empty()) return verdict;
    tell_mistake(*event, mistake);
    return Err{StoreError::handler};
}

void Sequencer::tell_mistake(std::string_view event, const std::string& sentence) {
    if (options_.on_mistake)
        options_.on_mistake("the handler of \"" + std::string(event) + "\": " + sentence);
}

void Sequencer::retry_later(const SessionRef& session, std::optional<socketio::AckId> ack_id,
                            Millis after) {
    mail_.retry_later(session, ack_id, after);
}

}  // namespace oncewire::sequencer
