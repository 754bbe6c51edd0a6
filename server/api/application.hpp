#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "server/api/http.hpp"
#include "server/api/namespace.hpp"
#include "server/api/signature.hpp"
#include "server/api/values.hpp"
#include "server/hub/hub.hpp"
#include "server/sequencer/admission.hpp"
#include "server/sequencer/transaction.hpp"
#include "shared/base/time.hpp"

namespace oncewire::sequencer {

/// For Tx::publish(room, event, args…), which finds it by its first argument: the store knows no values.
/// Empty, which is no event, if there are bytes among them: the log holds text.
template <class... A>
std::string event_text(const Tx&, std::string_view event, const A&... args) {
    auto encoded = api::encode(event, args...);
    return encoded.attachments.empty() ? std::move(encoded.data) : std::string();
}

}  // namespace oncewire::sequencer

namespace oncewire::api {

// What durable handlers are made of.
using sequencer::Asked;
using sequencer::AskOptions;
using sequencer::Later;
using sequencer::Message;
using sequencer::Offer;
using sequencer::Question;
using sequencer::Reply;
using sequencer::Tx;
using store::accept;
using store::reject;
using store::SqlError;
using store::SqlRow;
using store::SqlValue;
using store::StoreError;
using store::Verdict;

/// How a hook of allow_request() answers: now or later, once; what it says after that is not heard.
class Decision {
  public:
    using Decide = std::function<void(std::optional<std::string> refusal)>;
    explicit Decision(Decide decide) : decide_(std::make_shared<Decide>(std::move(decide))) {}

    /// Come in.
    void operator()() const { say(std::nullopt); }
    void operator()(const Refusal& refusal) const { say(refusal.message); }

  private:
    void say(std::optional<std::string> refusal) const {
        if (*decide_) std::exchange(*decide_, nullptr)(std::move(refusal));
    }

    std::shared_ptr<Decide> decide_;
};

/// The argument at `index` of a durable message as a T; none if it is not there or is something else.
template <class T>
std::optional<T> argument(const Message& message, std::size_t index) {
    if (index >= message.args.size()) return std::nullopt;
    return decode<T>(message.args[index], {});
}

/// What a durable handler returns when its own statement failed for no reason of the message's: the
/// store's trouble as it is, a mistake of the application as its failure.
inline Err<StoreError> failed(const SqlError& error) {
    return Err{error.store.value_or(StoreError::handler)};
}

/// Work left for after a commit. Its key is the same at every attempt: give it to whoever must not do the
/// work twice.
using DeferredTask = store::TaskRow;
/// True: done. False: it is to be tried again.
using EndTask = std::function<void(bool is_done)>;

/// The handlers of one application, and their calls: sits beside one Hub and takes its outputs. What
/// the original calls `io`; what it says of namespaces and broadcasts means the main namespace.
///
/// One per core, so handlers run on that core's thread, one at a time. Durable handlers are the
/// exception: the sequencer runs them, so they may share nothing with the others.
class Application : public Broadcasts<Application> {
  public:
    /// Whether a client may open the namespace of this name, which does not exist yet.
    using NamespacePredicate = std::function<bool(std::string_view name, const Json& auth)>;

    Application();
    ~Application();
    Application(const Application&) = delete;
    Application& operator=(const Application&) = delete;

    // ---- namespaces -----------------------------------------------------------------------------

    /// Opens it if need be. A name without the leading slash gets one.
    Namespace of(std::string_view name);
    /// A namespace for each name that fits, opened when the first client asks for it. Asked in the
    /// order they were given; one of its own wins.
    Namespace of(Pattern pattern);
    template <class F>
    requires(!std::is_convertible_v<F, std::string_view>) Namespace of(F predicate) {
        constexpr bool is_fine = internal::is_function_of<F, bool, std::string_view, const Json&>;
        static_assert(
            is_fine,
            "oncewire: of() wants a name, a Pattern, or a function that can be copied, takes "
            "(std::string_view name, const Json& auth) and returns bool");
        if constexpr (is_fine) return open_dynamic(std::move(predicate));
    }
    /// A namespace that a pattern or predicate made.
    template <class F>
    void on_new_namespace(F handler) {
        constexpr bool is_fine = internal::is_function_of<F, void, Namespace>;
        static_assert(is_fine,
                      "oncewire: on_new_namespace() wants a function that can be copied and takes "
                      "(Namespace)");
        if constexpr (is_fine) set_new_namespace_handler(std::move(handler));
    }
    /// Forget such namespaces when their last client is gone. Off.
    void cleanup_empty_child_namespaces(bool on);

    // ---- the door -------------------------------------------------------------------------------

