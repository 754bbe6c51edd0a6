#include "server/core/server.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <future>
#include <utility>

#include "server/core/failures.hpp"
#include "server/operator/commands.hpp"

namespace oncewire::core {
namespace {

void add_to(hub::HubCounts& sum, const hub::HubCounts& counts) {
    sum.connections_opened += counts.connections_opened;
    sum.connections_open += counts.connections_open;
    sum.sockets_open += counts.sockets_open;
    sum.frames_in += counts.frames_in;
    sum.frames_out += counts.frames_out;
    sum.ephemeral_dropped += counts.ephemeral_dropped;
    sum.slow_readers_closed += counts.slow_readers_closed;
    sum.sessions_resumed += counts.sessions_resumed;
    sum.violations += counts.violations;
    sum.noticed.holes += counts.noticed.holes;
    sum.noticed.repeated += counts.noticed.repeated;
    sum.noticed.late += counts.noticed.late;
}

/// What a handler throws concerns its message alone: the sequencer, which knows no exceptions, is told
/// that the handler of `event` failed on `key`. `call` runs it.
template <class Call>
auto catching(const Call& call, const std::string& event, std::string_view key, const Log& log)
    -> decltype(call()) {
    const auto said = [&](const char* what) {
        const std::string on = key.empty() ? "" : " on " + std::string(key);
        log(one_line("the handler of \"" + event + "\" failed" + on + ": " + what));
    };
    try {
        return call();
    } catch (const std::exception& error) {
        said(error.what());
    } catch (...) {
        said("it threw what is no std::exception");
    }
    return Err{store::StoreError::handler};
}

using Handlers = std::map<std::string, sequencer::DurableHandler, std::less<>>;

Handlers catching(const Handlers& handlers, const Log& log) {
    Handlers safe;
    for (const auto& each : handlers) {
        safe[each.first] = [each, log](sequencer::Tx& tx, const sequencer::Message& message) {
            return catching([&] { return each.second(tx, message); }, each.first, message.key, log);
        };
    }
    return safe;
}

/// Whom it fails on may come in: its failures must not stop everybody's storing.
sequencer::Admission catching(const sequencer::Admission& admission, const Log& log) {
    if (!admission) return {};
    return [admission, log](const sequencer::Offer& offer) {
        using Asked = Result<std::optional<sequencer::Later>, store::StoreError>;
        const auto answer =
            catching([&] { return Asked(admission(offer)); }, "admit", offer.sender, log);
        return answer ? *answer : std::nullopt;
    };
}

sequencer::AnswerHandlers catching(const sequencer::AnswerHandlers& handlers, const Log& log) {
    sequencer::AnswerHandlers safe;
    for (const auto& each : handlers) {
        safe[each.first] = [each, log](sequencer::Tx& tx, const sequencer::Question& question,
                                       const sequencer::Reply& reply) {
            return catching([&] { return each.second(tx, question, reply); }, each.first,
                            question.key, log);
        };
    }
    return safe;
}

store::RecoveryLimits recovery_of(const ServerOptions& options) {
    const auto wanted = options.connection_state_recovery.value_or(ConnectionStateRecovery());
    return {wanted.max_disconnection_duration,
            options.ping_interval + options.ping_timeout + limits::slow_reader_timeout,
            wanted.entries_max, wanted.bytes_max};
}

}  // namespace

void end_process_for_damage() {
    std::fputs("the database is damaged; its files are left as they are. Look at it with --check\n",
               stderr);
    std::_Exit(ops::damaged_exit_status);
}

void end_process_superseded() {
    std::fputs("another process writes to the database now, so this one ends\n", stderr);
    std::_Exit(1);
}

Server::Server(Options options, std::unique_ptr<store::Store> store,
               const std::function<void(api::Application&)>& install)
    : options_(std::move(options)),
      limits_({options_.server.max_connections, options_.server.max_connections_per_address}) {
    ServerOptions& server = options_.server;
    if (!server.log) server.log = [](const std::string&) {};
    options_.http.log = server.log;
    options_.http.files = options_.files.files();
    options_.http.engine.server = options_.web_sockets.server = options_.polling.server = server;
    install(durable_);
    std::vector<CoreMailbox*> inboxes;
    for (std::uint16_t index = 0; index < server.cores; ++index) {
        cores_.push_back(std::make_unique<Core>(core_options(index), install));
        inboxes.push_back(&cores_.back()->inbox());
    }
    SequencerThread::Options sequencer_options;
    sequencer_options.sequencer.retention.rules = server.keep;
    sequencer_options.sequencer.lease = server.lease;
    sequencer_options.sequencer.recovery = recovery_of(server);
    sequencer_options.on_damage = options_.on_damage;
    sequencer_options.on_superseded = options_.on_superseded;
    sequencer_options.sequencer.lookups = durable_.lookups();
    sequencer_options.sequencer.answers = catching(durable_.answer_handlers(), options_.server.log);
    sequencer_options.sequencer.on_mistake = options_.server.log;
    sequencer_options.sequencer.admission = catching(durable_.admission(), options_.server.log);
    const auto handlers = catching(durable_.durable_handlers(), options_.server.log);
    auto reading = store->open_reading();
    if (reading) sequencer_options.sequencer.reads_apart_from = limits::short_page_entries;
    sequencer_ = std::make_unique<SequencerThread>(std::move(store), handlers, inboxes,
                                                   std::move(sequencer_options));
    if (reading) read_apart(std::move(reading), handlers, inboxes);
    for (const auto& core : cores_) core->connect(sequencer_->inbox(), inboxes);
}

Core::Options Server::core_options(std::uint16_t index) {
    const ServerOptions& server = options_.server;
    Core::Options core;
    core.hub.server = server;
    core.hub.core = index;
    core.hub.limits_networks = server.max_connections_per_address.has_value();
    core.hub.speaks_socketio = !options_.on_message;
    core.http = options_.http;
    core.web_sockets = options_.web_sockets;
    core.polling = options_.polling;
    core.http.unfinished = core.web_sockets.unfinished =
        std::make_shared<net::UnfinishedBytes>(net::UnfinishedBytes::part_of(
            options_.unfinished, server.cores, server.max_http_buffer_size));
    core.limits = &limits_;
    core.sessions_per_connection = options_.sessions_per_connection;
    core.on_message = options_.on_message;
    core.log = server.log;
    return core;
}

void Server::read_apart(std::unique_ptr<store::Reading> reading,
                        const sequencer::Reader::Handlers& handlers,
                        const std::vector<CoreMailbox*>& inboxes) {
    ReaderThread::Options options;
    options.reader.is_apart = true;
    options.reader.on_mistake = options_.server.log;
    for (const std::string& event : durable_.lookups())
        options.reader.lookups.emplace(event, handlers.at(event));
    options.on_damage = options_.on_damage;
    reader_ = std::make_unique<ReaderThread>(std::move(reading), inboxes, std::move(options));
    sequencer_->set_reader(reader_->inbox());
}

Server::~Server() { stop(); }

Result<std::uint16_t, std::string> Server::start() {
    if (auto prepared = sequencer_->prepare_application(durable_.schema()); !prepared) {
        return Err{std::move(prepared.error())};
    }
    const auto port = listen();
    if (!port) return port;
    // The first letter each core reads says where the log stands; only then it accepts.
    sequencer_->start();
    if (reader_) reader_->start();
    for (const auto& core : cores_) {
        threads_.emplace_back([&core = *core] { core.run(); });
    }
    return port;
}

Result<std::uint16_t, std::string> Server::listen() {
    net::Address address{options_.server.host, options_.server.port};
    const bool shared = cores_.size() > 1;
    if (shared) {
        if (auto sentence = net::why_taken(address)) return Err{std::move(*sentence)};
    }
    for (const auto& core : cores_) {
        const auto port = core->listen(address, shared);
        if (!port) return port;
        address.port = *port;
    }
    return address.port;
}

/// Handlers that run are finished, and told of: those of the cores, and then what they left for the
/// sequencer. It would be waited for all the same when the threads end, after the goodbye.
void Server::finish_handlers() {
    std::vector<std::future<void>> finished;
    for (const auto& core : cores_) finished.push_back(core->refuse_newcomers());
    for (const auto& each : finished) each.wait();
    sequencer_->finish_letters();
    if (reader_) reader_->finish_letters();
}

void Server::stop() {
    if (threads_.empty()) return;
    finish_handlers();
    std::vector<std::future<void>> drained;
    for (const auto& core : cores_) {
        drained.push_back(core->drained());
        core->shut_down();
    }
    const auto deadline = std::chrono::steady_clock::now() + options_.drain_timeout;
    for (auto& each : drained) each.wait_until(deadline);
    // Cores still take the sequencer's mail, so it cannot wait for room for ever.
    sequencer_->stop();
    if (reader_) reader_->stop();
    for (const auto& core : cores_) core->stop();
    for (auto& thread : threads_) thread.join();
    threads_.clear();
    report();
}

hub::HubCounts Server::hub_counts() {
    hub::HubCounts sum;
    for (const auto& core : cores_) add_to(sum, core->counts_now());
    return sum;
}

net::RefusalCounts Server::refusals() {
    net::RefusalCounts sum;
    for (const auto& core : cores_) {
        const net::RefusalCounts counts = core->refusals_now();
        sum.hosts += counts.hosts;
        sum.origins += counts.origins;
    }
    return sum;
}

std::optional<std::vector<hub::RoomReader>> Server::readers_of(const std::string& room,
                                                               delivery::Offset offset) {
    std::vector<hub::RoomReader> all;
    for (const auto& core : cores_) {
        const auto readers = core->readers_now(room, offset);
        if (!readers) return std::nullopt;
        all.insert(all.end(), readers->begin(), readers->end());
    }
    return all;
}

void Server::report() const {
    hub::HubCounts sum;
    std::uint64_t exceptions = 0;
    for (const auto& core : cores_) {
        add_to(sum, core->counts());
        exceptions += core->exceptions();
    }
    const sequencer::SequencerCounts& stored = sequencer_->counts();
    options_.server.log(
        "stopped after " + std::to_string(sum.connections_opened) + " connections, " +
        std::to_string(sum.frames_in) + " frames in, " + std::to_string(sum.frames_out) + " out; " +
        std::to_string(stored.stored) + " messages stored, " + std::to_string(stored.repeated) +
        " repeated; " + std::to_string(stored.recorded) + " events recorded, " +
        std::to_string(stored.resumed) + " sessions resumed; " + std::to_string(sum.violations) +
        " violations, " + std::to_string(sum.slow_readers_closed) + " slow readers, " +
        std::to_string(exceptions) + " exceptions");
}

}  // namespace oncewire::core
