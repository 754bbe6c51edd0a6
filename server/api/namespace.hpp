#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "server/api/signature.hpp"
#include "server/api/socket.hpp"

namespace oncewire::api {

struct NamespaceState;

/// The clients of one name, with their own middlewares and handlers. A small value: copies are the same
/// namespace.
///
/// One that was opened by a pattern or predicate stands for all its children: what is registered here
/// applies to those that come to be afterwards; emit() and the like reach those that exist, on every
/// core, in the same order for all; emit_with_ack() reaches nobody.
class Namespace : public Broadcasts<Namespace> {
  public:
    Namespace(Context& context, std::shared_ptr<NamespaceState> state)
        : context_(&context), state_(std::move(state)) {}

    const std::string& name() const;

    /// Middlewares run in the order they were added; the first that refuses ends it. A function of
    /// `(Socket, Next)`, or of `(Socket)` that returns std::optional<Refusal> at once.
    template <class F>
    const Namespace& use(F middleware) const {
        constexpr bool is_later = internal::is_function_of<F, void, Socket, Next>;
        constexpr bool is_at_once = internal::is_function_of<F, std::optional<Refusal>, Socket>;
        static_assert(
            is_later || is_at_once,
            "oncewire: use() wants a function that can be copied and takes (Socket, Next), or "
            "takes (Socket) and returns std::optional<Refusal>: allow() or refuse(...); a "
            "coroutine takes them by value");
        if constexpr (is_later) {
            add_middleware(std::move(middleware));
        } else if constexpr (is_at_once) {
            add_middleware([middleware = std::move(middleware)](Socket socket, Next next) mutable {
                const std::optional<Refusal> refusal = middleware(std::move(socket));
                refusal ? next(*refusal) : next();
            });
        }
        return *this;
    }
    template <class F>
    const Namespace& on_connection(F handler) const {
        constexpr bool is_fine = internal::is_function_of<F, void, Socket>;
        static_assert(
            is_fine,
            "oncewire: on_connection() wants a function that can be copied and takes (Socket)");
        if constexpr (is_fine) add_connection_handler(std::move(handler));
        return *this;
    }
    /// For the events of every client in it, after its socket's own handlers. Cheaper than the same
    /// handler on each socket.
    template <class F>
    const Namespace& on(std::string_view event, F handler) const {
        return listen(event, typed_handler(std::move(handler)));
    }
    /// What the applications of other cores say with server_side_emit().
    template <class F>
    const Namespace& on_server_side(std::string_view event, F handler) const {
        return listen_server_side(event, typed_handler(std::move(handler)));
    }
    /// To the applications of the other cores, not to clients; no bytes.
    template <class... A>
    void server_side_emit(std::string_view event, const A&... args) const {
        send_server_side(encode(event, args...));
    }

    /// The same, and asks for answers: their handlers take an Ack. With a function that takes a
    /// `const ServerSideAcks&` behind the arguments, or without: a Request. Waits for five seconds.
    template <class... A>
    auto server_side_emit_with_ack(std::string_view event, A&&... args) const {
        return internal::request_or_start<ServerSideAcks>(
            [this](Arguments data) { return ask_server_side(std::move(data)); }, event,
            std::forward<A>(args)...);
    }

    BroadcastOperator everybody() const;
    /// Those connected to this core.
    std::vector<Socket> sockets() const;

  private:
    void add_middleware(Middleware middleware) const;
    void add_connection_handler(std::function<void(Socket)> handler) const;
    const Namespace& listen(std::string_view event, EventHandler handler) const;
    const Namespace& listen_server_side(std::string_view event, EventHandler handler) const;
    void send_server_side(const Arguments& data) const;
    Request<ServerSideAcks> ask_server_side(Arguments data) const;

    Context* context_ = nullptr;
    std::shared_ptr<NamespaceState> state_;
};

/// Names with a variable part: `*` stands for one or more characters that are no `/`, `#` for one or
/// more digits. "/game-#/*" matches "/game-7/red". Case matters, as everywhere in names.
struct Pattern {
    std::string text;
    bool matches(std::string_view name) const;
};

}  // namespace oncewire::api
