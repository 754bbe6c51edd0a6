// What a Browser does beyond hosting the Client: its storage, and the page that shows the chat.
#include <algorithm>

#include "shared/delivery/answer.hpp"
#include "tests/sim/browser.hpp"

namespace oncewire::sim {
namespace {

constexpr peer::NamespaceIndex chat_page = 0;

}  // namespace

// ---- storage ------------------------------------------------------------------------------------

void Browser::perform(const peer::Save& save) {
    OwedSave owed{save, {}, false};
    for (const auto& entry : save.put) {
        const auto found = page_->waiting.find(entry.sequence);
        const bool taken_back = !Witness::message_in(entry.message);
        if (taken_back && found != page_->waiting.end() && found->second.message) {
            owed.taken_back.push_back(*found->second.message);
        }
    }
    page_->owed.push_back(std::move(owed));
    store_outbox();
    const bool is_answer =
        !save.put.empty() && delivery::parse_answer(save.put.front().message).has_value();
    if (env_.mutant != Mutant::sent_before_saved &&
        !(env_.mutant == Mutant::answer_before_saved && is_answer)) {
        return;
    }
    in_this_page(env_.now(),
                 [this, save] { page_->client.handle_saved(save.index, save.token, env_.now()); });
}

/// One transaction at a time; what storage refused goes with the next, because a stored lane must have
/// no holes.
void Browser::store_outbox() {
    if (page_->storing_outbox || page_->owed.empty()) return;
    page_->storing_outbox = true;
    const bool forgets = env_.mutant == Mutant::save_never_lands && env_.choices.chance("f", 1, 8);
    const auto change = [&witness = env_.witness, forgets, owed = page_->owed](StoredLane& lane) {
        if (forgets) return;
        for (const auto& each : owed) apply(each, witness, lane);
    };
    storage_.submit(change, [this, life = life_, count = page_->owed.size()](bool stored) {
        if (life == life_) when_awake([=, this] { outbox_stored(count, stored); });
    });
}

/// Runs when the transaction lands, perhaps after the page is gone.
void Browser::apply(const OwedSave& owed, Witness& witness, StoredLane& lane) {
    std::vector<MessageId> erased;
    for (const auto sequence : owed.save.erase) {
        const auto found = lane.entries.find(sequence);
        if (found == lane.entries.end()) continue;
        if (const auto id = Witness::message_in(found->second.message)) erased.push_back(*id);
        lane.entries.erase(found);
    }
    for (const auto& entry : owed.save.put) {
        lane.entries[entry.sequence] = entry;
        if (const auto id = Witness::message_in(entry.message)) witness.saved(*id);
    }
    for (const auto id : owed.taken_back) witness.cancelled(id);
    lane.next_sequence = owed.save.next_sequence;
    for (const auto id : erased) {
        if (lane.holds(id) || witness.was_told(id) || witness.is_cancelled(id)) continue;
        witness.report(Breach::lost, "m" + std::to_string(id) + " left storage unsettled");
    }
}

/// A renumbering or a taking back of what storage holds in its old form.
bool Browser::replaces_stored(const peer::Save& save) const {
    const auto& stored = storage_.lane().entries;
    const auto is_stored = [&](delivery::Sequence sequence) { return stored.count(sequence) > 0; };
    return !save.put.empty() &&
           (std::any_of(save.erase.begin(), save.erase.end(), is_stored) ||
            std::any_of(save.put.begin(), save.put.end(),
                        [&](const auto& entry) { return is_stored(entry.sequence); }));
}

/// The client hears how it ended, and the user sees it. What replaces stored entries is repeated until
/// it lands: else a refresh would offer them again as they were.
void Browser::outbox_stored(std::size_t count, bool stored) {
    page_->storing_outbox = false;
    for (std::size_t i = 0; i < count; ++i) {
        OwedSave& owed = page_->owed[i];
        const bool must_land =
            replaces_stored(owed.save) && env_.mutant != Mutant::replacement_not_saved;
        for (const auto& entry : owed.save.put) {
            const auto id = Witness::message_in(entry.message);
            if (id && stored) env_.witness.saved(*id);
            if (id && !stored) page_->unsaved.insert(*id);
            const auto answer = delivery::parse_answer(entry.message);
            if (answer && !stored) page_->unsaved_answers.insert(format(answer->question));
        }
        for (const auto id : owed.taken_back) env_.witness.cancelled(id);
        if (owed.answered) continue;
        owed.answered = stored || !must_land;
        if (!owed.answered || env_.mutant == Mutant::sent_before_saved) continue;
        if (env_.mutant == Mutant::saved_not_told && env_.choices.chance("f", 1, 50)) continue;
        page_->client.handle_saved(owed.save.index, owed.save.token, env_.now());
    }
    if (stored)
        page_->owed.erase(page_->owed.begin(),
                          page_->owed.begin() + static_cast<std::ptrdiff_t>(count));
    const bool repeats = std::any_of(page_->owed.begin(), page_->owed.end(),
                                     [](const OwedSave& owed) { return !owed.answered; });
    if (repeats) in_this_page(env_.now() + Millis{stored ? 0 : 1'000}, [this] { store_outbox(); });
}

/// What is shown and how far, in one transaction (R6); the next one waits for it.
void Browser::store_page() {
    if (!options_.keeps_page || page_->storing || !page_->shown_to) return;
    if (page_->unstored.empty() && !page_->replaced) return;
    page_->storing = true;
    const auto shown = std::exchange(page_->unstored, {});
    const bool replaced = std::exchange(page_->replaced, false);
    const auto store_messages = [shown, replaced](StoredLane& lane) {
        if (replaced) lane.shown.clear();
        lane.shown.insert(lane.shown.end(), shown.begin(), shown.end());
    };
    const auto store_cursor = [cursor = *page_->shown_to](StoredLane& lane) {
        lane.cursor = cursor;
    };
    const auto ended = [this, shown, replaced](bool stored) {
        page_->storing = false;
        if (stored) return store_page();
        if (!page_->replaced) {  // else what was refused is of another history
            page_->unstored.insert(page_->unstored.begin(), shown.begin(), shown.end());
            page_->replaced = replaced;
        }
        in_this_page(env_.now() + Millis{1'000}, [this] { store_page(); });
    };
    const auto done = [this, ended, life = life_](bool stored) {
        if (life == life_) when_awake([=] { ended(stored); });
    };
    if (env_.mutant == Mutant::cursor_before_message) {
        storage_.submit(store_cursor, [](bool) {});
        return storage_.submit(store_messages, done);
    }
    if (env_.mutant == Mutant::message_before_cursor) {
        storage_.submit(store_messages, [](bool) {});
        return storage_.submit(store_cursor, done);
    }
    storage_.submit(
        [store_messages, store_cursor](StoredLane& lane) {
            store_messages(lane);
            store_cursor(lane);
        },
        done);
}

// ---- the page -----------------------------------------------------------------------------------

/// Whom the server sends away comes back only when their page says so.
void Browser::perform(const peer::Disconnected& disconnected) {
    may_go_back_ = true;
    page_->lost_link = true;
    if (disconnected.reason != socketio::DisconnectReason::io_server_disconnect) return;
    in_this_page(env_.now() + env_.choices.delay("come back", 10, 3'000),
                 [this, index = disconnected.index] { page_->client.connect(index, env_.now()); });
}

/// The outbox is somebody else's: they sign in again after a while.
void Browser::perform(const peer::ConnectFailed& failed) {
    may_go_back_ = true;
    if (!failed.refused) return;
    if (failed.error.find("other_user") == std::string::npos) {
        return env_.witness.report(Breach::dishonest, "refused: " + failed.error);
    }
    env_.note("browser {} is somebody else's", options_.author);
    is_other_user_ = !is_other_user_;
    in_this_page(env_.now() + env_.choices.delay("sign in", 10, 3'000),
                 [this, index = failed.index] { page_->client.connect(index, env_.now()); });
}

void Browser::perform(const peer::Connected&) {
    page_->limit = page_->heard_limit;
    may_go_back_ = true;
    for (auto& [id, echo] : page_->echoes) echo.on_the_wire = true;
}

/// The page answers at once, after a while, or not before somebody makes it.
void Browser::be_asked(const peer::EventArrived& event) {
    env_.note("browser {} is asked {}", options_.author, event.question->offset, event.data);
    env_.witness.questions.handed_on(page_->asked, storage_.lane().producer.id, *event.question,
                                     event.data);
    const QuestionId id = *QuestionWitness::question_in(event.data);
    page_->unanswered[format(*event.question)] = id;
    if (env_.faults.strikes(Fault::unanswered, 1, 6)) return;
    const Instant when = env_.now() + env_.choices.long_tailed("thinks", 1, 20'000);
    in_this_page(when, [this, question = *event.question, id] { answer(question, id); });
}

void Browser::answer(const delivery::Position& question, QuestionId id) {
    if (page_->unanswered.erase(format(question)) == 0) return;
    const std::string value = 'v' + std::to_string(env_.choices.choose("answer", 1'000'000));
    const auto sequence =
        page_->client.answer(chat_page, format(question), "[\"" + value + "\"]", env_.now());
    if (!sequence) return;
    env_.note("browser {} answers {}", options_.author, question.offset);
    env_.witness.questions.answered(id, value);
    page_->waiting[*sequence] = {std::nullopt, peer::MessageState::saving, false, true};
}

void Browser::answer_all() {
    if (!page_ || page_->frozen) return;
    for (const auto& [name, id] : std::map(page_->unanswered))
        answer(*delivery::parse_position(name), id);
    drain();
}

/// R5, of answers.
void Browser::check_answer_sent(std::string_view frame) {
    const auto begin = frame.find(R"(["oncewire:answer")");
    if (!frame.starts_with(R"(42["oncewire:send")") || begin == std::string_view::npos) return;
    const auto answer = delivery::parse_answer(peer::decode_send(frame.substr(2))->message);
    const auto& lane = storage_.lane();
    if (!env_.witness.questions.is_stored(lane.producer.id, answer->question) &&
        !page_->unsaved_answers.contains(format(answer->question))) {
        env_.witness.report(Breach::lost,
                            "an answer was sent unsaved: " + format(answer->question));
    }
}

void Browser::perform(const peer::EventArrived& event) {
    if (event.question) return be_asked(event);
    if (event.data.starts_with(R"(["noise")")) return;
    if (!event.position) {
        return env_.witness.report(Breach::leaked, "an event without a place: " + event.data);
    }
    env_.note("browser {} shows offset {}", options_.author, event.position->offset, event.data);
    env_.witness.handed_over(page_->reader, *event.position, event.data);
    for (auto& mark : std::exchange(page_->gone, {})) page_->unstored.push_back(std::move(mark));
    page_->unstored.push_back(event.data);
    page_->shown_to = event.position;
    store_page();
}

void Browser::perform(const peer::HistoryLost& lost) {
    env_.note("browser {} is told of a gap to {}", options_.author, lost.to);
    const auto missed = env_.witness.told_of_gap(page_->reader, lost.from, lost.to);
    page_->gone.insert(page_->gone.end(), missed, gone_mark);
}

/// Only what vanished on the way may be missing, and nothing comes twice.
void Browser::perform(const peer::Noticed& noticed) {
    const auto& [holes, repeated, late] = noticed.anomalies;
    env_.note("browser {} notices a hole, its {}", options_.author, holes);
    env_.witness.noticed(holes > page_->holes ? 1 : 0, repeated + late);
    page_->holes = holes;
}

void Browser::perform(const peer::StreamChanged& changed) {
    env_.note("browser {} is told of a new log", options_.author, changed.to.offset);
    page_->gone.clear();
    if (env_.mutant == Mutant::new_log_hidden) return;
    env_.witness.stream_changed(page_->reader, changed.to.epoch);
    page_->unstored.clear();
    page_->replaced = true;
    page_->shown_to = changed.to;
    store_page();
}

void Browser::perform(const peer::AckArrived& ack) {
    const auto echo = page_->echoes.find(ack.id);
    if (echo == page_->echoes.end()) {
        return env_.witness.report(Breach::duplicated, "an answer nobody waits for");
    }
    if (ack.data != "[" + echo->second.value + "]") {
        env_.witness.report(Breach::dishonest, "another answer: " + ack.data);
    }
    page_->echoes.erase(echo);
}

void Browser::perform(const peer::AckLost& lost) {
    if (page_->echoes.erase(lost.id) == 0) {
        env_.witness.report(Breach::duplicated, "a lost answer nobody waits for");
    }
}

void Browser::perform(const peer::MessageMoved& moved) {
    const auto found = page_->waiting.find(moved.sequence);
    if (found == page_->waiting.end() || found->second.taken_back) return;
    if (found->second.is_answer) {
        found->second.state = moved.state;
        return;
    }
    if (moved.state < found->second.state) went_back_ = found->second.message;
    found->second.state = moved.state;
    if (moved.state == peer::MessageState::sent) {
        env_.witness.offered(*found->second.message, storage_.lane().producer.id, moved.sequence);
    }
    env_.note("browser {}: m{} moves", options_.author, *found->second.message,
              moved.state == peer::MessageState::sent     ? "sent"
              : moved.state == peer::MessageState::queued ? "queued"
                                                          : "saving");
    if (env_.mutant == Mutant::erased_at_send && moved.state == peer::MessageState::sent) {
        storage_.submit(
            [sequence = moved.sequence](StoredLane& lane) { lane.entries.erase(sequence); },
            [](bool) {});
    }
}

void Browser::perform(const peer::MessageSettled& settled) {
    const auto found = page_->waiting.find(settled.sequence);
    if (found == page_->waiting.end() || found->second.taken_back) {
        return env_.witness.report(Breach::duplicated, "a verdict on a message that does not wait");
    }
    if (found->second.is_answer) {
        if (!settled.accepted) env_.witness.report(Breach::dishonest, "an answer was rejected");
        page_->waiting.erase(found);
        return;
    }
    if (settled.is_unknown) {
        env_.note("browser {}: nobody knows about m{}", options_.author, *found->second.message);
        const auto& read = page_->reader.epoch;
        env_.witness.outcome_unknown(*found->second.message, storage_.lane().producer.id,
                                     settled.sequence,
                                     read.text.empty() ? env_.witness.epoch() : read);
        page_->waiting.erase(found);
        return;
    }
    env_.note(settled.accepted ? "browser {}: m{} is accepted" : "browser {}: m{} is rejected",
              options_.author, *found->second.message);
    const bool too_large = settled.body.starts_with(R"({"error":"too_large")");
    env_.witness.settled(*found->second.message, settled.accepted, too_large);
    page_->waiting.erase(found);
}

void Browser::perform(const peer::MessageRenumbered& renumbered) {
    may_go_back_ = true;
    env_.note("renumbered {} to {}", renumbered.before, renumbered.after);
    if (env_.faults.strikes(Fault::idb_refused, 1, 3)) {  // where it hurts most
        storage_.refuse(env_.choices.delay("refusal", 1'000, 30'000));
    }
    const auto found = page_->waiting.find(renumbered.before);
    if (found != page_->waiting.end()) {
        found->second.state = peer::MessageState::saving;
        page_->renumbered[renumbered.after] = found->second;
        page_->waiting.erase(found);
    }
}

void Browser::finish_renumbering() {
    page_->waiting.merge(page_->renumbered);
    page_->renumbered.clear();
}

}  // namespace oncewire::sim
