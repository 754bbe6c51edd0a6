#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "server/api/application.hpp"
#include "server/hub/hub.hpp"

/// What stands behind the values of the public API: not for applications.
namespace oncewire::api {

/// Handlers by event, in the order they were added. A handler may add and remove others, itself
/// included, while it runs.
class Listeners {
  public:
    void add(ListenerId id, std::string_view event, EventHandler handler, bool once);
    void remove(ListenerId id);
    void remove(std::string_view event);
    bool has(std::string_view event) const;
    /// Those for this event; those to be called once are removed.
    std::vector<std::shared_ptr<const EventHandler>> take(std::string_view event);

  private:
    struct Listener {
        ListenerId id = 0;
        bool once = false;
        std::string event;
        std::shared_ptr<const EventHandler> handler;
    };
    std::vector<Listener> listeners_;
};

/// Handlers that hear everything.
class AnyListeners {
  public:
    void add(ListenerId id, Socket::AnyHandler handler, bool in_front);
    void remove(ListenerId id);
    void clear() { listeners_.clear(); }
    bool empty() const { return listeners_.empty(); }
    void call(const Event& event) const;

  private:
    std::vector<std::pair<ListenerId, std::shared_ptr<const Socket::AnyHandler>>> listeners_;
};

/// Shared and copied when it changes, so that whoever walks it is not disturbed.
template <class T>
using SharedList = std::shared_ptr<const std::vector<T>>;

template <class T>
void append(SharedList<T>& list, T element) {
    auto copy = list ? std::make_shared<std::vector<T>>(*list) : std::make_shared<std::vector<T>>();
    copy->push_back(std::move(element));
    list = std::move(copy);
}

struct NamespaceState {
    std::string name;
    SharedList<Middleware> middlewares;
    SharedList<std::function<void(Socket)>> on_connection;
    Listeners listeners;
    Listeners server_side;
    /// A namespace of namespaces: never asked for by name.
    Application::NamespacePredicate predicate;
    std::weak_ptr<NamespaceState> parent;  // of a child
    bool is_child = false;
    /// Of a namespace of namespaces, and of its children: what the hub calls them together. No client
    /// can say it, because names end at a comma.
    std::string family() const { return name + ','; }
    std::uint32_t sockets = 0;  // who is in it or at the door
};

struct SocketState {
    enum class Phase : std::uint8_t { asked, connected, gone };
    Phase phase = Phase::asked;
    bool recovered = false;
    std::shared_ptr<NamespaceState> nsp;
    std::string sid;
    std::int64_t issued = 0;
    Json data;

    /// What matters until it is in.
    struct Entrance {
        std::string auth;  // JSON object text
        SharedList<Middleware> middlewares;
        std::size_t middleware_at = 0;
        std::optional<delivery::Offset> replay_after;
        std::string user;
    };
    std::unique_ptr<Entrance> entrance = std::make_unique<Entrance>();
    std::unique_ptr<const std::vector<std::string>> rooms_left;  // while it is told that it goes

    /// What few sockets have.
    struct Extras {
        AnyListeners any;
        AnyListeners any_outgoing;
        SharedList<std::function<std::optional<Refusal>(const Event&)>> middlewares;
        std::shared_ptr<const std::function<void(const Error&)>> on_error;
    };
    Listeners listeners;
    std::unique_ptr<Extras> extras;
    Extras& more() {
        if (!extras) extras = std::make_unique<Extras>();
        return *extras;
    }
};

/// Everything one Application knows. Its methods are the ones that the values forward to, and one for
/// each output of the hub.
class Context {
  public:
    hub::Hub* hub = nullptr;  // none before it is attached
    Instant now;
    std::function<UnixMillis()> wall_clock;
    std::function<void(Socket, const Error&)> on_error;
    std::function<void(Namespace)> on_new_namespace;
    std::function<void(const hub::Request&, Decision)> allow_request;
    std::function<void(const HttpRequest&, HttpReply)> on_http;
    bool cleanup_empty_children = false;
    std::map<std::string, std::function<void(const DeferredTask&, EndTask)>, std::less<>> tasks;

    // ---- namespaces: context.cpp ----------------------------------------------------------------

    std::shared_ptr<NamespaceState> open(std::string_view name);
    std::shared_ptr<NamespaceState> open_dynamic(Application::NamespacePredicate predicate);
    std::shared_ptr<NamespaceState> find_namespace(std::string_view name) const;

    // ---- sockets --------------------------------------------------------------------------------

    /// Null once it is gone and everybody was told.
    SocketState* find(hub::SocketId socket) const;
    Socket socket(hub::SocketId id) { return {*this, id}; }
    ListenerId new_listener() { return ++newest_listener_; }
    void run_middleware(hub::SocketId socket, std::size_t index);
    void refuse(hub::SocketId socket, const Refusal& refusal);
    void report(hub::SocketId socket, Error error);
    /// False, and reported, if this name may not be emitted.
    bool check_event_name(hub::SocketId socket, std::string_view event);
    void outgoing_changed(hub::SocketId socket);
    void tell_outgoing(hub::SocketId socket, std::string_view data,
                       const std::vector<std::string>& attachments);

