// Sockets and namespaces of one application: who comes in, what they say, when they go.
#include "server/api/context.hpp"

#include <algorithm>
#include <utility>

#include "shared/base/json.hpp"
#include "shared/socketio/disconnect_reason.hpp"
#include "shared/socketio/packet.hpp"

namespace oncewire::api {
namespace {

const std::vector<std::string> no_attachments;

/// No middleware has this number.
constexpr std::size_t answered = static_cast<std::size_t>(-1);

std::string with_slash(std::string_view name) {
    return name.starts_with('/') ? std::string(name) : '/' + std::string(name);
}

/// The event that stands in `data`, and its arguments.
Event event_of(std::string& name, std::string_view data,
               const std::vector<std::string>& attachments) {
    std::vector<std::string_view> args = json::elements(data);
    name = json::as_string(args.front()).value_or(std::string(args.front()));
    args.erase(args.begin());
    return {name, std::move(args), attachments};
}

}  // namespace

// ---- listeners ----------------------------------------------------------------------------------

void Listeners::add(ListenerId id, std::string_view event, EventHandler handler, bool once) {
    listeners_.push_back(
        {id, once, std::string(event), std::make_shared<const EventHandler>(std::move(handler))});
}

void Listeners::remove(ListenerId id) {
    std::erase_if(listeners_, [id](const Listener& listener) { return listener.id == id; });
}

void Listeners::remove(std::string_view event) {
    std::erase_if(listeners_, [event](const Listener& one) { return one.event == event; });
}

bool Listeners::has(std::string_view event) const {
    return std::any_of(listeners_.begin(), listeners_.end(),
                       [event](const Listener& one) { return one.event == event; });
}

std::vector<std::shared_ptr<const EventHandler>> Listeners::take(std::string_view event) {
    std::vector<std::shared_ptr<const EventHandler>> found;
    bool any_once = false;
    for (const auto& listener : listeners_) {
        if (listener.event != event) continue;
        found.push_back(listener.handler);
        any_once = any_once || listener.once;
    }
    if (any_once) {
        std::erase_if(listeners_,
                      [event](const Listener& one) { return one.once && one.event == event; });
    }
    return found;
}

void AnyListeners::add(ListenerId id, Socket::AnyHandler handler, bool in_front) {
    listeners_.insert(in_front ? listeners_.begin() : listeners_.end(),
                      {id, std::make_shared<const Socket::AnyHandler>(std::move(handler))});
}

void AnyListeners::remove(ListenerId id) {
    std::erase_if(listeners_, [id](const auto& listener) { return listener.first == id; });
}

void AnyListeners::call(const Event& event) const {
    for (const auto& [id, handler] : std::vector(listeners_)) (*handler)(event);
}

// ---- namespaces ---------------------------------------------------------------------------------

std::shared_ptr<NamespaceState> Context::open(std::string_view name) {
    auto full = with_slash(name);
    auto& state = namespaces_[full];
    if (!state) {
        state = std::make_shared<NamespaceState>();
        state->name = std::move(full);
    }
    return state;
}

std::shared_ptr<NamespaceState> Context::open_dynamic(Application::NamespacePredicate predicate) {
    auto state = std::make_shared<NamespaceState>();
    state->name = "/_" + std::to_string(dynamic_.size());
    state->predicate = std::move(predicate);
    dynamic_.push_back(state);
    return state;
}

std::shared_ptr<NamespaceState> Context::find_namespace(std::string_view name) const {
    const auto found = namespaces_.find(name);
    return found == namespaces_.end() ? nullptr : found->second;
}

std::shared_ptr<NamespaceState> Context::make_child(std::string_view name, std::string_view auth) {
    if (dynamic_.empty()) return nullptr;
    const Json credentials = decode_json(auth, {}).value_or(Json::object());
    for (const auto& parent : dynamic_) {
        if (!parent->predicate(name, credentials)) continue;
        auto child = std::make_shared<NamespaceState>(*parent);
        child->name = std::string(name);
        child->predicate = nullptr;
        child->parent = parent;
        child->is_child = true;
        namespaces_.emplace(child->name, child);
        hub->server().add_to_family(parent->family(), child->name);
        if (on_new_namespace) on_new_namespace(Namespace(*this, child));
        return child;
    }
    return nullptr;
}

void Context::leave_namespace(NamespaceState& nsp) {
    const bool is_empty = --nsp.sockets == 0;
    if (!is_empty || !nsp.is_child || !cleanup_empty_children) return;
    if (const auto parent = nsp.parent.lock()) {
        hub->server().remove_from_family(parent->family(), nsp.name);
    }
    namespaces_.erase(std::string(nsp.name));
}

// ---- who comes in -------------------------------------------------------------------------------

SocketState* Context::find(hub::SocketId id) const {
    const auto found = sockets_.find(id);
    return found == sockets_.end() ? nullptr : found->second.get();
}

void Context::handle(const hub::ConnectAsked& asked) {
    auto nsp = find_namespace(asked.nsp);
    if (!nsp) nsp = make_child(asked.nsp, asked.auth);
    if (!nsp) return hub->sockets().reject(asked.socket, R"({"message":"Invalid namespace"})", now);
    auto state = std::make_unique<SocketState>();
    state->sid = hub->sockets().sid_of(asked.socket);
    state->entrance->auth = asked.auth;
    state->issued = wall_clock ? wall_clock().value : 0;
    state->entrance->middlewares = nsp->middlewares;
    ++nsp->sockets;
    state->nsp = std::move(nsp);
    sockets_.emplace(asked.socket, std::move(state));
    run_middleware(asked.socket, 0);
}

void Context::run_middleware(hub::SocketId id, std::size_t index) {
    SocketState* state = find(id);
    if (!state || state->phase != SocketState::Phase::asked) return;
    state->entrance->middleware_at = index;
    const auto middlewares = state->entrance->middlewares;  // the socket may go while they run
    if (middlewares && index < middlewares->size()) {
        (*middlewares)[index](socket(id), Next(*this, id, index));
    } else {
        hub->sockets().accept(id, {{}, state->entrance->replay_after, state->entrance->user}, now);
    }
}

void Context::refuse(hub::SocketId id, const Refusal& refusal) {
    find(id)->entrance->middleware_at = answered;  // whatever a middleware still says
    Json error = {{"message", refusal.message}};
    if (refusal.data) error["data"] = *refusal.data;
    Arguments text{"", {}};
    encode_value(text, error);
    hub->sockets().reject(id, text.data, now);
}

void Context::handle(const hub::SocketConnected& connected) {
    SocketState* state = find(connected.socket);
    if (!state) return;
    state->phase = SocketState::Phase::connected;
    state->recovered = connected.is_resumed;
    if (connected.is_resumed) state->sid = hub->sockets().sid_of(connected.socket);
    if (const auto handlers = state->nsp->on_connection) {
        for (const auto& handler : *handlers) handler(socket(connected.socket));
    }
    state->entrance.reset();
}

// ---- what they say ------------------------------------------------------------------------------

void Context::handle(const hub::EventArrived& arrived) {
    const SocketState* state = find(arrived.socket);
    if (!state) return;
    std::string name;
    const Event event = event_of(name, arrived.data, arrived.attachments);
    if (state->extras && !pass_middlewares(arrived.socket, event)) return;
    dispatch(arrived.socket, event, ack_for(arrived));
}

Ack Context::ack_for(const hub::EventArrived& arrived) {
    if (!arrived.ack_id) return {};
    return Ack([this, id = arrived.socket, ack_id = *arrived.ack_id](const Arguments& answer) {
        hub->sockets().acknowledge(id, ack_id, answer.data, answer.attachments);
    });
}

bool Context::pass_middlewares(hub::SocketId id, const Event& event) {
    find(id)->extras->any.call(event);
    const auto middlewares = find(id)->extras->middlewares;
    if (!middlewares) return true;
    for (const auto& middleware : *middlewares) {
        if (const auto refusal = middleware(event)) {
            report(id, {Error::Kind::refused, std::string(event.name), refusal->message});
            return false;
        }
    }
    return true;
}

/// The socket's own handlers, then those of its namespace.
void Context::dispatch(hub::SocketId id, const Event& event, const Ack& ack) {
    SocketState& state = *find(id);
    const auto nsp = state.nsp;
    auto handlers = state.listeners.take(event.name);
    for (auto& handler : nsp->listeners.take(event.name)) handlers.push_back(std::move(handler));
    for (const auto& handler : handlers) {
        const auto mismatch = (*handler)(socket(id), event, ack);
        if (!mismatch) continue;
        const auto message =
            "argument " + std::to_string(mismatch->index + 1) + " must be " + mismatch->wanted;
        ack(Json{{"error", "bad_arguments"}, {"message", message}});
        report(id, {Error::Kind::bad_arguments, std::string(event.name), message});
    }
}

void Context::report(hub::SocketId id, Error error) {
    const SocketState* state = find(id);
    if (const auto own = state && state->extras ? state->extras->on_error : nullptr) {
        (*own)(error);
    } else if (on_error) {
        on_error(socket(id), error);
    }
}

bool Context::check_event_name(hub::SocketId id, std::string_view event) {
    if (!socketio::is_reserved_event(event)) return true;
    report(id, {Error::Kind::reserved_name, std::string(event),
                "\"" + std::string(event) + "\" is a reserved event name"});
    return false;
}

// ---- who goes -----------------------------------------------------------------------------------

void Context::handle(const hub::SocketGone& gone) {
    SocketState* state = find(gone.socket);
    if (!state) return;
    const Farewell farewell(*this, gone.socket);  // even if a handler throws
    state->phase = SocketState::Phase::gone;
    if (!gone.was_connected) return;
    const char* reason = socketio::reason_text(gone.reason);
    state->rooms_left = std::make_unique<const std::vector<std::string>>(gone.rooms);
    tell(gone.socket, "disconnecting", reason);
    state->rooms_left.reset();
    tell(gone.socket, "disconnect", reason);
}

Context::Farewell::~Farewell() {
    std::erase(context_.with_outgoing_, id_);
    context_.hub->server().watch_broadcasts(!context_.with_outgoing_.empty());
    const auto state = std::move(context_.sockets_.find(id_)->second);
    context_.sockets_.erase(id_);
    context_.abandon_submissions(id_);
    context_.leave_namespace(*state->nsp);
}

void Context::tell(hub::SocketId id, std::string_view event, std::string_view reason) {
    const std::string text = json::quoted(reason);
    dispatch(id, {event, {text}, no_attachments}, {});
}

// ---- what they are told -------------------------------------------------------------------------

void Context::outgoing_changed(hub::SocketId id) {
    std::erase(with_outgoing_, id);
    const SocketState* state = find(id);
    if (state && state->extras && !state->extras->any_outgoing.empty()) {
        with_outgoing_.push_back(id);
    }
    hub->server().watch_broadcasts(!with_outgoing_.empty());
}

void Context::tell_outgoing(hub::SocketId id, std::string_view data,
                            const std::vector<std::string>& attachments) {
    const SocketState* state = find(id);
    if (!state || !state->extras || state->extras->any_outgoing.empty()) return;
    std::string name;
    state->extras->any_outgoing.call(event_of(name, data, attachments));
}

void Context::handle(const hub::BroadcastSent& sent) {
    const auto receivers = hub->server().sockets(sent.command.target);
    for (const auto id : std::vector(with_outgoing_)) {
        if (std::find(receivers.begin(), receivers.end(), id) == receivers.end()) continue;
        tell_outgoing(id, sent.command.data, sent.command.attachments);
    }
}

void Context::handle(const hub::Woken&) {
    while (!later_.empty() && later_.begin()->first <= now) {
        const auto call = std::move(later_.begin()->second);
        later_.erase(later_.begin());
        call();
    }
    if (!later_.empty()) hub->server().wake_at(later_.begin()->first);
}

void Context::call_after(Millis time, std::function<void()> call) {
    if (!hub) return;
    later_.emplace(now + time, std::move(call));
    hub->server().wake_at(now + time);
}

void Context::handle(const hub::ServerSideEvent& arrived) {
    const auto nsp = find_namespace(arrived.nsp);
    if (!nsp) return;
    std::string name;
    call_server_side(*nsp, event_of(name, arrived.data, no_attachments), {});
}

void Context::answer_server_side(const mail::CoreQuestion& question) {
    const auto nsp = find_namespace(question.target.nsp);
    std::string name;
    const Event event = event_of(name, question.data, question.attachments);
    const bool is_ours = question.from == hub->server().core();
    if (is_ours || !nsp || !nsp->server_side.has(name)) {
        return hub->server().answer(question, "null", {}, true);
    }
    call_server_side(*nsp, event, Ack([this, question](const Arguments& answer) {
        hub->server().answer(question, answer.data, answer.attachments, true);
    }));
}

void Context::call_server_side(NamespaceState& nsp, const Event& event, const Ack& ack) {
    for (const auto& handler : nsp.server_side.take(event.name)) {
        const auto mismatch = (*handler)(Socket(), event, ack);
        if (!mismatch) continue;
        const std::string message = std::string("must be ") + mismatch->wanted;
        ack(Json{{"error", "bad_arguments"}, {"message", message}});
        report(0, {Error::Kind::bad_arguments, std::string(event.name), message});
    }
}

}  // namespace oncewire::api
