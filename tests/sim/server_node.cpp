#include "tests/sim/server_node.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "server/chat/chat.hpp"
#include "server/chat/words.hpp"
#include "server/mail/codec.hpp"
#include "server/mail/feed.hpp"
#include "shared/base/json.hpp"
#include "shared/base/verify.hpp"

namespace oncewire::sim {
namespace {

/// The parts of the server share no memory here: what one says reaches the other as bytes.
template <class Letter>
Letter carried(const Letter& letter, std::optional<Letter> decode(std::string_view)) {
    auto arrived = decode(mail::encode(letter));
    VERIFY(arrived);
    return std::move(*arrived);
}

/// What numbers of sessions would be without the upper half, which counts who had the place before.
void cut_address(mail::FromSequencer& letter) {
    std::visit(
        [](auto& one) {
            if constexpr (requires { one.to.session; }) one.to.session &= 0xffffffffu;
        },
        letter);
}

using Side = Network::Side;

/// What one Write may carry: the hub's own bound, and one frame that does not fit beside others.
constexpr std::uint64_t write_bytes_max = (256u << 10) + 2ull * limits::message_bytes;

using Handlers = std::map<std::string, sequencer::DurableHandler, std::less<>>;

/// A message makes the server ask its sender something, now and then, or take back what somebody is asked.
Result<void, store::StoreError> ask_or_cancel(Env& env, sequencer::Tx& tx,
                                              const sequencer::Message& message) {
    auto& questions = env.witness.questions;
    const delivery::Offset place = tx.next_offset() - 1;
    std::optional<QuestionId> id;
    if (!message.producer.empty() && env.choices.chance("ask", 1, 8)) {
        id = questions.add();
        sequencer::AskOptions options;
        options.expires_after = env.choices.chance("short", 1, 3)
                                    ? env.choices.long_tailed("expires", 1'000, 30'000)
                                    : Millis{3'600'000};
        const auto asked = tx.ask(message.producer, "[\"question\"," + std::to_string(*id) + ']',
                                  std::move(options));
        if (!asked) return Err{asked.error()};
        if (asked->outcome != sequencer::Asked::Outcome::asked) id.reset();
    }
    const auto* open = questions.open_question(env.choices.choose("which", 64));
    if (open && env.choices.chance("cancel", 1, 20)) {
        const auto cancelled = tx.cancel(open->key);
        if (!cancelled) return Err{cancelled.error()};
        const auto over = QuestionWitness::over(*QuestionWitness::question_in(open->data),
                                                tx.next_offset(), "cancelled");
        if (*cancelled) {
            if (const auto told = tx.publish(chat::main_place, over); !told)
                return Err{told.error()};
        }
    }
    questions.asked(place, id);
    return {};
}

/// What ends a question shows in the log.
sequencer::AnswerHandlers answer_handlers(Env& env) {
    return {{"question",
             [&env](sequencer::Tx& tx, const sequencer::Question& question,
                    const sequencer::Reply& reply) -> Result<void, store::StoreError> {
                 const auto id = static_cast<QuestionId>(*json::as_integer(question.args.at(0)));
                 if (reply.expired) env.witness.questions.expires(id, tx.now());
                 const std::string how =
                     reply.expired ? "expired" : json::as_string(reply.args.at(0)).value_or("");
                 env.witness.task_left(tx.next_offset(), {});
                 env.witness.questions.asked(tx.next_offset(), std::nullopt);
                 const auto told =
                     tx.publish(chat::main_place, QuestionWitness::over(id, tx.next_offset(), how));
                 if (!told) return Err{told.error()};
                 if (env.faults.strikes(Fault::answer_failed, 1, 20)) {
                     env.note("the handler of an answer fails");
                     return Err{store::StoreError::handler};
                 }
                 return {};
             }}};
}

/// The chat's handlers, which also leave work for later, and fail now and then when all is written.
Handlers chat_handlers(Env& env, api::Application& application) {
    chat::install(application);
    Handlers handlers = application.durable_handlers();
    for (auto& [event, handler] : handlers) {
        handler = [&env, inner = handler](sequencer::Tx& tx, const sequencer::Message& message)
            -> Result<store::Verdict, store::StoreError> {
            const bool is_refused = env.mutant == Mutant::later_uses_number &&
                                    !message.key.empty() &&
                                    env.faults.strikes(Fault::put_off, 1, 12);
            if (is_refused) return store::reject("too_fast", "wait");
            const delivery::Offset place = tx.next_offset();
            auto verdict = inner(tx, message);
            if (!verdict || verdict->kind == store::Verdict::Kind::rejected) return verdict;
            Result<std::string, store::StoreError> key{std::string()};
            if (env.choices.chance("defer", 1, 12)) key = tx.defer("note", "1");
            if (!key) return Err{key.error()};
            if (tx.next_offset() > place) {
                if (const auto asked = ask_or_cancel(env, tx, message); !asked)
                    return Err{asked.error()};
            }
            if (env.faults.strikes(Fault::handler_failed, 1, 40)) {
                env.note("a handler fails");
                return Err{store::StoreError::handler};
            }
            if (tx.next_offset() > place) env.witness.task_left(place, std::move(*key));
            return verdict;
        };
    }
    return handlers;
}

/// Stock clients would take it for a verdict, which is true, and not what the witness expects of a message.
std::optional<sequencer::Later> admit(Env& env, const sequencer::Offer& offer) {
    const bool must_wait = env.mutant != Mutant::later_uses_number && !offer.producer.empty() &&
                           env.faults.strikes(Fault::put_off, 1, 12);
    if (!must_wait) return std::nullopt;
    env.note("a sender has to wait");
    return sequencer::Later{env.choices.long_tailed("pause", 1, 5'000), "too_fast", "wait"};
}

/// What a box takes: as in production, or a few.
std::size_t letters_at_most(Env& env, std::uint32_t few) {
    constexpr std::size_t usual = 4096;
    return env.faults.strikes(Fault::small_boxes, 1, 2) ? env.choices.between("box", 1, few)
                                                        : usual;
}

std::size_t transactions_take(Env& env) {
    return env.faults.strikes(Fault::small_boxes, 1, 2) ? env.choices.between("transaction", 1, 8)
                                                        : turn::Transactions::letters_max;
}

sequencer::Sequencer::Options sequencer_options(Env& env, const ServerNode::Options& node) {
    sequencer::Sequencer::Options options;
    if (!node.house) options.answers = answer_handlers(env);
    if (node.house) options.recovery = node.house->limits();
    options.retention = node.retention;
    options.lease = node.lease;
    options.trim_every = Millis{2'000};
    if (env.choices.chance("reads apart", 1, 2))
        options.reads_apart_from = env.choices.between("near", 0, 6);
    options.admission = [&env](const sequencer::Offer& offer) { return admit(env, offer); };
    if (env.faults.strikes(Fault::limit_changed, 1, 2)) {
        options.message_bytes_max = env.choices.between("limit", 200, 4'000);
        env.note("messages may have {} bytes", options.message_bytes_max);
    }
    env.witness.limit_set(options.message_bytes_max);
    return options;
}

/// Mutant::volatile_without_offset: the frame as if nobody had thought of it.
hub::SharedFrame without_offset(const hub::SharedFrame& frame) {
    if (!frame->bytes.starts_with("42[\"rumour\"")) return frame;
    auto text = frame->bytes.substr(0, frame->bytes.rfind(','));
    return std::make_shared<const Frame>(Frame{FrameType::text, text + ']'});
}

bool rejects_size(const mail::Settled& settled) {
    return std::any_of(settled.verdicts.begin(), settled.verdicts.end(), [](const auto& verdict) {
        return verdict.body.starts_with(R"({"error":"too_large")");
    });
}

/// Mutant::fence_ignored: the batch as a database would take it that counts its rows itself.
store::Batch rebased(store::Batch batch, const store::MemoryTables& tables) {
    std::map<std::string, store::RoomHead> rooms;
    batch.to = tables.head();
    for (auto& entry : batch.entries) {
        const auto known = tables.rooms.find(entry.room);
        if (known != tables.rooms.end())
            rooms.emplace(entry.room, store::RoomHead{known->second.size(), known->second.back()});
        auto& room = rooms[entry.room];
        entry.offset = ++batch.to;
        entry.room_seq = ++room.last_seq;
        entry.before = std::exchange(room.newest, entry.offset);
    }
    batch.rooms.clear();
    batch.recorded.clear();
    batch.rewritten.clear();
    return batch;
}

std::string random_bytes(Prng& prng, std::size_t count) {
    std::string bytes;
    while (bytes.size() < count) {
        const std::uint64_t number = prng.next();
        for (int i = 0; i < 8; ++i) bytes += static_cast<char>(number >> (8 * i));
    }
    return bytes;
}

}  // namespace

ServerNode::ServerNode(Env& env, Network& network, Options options)
    : env_(env), network_(network), options_(options) {
    disk_.epoch.text = "e1";
}

ServerNode::Process::Process(Env& env, store::MemoryDisk& machine_disk, std::uint32_t secret_seed,
                             const Options& options)
    : disk(env, machine_disk),
      store(env, disk, machine_disk),
      eyes(env, machine_disk),
      overlay(new MutantOverlay(env, store)),
      // The guest house has no durable handlers.
      sequencer(std::unique_ptr<store::Overlay>(overlay),
                options.house ? Handlers() : chat_handlers(env, durable),
                sequencer_options(env, options)),
      reader(eyes, {.is_apart = env.mutant != Mutant::reader_says_live}),
      inbox({letters_at_most(env, 20)}),
      transactions(transactions_take(env)),
      feeds(options.cores),
      entropy(secret_seed) {}

void ServerNode::install(api::Application& application) const {
    if (options_.house) return options_.house->install(application);
    chat::install(application);
    application.use([](const api::Socket& socket) {
        const auto user = socket.handshake().auth_value<std::string>("user").value_or("");
        socket.identify(user);
        socket.introduce(user + "\n\n");  // as the chat reads it: id, address, name
        return api::allow();
    });
    application.on_connection([this](api::Socket socket) { do_everything(socket, 12); });
}

/// Once in `odds`, of what is possible.
void ServerNode::do_everything(const api::Socket& socket, std::uint32_t odds) const {
    if (env_.faults.strikes(Fault::noisy_application, 1, odds)) {
        env_.note("the application is noisy");
        socket.join("corner");
        for (auto times = env_.choices.between("times", 1, 12); times > 0; --times)
            socket.emit("noise", std::string(env_.choices.between("noise", 1, 60'000), 'x'));
        socket.leave("corner");
    }
    if (env_.faults.strikes(Fault::session_ended, 1, odds)) {
        env_.note("the application ends a session");
        socket.disconnect(env_.choices.choose("and its connection", 2) == 1);
        socket.emit("noise", "too late");
    }
}

void ServerNode::bother_somebody() {
    if (!process_) return;
    const auto number = static_cast<std::uint16_t>(env_.choices.choose("core", options_.cores));
    feed(number, [&](hub::Hub& hub) {
        auto& application = process_->cores[number]->application;
        application.attach(hub, env_.now());
        const auto sockets = application.of("/").sockets();
        if (sockets.empty()) return;
        const auto count = static_cast<std::uint32_t>(sockets.size());
        do_everything(sockets[env_.choices.choose("whom", count)], 2);
    });
}

// ---- life and death -----------------------------------------------------------------------------

void ServerNode::start() {
    if (process_) return;
    env_.note("server starts");
    env_.witness.examine_disk(disk_);
    process_ = std::make_unique<Process>(env_, disk_, env_.choices.choose("entropy", 0xffffffff),
                                         options_);
    for (std::uint16_t i = 0; i < options_.cores; ++i) {
        hub::Hub::Options hub_options;
        hub_options.core = i;
        hub_options.server.cores = options_.cores;
        hub_options.server.ping_interval = options_.timings.ping_interval;
        hub_options.server.ping_timeout = options_.timings.ping_timeout;
        api::Application application;
        install(application);
        hub_options.durable_events = application.durable_event_names();
        if (options_.house) hub_options.server.connection_state_recovery.emplace();
        if (!options_.house && env_.faults.strikes(Fault::small_queues, 1, 2))
            hub_options.send_queue_bytes = env_.choices.between("queue", 20'000, 200'000);
        // Each in a statement of its own: compilers choose in which order arguments are evaluated.
        const std::size_t look_after = env_.choices.between("look after", 1, 4);
        const std::size_t box = letters_at_most(env_, 12);
        process_->cores.push_back(std::make_unique<Core>(
            env_, network_, hub_options, box, look_after,
            [this](std::size_t count) { return random_bytes(process_->entropy, count); }));
        auto& served = process_->cores.back()->application;
        install(served);
        served.on_task("note", [this, i](const api::DeferredTask& task, api::EndTask end) {
            do_task(i, task, std::move(end));
        });
    }
    process_->sequencer.start();
    deliver_outputs();
    arm_sequencer();
    network_.listen(this);
}

/// What the disk holds is true, whether or not anybody was told.
void ServerNode::tell_house() {
    if (!options_.house) return;
    options_.house->look_at_disk(disk_);
    const auto forgotten = process_->sequencer.counts().forgotten;
    if (std::exchange(process_->forgotten, forgotten) != forgotten)
        options_.house->sessions_forgotten();
}

void ServerNode::speak(const std::function<void(api::Application&)>& what) {
    if (!process_) return;
    feed(0, [&](hub::Hub& hub) {
        auto& application = process_->cores[0]->application;
        application.attach(hub, env_.now());
        what(application);
    });
}

void ServerNode::crash() {
    if (!process_) return;
    env_.note("server dies");
    ++crashes_;
    if (auto late = process_->disk.take_late_write()) write_late(std::move(*late));
    die();
}

void ServerNode::die() {
    check_nobody_was_blamed();
    process_->store.lose_unsynced();
    tell_house();
    if (options_.house) options_.house->process_died();
    process_.reset();
    ++life_;
    network_.listen(nullptr);
    network_.abandon_all_by_server(env_.faults.strikes(Fault::power_lost, 1, 4));
    env_.heap.after(env_.choices.long_tailed("downtime", 50, 5'000), [this] {
        replace_disk();
        start();
    });
}

/// Whoever has opened the disk since must not find anything of it.
void ServerNode::write_late(LateWrite late) {
    ++late_writes_;
    const Millis delay = env_.choices.long_tailed("late", 1, 8'000);
    env_.heap.after(delay, [this, late = std::move(late)] {
        --late_writes_;
        const bool is_opened = late.fence != disk_.fence;
        if (is_opened && env_.mutant == Mutant::fence_ignored) {
            disk_.tables.apply(rebased(late.batch, disk_.tables));
        } else {
            const auto written = disk_.write(late.batch, late.fence);
            env_.note(written.outcome == store::WriteOutcome::committed
                          ? "a late write lands, {} entries"
                          : "a late write is refused, {} entries",
                      disk_.tables.log.size());
        }
        env_.witness.look_at_disk(disk_);
        if (options_.house) options_.house->look_at_disk(disk_);
    });
}

void ServerNode::restart() {
    if (!process_) return;
    env_.note("server shuts down");
    network_.listen(nullptr);
    for (std::uint16_t core = 0; core < options_.cores; ++core) {
        // What the sequencer has said is told first.
        feed(core, [this, core](hub::Hub& hub) {
            read_inbox(core);
            hub.shut_down(env_.now());
        });
    }
    // The sequencer has this long for what it has; then it is killed, as a service manager would.
    in_this_life(env_.now() + env_.choices.delay("drain", 100, 2'000), [this] { die(); });
}

void ServerNode::back_up() {
    backup_ = disk_;
    env_.note("backup at {}", backup_->tables.log.size());
}

void ServerNode::replace_disk() {
    if (!backup_ || !env_.faults.strikes(Fault::restored_backup, 1, 2)) return;
    const delivery::Epoch before = disk_.epoch;
    disk_ = *backup_;
    disk_.epoch.text = "e" + std::to_string(++epochs_);
    if (env_.mutant == Mutant::epoch_kept_at_restore) disk_.epoch = before;
    env_.note("backup of {} entries restored", disk_.tables.log.size());
    env_.witness.log_replaced(disk_.epoch, disk_.tables.log.size());
}

void ServerNode::heal() {
    if (process_) process_->disk.heal();
}

bool ServerNode::is_idle() const {
    if (!process_ || process_->committing || process_->under_way > 0 || late_writes_ > 0)
        return false;
    if (!process_->inbox.is_empty() || !process_->transactions.is_empty() ||
        process_->feeds.is_somebody_behind())
        return false;
    for (const auto& core : process_->cores) {
        if (!core->inbox.is_empty() || !core->unread.empty()) return false;
    }
    return disk_.tables.tasks.empty() && disk_.tables.questions.empty();
}

/// All clients here keep the protocol, so nobody may be cut off for breaking it.
void ServerNode::check_nobody_was_blamed() {
    for (const auto& core : process_->cores) {
        if (core->hub.counts().violations == 0) continue;
        env_.witness.report(Breach::dishonest, "the server calls a good client a violator");
    }
}

void ServerNode::check_empty() {
    check_nobody_was_blamed();
    for (const auto& core : process_->cores) {
        const auto& counts = core->hub.counts();
        if (counts.connections_open == 0 && counts.sockets_open == 0) continue;
        env_.witness.report(Breach::unbounded,
                            "everybody left, but " + std::to_string(counts.connections_open) +
                                " connections and " + std::to_string(counts.sockets_open) +
                                " sockets are open");
    }
}

void ServerNode::in_this_life(Instant when, EventHeap::Action action) {
    env_.heap.at(when, [this, life = life_, action = std::move(action)] {
        if (life == life_) action();
    });
}

// ---- links --------------------------------------------------------------------------------------

/// Whoever owns the session; who has none yet is anybody's.
std::uint16_t ServerNode::core_of(LinkNumber link) const {
    const auto owner = hub::Hub::owner_of(network_.target(link).sid);
    return static_cast<std::uint16_t>(owner.value_or(link) % options_.cores);
}

void ServerNode::link_opened(LinkNumber link) {
    hear(core_of(link), [link, target = network_.target(link)](CoreWires& wires) {
        wires.link_opened(link, target);
    });
}

void ServerNode::link_frame(LinkNumber link, const Frame& frame) {
    if (!process_) return;
    hear(core_of(link), [link, frame](CoreWires& wires) { wires.link_frame(link, frame); });
}

void ServerNode::link_written(LinkNumber link) {
    if (!process_) return;
    if (env_.mutant == Mutant::writable_missed && env_.choices.chance("miss", 1, 20)) return;
    hear(core_of(link), [link](CoreWires& wires) { wires.link_written(link); });
}

void ServerNode::link_closed(LinkNumber link) {
    if (!process_) return;
    hear(core_of(link), [link](CoreWires& wires) { wires.link_closed(link); });
}

/// What a link brings waits in it while the core is away, or reads from nobody.
template <class Input>
void ServerNode::hear(std::uint16_t number, Input input) {
    Core& core = *process_->cores[number];
    pause_if_crowded(number);
    if (core.is_away || core.turn.is_paused() || !core.unread.empty()) {
        core.unread.emplace_back([&core, input] { input(core.wires); });
        return;
    }
    feed(number, [&](hub::Hub&) { input(core.wires); });
}

// ---- cores --------------------------------------------------------------------------------------

struct ServerNode::CoreHost {
    ServerNode& node;
    std::uint16_t number;

    void perform(hub::HubOutput output, Instant now) {
        Core& core = *node.process_->cores[number];
        if (core.application.handle(core.hub, output, now)) return;
        if (auto* bytes = std::get_if<hub::Write>(&output)) node.check(*bytes);
        core.wires.perform(output);
    }
    void post(std::vector<mail::ToSequencer> letters) {
        node.post_to_sequencer(number, std::move(letters));
    }
    void post(std::size_t core, std::vector<CoreLetter> letters) {
        node.post_to_core(static_cast<std::uint16_t>(core), std::move(letters));
    }
    bool is_stuck(std::size_t core) { return node.is_stuck(static_cast<std::uint16_t>(core)); }
    void look_around(Instant&) { node.look_around(number); }
};

template <class Input>
void ServerNode::feed(std::uint16_t number, Input input) {
    Core& core = *process_->cores[number];
    core.wires.add_entropy();
    input(core.hub);
    end_turn(number);
}

void ServerNode::end_turn(std::uint16_t number) {
    Core& core = *process_->cores[number];
    CoreHost host{*this, number};
    Instant now = env_.now();
    do {
        core.turn.drain(host, now);
    } while (core.wires.routes().hear(now));
    core.turn.send_letters(host);
    arm(number);
}

/// Mail may have come while a core writes.
void ServerNode::look_around(std::uint16_t number) {
    Core& core = *process_->cores[number];
    if (pause_if_crowded(number) || core.inbox.is_empty()) return;
    if (!env_.choices.chance("look", 1, 2)) return;
    if (env_.mutant == Mutant::lost_while_writing) {
        core.inbox.take();
        return note_full(number);
    }
    read_inbox(number);
}

void ServerNode::arm(std::uint16_t number) {
    Core& core = *process_->cores[number];
    const auto next = earliest(core.hub.next_timeout(), core.wires.routes().next_timeout());
    core.timer.arm(env_.heap, next, [this, life = life_, number] {
        if (life != life_ || !process_->cores[number]->timer.fired(env_.now())) return;
        if (process_->cores[number]->is_away) return;  // it is armed again when it comes round
        feed(number, [&](hub::Hub& hub) {
            hub.handle_timeout(env_.now());
            process_->cores[number]->wires.routes().handle_timeout(env_.now());
        });
    });
}

void ServerNode::check(hub::Write& write) {
    std::uint64_t bytes = 0;
    for (const auto& frame : write.frames) bytes += frame->bytes.size();
    if (bytes > write_bytes_max) env_.witness.report(Breach::unbounded, "a huge Write");
    if (options_.house) {
        for (const auto& frame : write.frames) options_.house->look_at_answer(*frame);
    }
    if (env_.mutant == Mutant::volatile_without_offset) {
        for (auto& frame : write.frames) frame = without_offset(frame);
    }
    if (options_.house && env_.mutant == Mutant::told_before_connect) {
        std::stable_partition(write.frames.begin(), write.frames.end(),
                              [](const auto& frame) { return !frame->bytes.starts_with("40{"); });
    }
}

// ---- the box of a core --------------------------------------------------------------------------

void ServerNode::post_to_core(std::uint16_t number, std::vector<CoreLetter> letters) {
    Core& core = *process_->cores[number];
    std::vector<CoreLetter> posted;
    for (auto& letter : letters) {
        auto arrives = arriving(std::move(letter));
        if (!arrives) continue;
        if (env_.mutant == Mutant::mail_overtakes && env_.choices.chance("overtake", 1, 4)) {
            ++process_->under_way;
            in_this_life(env_.now(), [this, number, one = std::move(*arrives)] {
                --process_->under_way;
                feed(number, [&](hub::Hub&) { read(number, one); });
            });
        } else {
            posted.push_back(std::move(*arrives));
        }
    }
    if (core.inbox.post(std::move(posted))) wake(number);
    note_full(number);
}

/// As its bytes say. None: a planted bug has swallowed it.
std::optional<ServerNode::CoreLetter> ServerNode::arriving(CoreLetter letter) {
    if (const auto* mail = std::get_if<mail::CoreMail>(&letter))
        return CoreLetter(carried(*mail, mail::decode_core_mail));
    const auto& mail = std::get<mail::FromSequencer>(letter);
    const bool published = std::holds_alternative<mail::Published>(mail);
    if (env_.mutant == Mutant::publication_lost && published &&
        env_.choices.chance("lose", 1, 20)) {
        return std::nullopt;
    }
    // Two tabs with one lane are told apart by the fence, so it must be gone for them to do harm.
    const bool unfenced =
        env_.mutant == Mutant::old_session_not_closed || env_.mutant == Mutant::two_tabs_one_lane;
    if (unfenced && std::holds_alternative<mail::Fence>(mail)) return std::nullopt;
    if (env_.mutant == Mutant::cut_ignored && std::holds_alternative<mail::Cut>(mail))
        return std::nullopt;
    auto arrived = carried(mail, mail::decode_from_sequencer);
    if (env_.mutant == Mutant::address_cut_short) cut_address(arrived);
    return CoreLetter(std::move(arrived));
}

void ServerNode::wake(std::uint16_t number) {
    Core& core = *process_->cores[number];
    if (std::exchange(core.is_coming, true)) return;
    Millis delay = env_.choices.delay("to core", 0, 2);
    if (env_.faults.strikes(Fault::slow_core, 1, 20)) {
        delay = env_.choices.long_tailed("away", 1, 2'000);
        core.is_away = true;
        env_.note("core {} has enough to do", number);
    }
    ++process_->under_way;
    in_this_life(env_.now() + delay, [this, number] {
        --process_->under_way;
        process_->cores[number]->is_coming = process_->cores[number]->is_away = false;
        come_round(number);
    });
}

/// Letters and what came by links are one turn.
void ServerNode::come_round(std::uint16_t number) {
    Core& core = *process_->cores[number];
    if (!pause_if_crowded(number)) core.turn.resume_unless(false);
    feed(number, [&](hub::Hub&) {
        read_inbox(number);
        while (!core.turn.is_paused() && !core.unread.empty()) {
            const auto input = std::move(core.unread.front());
            core.unread.pop_front();
            input();
        }
    });
}

void ServerNode::read_inbox(std::uint16_t number) {
    Core& core = *process_->cores[number];
    auto taken = core.inbox.take();
    note_full(number);
    if (taken.was_full) wake_cores();
    for (auto& letter : taken.letters) read(number, std::move(letter));
}

void ServerNode::read(std::uint16_t number, CoreLetter letter) {
    hub::Hub& hub = process_->cores[number]->hub;
    if (auto* stored = std::get_if<mail::FromSequencer>(&letter)) {
        hub.handle_mail(std::move(*stored), env_.now());
    } else {
        hub.handle_core_mail(std::move(std::get<mail::CoreMail>(letter)), env_.now());
    }
}

void ServerNode::note_full(std::uint16_t number) {
    Core& core = *process_->cores[number];
    if (!core.inbox.is_full()) return core.full_since.reset();
    if (!core.full_since) core.full_since = env_.now();
}

bool ServerNode::is_stuck(std::uint16_t number) const {
    const auto& since = process_->cores[number]->full_since;
    return since && env_.now() - *since > turn::patience;
}

bool ServerNode::is_crowded() const {
    if (process_->inbox.is_full()) return true;
    for (std::uint16_t core = 0; core < options_.cores; ++core) {
        if (process_->cores[core]->inbox.is_full() && !is_stuck(core)) return true;
    }
    return false;
}

bool ServerNode::pause_if_crowded(std::uint16_t number) {
    Core& core = *process_->cores[number];
    if (!core.turn.pause_if(is_crowded())) return false;
    if (env_.mutant == Mutant::resume_forgotten || std::exchange(core.is_patient, true))
        return true;
    ++process_->under_way;
    in_this_life(env_.now() + turn::patience + Millis(1), [this, number] {
        --process_->under_way;
        process_->cores[number]->is_patient = false;
        if (!process_->cores[number]->is_away) come_round(number);
    });
    return true;
}

// ---- the box of the sequencer -------------------------------------------------------------------

void ServerNode::post_to_sequencer(std::uint16_t number, std::vector<mail::ToSequencer> letters) {
    std::vector<mail::ToSequencer> posted;
    for (const auto& letter : letters) {
        const auto* relay = std::get_if<mail::Relay>(&letter);
        const bool only_waits = relay && !relay->letter && !relay->effect;
        if (only_waits && env_.mutant == Mutant::connect_before_rooms) {
            post_to_core(number, {mail::FromSequencer(mail::Relayed{relay->from, nullptr})});
        } else {
            posted.push_back(carried(letter, mail::decode_to_sequencer));
        }
    }
    if (process_->inbox.post(std::move(posted))) wake_sequencer();
}

void ServerNode::wake_sequencer() {
    if (std::exchange(process_->is_coming, true)) return;
    ++process_->under_way;
    in_this_life(env_.now() + env_.choices.delay("to sequencer", 0, 2), [this] {
        --process_->under_way;
        process_->is_coming = false;
        run_batch();
    });
}

/// They may be waiting for room.
void ServerNode::wake_cores() {
    if (env_.mutant == Mutant::resume_forgotten) return;
    for (std::uint16_t core = 0; core < options_.cores; ++core) wake(core);
}

// ---- the sequencer ------------------------------------------------------------------------------

/// Its thread takes everything that waits, and then sits in COMMIT while more mail arrives.
void ServerNode::run_batch() {
    Process& process = *process_;
    if (process.committing) return;
    if (process.transactions.is_empty()) {
        auto taken = process.inbox.take();
        if (taken.was_full) wake_cores();
        process.transactions.add(std::move(taken.letters));
    }
    if (process.transactions.is_empty()) return;
    process.just_attached.clear();
    while (auto letter = process.transactions.next()) {
        mail::ToSequencer& mail = *letter;
        const UnixMillis clock = wall_clock();
        process.store.look_at_clock(clock);
        auto* submit = std::get_if<mail::Submit>(&mail);
        if (submit && submit->key && env_.mutant == Mutant::renumbering_not_told)
            submit->key->renumbered = false;
        if (submit && submit->key) check_number(*submit);
        if (auto* attach = std::get_if<mail::Attach>(&mail)) {
            if (env_.mutant == Mutant::numbers_come_down) attach->first = 1;
            process.just_attached.insert(attach->from.session);
            process.sessions[attach->identity.id] = attach->from;
            process.attached[attach->identity.id] = attach->from;
        } else if (const auto* detach = std::get_if<mail::Detach>(&mail)) {
            note_gone(detach->from);
        }
        process.sequencer.handle_mail(std::move(mail), env_.now(), clock);
        tell_house();
        deliver_outputs();
    }
    if (env_.mutant == Mutant::lost_between_transactions && !process.transactions.is_empty())
        process.transactions.next();
    if (process.disk.is_crashed()) return crash();
    process.committing = true;
    in_this_life(env_.now() + process.disk.commit_time(), [this] { commit_batch(); });
}

void ServerNode::commit_batch() {
    process_->sequencer.commit(env_.now());
    tell_house();
    deliver_outputs();
    if (process_->disk.is_crashed() || process_->sequencer.is_superseded()) return crash();
    process_->committing = false;
    arm_sequencer();
    if (env_.faults.strikes(Fault::crash_after_outputs, 1, 120)) {
        in_this_life(env_.now() + env_.choices.delay("last words", 0, 5), [this] { crash(); });
    }
    run_batch();
}

void ServerNode::arm_sequencer() {
    process_->timer.arm(env_.heap, process_->sequencer.next_timeout(), [this, life = life_] {
        if (life != life_ || !process_->timer.fired(env_.now())) return;
        if (!process_->committing) {
            const UnixMillis clock = wall_clock();
            process_->sequencer.handle_timeout(env_.now(), clock);
            check_leases(clock);
        }
        deliver_outputs();
        if (process_->disk.is_crashed()) return crash();
        if (!process_->committing) arm_sequencer();
    });
}

void ServerNode::deliver_outputs() {
    for (const auto& entry : process_->overlay->take_appended()) {
        post({sequencer::OutgoingMail::every_core,
              mail::Published{std::make_shared<std::vector<store::LogEntry>>(1, entry)}});
    }
    for (const auto& task : process_->overlay->take_deferred()) post({0, mail::RunTask{task}});
    auto mistaken = process_->overlay->take_asked();
    for (auto& row : process_->store.take_mistaken()) mistaken.push_back(std::move(row));
    for (const auto& row : mistaken) {
        const auto session = process_->sessions.find(row.recipient);
        if (session == process_->sessions.end()) continue;
        post({session->second.core, mail::Ask{session->second, row.id, row.data}});
    }
    while (auto output = process_->sequencer.poll_output()) {
        if (!process_->disk.is_crashed()) post(std::move(*output));
    }
    post_feeds();
    while (auto question = process_->sequencer.poll_reader_mail()) ask_reader(*question);
}

void ServerNode::post_feeds() {
    auto& feeds = process_->feeds;
    for (std::uint16_t core = 0; core < options_.cores; ++core) {
        const bool was_behind = feeds.is_behind(core);
        const bool is_full = process_->cores[core]->inbox.is_full();
        auto letters = feeds.take(core, is_full, process_->sequencer.log_state());
        const bool is_told = was_behind && !feeds.is_behind(core);
        if (is_told && env_.mutant == Mutant::behind_not_told) letters.pop_back();
        post_to_core(core, std::move(letters));
    }
    if (feeds.is_somebody_behind()) look_again();
}

/// Whether there is room for those who were not told of everything.
void ServerNode::look_again() {
    if (std::exchange(process_->looks_again, true)) return;
    in_this_life(env_.now() + Millis(20), [this] {
        process_->looks_again = false;
        post_feeds();
    });
}

// ---- who reads apart ----------------------------------------------------------------------------

void ServerNode::ask_reader(const mail::ToReader& question) {
    const Instant due =
        std::max(process_->newest_question, env_.now() + env_.choices.delay("to reader", 0, 2));
    process_->newest_question = due;
    ++process_->under_way;
    in_this_life(due, [this, letter = carried(question, mail::decode_to_reader)] {
        --process_->under_way;
        process_->reader.handle_mail(letter);
        read_on();
    });
}

/// Its thread does one step after the other, beside everything else.
void ServerNode::read_on() {
    if (process_->is_reading || !process_->reader.has_work()) return;
    process_->is_reading = true;
    const Millis time = env_.faults.strikes(Fault::reader_slow, 1, 8)
                            ? env_.choices.long_tailed("reading", 10, 2'000)
                            : env_.choices.delay("reading", 0, 3);
    ++process_->under_way;
    // What it saw when it looked arrives later.
    process_->reader.step(wall_clock());
    in_this_life(env_.now() + time, [this] {
        --process_->under_way;
        process_->is_reading = false;
        while (auto output = process_->reader.poll_output()) post_from_reader(std::move(*output));
        read_on();
    });
}

void ServerNode::post(sequencer::OutgoingMail mail) {
    if (!spoil(mail.mail)) return;
    check(mail.mail);
    process_->feeds.add(std::move(mail));
}

/// Whoever has enough to do gets no more to read: it asks again.
void ServerNode::post_from_reader(sequencer::OutgoingMail mail) {
    if (!spoil(mail.mail)) return;
    check(mail.mail);
    if (process_->cores[mail.core]->inbox.is_full())
        mail.mail = mail::ask_again(std::move(mail.mail));
    post_to_core(mail.core, {std::move(mail.mail)});
}

/// Plants the bugs of a sequencer that says the wrong thing. False: it says nothing.
bool ServerNode::spoil(mail::FromSequencer& mail) {
    if (auto* page = std::get_if<mail::Page>(&mail)) {
        if (env_.mutant == Mutant::gap_not_told) page->lost_to = 0;
        if (env_.mutant == Mutant::page_skips && !page->reached_head) ++page->end;
    } else if (auto* settled = std::get_if<mail::Settled>(&mail)) {
        if (env_.mutant == Mutant::verdict_off_by_one) ++settled->first;
        for (auto& verdict : settled->verdicts) {
            const bool lies = env_.mutant == Mutant::forgotten_says_accepted;
            if (lies && verdict == store::outcome_unknown()) verdict = store::accept();
        }
        const bool came_back = process_->just_attached.count(settled->to.session) > 0;
        if (env_.mutant == Mutant::verdict_to_old_link && came_back) return false;
        if (env_.mutant == Mutant::too_large_is_cut && rejects_size(*settled)) {
            mail = mail::Cut{settled->to};
        }
    } else if (auto* published = std::get_if<mail::Published>(&mail)) {
        if (env_.mutant == Mutant::published_backwards) {
            auto entries = *published->entries;
            std::reverse(entries.begin() + 1, entries.end());
            published->entries =
                std::make_shared<const std::vector<store::LogEntry>>(std::move(entries));
        }
    } else if (const auto* run = std::get_if<mail::RunTask>(&mail)) {
        if (env_.mutant == Mutant::task_done_when_given) disk_.tables.tasks.erase(run->task.id);
    } else if (const auto* ask = std::get_if<mail::Ask>(&mail)) {
        const bool came_back = process_->just_attached.count(ask->to.session) > 0;
        return !(env_.mutant == Mutant::not_asked_again && came_back);
    } else if (const auto* later = std::get_if<mail::RetryLater>(&mail)) {
        if (env_.mutant == Mutant::later_is_no && later->ack_id) {
            mail = mail::Answered{later->to, *later->ack_id, store::reject("busy", "no")};
        }
        return env_.mutant != Mutant::later_lost;
    } else if (const auto* conflict = std::get_if<mail::Conflict>(&mail)) {
        if (env_.mutant == Mutant::conflict_says_yes) {
            mail = mail::Settled{conflict->to, conflict->sequence, {store::accept()}};
        }
    }
    return true;
}

/// Somewhere else: takes a while, and fails.
void ServerNode::do_task(std::uint16_t core, const api::DeferredTask& task, api::EndTask end) {
    env_.note("task {} begins", task.id);
    const Millis time = env_.faults.strikes(Fault::task_slow, 1, 4)
                            ? env_.choices.long_tailed("slow task", 10, 5'000)
                            : env_.choices.delay("task", 0, 5);
    const bool fails = env_.faults.strikes(Fault::task_failed, 1, 8);
    ++process_->under_way;
    in_this_life(env_.now() + time, [this, core, task, end, fails] {
        --process_->under_way;
        env_.note(fails ? "task {} fails" : "task {} is done", task.id);
        if (!fails) env_.witness.task_ran(task.key);
        feed(core, [&](hub::Hub&) { end(!fails); });
    });
}

void ServerNode::note_gone(const mail::SessionRef& session) {
    std::erase_if(process_->attached, [&](const auto& each) { return each.second == session; });
}

/// Whoever gives a message another number says so: only then does the server look for it under all numbers (R9). An
/// older number comes from a profile that was put back, and meets what the server knows by that.
void ServerNode::check_number(const mail::Submit& submit) {
    if (submit.data == delivery::cancelled_message || submit.data == delivery::too_large_message)
        return;  // they are all alike
    delivery::Sequence& newest = numbers_[submit.key->id][submit.key->digest];
    if (newest != 0 && submit.key->sequence > newest && !submit.key->renumbered)
        env_.witness.report(Breach::dishonest, "a message has another number and does not say so");
    newest = std::max(newest, submit.key->sequence);
}

/// A lease ends when its time is over and its sender is not there.
void ServerNode::check_leases(UnixMillis clock) {
    for (const auto& [id, row] : disk_.tables.producers) {
        if (std::exchange(forgotten_[id], row.forgotten) >= row.forgotten) continue;
        env_.note("verdicts up to {} are forgotten", row.forgotten);
        if (process_->attached.contains(id))
            env_.witness.report(Breach::dishonest, "a lease ended while its sender was there");
        if (row.last_contact.value + options_.lease->count() > clock.value)
            env_.witness.report(Breach::dishonest, "a lease ended too early");
    }
}

/// What is said about the log must be on the disk by now (R1).
void ServerNode::check(const mail::FromSequencer& mail) {
    if (const auto* cut = std::get_if<mail::Cut>(&mail)) note_gone(cut->to);
    if (const auto* refused = std::get_if<mail::AttachRefused>(&mail)) note_gone(refused->to);
    if (options_.house) options_.house->look_at(mail, disk_);
    if (const auto* ask = std::get_if<mail::Ask>(&mail))
        env_.witness.questions.given_out(*ask, disk_);
    if (const auto* published = std::get_if<mail::Published>(&mail)) {
        check_entries(*published->entries);
    } else if (const auto* page = std::get_if<mail::Page>(&mail)) {
        check_entries(*page->entries);
    }
}

void ServerNode::check_entries(const std::vector<store::LogEntry>& entries) {
    for (const auto& entry : entries) env_.witness.announced(disk_.epoch, entry);
}

UnixMillis ServerNode::wall_clock() {
    if (env_.faults.strikes(Fault::wall_clock_jump, 1, 100)) {
        constexpr std::int64_t hour = 3'600'000;
        wall_clock_skew_ = (env_.choices.between("hours", 0, 100) - 50) * hour;
    }
    return {1'700'000'000'000 + env_.now().time_since_epoch().count() + wall_clock_skew_};
}

}  // namespace oncewire::sim