    /// Asked about every handshake of the transport, before there is a connection; not about later
    /// requests of the session. A function of `(const hub::Request&, Decision)`, or of
    /// `(const hub::Request&)` that returns std::optional<Refusal> at once. The refused hear the message
    /// with code 4; its data is not sent. Who is not answered in time (admission_timeout) is refused.
    template <class F>
    void allow_request(F hook) {
        constexpr bool is_later = internal::is_function_of<F, void, const hub::Request&, Decision>;
        constexpr bool is_at_once =
            internal::is_function_of<F, std::optional<Refusal>, const hub::Request&>;
        static_assert(
            is_later || is_at_once,
            "oncewire: allow_request() wants a function that can be copied and takes "
            "(const hub::Request&, Decision), or takes (const hub::Request&) and returns "
            "std::optional<Refusal>: allow() or refuse(...); a coroutine takes them by value");
        if constexpr (is_later) {
            set_admission(std::move(hook));
        } else if constexpr (is_at_once) {
            set_admission([hook = std::move(hook)](const hub::Request& request,
                                                   const Decision& decide) mutable {
                const std::optional<Refusal> refusal = hook(request);
                refusal ? decide(*refusal) : decide();
            });
        }
    }

    /// HTTP requests that are neither Socket.IO's nor for a file; without it they are answered 404. Who
    /// is not answered in time (admission_timeout) hears 503.
    template <class F>
    void on_http(F handler) {
        constexpr bool is_fine = internal::is_function_of<F, void, const HttpRequest&, HttpReply>;
        static_assert(is_fine,
                      "oncewire: on_http() wants a function that can be copied and takes "
                      "(const HttpRequest&, HttpReply); a coroutine takes them by value");
        if constexpr (is_fine) set_http_handler(std::move(handler));
    }

    // ---- the main namespace ---------------------------------------------------------------------

    template <class F>
    void use(F middleware) {
        main().use(std::move(middleware));
    }
    template <class F>
    void on_connection(F handler) {
        main().on_connection(std::move(handler));
    }
    template <class F>
    void on(std::string_view event, F handler) {
        main().on(event, std::move(handler));
    }
    template <class F>
    void on_server_side(std::string_view event, F handler) {
        main().on_server_side(event, std::move(handler));
    }
    template <class... A>
    void server_side_emit(std::string_view event, const A&... args) {
        main().server_side_emit(event, args...);
    }
    template <class... A>
    auto server_side_emit_with_ack(std::string_view event, A&&... args) {
        return main().server_side_emit_with_ack(event, std::forward<A>(args)...);
    }
    BroadcastOperator everybody() const;
    std::vector<Socket> sockets() const { return main().sockets(); }

    // ---- all of it ------------------------------------------------------------------------------

    /// What goes wrong with an event of a client that has no handler for it of its own.
    template <class F>
    void on_error(F handler) {
        constexpr bool is_fine = internal::is_function_of<F, void, Socket, const Error&>;
        static_assert(is_fine,
                      "oncewire: on_error() wants a function that can be copied and takes "
                      "(Socket, const Error&)");
        if constexpr (is_fine) set_error_handler(std::move(handler));
    }

