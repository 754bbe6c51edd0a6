#include "tests/sim/browser.hpp"

#include <algorithm>

namespace oncewire::sim {
namespace {

using Side = Network::Side;

constexpr peer::NamespaceIndex chat = 0;

delivery::ProducerIdentity make_identity(Env& env) {
    Prng prng(env.choices.choose("identity", 0xffffffff));
    const auto token = [&prng] {
        std::string bytes;
        for (int i = 0; i < 16; ++i) bytes += static_cast<char>(prng.below(256));
        return delivery::hex(bytes);
    };
    return {ProducerId(token()), ProducerSecret(token())};
}

/// The message inside `42["oncewire:send",…]`, if the frame is one.
std::optional<MessageId> message_sent(std::string_view frame) {
    if (!frame.starts_with(R"(42["oncewire:send")")) return std::nullopt;
    const auto inner = frame.find(R"(["chat message")");
    if (inner == std::string_view::npos) return std::nullopt;
    return Witness::message_in(frame.substr(inner));
}

}  // namespace

Browser::Browser(Env& env, Network& network, Options options)
    : env_(env), network_(network), options_(options), storage_(env, make_identity(env)) {}

// ---- the user -----------------------------------------------------------------------------------

void Browser::open() {
    if (page_ || closed_) return;
    env_.note("browser {} loads the page", options_.author);
    page_ = std::make_unique<Page>(
        peer::Client({}, Prng(env_.choices.choose("client prng", 0xffffffff))));
    const StoredLane& stored = storage_.lane();
    peer::RestoredLane lane{stored.producer, stored.next_sequence, {}, {}, 0};
    for (const auto& [sequence, entry] : stored.entries) lane.entries.push_back(entry);
    lane.salt = env_.choices.choose("salt", 0xffffffff);
    if (options_.keeps_page && stored.cursor) {
        lane.position = stored.cursor;
        page_->reader = {stored.cursor->epoch, stored.cursor->offset};
    }
    restore_waiting();
    page_->client.open_namespace("/", std::move(lane));
    page_->client.connect(chat, env_.now());
    drain();
}

void Browser::restore_waiting() {
    for (const auto& [sequence, entry] : storage_.lane().entries) {
        const auto id = Witness::message_in(entry.message);
        if (id) env_.witness.restored(*id);
        page_->waiting[sequence] = {id, peer::MessageState::queued, !id};
    }
}

void Browser::type() {
    if (!page_) return;
    const bool poison = env_.choices.chance("poison", 1, 40);
    const MessageId message = env_.witness.add_message(options_.author, !poison);
    std::string text = "m" + std::to_string(message) + ':';
    text.append(env_.choices.chance("long text", 1, 20) ? env_.choices.choose("length", 6'000) : 3,
                'x');
    const std::string event = poison ? R"(["no such event",")" : R"(["chat message",")";
    const auto sequence = page_->client.emit_durable(chat, event + text + "\"]", env_.now());
    if (!sequence) return env_.witness.release(message);
    env_.note("browser {} types m{}", options_.author, message);
    page_->waiting[*sequence] = {message, peer::MessageState::saving, false};
    drain();
}

void Browser::ask_echo() {
    if (!page_) return;
    const std::string value = std::to_string(env_.choices.choose("echo", 1'000'000));
    peer::Client::EmitOptions options;
    options.wants_ack = true;
    options.ack_timeout = env_.choices.delay("ack timeout", 500, 10'000);
    const auto id =
        page_->client.emit(chat, R"(["echo",)" + value + ']', {}, options, env_.now());
    if (id && *id) page_->echoes[**id] = value;
    drain();
}

void Browser::take_back() {
    if (!page_ || page_->waiting.empty()) return;
    auto& [sequence, newest] = *page_->waiting.rbegin();
    if (newest.taken_back || !page_->client.cancel(chat, sequence, env_.now())) return;
    env_.faults.count(Fault::cancelled);
    env_.note("browser {} takes back m{}", options_.author, *newest.message);
    newest.taken_back = true;
    drain();
}

void Browser::pause() {
    if (!page_) return;
    env_.note("browser {} disconnects", options_.author);
    page_->client.disconnect(chat, env_.now());
    drain();
    const Instant back = env_.now() + env_.choices.long_tailed("pause", 10, 5'000);
    in_this_page(back, [this] { page_->client.connect(chat, env_.now()); });
}

void Browser::refresh() {
    if (!page_) return;
    env_.note("browser {} refreshes", options_.author);
    leave();
    if (env_.faults.strikes(Fault::idb_rolled_back, 1, 3) && storage_.roll_back()) {
        env_.note("browser {} has its storage of some time ago", options_.author);
    }
    env_.heap.after(env_.choices.delay("load", 20, 2'000), [this] { open(); });
}

void Browser::close() {
    closed_ = true;
    if (page_) leave();
}

void Browser::leave() {
    for (const auto& [number, link] : page_->links) network_.abandon(number, Side::client);
    ++life_;
    const auto page = std::exchange(page_, nullptr);
    storage_.page_gone();
    for (const auto& [sequence, waiting] : page->waiting) {
        const auto id = waiting.message;
        if (id && !env_.witness.is_promised(*id)) env_.witness.release(*id);
    }
}

bool Browser::is_at_rest() const {
    if (closed_) return true;
    return page_ && page_->waiting.empty() && page_->echoes.empty() &&
           is_storage_at_rest() &&
           page_->reader.count == env_.witness.head() &&
           (page_->reader.count == 0 || page_->reader.epoch == env_.witness.epoch());
}

/// What is left there is settled: storage refused to erase it, and a refresh will ask about it again.
bool Browser::is_storage_at_rest() const {
    const auto& entries = storage_.lane().entries;
    return storage_.is_idle() && std::all_of(entries.begin(), entries.end(), [&](const auto& each) {
        const auto id = Witness::message_in(each.second.message);
        return !id || env_.witness.has_verdict(*id) || env_.witness.is_cancelled(*id);
    });
}

std::string Browser::describe() const {
    std::string text = "browser " + std::to_string(options_.author);
    if (!page_) return text + " has no page";
    text += page_->client.is_connected(chat) ? " is connected" : " is not connected";
    text += ", " + std::to_string(page_->waiting.size()) + " messages wait, ";
    text += std::to_string(storage_.lane().entries.size()) + " in storage, ";
    text += std::to_string(page_->echoes.size()) + " echoes, shows ";
    text += std::to_string(page_->reader.count) + " of " + std::to_string(env_.witness.head());
    return text;
}

// ---- links --------------------------------------------------------------------------------------

void Browser::link_opened(LinkNumber link) {
    if (!page_) return;
    page_->client.handle_link_opened(page_->links[link], env_.now());
    drain();
}

void Browser::link_frame(LinkNumber link, const Frame& frame) {
    if (!page_) return;
    const bool mixes = env_.mutant == Mutant::old_link_frames;
    may_go_back_ = frame.bytes.starts_with(R"(42["oncewire:expect")") ||
                   frame.bytes.starts_with(R"(42["oncewire:conflict")");
    page_->client.handle_frame(mixes ? page_->newest_link : page_->links[link], frame, env_.now());
    drain();
}

void Browser::link_closed(LinkNumber link) {
    if (!page_) return;
    page_->client.handle_link_closed(page_->links[link], env_.now());
    drain();
}

// ---- the host of the Client ---------------------------------------------------------------------

void Browser::drain() {
    while (const auto output = page_->client.poll_output()) {
        if (!std::holds_alternative<peer::MessageRenumbered>(*output)) finish_renumbering();
        std::visit([this](const auto& each) { perform(each); }, *output);
    }
    finish_renumbering();
    arm();
    check_outbox();
    const auto went_back = std::exchange(went_back_, std::nullopt);
    if (went_back && !may_go_back_) {
        env_.witness.report(Breach::dishonest,
                            "m" + std::to_string(*went_back) + " went back to an earlier state");
    }
    may_go_back_ = false;
}

void Browser::arm() {
    page_->timer.arm(env_.heap, page_->client.next_timeout(), [this, life = life_] {
        if (life != life_ || !page_->timer.fired(env_.now())) return;
        page_->client.handle_timeout(env_.now());
        drain();
    });
}

/// R14: what left the outbox did so by a verdict or by the user's hand.
void Browser::check_outbox() {
    const auto& outbox = *page_->client.outbox(chat);
    std::erase_if(page_->waiting, [&](const auto& each) {
        return each.second.taken_back && !outbox.find(each.first);
    });
    if (outbox.size() != page_->waiting.size()) {
        env_.witness.report(Breach::lost, "the outbox holds " + std::to_string(outbox.size()) +
                                              " messages, the page waits for " +
                                              std::to_string(page_->waiting.size()));
    }
}

void Browser::in_this_page(Instant when, EventHeap::Action action) {
    env_.heap.at(when, [this, life = life_, action = std::move(action)] {
        if (life != life_) return;
        action();
        drain();
    });
}

void Browser::perform(const peer::OpenLink& open) {
    page_->newest_link = open.link;
    page_->newest_number = network_.dial(*this);
    page_->links[page_->newest_number] = open.link;
}

void Browser::perform(const peer::SendFrame& send) {
    const auto message = message_sent(send.frame.bytes);
    if (message && !env_.witness.is_promised(*message) && page_->unsaved.count(*message) == 0) {
        env_.witness.report(Breach::lost, "m" + std::to_string(*message) + " was sent unsaved");
    }
    if (send.link != page_->newest_link) return;
    network_.send(page_->newest_number, Side::client,
                  {std::make_shared<const Frame>(send.frame)});
}

void Browser::perform(const peer::CloseLink& close) {
    if (close.link == page_->newest_link) network_.close(page_->newest_number, Side::client);
}

void Browser::perform(const peer::AskAuth& ask) {
    if (env_.choices.chance("auth at once", 1, 2)) {
        return page_->client.provide_auth(ask.index, "{}", env_.now());
    }
    in_this_page(env_.now() + env_.choices.delay("auth", 0, 300), [this, index = ask.index] {
        page_->client.provide_auth(index, R"({"token":"x"})", env_.now());
    });
}

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
    if (env_.mutant != Mutant::sent_before_saved) return;
    in_this_page(env_.now(), [this, save] {
        page_->client.handle_saved(save.index, save.token, env_.now());
    });
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
        if (life != life_) return;
        outbox_stored(count, stored);
        drain();
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
        if (lane.holds(id) || witness.has_verdict(id) || witness.is_cancelled(id)) continue;
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
        }
        for (const auto id : owed.taken_back) env_.witness.cancelled(id);
        if (owed.answered) continue;
        owed.answered = stored || !must_land;
        if (!owed.answered || env_.mutant == Mutant::sent_before_saved) continue;
        page_->client.handle_saved(owed.save.index, owed.save.token, env_.now());
    }
    if (stored) page_->owed.erase(page_->owed.begin(), page_->owed.begin() + static_cast<std::ptrdiff_t>(count));
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
    const auto done = [this, shown, replaced, life = life_](bool stored) {
        if (life != life_) return;
        page_->storing = false;
        if (stored) return store_page();
        if (!page_->replaced) {  // else what was refused is of another history
            page_->unstored.insert(page_->unstored.begin(), shown.begin(), shown.end());
            page_->replaced = replaced;
        }
        in_this_page(env_.now() + Millis{1'000}, [this] { store_page(); });
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

void Browser::perform(const peer::Disconnected&) { may_go_back_ = true; }

void Browser::perform(const peer::EventArrived& event) {
    if (!event.position) {
        return env_.witness.report(Breach::leaked, "an event without a place: " + event.data);
    }
    env_.note("browser {} shows offset {}", options_.author, event.position->offset, event.data);
    env_.witness.handed_over(page_->reader, *event.position, event.data);
    page_->unstored.push_back(event.data);
    page_->shown_to = event.position;
    store_page();
}

void Browser::perform(const peer::StreamChanged& changed) {
    env_.note("browser {} is told of a new log", options_.author, changed.to.offset);
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
    if (ack.data != "[" + echo->second + "]") {
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
    if (moved.state < found->second.state) went_back_ = found->second.message;
    found->second.state = moved.state;
    env_.note("browser {}: m{} moves", options_.author, *found->second.message,
              moved.state == peer::MessageState::sent     ? "sent"
              : moved.state == peer::MessageState::queued ? "queued"
                                                          : "saving");
    if (env_.mutant == Mutant::erased_at_send && moved.state == peer::MessageState::sent) {
        storage_.submit([sequence = moved.sequence](StoredLane& lane) {
            lane.entries.erase(sequence);
        }, [](bool) {});
    }
}

void Browser::perform(const peer::MessageSettled& settled) {
    const auto found = page_->waiting.find(settled.sequence);
    if (found == page_->waiting.end() || found->second.taken_back) {
        return env_.witness.report(Breach::duplicated, "a verdict on a message that does not wait");
    }
    env_.note(settled.accepted ? "browser {}: m{} is accepted" : "browser {}: m{} is rejected",
              options_.author, *found->second.message);
    env_.witness.settled(*found->second.message, settled.accepted);
    page_->waiting.erase(found);
}

void Browser::perform(const peer::MessageRenumbered& renumbered) {
    may_go_back_ = true;
    env_.note("renumbered {} to {}", renumbered.before, renumbered.after);
    storage_.keep_no_copies();
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
