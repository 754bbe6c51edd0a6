#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/api/broadcast.hpp"
#include "server/api/handler.hpp"
#include "server/api/signature.hpp"
#include "server/hub/hub.hpp"

namespace oncewire::api {

/// What a client said when it came in.
struct Handshake {
    std::string address;  ///< of the client: behind a trusted proxy the one that the proxy names
    /// What limits should count: an IPv4 address as it is, an IPv6 address as the /64 it lies in, like
    /// "2001:db8:1:2::/64", because a customer has all of that.
    std::string network;
    std::string url;
    std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case
    std::vector<std::pair<std::string, std::string>> query;    ///< of the first request, decoded
    /// What CONNECT carried, 16 KiB at most; kept until the `connection` handlers have returned.
    Json auth = Json::object();
    bool xdomain = false;  ///< the request named an Origin
    /// The client speaks TLS, as a trusted proxy says: X-Forwarded-Proto, Forwarded or the PROXY protocol.
    bool secure = false;
    std::int64_t issued = 0;  ///< milliseconds since 1970
    std::string time;         ///< the same as JavaScript writes a Date, in UTC

    /// The value of a query parameter, of a repeated one the last; empty if there is none.
    std::string query_value(std::string_view name) const;
    /// A member of `auth` as a T; none if it is not there or is something else.
    template <class T>
    std::optional<T> auth_value(const char* name) const {
        const auto found = auth.find(name);
        return found == auth.end() ? std::nullopt : decode<T>(found->dump(), {});
    }
};
void to_json(Json& json, const Handshake& handshake);
/// The value of a query parameter of a URL, decoded; of a repeated one the last; empty if there is none.
std::string query_value(std::string_view url, std::string_view name);

/// Why somebody may not come in, or an event not be handled: connect_error on the other side.
struct Refusal {
    std::string message;
    std::optional<Json> data = {};
};
inline Refusal refuse(std::string_view message, std::optional<Json> data = {}) {
    return {std::string(message), std::move(data)};
}
/// For middlewares: `return allow();`
inline std::optional<Refusal> allow() { return std::nullopt; }

using ListenerId = std::uint64_t;

class Socket;

/// One client, with flags; what Socket's modifiers return.
class SocketOperator {
  public:
    SocketOperator(Context* context, hub::SocketId id) : context_(context), id_(id) {}

    SocketOperator volatile_() const;
    SocketOperator timeout(Millis time) const;
    SocketOperator compress(bool) const { return *this; }
    BroadcastOperator to(std::string_view room) const { return broadcast().to(room); }
    BroadcastOperator in(std::string_view room) const { return broadcast().to(room); }
    BroadcastOperator except(std::string_view room) const { return broadcast().except(room); }
    BroadcastOperator local() const { return broadcast().local(); }
    /// Everybody in the namespace but this client.
    BroadcastOperator broadcast() const;

    template <class... A>
    void emit(std::string_view event, const A&... args) const {
        send(event, encode(event, args...));
    }
    /// Asks for an answer. With a function that takes an AckResult behind the arguments: sends at once
    /// and calls it with what came. Without: a Request. Without timeout() it waits as long as the client
    /// is there.
    template <class... A>
    auto emit_with_ack(std::string_view event, A&&... args) const {
        return internal::request_or_start<AckResult>(
            [this](Arguments data) { return ask(std::move(data)); }, event,
            std::forward<A>(args)...);
    }

  private:
    void send(std::string_view event, Arguments data) const;
    Request<AckResult> ask(Arguments data) const;

    Context* context_ = nullptr;
    hub::SocketId id_;
    bool volatile_flag_ = false;
    std::optional<Millis> timeout_;
};

/// One client in one namespace. A small value: copy it, keep it, use it on its core's thread; once the
/// client is gone every call does nothing.
class Socket {
  public:
    Socket() = default;
    Socket(Context& context, hub::SocketId number) : context_(&context), number_(number) {}

    // ---- who it is ------------------------------------------------------------------------------

    /// The public id, as the client sees it. Like nsp(), rooms() and data() empty once it is gone, but
    /// not yet in its `disconnecting` and `disconnect` handlers.
    std::string_view id() const;
    std::string_view nsp() const;
    /// Of a client of ours with delivery: "exactly-once": the name of its lane, by which durable handlers
    /// can ask it something (Tx::ask), also when it is away. Empty for others.
    std::string producer() const;
    /// True from the `connection` handlers on, until it is gone.
    bool connected() const;
    /// Known in the `connection` handlers: the client came back to the session it had, with the same id
    /// and rooms, and has been sent what it missed. See Server::Options::connection_state_recovery.
    bool recovered() const;
    Handshake handshake() const;
    /// Whatever the application wants to keep with it.
    Json& data() const;
    /// Its own id among them; left already when `disconnect` is told, not yet for `disconnecting`.
    std::vector<std::string> rooms() const;
    /// What its first HTTP request said; none once the client is gone.
    std::optional<hub::Request> request() const;
    bool operator==(const Socket& other) const { return number_ == other.number_; }

    // ---- hearing --------------------------------------------------------------------------------

    /// Any number of handlers for each event, in the order they were added; see typed_handler() for
    /// what a handler may take. Also: "disconnecting" and "disconnect", with the reason as a string.
    template <class F>
    ListenerId on(std::string_view event, F handler) const {
        return listen(event, typed_handler(std::move(handler)), false);
    }
    template <class F>
    ListenerId once(std::string_view event, F handler) const {
        return listen(event, typed_handler(std::move(handler)), true);
    }
    void off(ListenerId listener) const;
    void off(std::string_view event) const;