    /// Runs inside the transaction that stores the message, see sequencer::Tx. In every namespace.
    template <class F>
    void on_durable(std::string_view event, F handler) {
        constexpr bool is_fine =
            internal::is_function_of<F, Result<Verdict, StoreError>, Tx&, const Message&>;
        static_assert(
            is_fine,
            "oncewire: on_durable() wants a function that can be copied, takes "
            "(Tx&, const Message&) and returns oncewire::Result<Verdict, StoreError>; read the "
            "arguments with argument<T>(message, index)");
        if constexpr (is_fine) set_durable_handler(event, std::move(handler));
    }
    /// Answers a client's question from what is stored: `handler` may read (Tx::read_before, Tx::find, and
    /// Tx::sql for selecting) and not write. Runs on a thread of its own, one at a time, each session in turn, so
    /// that nobody's message waits for it: so what it shares with other handlers must be safe to use from two
    /// threads. (With a database in memory it is the thread of on_durable(), between two batches.) Not run at all
    /// for whoever is gone, or wants no acknowledgement. A session has few at a time (limits::lookups…).
    /// Not stored: sent as a durable message of ours it is rejected. In every namespace.
    void on_lookup(std::string_view event, sequencer::DurableHandler handler);
    const std::set<std::string, std::less<>>& lookups() const { return lookups_; }
    /// Asked about every durable message before it is stored, see sequencer::Admission: for limits on what
    /// people may store. One for the application, in every namespace; runs on the sequencer's thread, as
    /// durable handlers do.
    ///
    ///     io.admit([limiter](const api::Offer& offer) -> std::optional<api::Later> {
    ///         if (limiter->take(offer.sender, offer.data.size(), offer.now)) return std::nullopt;
    ///         return api::Later{Millis{2'000}, "too_fast", "that was a lot at once; wait a moment"};
    ///     });
    void admit(sequencer::Admission admission) { admission_ = std::move(admission); }
    const sequencer::Admission& admission() const { return admission_; }
    /// What follows from the answer to a question of this event (Tx::ask), or from its expiry: runs once,
    /// inside the transaction that ends the question. In every namespace.
    template <class F>
    void on_reply(std::string_view event, F handler) {
        constexpr bool is_fine = internal::is_function_of<F, Result<void, StoreError>, Tx&,
                                                          const Question&, const Reply&>;
        static_assert(
            is_fine,
            "oncewire: on_reply() wants a function that can be copied, takes "
            "(Tx&, const Question&, const Reply&) and returns oncewire::Result<void, StoreError>");
        if constexpr (is_fine) set_answer_handler(event, std::move(handler));
    }
    const sequencer::AnswerHandlers& answer_handlers() const { return answers_; }
    /// Does the tasks of this name that durable handlers deferred (Tx::defer), after their commit and at
    /// least once: again with the same key after a failure, a crash, or five minutes without a word. Runs
    /// on the first core; `end` may be called later there, with false if it is to be tried again.
    template <class F>
    void on_task(std::string_view name, F handler) {
        constexpr bool is_fine = internal::is_function_of<F, void, const DeferredTask&, EndTask>;
        static_assert(is_fine,
                      "oncewire: on_task() wants a function that can be copied and takes "
                      "(const DeferredTask&, EndTask); a coroutine takes them by value");
        if constexpr (is_fine) set_task_handler(name, std::move(handler));
    }
    /// The application's own tables, for Tx::sql: statement i leads from version i to i + 1. One that was
    /// ever used does not change, or the server refuses to start; what is new comes as a further one.
    void schema(std::vector<std::string> statements) { schema("", std::move(statements)); }
    /// The same of a component, which counts its own versions: a library's tables do not mix with those of
    /// who uses it. What is said again of one is added to it.
    void schema(std::string_view component, std::vector<std::string> statements);
    const std::vector<store::SchemaPart>& schema() const { return schema_; }
    std::vector<std::string> durable_event_names() const;
    const std::map<std::string, sequencer::DurableHandler, std::less<>>& durable_handlers() const {
        return durable_;
    }

    /// Calls this once, on this core's thread, not earlier than after `time`. Not before the server
    /// listens.
    template <class F>
    void after(Millis time, F call) {
        constexpr bool is_fine = internal::is_function_of<F, void>;
        static_assert(is_fine,
                      "oncewire: after() wants a function that can be copied and takes nothing");
        if constexpr (is_fine) call_after(time, std::move(call));
    }
    /// Of those, how many are yet to come.
    std::size_t waiting_calls() const;
    /// For showing and for expiry; 0 in a host without a clock.
    UnixMillis wall_clock() const;
    /// Which core this is, from 0, and of how many.
    std::uint16_t core() const;
    std::uint16_t core_count() const;

    // ---- host -----------------------------------------------------------------------------------

    /// For Handshake::issued.
    void set_wall_clock(std::function<UnixMillis()> clock);
    /// Which hub it speaks through, for what it says before the first output. `hub` outlives it, or at
    /// least its last call.
    void attach(hub::Hub& hub, Instant now);
    /// Takes an output of `hub` that is for applications. False: it is for the host.
    bool handle(hub::Hub& hub, const hub::HubOutput& output, Instant now);
    bool asks_admission() const;
    /// `decide`: called once at most.
    void ask_admission(const hub::Request& request, Decision::Decide decide);
    bool takes_http() const;
    void handle_http(const HttpRequest& request, HttpReply reply);

  private:
    Namespace open_dynamic(NamespacePredicate predicate);
    void set_new_namespace_handler(std::function<void(Namespace)> handler);
    void set_admission(std::function<void(const hub::Request&, Decision)> hook);
    void set_http_handler(std::function<void(const HttpRequest&, HttpReply)> handler);
    void set_error_handler(std::function<void(Socket, const Error&)> handler);
    void set_durable_handler(std::string_view event, sequencer::DurableHandler handler);
    void set_answer_handler(std::string_view event, sequencer::AnswerHandler handler);
    void set_task_handler(std::string_view name,
                          std::function<void(const DeferredTask&, EndTask)> handler);
    void call_after(Millis time, std::function<void()> call);
    Namespace main() const;

    std::unique_ptr<Context> context_;
    std::map<std::string, sequencer::DurableHandler, std::less<>> durable_;
    std::set<std::string, std::less<>> lookups_;
    sequencer::AnswerHandlers answers_;
    sequencer::Admission admission_;
    std::vector<store::SchemaPart> schema_;
};

}  // namespace oncewire::api
