#include "tests/sim/small_world.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "server/chat/chat.hpp"
#include "shared/base/verify.hpp"

namespace oncewire::sim {
namespace {

constexpr peer::NamespaceIndex chat_namespace = 0;
/// Far more than any world takes that comes to rest.
constexpr std::uint32_t steps_max = 2'000;

api::Application& install(api::Application& application) {
    chat::install(application);
    return application;
}

hub::Hub::Options hub_options(const api::Application& application) {
    hub::Hub::Options options;
    options.durable_events = application.durable_event_names();
    return options;
}

}  // namespace

SmallWorld::Process::Process(store::MemoryDisk& disk)
    : store(disk),
      sequencer(store, install(durable).durable_handlers()),
      hub(hub_options(durable)) {
    install(application);
}

SmallWorld::SmallWorld(const SmallSpace& space, Mutant mutant, Search search, Odometer& odometer,
                       KnownStates& known)
    : space_(space), mutant_(mutant), odometer_(odometer), known_(known), search_(search) {
    disk_.epoch.text = "e1";
    start_server();
    peer::RestoredLane lane;
    lane.producer = {ProducerId(std::string(32, 'a')), ProducerSecret(std::string(32, 'b'))};
    client_.open_namespace("/", std::move(lane));
    client_.connect(chat_namespace, now_);
    for (std::uint32_t i = 1; i <= space.messages; ++i) {
        const std::string text = R"(["chat message","m)" + std::to_string(i) + R"(:"])";
        VERIFY(client_.emit_durable(chat_namespace, text, now_));
    }
    drain_client();
}

void SmallWorld::run() {
    while (violation_.empty() && !is_known_ && !is_at_rest()) {
        if (++steps_ > steps_max) return report("it never comes to rest: " + describe());
        step();
    }
    if (!violation_.empty() || is_known_) return;
    check_outcome();
    History end;
    end.add(ending());
    check_effect(end.value());
}

void SmallWorld::report(const std::string& what) {
    if (violation_.empty()) violation_ = what;
}

// ---- where it is --------------------------------------------------------------------------------

void SmallWorld::note(History& history, Input input, std::uint64_t number) {
    history.add(static_cast<std::uint64_t>(input));
    history.add(static_cast<std::uint64_t>(now_.time_since_epoch().count()));
    history.add(number);
}

void SmallWorld::note(History& history, Input input, std::uint64_t number, const Frame& frame) {
    note(history, input, number);
    history.add(static_cast<std::uint64_t>(frame.type));
    history.add(frame.bytes);
}

/// All that decides what can follow, and in how many ways. What is on the link, what hub and sequencer owe
/// each other, what was shown and what was settled follow from the histories.
Fingerprint SmallWorld::state(std::uint32_t possible) const {
    History all;
    all.add(client_saw_.value());
    all.add(process_->hub_saw.value());
    all.add(process_->sequencer_saw.value());
    all.add(static_cast<std::uint64_t>(now_.time_since_epoch().count()));
    all.add(link_ ? link_->client_id : 0);
    all.add(unnoticed_.value_or(0));
    all.add(may_cut_);
    all.add(may_crash_);
    all.add(cuts_);
    all.add(crashes_);
    all.add(possible);
    return all.value();
}

/// False: another world has been here.
bool SmallWorld::is_worth_going_on(const Fingerprint& state, std::uint32_t possible) {
    if (search_ == Search::every_path) {
        check_effect(state);
        return true;
    }
    is_known_ = possible > 1 && odometer_.is_at_end() && !known_.add(state);
    return !is_known_;
}

/// Whoever was in the same state and chose the same must have come to the same.
void SmallWorld::check_effect(const Fingerprint& effect) {
    if (!cause_) return;
    History cause;
    cause.add(cause_->state);
    cause.add(cause_->chosen);
    if (!known_.add(cause.value(), effect)) report("more decides than is seen: " + describe());
}

// ---- the steps ----------------------------------------------------------------------------------

void SmallWorld::step() {
    std::vector<Action> possible = possible_steps();
    // Timers wait until all else is done; but how long the server goes without noticing is open.
    if (possible.empty()) possible.push_back(&SmallWorld::pass_time);
    if (unnoticed_) possible.push_back(&SmallWorld::server_notices);
    if (link_ && may_cut_ && cuts_ < space_.cuts) possible.push_back(&SmallWorld::cut);
    if (may_crash_ && crashes_ < space_.crashes) possible.push_back(&SmallWorld::crash);
    const auto count = static_cast<std::uint32_t>(possible.size());
    const Fingerprint before = state(count);
    if (!is_worth_going_on(before, count)) return;
    may_cut_ = false;
    const auto chosen = odometer_.choose(count);
    if (search_ == Search::every_path) cause_ = {before, chosen};
    (this->*possible[chosen])();
}

/// What is delivered in order anyway takes one order here: first what hub and browser are owed, then what
/// the sequencer is. Chosen is when it ends its batch.
std::vector<SmallWorld::Action> SmallWorld::possible_steps() const {
    std::vector<Action> steps;
    if (!process_->mail.empty()) {
        steps.push_back(&SmallWorld::mail_to_hub);
    } else if (link_ && !link_->to_client.empty()) {
        steps.push_back(&SmallWorld::frame_to_client);
    } else if (link_ && !link_->to_server.empty()) {
        steps.push_back(&SmallWorld::frame_to_server);
    }
    if (!process_->inbox.empty()) steps.push_back(&SmallWorld::batch);
    return steps;
}

void SmallWorld::frame_to_server() {
    const Frame frame = std::move(link_->to_server.front());
    link_->to_server.pop_front();
    note(process_->hub_saw, Input::frame, link_->server_id, frame);
    process_->hub.handle_frame(link_->server_id, frame, now_);
    may_cut_ = true;
    drain_hub();
}

void SmallWorld::frame_to_client() {
    const Frame frame = std::move(link_->to_client.front());
    link_->to_client.pop_front();
    note(client_saw_, Input::frame, link_->client_id, frame);
    client_.handle_frame(link_->client_id, frame, now_);
    may_cut_ = may_crash_ = true;
    drain_client();
}

void SmallWorld::mail_to_hub() {
    const auto mail = std::move(process_->mail.front());
    process_->mail.pop_front();
    note(process_->hub_saw, Input::mail);
    process_->hub.handle_mail(mail, now_);
    drain_hub();
}

void SmallWorld::batch() {
    if (mutant_ == Mutant::ack_before_commit) disk_before_batch_ = disk_;
    note(process_->sequencer_saw, Input::batch, process_->inbox.size());
    for (auto& mail : std::exchange(process_->inbox, {})) {
        process_->sequencer.handle_mail(std::move(mail), now_, {});
    }
    process_->sequencer.commit(now_);
    while (auto output = process_->sequencer.poll_output()) {
        process_->mail.push_back(std::move(output->mail));
    }
    may_crash_ = true;
}

void SmallWorld::cut() {
    ++cuts_;
    lose_link();
}

/// The process is gone and starts again.
void SmallWorld::crash() {
    ++crashes_;
    if (mutant_ == Mutant::ack_before_commit) say_all_and_forget_it();
    if (mutant_ == Mutant::dedupe_in_memory) {
        disk_.tables.producers.clear();
        disk_.tables.verdicts.clear();
    }
    may_crash_ = false;
    if (link_) lose_link();
    unnoticed_.reset();
    start_server();
}

/// The planted bug: what the newest batch says is said, and then it is lost.
void SmallWorld::say_all_and_forget_it() {
    while (!process_->mail.empty()) mail_to_hub();
    while (link_ && !link_->to_client.empty()) frame_to_client();
    disk_ = disk_before_batch_;
}

void SmallWorld::server_notices() {
    const auto connection = *std::exchange(unnoticed_, std::nullopt);
    note(process_->hub_saw, Input::closed, connection);
    process_->hub.handle_transport_closed(connection, engineio::CloseReason::transport_close, now_);
    drain_hub();
}

/// Nothing else can happen: the next timer fires.
void SmallWorld::pass_time() {
    const auto client = client_.next_timeout();
    const auto server = process_->hub.next_timeout();
    if (!client && !server) return report("nothing will ever happen again: " + describe());
    now_ = std::max(now_, client && (!server || *client <= *server) ? *client : *server);
    if (client && *client <= now_) {
        note(client_saw_, Input::timeout);
        client_.handle_timeout(now_);
        drain_client();
    }
    if (server && *server <= now_) {
        note(process_->hub_saw, Input::timeout);
        process_->hub.handle_timeout(now_);
        drain_hub();
    }
}

// ---- hosts --------------------------------------------------------------------------------------

void SmallWorld::start_server() {
    process_ = std::make_unique<Process>(disk_);
    if (mutant_ == Mutant::ack_before_commit) disk_before_batch_ = disk_;
    note(process_->hub_saw, Input::started, known_.number_of(disk_));
    process_->hub_saw.add(secrets_);  // of which those it will draw are made
    process_->sequencer.start();
    while (auto output = process_->sequencer.poll_output()) {
        process_->hub.handle_mail(std::move(output->mail), now_);
    }
    drain_hub();
}

void SmallWorld::open_link(peer::LinkId id) {
    link_ = Link{};
    link_->client_id = id;
    hub::Request request;
    request.url = "/socket.io/?EIO=4&transport=websocket";
    note(process_->hub_saw, Input::accepted);
    link_->server_id = process_->hub.handle_accept(request, now_);
    may_cut_ = may_crash_ = true;
    note(client_saw_, Input::opened, id);
    client_.handle_link_opened(id, now_);
    drain_hub();
}

/// What is on it is lost; the browser notices.
void SmallWorld::lose_link() {
    unnoticed_ = link_->server_id;
    const auto id = link_->client_id;
    link_.reset();
    note(client_saw_, Input::closed, id);
    client_.handle_link_closed(id, now_);
    drain_client();
}

void SmallWorld::drain_hub() {
    auto& hub = process_->hub;
    if (const auto wanted = hub.secrets().wanted()) {
        hub.secrets().add(std::string(wanted, static_cast<char>('A' + secrets_++ % 64)));
    }
    while (auto output = hub.poll_output()) {
        if (!process_->application.handle(hub, *output, now_)) perform(*output);
    }
}

void SmallWorld::perform(const hub::HubOutput& output) {
    if (const auto* bytes = std::get_if<hub::Write>(&output)) {
        const bool arrives = link_ && link_->server_id == bytes->connection;
        for (const auto& frame : bytes->frames) {
            if (arrives) link_->to_client.push_back(*frame);
        }
        process_->hub.handle_written(bytes->connection, now_);
    } else if (const auto* closed = std::get_if<hub::CloseTransport>(&output)) {
        const bool is_newest = link_ && link_->server_id == closed->connection;
        if (is_newest) lose_link();
        if (unnoticed_ == closed->connection) unnoticed_.reset();
    } else if (const auto* request = std::get_if<hub::ToStore>(&output)) {
        process_->inbox.push_back(request->mail);
    }
}

void SmallWorld::drain_client() {
    while (auto output = client_.poll_output()) {
        if (const auto* open = std::get_if<peer::OpenLink>(&*output)) {
            open_link(open->link);
        } else if (const auto* send = std::get_if<peer::SendFrame>(&*output)) {
            if (link_ && link_->client_id == send->link) link_->to_server.push_back(send->frame);
        } else if (const auto* ask = std::get_if<peer::AskAuth>(&*output)) {
            client_.provide_auth(ask->index, "{}", now_);
        } else if (const auto* save = std::get_if<peer::Save>(&*output)) {
            client_.handle_saved(save->index, save->token, now_);
        } else if (const auto* event = std::get_if<peer::EventArrived>(&*output)) {
            shown_.push_back(event->data);
        } else if (const auto* settled = std::get_if<peer::MessageSettled>(&*output)) {
            settle(settled->accepted);
        } else if (const auto* close = std::get_if<peer::CloseLink>(&*output)) {
            if (link_ && link_->client_id == close->link) {
                unnoticed_ = link_->server_id;
                link_.reset();
            }
        }
    }
}

void SmallWorld::settle(bool accepted) {
    if (!accepted) report("a good message was rejected");
    if (++settled_ > space_.messages) report("a verdict too many");
    if (disk_.tables.log.size() < settled_) report("a verdict before its commit");
}

// ---- what must hold -----------------------------------------------------------------------------

bool SmallWorld::is_at_rest() const {
    return settled_ == space_.messages && shown_.size() >= disk_.tables.log.size() &&
           process_->mail.empty() && process_->inbox.empty() && link_ && link_->to_client.empty() &&
           link_->to_server.empty();
}

void SmallWorld::check_outcome() {
    const auto& log = disk_.tables.log;
    if (log.size() != space_.messages) return report("the log: " + describe());
    for (std::size_t i = 0; i < log.size(); ++i) {
        const std::string text = "\"m" + std::to_string(i + 1) + ":\"";
        if (log[i].data.find(text) == std::string::npos) {
            report("the log is out of order: " + describe());
        }
        if (i >= shown_.size() || shown_[i] != log[i].data) {
            report("what was shown is not the log: " + describe());
        }
    }
    if (shown_.size() != log.size()) report("shown: " + describe());
}

std::string SmallWorld::describe() const {
    return std::to_string(disk_.tables.log.size()) + " stored, " + std::to_string(shown_.size()) +
           " shown, " + std::to_string(settled_) + " settled";
}

std::string SmallWorld::ending() const {
    std::string text = describe() + " after " + std::to_string(crashes_) + " crashes and " +
                       std::to_string(cuts_) + " cuts at " +
                       std::to_string(now_.time_since_epoch().count()) + " over link " +
                       std::to_string(link_->client_id) + " of " +
                       std::to_string(process_->hub.counts().connections_open);
    for (const auto& [id, row] : disk_.tables.producers)
        text += ", attached " + std::to_string(row.epoch) + " times";
    for (const auto& data : shown_) text += ' ' + data;
    return text;
}

}  // namespace oncewire::sim