    using AnyHandler = std::function<void(const Event&)>;
    /// Before the handlers, for every event.
    template <class F>
    ListenerId on_any(F handler) const {
        return add_any(any_handler(std::move(handler)), false);
    }
    template <class F>
    ListenerId prepend_any(F handler) const {
        return add_any(any_handler(std::move(handler)), true);
    }
    void off_any(ListenerId listener) const;
    void off_any() const;
    /// For every event this client is sent, broadcasts too; not for acknowledgements nor for what was
    /// published.
    template <class F>
    ListenerId on_any_outgoing(F handler) const {
        return add_any_outgoing(any_handler(std::move(handler)), false);
    }
    template <class F>
    ListenerId prepend_any_outgoing(F handler) const {
        return add_any_outgoing(any_handler(std::move(handler)), true);
    }
    void off_any_outgoing(ListenerId listener) const;
    void off_any_outgoing() const;

    /// Looks at every event before its handlers do; a refused one is reported and goes no further.
    template <class F>
    void use(F middleware) const {
        constexpr bool is_fine = internal::is_function_of<F, std::optional<Refusal>, const Event&>;
        static_assert(
            is_fine,
            "oncewire: use() of a socket wants a function that can be copied, takes (const Event&) "
            "and returns std::optional<Refusal>: allow() or refuse(...)");
        if constexpr (is_fine) add_middleware(std::move(middleware));
    }
    /// What goes wrong with this client's events; else Application::on_error hears it.
    template <class F>
    void on_error(F handler) const {
        constexpr bool is_fine = internal::is_function_of<F, void, const Error&>;
        static_assert(
            is_fine,
            "oncewire: on_error() of a socket wants a function that can be copied and takes "
            "(const Error&)");
        if constexpr (is_fine) set_error_handler(std::move(handler));
    }

    // ---- speaking: ephemeral --------------------------------------------------------------------

    template <class... A>
    void emit(std::string_view event, const A&... args) const {
        with_flags().emit(event, args...);
    }
    template <class... A>
    auto emit_with_ack(std::string_view event, A&&... args) const {
        return with_flags().emit_with_ack(event, std::forward<A>(args)...);
    }
    /// Has the durable handler of this event (Application::on_durable) run as if this client had sent
    /// it: from an ordinary handler, what is stored is stored once, and its verdict comes back after the
    /// commit. With a function that takes a SubmitResult behind the arguments, or without: a Request.
    /// No bytes; at most a packet's worth of text (limits::message_bytes), where clients may send less.
    template <class... A>
    auto submit(std::string_view event, A&&... args) const {
        return internal::request_or_start<SubmitResult>(
            [this](Arguments data) { return ask_store(std::move(data)); }, event,
            std::forward<A>(args)...);
    }
    SocketOperator timeout(Millis time) const { return with_flags().timeout(time); }
    SocketOperator volatile_() const { return with_flags().volatile_(); }
    SocketOperator compress(bool) const { return with_flags(); }
    /// The members of a room but this one.
    BroadcastOperator to(std::string_view room) const { return broadcast().to(room); }
    BroadcastOperator in(std::string_view room) const { return broadcast().to(room); }
    BroadcastOperator except(std::string_view room) const { return broadcast().except(room); }
    BroadcastOperator local() const { return broadcast().local(); }
    BroadcastOperator broadcast() const { return with_flags().broadcast(); }

    // ---- rooms, and the end ---------------------------------------------------------------------

    void join(std::string_view room) const;
    void leave(std::string_view room) const;
    /// In a middleware: what its rooms hold beyond this offset is sent to it first, then it goes on live.
    /// Its rooms are those it has when the last connection handler returns. A tier-2 client's own position
    /// wins.
    void replay_after(delivery::Offset offset) const;
    /// Who this is, in the application's own words: what durable handlers read as Message::sender.
    void introduce(std::string who) const;
    /// In a middleware: who this client proved to be. Its session is resumed by the same user only,
    /// whoever else has learnt its pid; an outbox that this user has sent from is nobody else's, and
    /// whoever comes with it is refused ("other_user").
    void identify(std::string_view user) const;
    /// Ends this namespace session, or with `close` the whole connection. The client stays away.
    void disconnect(bool close = false) const;

  private:
    template <class F>
    static AnyHandler any_handler(F handler) {
        constexpr bool is_fine = internal::is_function_of<F, void, const Event&>;
        static_assert(is_fine,
                      "oncewire: a handler of any event is a function that can be copied and takes "
                      "(const Event&); no coroutine");
        if constexpr (is_fine) {
            return AnyHandler(std::move(handler));
        } else {
            return {};
        }
    }
    ListenerId listen(std::string_view event, EventHandler handler, bool once) const;
    ListenerId add_any(AnyHandler handler, bool in_front) const;
    ListenerId add_any_outgoing(AnyHandler handler, bool in_front) const;
    void add_middleware(std::function<std::optional<Refusal>(const Event&)> middleware) const;
    void set_error_handler(std::function<void(const Error&)> handler) const;
    Request<SubmitResult> ask_store(Arguments data) const;
    SocketOperator with_flags() const { return {context_, number_}; }

    Context* context_ = nullptr;
    hub::SocketId number_ = 0;
};

/// How a middleware says that it is done, now or later, once.
class Next {
  public:
    Next(Context& context, hub::SocketId socket, std::size_t middleware)
        : context_(&context), socket_(socket), middleware_(middleware) {}

    /// The next one, then the door.
    void operator()() const;
    /// CONNECT_ERROR with this message and data.
    void operator()(const Refusal& refusal) const;

  private:
    Context* context_ = nullptr;
    hub::SocketId socket_;
    std::size_t middleware_;
};

/// Decides who enters a namespace. The socket may already join rooms, take handlers and keep data; what
/// is emitted to it before it is connected goes nowhere.
using Middleware = std::function<void(Socket, Next)>;

}  // namespace oncewire::api
