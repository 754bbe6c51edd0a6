#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/hub/hub.hpp"
#include "server/store/transaction.hpp"
#include "shared/base/time.hpp"

/// What an application says and hears: events with JSON arguments, rooms, acknowledgements.
///
/// Arguments are JSON texts, in and out: an application that only passes them on never parses them.
/// What comes in was checked and is valid JSON; what goes out must be.
namespace oncewire::api {

using JsonArgs = std::initializer_list<std::string_view>;

/// What the things below act on; owned by the Application.
struct Context {
    hub::Hub* hub = nullptr;
    Instant now;
};

/// Some of the sockets of one namespace, on this core.
class BroadcastOperator {
  public:
    BroadcastOperator(Context& context, std::string nsp, std::string room,
                      std::optional<hub::SocketId> except)
        : context_(&context), nsp_(std::move(nsp)), room_(std::move(room)), except_(except) {}

    /// Ephemeral: whoever is away or too slow misses it. Publish what must arrive (store::Tx).
    void emit(std::string_view event, JsonArgs args) const;

  private:
    Context* context_;
    std::string nsp_;
    std::string room_;  // empty: everybody
    std::optional<hub::SocketId> except_;
};

/// One connected client in one namespace. A small value: copy it, keep it, use it on its core's
/// thread; once the client is gone every call does nothing.
class Socket {
  public:
    Socket(Context& context, hub::SocketId id) : context_(&context), id_(id) {}

    /// The public id, as the client sees it; empty once the client is gone.
    std::string_view id() const { return context_->hub->sid_of(id_); }
    /// What its first HTTP request said; null once the client is gone. Valid during this call.
    const hub::Request* request() const { return context_->hub->request_of(id_); }

    /// Ephemeral, to this client.
    void emit(std::string_view event, JsonArgs args) const;
    void join(std::string_view room) const { context_->hub->join(id_, room); }
    void leave(std::string_view room) const { context_->hub->leave(id_, room); }
    /// The members of `room` but this one.
    BroadcastOperator to(std::string_view room, std::string_view nsp = "/") const;
    /// Ends this namespace session, or with `close` the whole connection. The client stays away.
    void disconnect(bool close = false) const;

    bool operator==(const Socket& other) const { return id_ == other.id_; }

  private:
    Context* context_;
    hub::SocketId id_;
};

/// The answer to one event, to be given at most once, now or later. Does nothing if the client did
/// not ask for one, or has its answer, or is gone.
class Ack {
  public:
    Ack(Context& context, hub::SocketId socket, std::optional<socketio::AckId> id)
        : context_(&context), socket_(socket), id_(id) {}
    Ack(Ack&& other) noexcept
        : context_(other.context_), socket_(other.socket_), id_(std::exchange(other.id_, {})) {}
    Ack& operator=(Ack&&) = delete;

    explicit operator bool() const { return id_.has_value(); }
    void operator()(JsonArgs args, const std::vector<std::string>& attachments = {});

  private:
    Context* context_;
    hub::SocketId socket_;
    std::optional<socketio::AckId> id_;
};

/// One event as it arrived. Views are valid during the handler's call.
struct Event {
    std::string_view name;
    std::vector<std::string_view> args;
    /// What placeholders in the arguments refer to; pass all of it on with them.
    const std::vector<std::string>& attachments;
};

/// Who asks to enter a namespace. Views are valid during the call.
struct Handshake {
    std::string_view auth;  ///< JSON object text
    const hub::Request* request = nullptr;
};

/// Whether it may, and as what.
struct Admission {
    std::vector<std::string> rooms = {};
    /// Replays what these rooms hold beyond this offset, then goes on live. None: live only.
    std::optional<delivery::Offset> replay_after = {};
    /// Set: refused, with this JSON object text (`{"message":…}`).
    std::optional<std::string> refusal = {};
};
Admission refuse(std::string_view message);

/// The handlers of one application, and their calls: sits beside one Hub and takes its outputs.
///
/// One per core, so handlers run on that core's thread, one at a time. Durable handlers are the
/// exception: the sequencer runs them, so they may share nothing with the others.
class Application {
  public:
    using Middleware = std::function<Admission(const Handshake&)>;
    using EventHandler = std::function<void(Socket, const Event&, Ack)>;
    using ConnectionHandler = std::function<void(Socket)>;
    using DisconnectHandler = std::function<void(Socket, std::string_view reason)>;

    Application() = default;
    Application(const Application&) = delete;
    Application& operator=(const Application&) = delete;

    /// Opens namespace `nsp`; the function decides who enters, and into which rooms.
    void use(std::string_view nsp, Middleware middleware);
    void on_connection(ConnectionHandler handler) { on_connection_ = std::move(handler); }
    /// The socket can no longer be written to, and is in no room.
    void on_disconnect(DisconnectHandler handler) { on_disconnect_ = std::move(handler); }
    /// One handler for each name, the last given. Events without one are ignored.
    void on(std::string_view event, EventHandler handler);
    /// Runs inside the transaction that stores the message, see store::Tx.
    void on_durable(std::string_view event, store::DurableHandler handler);

    std::vector<std::string> namespaces() const;
    std::vector<std::string> durable_event_names() const;
    const std::map<std::string, store::DurableHandler, std::less<>>& durable_handlers() const {
        return durable_;
    }

    /// Takes an output of `hub` that is for applications. False: it is for the host.
    bool handle(hub::Hub& hub, const hub::HubOutput& output, Instant now);

  private:
    void handle(const hub::ConnectAsked& asked);
    void handle(const hub::EventArrived& arrived);

    Context context_;
    std::map<std::string, Middleware, std::less<>> middlewares_;
    std::map<std::string, EventHandler, std::less<>> handlers_;
    std::map<std::string, store::DurableHandler, std::less<>> durable_;
    ConnectionHandler on_connection_;
    DisconnectHandler on_disconnect_;
};

}  // namespace oncewire::api
