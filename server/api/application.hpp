#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/api/namespace.hpp"
#include "server/hub/hub.hpp"
#include "server/store/transaction.hpp"
#include "shared/base/time.hpp"

namespace oncewire::api {

// What durable handlers are made of.
using store::accept;
using store::Message;
using store::reject;
using store::StoreError;
using store::Tx;
using store::Verdict;

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
    Namespace of(NamespacePredicate predicate);
    /// A namespace that a pattern or predicate made.
    void on_new_namespace(std::function<void(Namespace)> handler);
    /// Forget such namespaces when their last client is gone. Off.
    void cleanup_empty_child_namespaces(bool on);

    // ---- the main namespace ---------------------------------------------------------------------

    template <class F>
    void use(F middleware) {
        main().use(std::move(middleware));
    }
    void on_connection(std::function<void(Socket)> handler) {
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
    BroadcastOperator everybody() const;
    std::vector<Socket> sockets() const { return main().sockets(); }

    // ---- all of it ------------------------------------------------------------------------------

    /// What goes wrong with an event of a client that has no handler for it of its own.
    void on_error(std::function<void(Socket, const Error&)> handler);

    /// Runs inside the transaction that stores the message, see store::Tx. In every namespace.
    void on_durable(std::string_view event, store::DurableHandler handler);
    std::vector<std::string> durable_event_names() const;
    const std::map<std::string, store::DurableHandler, std::less<>>& durable_handlers() const {
        return durable_;
    }

    /// Calls this once, on this core's thread, not earlier than after `time`. Not before the server
    /// listens.
    void after(Millis time, std::function<void()> call);
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

  private:
    Namespace main() const;

    std::unique_ptr<Context> context_;
    std::map<std::string, store::DurableHandler, std::less<>> durable_;
};

}  // namespace oncewire::api