    // ---- answers: context_acks.cpp --------------------------------------------------------------

    void ask_socket(hub::SocketId socket, const Arguments& event, std::optional<Millis> timeout,
                    Request<AckResult>::Done done);
    void ask_many(mail::CoreQuestion question, bool local, BroadcastOperator::OnAnswer on_answer,
                  Request<BroadcastAcks>::Done done);
    void fetch(mail::CoreQuestion question, bool local, Request<RemoteSockets>::Done done);

    void submit(hub::SocketId socket, const Arguments& event, Request<SubmitResult>::Done done);
    void ask_server_side(const std::string& nsp, const Arguments& event,
                         Request<ServerSideAcks>::Done done);

    // ---- outputs of the hub ---------------------------------------------------------------------

    void handle(const hub::ConnectAsked& asked);
    void handle(const hub::SocketConnected& connected);
    void handle(const hub::EventArrived& arrived);
    void handle(const hub::SocketGone& gone);
    void handle(const hub::AckArrived& arrived);
    void handle(const hub::AcksFinished& finished);
    void handle(const hub::ServerSideEvent& event);
    void handle(const hub::QuestionArrived& arrived);
    void handle(const hub::AnswerArrived& arrived);
    void handle(const hub::BroadcastSent& sent);
    void handle(const hub::SubmitSettled& settled);
    void handle(const hub::TaskArrived& arrived);
    void handle(const hub::Woken& woken);

    // ---- later ----------------------------------------------------------------------------------

    void call_after(Millis time, std::function<void()> call);
    std::size_t waiting_calls() const { return later_.size(); }

  private:
    /// A question of ours to one or all cores.
    struct Asked {
        std::set<std::uint16_t> waits_for;  // cores
        BroadcastOperator::OnAnswer on_answer;
        BroadcastAcks acks;
        Request<BroadcastAcks>::Done acks_done;
        RemoteSockets sockets;
        Request<RemoteSockets>::Done sockets_done;
        ServerSideAcks server_side;
        Request<ServerSideAcks>::Done server_side_done;
    };
    struct Submission {
        hub::SocketId socket = 0;
        Request<SubmitResult>::Done done;
    };

    /// Forgets a socket at the end of a scope.
    class Farewell {
      public:
        Farewell(Context& context, hub::SocketId id) : context_(context), id_(id) {}
        ~Farewell();
        Farewell(const Farewell&) = delete;
        Farewell& operator=(const Farewell&) = delete;

      private:
        Context& context_;
        hub::SocketId id_;
    };

    std::shared_ptr<NamespaceState> make_child(std::string_view name, std::string_view auth);
    void leave_namespace(NamespaceState& nsp);
    Ack ack_for(const hub::EventArrived& arrived);
    /// False: a middleware of the socket refused it.
    bool pass_middlewares(hub::SocketId id, const Event& event);
    void dispatch(hub::SocketId id, const Event& event, const Ack& ack);
    void tell(hub::SocketId id, std::string_view event, std::string_view reason);
    void start(mail::CoreQuestion question, bool local, Asked asked, Millis patience);
    void start_everywhere(mail::CoreQuestion question, Asked asked, Millis patience);
    void give_up(std::uint64_t number);
    void finish(std::uint64_t number);
    void answer_server_side(const mail::CoreQuestion& question);
    void call_server_side(NamespaceState& nsp, const Event& event, const Ack& ack);
    void abandon_submissions(hub::SocketId socket);
    void take_ack(Asked& asked, const hub::AnswerArrived& arrived);
    void take_sockets(Asked& asked, const hub::AnswerArrived& arrived);
    Json describe(const mail::Target& target);

    std::map<std::string, std::shared_ptr<NamespaceState>, std::less<>> namespaces_;
    std::vector<std::shared_ptr<NamespaceState>> dynamic_;
    std::unordered_map<hub::SocketId, std::unique_ptr<SocketState>> sockets_;  // never iterated
    std::vector<hub::SocketId> with_outgoing_;  // sockets that hear what they are sent
    ListenerId newest_listener_ = 0;

    std::multimap<Instant, std::function<void()>> later_;
    std::map<socketio::AckId, Request<AckResult>::Done> waiting_;
    /// Questions of any core that this one's clients are answering.
    struct Relay {
        mail::CoreQuestion question;
        std::uint64_t asked = 0;
    };
    std::map<socketio::AckId, Relay> relays_;
    std::map<std::uint64_t, Asked> asked_;
    std::uint64_t newest_local_ = 0;
    std::map<std::uint64_t, Submission> submissions_;
};

}  // namespace oncewire::api
