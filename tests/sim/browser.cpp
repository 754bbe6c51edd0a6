// The user of a Browser, its links, and the host of its Client. Storage and page are in browser_page.cpp.
#include "tests/sim/browser.hpp"

#include <algorithm>

#include "shared/delivery/answer.hpp"

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

delivery::ProducerIdentity identity_of(Env& env, const Browser::Options& options) {
    if (env.mutant == Mutant::two_tabs_one_lane && options.author < 2) {
        const delivery::ProducerIdentity shared{ProducerId(std::string(32, 'a')),
                                                ProducerSecret(std::string(32, 'b'))};
        return shared;
    }
    return make_identity(env);
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
    : env_(env), network_(network), options_(options), storage_(env, identity_of(env, options)) {}

// ---- the user -----------------------------------------------------------------------------------

void Browser::open() {
    if (page_ || closed_) return;
    env_.note("browser {} loads the page", options_.author);
    peer::Client::Options options;
    options.engine = options_.engine;
    page_ = std::make_unique<Page>(
        peer::Client(std::move(options), Prng(env_.choices.choose("client prng", 0xffffffff))),
        begin_requests());
    const StoredLane& stored = storage_.lane();
    peer::RestoredLane lane{stored.producer, stored.next_sequence, {}, {}, 0};
    for (const auto& [sequence, entry] : stored.entries) {
        const bool is_answer = delivery::parse_answer(entry.message).has_value();
        if (env_.mutant == Mutant::answer_not_kept && is_answer) continue;
        lane.entries.push_back(entry);
    }
    lane.salt = env_.choices.choose("salt", 0xffffffff);
    if (options_.keeps_page && stored.cursor) {
        lane.position = stored.cursor;
        page_->reader = {stored.cursor->epoch, stored.cursor->offset};
    }
    restore_waiting(lane.entries);
    page_->client.open_namespace("/", std::move(lane));
    page_->client.connect(chat, env_.now());
    drain();
}

void Browser::restore_waiting(const std::vector<delivery::OutboxEntry>& entries) {
    for (const auto& entry : entries) {
        const auto id = Witness::message_in(entry.message);
        const bool is_answer = delivery::parse_answer(entry.message).has_value();
        if (id) env_.witness.restored(*id);
        page_->waiting[entry.sequence] = {id, peer::MessageState::queued, !id && !is_answer,
                                          is_answer};
    }
}

void Browser::type(std::uint32_t length) {
    if (!page_ || page_->frozen) return;
    const bool poison = env_.choices.chance("poison", 1, 40);
    const MessageId message = env_.witness.add_message(options_.author, !poison);
    std::string text = "m" + std::to_string(message) + ':';
    if (env_.choices.chance("long text", 1, 20)) length = env_.choices.choose("length", 6'000);
    text.append(length, 'x');
    const std::string event = poison ? R"(["no such event",")" : R"(["chat message",")";
    const std::string data = event + text + "\"]";
    env_.witness.sized(message, static_cast<std::uint32_t>(data.size()));
    const auto sequence = page_->client.emit_durable(chat, data, env_.now());
    const bool too_large =
        data.size() > page_->limit.value_or(delivery::Outbox::Limits().message_bytes_max);
    if (too_large != (!sequence && sequence.error() == peer::EmitError::too_large)) {
        env_.witness.report(Breach::dishonest, "the limit of the server is not the client's");
    }
    if (!sequence) return env_.witness.release(message);
    env_.note("browser {} types m{}", options_.author, message);
    page_->waiting[*sequence] = {message, peer::MessageState::saving, false, false};
    drain();
}

void Browser::ask_echo() {
    if (!page_ || page_->frozen) return;
    const std::string value = std::to_string(env_.choices.choose("echo", 1'000'000));
    peer::Client::EmitOptions options;
    options.wants_ack = true;
    options.ack_timeout = env_.choices.delay("ack timeout", 500, 10'000);
    const auto id = page_->client.emit(chat, R"(["echo",)" + value + ']', {}, options, env_.now());
    if (id && *id) page_->echoes[**id] = {value, page_->client.is_connected(chat)};
    drain();
}

void Browser::take_back() {
    if (!page_ || page_->frozen || page_->waiting.empty()) return;
    auto& [sequence, newest] = *page_->waiting.rbegin();
    if (newest.taken_back || newest.is_answer || !page_->client.cancel(chat, sequence, env_.now()))
        return;
    env_.faults.count(Fault::cancelled);
    env_.note("browser {} takes back m{}", options_.author, *newest.message);
    newest.taken_back = true;
    drain();
}

void Browser::pause() {
    if (!page_ || page_->frozen) return;
    env_.note("browser {} disconnects", options_.author);
    page_->client.disconnect(chat, env_.now());
    drain();
    const Instant back = env_.now() + env_.choices.long_tailed("pause", 10, 5'000);
    in_this_page(back, [this] { page_->client.connect(chat, env_.now()); });
}

void Browser::come_online() {
    when_awake([this] { page_->client.retry_now(env_.now()); });
}

void Browser::freeze(Millis time) {
    if (!page_) return;
    env_.note("browser {} freezes for {} ms", options_.author,
              static_cast<std::uint64_t>(time.count()));
    page_->frozen = true;
    env_.heap.after(time, [this, life = life_] {
        if (life == life_) thaw();
    });
}

void Browser::thaw() {
    if (!page_ || !page_->frozen) return;
    env_.note("browser {} thaws", options_.author);
    page_->frozen = false;
    for (const auto& input : std::exchange(page_->asleep, {})) {
        input();
        drain();
    }
}

void Browser::refresh() {
    if (!page_) return;
    env_.note("browser {} refreshes", options_.author);
    leave();
    if (env_.faults.strikes(Fault::idb_rolled_back, 1, 3) && storage_.roll_back()) {
        env_.note("browser {} has its storage of some time ago", options_.author);
        env_.witness.put_back(options_.author);
    }
    // Long enough for a lease to end.
    const bool stays_away =
        env_.faults.is_possible(Fault::lease_ended) && env_.choices.chance("stays away", 1, 3);
    const Millis time = stays_away ? env_.choices.delay("away", 5'000, 30'000)
                                   : env_.choices.delay("load", 20, 2'000);
    env_.heap.after(time, [this] { open(); });
}

void Browser::close() {
    closed_ = true;
    if (page_) leave();
}

void Browser::leave() {
    for (const auto& [number, link] : page_->links) network_.abandon(number, Side::client);
    page_->requests.leave();
    ++life_;
    const auto page = std::exchange(page_, nullptr);
    storage_.page_gone();
    // Storage refused to know of numbers that were used: the next page gives them to other messages.
    if (storage_.lane().next_sequence < page->client.outbox(chat)->next_sequence())
        env_.witness.put_back(options_.author);
    for (const auto& [sequence, waiting] : page->waiting) {
        const auto id = waiting.message;
        if (id && !env_.witness.is_promised(*id)) env_.witness.release(*id);
    }
}

bool Browser::is_at_rest() const {
    if (closed_) return true;
    return page_ && page_->waiting.empty() && page_->echoes.empty() && is_storage_at_rest() &&
           page_->reader.count == env_.witness.head() &&
           (page_->reader.count == 0 || page_->reader.epoch == env_.witness.epoch());
}

/// What is left there is settled: storage refused to erase it, and a refresh will ask about it again.
bool Browser::is_storage_at_rest() const {
    const auto& entries = storage_.lane().entries;
    return storage_.is_idle() && std::all_of(entries.begin(), entries.end(), [&](const auto& each) {
               const auto id = Witness::message_in(each.second.message);
               return !id || env_.witness.was_told(*id) || env_.witness.is_cancelled(*id);
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

Requests Browser::begin_requests() {
    return {env_, network_, *this,
            [this](peer::LinkId link, bool is_post, std::uint32_t status, std::string_view body) {
                page_->client.handle_response(link, is_post, status, body, env_.now());
            }};
}

void Browser::link_opened(LinkNumber link) {
    when_awake([this, link] {
        if (page_->requests.carries(link)) return page_->requests.link_opened(link);
        const auto found = page_->links.find(link);
        if (found != page_->links.end())
            page_->client.handle_link_opened(found->second, env_.now());
    });
}

void Browser::link_frame(LinkNumber link, const Frame& frame) {
    when_awake([this, link, frame = Frame(frame)]() mutable {
        const auto found = page_->links.find(link);
        const bool by_request = page_->requests.carries(link);
        if (!by_request && found == page_->links.end()) return;
        look_at_limit(frame);
        may_go_back_ = frame.bytes.find(R"(42["oncewire:expect")") != std::string::npos ||
                       frame.bytes.find(R"(42["oncewire:conflict")") != std::string::npos;
        if (by_request) return page_->requests.link_frame(link, frame);
        const bool mixes = env_.mutant == Mutant::old_link_frames;
        page_->client.handle_frame(mixes ? page_->newest_link : found->second, frame, env_.now());
    });
}

/// R17: what the server takes at most is in its answer to CONNECT.
void Browser::look_at_limit(Frame& frame) {
    constexpr std::string_view key = R"("messageBytes":)";
    const auto found = frame.bytes.find(key);
    if (found == std::string::npos) return;
    const auto first = found + key.size();
    const auto end = frame.bytes.find(',', first);
    page_->heard_limit =
        static_cast<std::uint32_t>(std::stoul(frame.bytes.substr(first, end - first)));
    if (env_.mutant == Mutant::limit_ignored) frame.bytes.replace(first, end - first, "65536");
}

void Browser::link_closed(LinkNumber link) {
    when_awake([this, link] {
        if (page_->requests.carries(link)) return page_->requests.link_closed(link);
        const auto found = page_->links.find(link);
        if (found != page_->links.end())
            page_->client.handle_link_closed(found->second, env_.now());
    });
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
    check_echoes();
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
        when_awake([this] { page_->client.handle_timeout(env_.now()); });
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

/// Who asked over a link that is gone has been told by now that there will be no answer.
void Browser::check_echoes() {
    if (!std::exchange(page_->lost_link, false)) return;
    for (const auto& [id, echo] : page_->echoes) {
        if (!echo.on_the_wire) continue;
        env_.witness.report(Breach::stuck, "an answer is awaited over a link that is gone");
    }
}

void Browser::in_this_page(Instant when, EventHeap::Action action) {
    env_.heap.at(when, [this, life = life_, action = std::move(action)] {
        if (life == life_) when_awake(action);
    });
}

/// An input of this page: now, or in its turn when the tab thaws.
void Browser::when_awake(EventHeap::Action input) {
    if (!page_) return;
    if (page_->frozen) return page_->asleep.push_back(std::move(input));
    input();
    drain();
}

void Browser::perform(const peer::OpenLink& open) {
    page_->newest_link = open.link;
    if (open.transport == engineio::TransportKind::polling) return;
    const LinkNumber number = network_.dial(*this, {Target::Kind::websocket, open.sid, {}});
    page_->numbers[open.link] = number;
    page_->links[number] = open.link;
}

/// R5.
void Browser::check_saved(std::string_view frame) {
    const auto message = message_sent(frame);
    if (message && !env_.witness.is_promised(*message) && page_->unsaved.count(*message) == 0) {
        env_.witness.report(Breach::lost, "m" + std::to_string(*message) + " was sent unsaved");
    }
    check_answer_sent(frame);
}

void Browser::perform(const peer::SendRequest& request) {
    std::string_view rest = request.body ? std::string_view(*request.body) : std::string_view();
    while (!rest.empty()) {
        const std::string_view packet = rest.substr(0, rest.find('\x1e'));
        check_saved(packet);
        rest.remove_prefix(std::min(packet.size() + 1, rest.size()));
    }
    page_->requests.send(request);
}

void Browser::perform(const peer::SendFrame& send) {
    check_saved(send.frame.bytes);
    network_.send(page_->numbers.at(send.link), Side::client,
                  {std::make_shared<const Frame>(send.frame)});
}

void Browser::check_size(MessageId message, const std::string& frame) {
    const auto size = frame.size() - frame.find(R"(["chat message")") - 1;
    if (!page_->limit || size <= *page_->limit) return;
    env_.witness.report(Breach::unbounded,
                        "m" + std::to_string(message) + " was sent, larger than the server takes");
}

void Browser::perform(const peer::CloseLink& close) {
    const auto found = page_->numbers.find(close.link);
    if (found == page_->numbers.end()) return page_->requests.abandon(close.link);
    network_.close(found->second, Side::client);
}

void Browser::perform(const peer::AskAuth& ask) {
    if (env_.faults.strikes(Fault::other_user, 1, 6)) is_other_user_ = !is_other_user_;
    if (env_.choices.chance("auth at once", 1, 2)) {
        return page_->client.provide_auth(ask.index, auth(), env_.now());
    }
    in_this_page(env_.now() + env_.choices.delay("auth", 0, 300), [this, index = ask.index] {
        page_->client.provide_auth(index, auth(), env_.now());
    });
}

/// One in four begins as a guest, and becomes somebody.
std::string Browser::auth() {
    if (is_other_user_ && options_.author % 4 == 0) return "{}";
    return R"({"user":"u)" + std::to_string(options_.author) + (is_other_user_ ? "b" : "") + "\"}";
}

}  // namespace oncewire::sim
