#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "server/api/handler.hpp"
#include "server/api/signature.hpp"
#include "server/mail/target.hpp"
#include "shared/base/time.hpp"

/// Speaking to many sockets at once.
namespace oncewire::api {

class Context;
class RemoteSocket;
struct RemoteSockets;

/// 10 s: for acknowledgements of a broadcast when no timeout() is given. One client that never answers
/// must not keep the others' answers for ever.
inline constexpr Millis default_ack_timeout{10'000};

/// One receiver's answer to a broadcast.
struct BroadcastAnswer {
    std::string socket;  ///< its id
    Arguments arguments;
};
/// How a broadcast that asked for answers ended.
struct BroadcastAcks {
    std::vector<BroadcastAnswer> answers;  ///< in the order of arrival
    std::uint64_t asked = 0;               ///< how many sockets it was sent to
    bool timed_out = false;                ///< somebody who is still there did not answer in time
    /// Cores that said nothing in time, by their numbers: what their clients answered is not here.
    std::vector<std::uint16_t> missing = {};
};

namespace internal {

/// The last of them, without references; nothing that is called if there is none.
template <class... A>
struct Last {
    using Type = std::nullptr_t;
};
template <class First, class... A>
struct Last<First, A...> {
    using Type = std::decay_t<std::tuple_element_t<sizeof...(A), std::tuple<First, A...>>>;
};

template <class Tuple, std::size_t... I>
Arguments encode_first(std::string_view event, const Tuple& values, std::index_sequence<I...>) {
    return encode(event, std::get<I>(values)...);
}

/// Makes a Request of an event and its arguments; starts it if a callback stands behind them.
template <class R, class Make, class... A>
auto request_or_start(Make make, std::string_view event, A&&... values) {
    using Callback = typename Last<A...>::Type;
    constexpr bool has_function = IsFunction<Callback>;
    constexpr bool takes_result = is_function_of<Callback, void, R>;
    static_assert(
        !has_function || takes_result,
        "oncewire: the function behind the arguments takes the answer and nothing else, by value "
        "or const reference, and can be copied: an AckResult of one client, BroadcastAcks of many, "
        "ServerSideAcks of other cores, a SubmitResult of submit()");
    if constexpr (takes_result) {
        constexpr std::size_t count = sizeof...(A) - 1;
        auto all = std::forward_as_tuple(std::forward<A>(values)...);
        auto data = encode_first(event, all, std::make_index_sequence<count>());
        make(std::move(data)).then(std::get<count>(std::move(all)));
    } else if constexpr (!has_function) {
        return make(encode(event, values...));
    }
}

}  // namespace internal

/// Some of the sockets of one namespace, on all cores. A value: every modifier returns a new one.
///
/// What is sent this way reaches the sockets of a namespace in one order, the same for everybody on
/// every core. It is ephemeral: whoever is away or too slow misses it. Publish what must arrive
/// (sequencer::Tx).
class BroadcastOperator {
  public:
    using OnAnswer = std::function<void(std::string_view socket, const Arguments&)>;

    BroadcastOperator(Context* context, std::string nsp)
        : context_(context), nsp_(std::move(nsp)) {}

    /// Members of this room, too. Named twice: the union. No room at all: everybody.
    BroadcastOperator to(std::string_view room) const;
    BroadcastOperator in(std::string_view room) const { return to(room); }
    /// Not the members of this room.
    BroadcastOperator except(std::string_view room) const;
    /// Only sockets of this core.
    BroadcastOperator local() const;
    /// May be dropped for whoever cannot take it at once.
    BroadcastOperator volatile_() const;
    /// For acknowledgements.
    BroadcastOperator timeout(Millis time) const;
    /// Compression is decided for a connection, not for a message; here for the sake of ported code.
    BroadcastOperator compress(bool) const { return *this; }
    /// Called for each answer to emit_with_ack() as it arrives.
    template <class F>
    BroadcastOperator on_answer(F handler) const {
        constexpr bool is_fine =
            internal::is_function_of<F, void, std::string_view, const Arguments&>;
        static_assert(is_fine,
                      "oncewire: on_answer() wants a function that can be copied and takes "
                      "(std::string_view socket, const Arguments& answer)");
        if constexpr (is_fine) return with_on_answer(std::move(handler));
    }

    template <class... A>
    void emit(std::string_view event, const A&... args) const {
        send(event, encode(event, args...));
    }
    /// Everybody addressed is asked for an answer. With a function that takes `const BroadcastAcks&`
    /// behind the arguments: sends at once and calls it at the end. Without: a Request.
    template <class... A>
    auto emit_with_ack(std::string_view event, A&&... args) const {
        return internal::request_or_start<BroadcastAcks>(
            [this](Arguments data) { return ask(std::move(data)); }, event,
            std::forward<A>(args)...);
    }
    /// Who they are; from all cores, unless local(). A core that says nothing for five seconds is missing.
    Request<RemoteSockets> fetch_sockets() const;
    void sockets_join(std::string_view room) const;
    void sockets_leave(std::string_view room) const;
    /// Ends their session in this namespace, or with `close` the whole connection.
    void disconnect_sockets(bool close = false) const;

  private:
    friend class Socket;

    bool is_attached() const;
    BroadcastOperator with_on_answer(OnAnswer handler) const;
    void send(std::string_view event, Arguments data) const;
    Request<BroadcastAcks> ask(Arguments data) const;
    mail::Target target() const { return {nsp_, rooms_, except_}; }

    Context* context_ = nullptr;
    std::string nsp_;  // or the family of a dynamic one; empty: of nobody
    std::vector<std::string> rooms_;
    std::vector<std::string> except_;
    bool local_ = false;
    bool volatile_flag_ = false;
    Millis timeout_ = default_ack_timeout;
    OnAnswer on_answer_;
};

/// The operators, for whatever stands for a whole namespace: `Self` has `everybody()`.
template <class Self>
class Broadcasts {
  public:
    BroadcastOperator to(std::string_view room) const { return start().to(room); }
    BroadcastOperator in(std::string_view room) const { return start().to(room); }
    BroadcastOperator except(std::string_view room) const { return start().except(room); }
    BroadcastOperator local() const { return start().local(); }
    BroadcastOperator volatile_() const { return start().volatile_(); }
    BroadcastOperator timeout(Millis time) const { return start().timeout(time); }
    BroadcastOperator compress(bool) const { return start(); }
    template <class F>
    BroadcastOperator on_answer(F handler) const {
        return start().on_answer(std::move(handler));
    }
    template <class... A>
    void emit(std::string_view event, const A&... args) const {
        start().emit(event, args...);
    }
    template <class... A>
    auto emit_with_ack(std::string_view event, A&&... args) const {
        return start().emit_with_ack(event, std::forward<A>(args)...);
    }
    Request<RemoteSockets> fetch_sockets() const;
    void sockets_join(std::string_view room) const { start().sockets_join(room); }
    void sockets_leave(std::string_view room) const { start().sockets_leave(room); }
    void disconnect_sockets(bool close = false) const { start().disconnect_sockets(close); }

  private:
    BroadcastOperator start() const { return static_cast<const Self*>(this)->everybody(); }
};

/// A socket of any core, as it was when it was fetched.
class RemoteSocket {
  public:
    RemoteSocket(BroadcastOperator self, std::string id)
        : self_(std::move(self)), id_(std::move(id)) {}

    const std::string& id() const { return id_; }
    const std::vector<std::string>& rooms() const { return rooms_; }
    const Json& handshake() const { return handshake_; }
    const Json& data() const { return data_; }

    template <class... A>
    void emit(std::string_view event, const A&... args) const {
        self_.emit(event, args...);
    }
    /// Answers of at most one socket.
    BroadcastOperator timeout(Millis time) const { return self_.timeout(time); }
    void join(std::string_view room) const { self_.sockets_join(room); }
    void leave(std::string_view room) const { self_.sockets_leave(room); }
    void disconnect(bool close = false) const { self_.disconnect_sockets(close); }

  private:
    friend class Context;

    BroadcastOperator self_;
    std::string id_;
    std::vector<std::string> rooms_;
    Json handshake_;
    Json data_;
};

/// All of them that were found.
struct RemoteSockets : std::vector<RemoteSocket> {
    std::vector<std::uint16_t> missing =
        {};  ///< cores whose sockets are not here, by their numbers
};

template <class Self>
Request<RemoteSockets> Broadcasts<Self>::fetch_sockets() const {
    return start().fetch_sockets();
}

}  // namespace oncewire::api
