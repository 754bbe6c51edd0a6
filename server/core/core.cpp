#include "server/core/core.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include "server/core/environment.hpp"
#include "server/core/failures.hpp"
#include "server/net/gate/address.hpp"

namespace oncewire::core {

namespace {

hub::Hub::Options with_names_of(api::Application& application, hub::Hub::Options options,
                                const std::function<void(api::Application&)>& install) {
    install(application);
    options.durable_events = application.durable_event_names();
    options.lookups = application.lookups();
    return options;
}

/// What an application may not say, because it would say where the answer ends.
bool is_header_of_ours(std::string_view name) {
    for (const char* ours :
         {"Content-Length", "Transfer-Encoding", "Connection", "Date", "Upgrade", "Trailer"}) {
        if (net::equal_ignoring_case(name, ours)) return true;
    }
    return false;
}

net::HttpResponse to_response(api::HttpAnswer answer) {
    net::HttpResponse response;
    response.status = answer.status >= 200 && answer.status <= 599 ? answer.status : 500;
    for (auto& [name, value] : answer.headers) {
        if (!net::is_header(name, value) || is_header_of_ours(name)) continue;
        response.headers.emplace_back(std::move(name), std::move(value));
    }
    response.body = std::move(answer.body);
    return response;
}

std::vector<CoreLetter> one_letter(CoreLetter letter) {
    std::vector<CoreLetter> letters;
    letters.push_back(std::move(letter));
    return letters;
}

}  // namespace

Core::Core(Options options, const std::function<void(api::Application&)>& install)
    : on_message_(std::move(options.on_message)),
      log_(std::move(options.log)),
      limits_(*options.limits),
      trusted_proxies_(options.http.trusted_proxies),
      hub_(with_names_of(application_, options.hub, install)),
      transports_(
          hub_, loop_,
          {std::move(options.http), options.web_sockets, std::move(options.polling), options.limits,
           options.sessions_per_connection, options.hub.core, options.hub.server.cores},
          transports_host()),
      listener_(loop_, [this](int socket, std::string address) { welcome(socket, address); }),
      timer_(loop_, [this] { handle_timeout(); }),
      patience_(loop_, [] {}),
      wake_up_(loop_, [this] { has_mail_ = true; }),
      turn_(hub_, options.hub.server.cores) {
    inbox_.set_wake([this] { wake_up_.wake(); });
}

Transports::Host Core::transports_host() {
    Transports::Host host;
    host.turn = [this](const auto& input) { turn(input); };
    host.pass_on = [this](std::uint16_t core, net::Foreign foreign) {
        cores_[core]->post(one_letter(std::move(foreign)));
    };
    host.asks_admission = [this] { return application_.asks_admission(); };
    host.ask_admission = [this](const hub::Request& request, auto decide) {
        application_.attach(hub_, monotonic_now());
        application_.ask_admission(request, std::move(decide));
    };
    host.takes_http = [this] { return application_.takes_http(); };
    host.ask_http = [this](const net::HttpRequest& request, Transports::Host::Reply reply) {
        const std::string& address = request.client.address;
        application_.attach(hub_, monotonic_now());
        application_.handle_http({request.method, request.target, address, net::network_of(address),
                                  request.headers, request.body},
                                 api::HttpReply([reply = std::move(reply)](api::HttpAnswer answer) {
                                     reply(to_response(std::move(answer)));
                                 }));
    };
    host.is_busy = [this] { return pause_if_crowded(); };
    host.post = [this](auto task) { wake_up_.post(std::move(task)); };
    return host;
}

/// One too many is told so, as far as its socket takes it at once.
void Core::welcome(int socket, std::string address) {
    const auto known = net::IpAddress::parse(address);
    const bool is_proxy = known && net::is_in(*trusted_proxies_.now(), *known);
    auto seat = is_proxy ? limits_.take_for_proxy() : limits_.take(address);
    if (seat) {
        transports_.http().serve(socket, {std::move(address)}, {}, std::move(*seat));
        return;
    }
    constexpr std::string_view answer =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 20\r\n"
        "Access-Control-Allow-Origin: *\r\nConnection: close\r\n\r\ntoo many connections";
    [[maybe_unused]] const auto sent =
        send(socket, answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    close(socket);
}

void Core::run() {
    while (!is_stopped_) {
        try {
            mind_the_crowd();
            // Where somebody only took note of it, nothing wakes us again.
            const bool has_news = has_mail_ || transports_.has_news();
            loop_.turn(has_news ? std::optional(Millis(0)) : std::nullopt);
            take_news();
            serve_foreign();
        } catch (const std::exception& exception) {
            note_exception(one_line(std::string("a handler failed: ") + exception.what()));
        }
    }
}

void Core::stop() {
    wake_up_.post([this] { is_stopped_ = true; });
}

// ---- one turn -----------------------------------------------------------------------------------

void Core::turn(const std::function<void(Instant)>& input) {
    try {
        Instant now = monotonic_now();
        turn_.drain(*this, now);  // what an exception left of the turn before
        input(now);
        do {
            turn_.drain(*this, now);
            transports_.end_turn(now);
        } while (transports_.hear(now));
    } catch (const std::exception& exception) {
        note_exception(one_line(std::string("a handler failed: ") + exception.what()));
    }
    finish_turn();
}

void Core::look_around(Instant& now) {
    if (pause_if_crowded() || !transports_.collect_more()) return;
    loop_.glance();
    now = monotonic_now();
    if (!has_mail_ && !transports_.has_news()) return;
    transports_.collect_more();
    hear(now);
}

void Core::perform(hub::HubOutput output, Instant now) {
    if (transports_.perform(output, now)) return;
    if (const auto* message = std::get_if<hub::MessageArrived>(&output)) {
        if (on_message_) on_message_(hub_, *message);
    } else {
        ask_application(output, now);
    }
}

/// An application that throws loses the client it threw about, and nobody else.
void Core::ask_application(const hub::HubOutput& output, Instant now) {
    try {
        application_.handle(hub_, output, now);
    } catch (const std::exception& exception) {
        take_back(output, exception.what(), now);
    } catch (...) {
        take_back(output, "it threw what is no std::exception", now);
    }
}

void Core::take_back(const hub::HubOutput& output, const char* what, Instant now) {
    note_exception(failure_of(output, what));
    if (const auto* asked = std::get_if<hub::ConnectAsked>(&output)) {
        hub_.sockets().reject(asked->socket, R"({"message":"Internal error"})", now);
    } else if (const auto* arrived = std::get_if<hub::EventArrived>(&output)) {
        hub_.sockets().disconnect(arrived->socket, true, now);
    }
}

void Core::finish_turn() {
    turn_.send_letters(*this);
    arm_timer();
    if (shutting_down_ && transports_.is_empty() && !std::exchange(is_drained_, true)) {
        drained_.set_value();
    }
}

// ---- inputs -------------------------------------------------------------------------------------

/// Letters and what came by WebSockets are one turn, so what they lead to leaves in the same writes.
void Core::take_news() {
    if (!has_mail_ && !transports_.has_news()) return;
    transports_.collect();
    turn([this](Instant now) { hear(now); });
}

void Core::hear(Instant now) {
    if (std::exchange(has_mail_, false)) read_letters(now);
    transports_.hear(now);
}

void Core::read_letters(Instant now) {
    auto taken = inbox_.take();
    if (taken.was_full) {
        for (CoreMailbox* core : cores_) core->wake();
    }
    for (auto& letter : taken.letters) read(std::move(letter), now);
}

void Core::serve_foreign() {
    for (auto& foreign : std::exchange(foreign_, {})) {
        transports_.http().serve(foreign.socket, std::move(foreign.peer),
                                 std::move(foreign.received), std::move(foreign.seat));
    }
}

/// Clients wait in their sockets while a thread has enough to do. It wakes us when it took what it had; if
/// it is stuck it does not, so we look again ourselves.
bool Core::pause_if_crowded() {
    if (!turn_.pause_if(is_crowded())) return false;
    if (!patience_.due()) patience_.set_after(turn::patience);
    transports_.pause();
    return true;
}

void Core::mind_the_crowd() {
    if (!pause_if_crowded() && turn_.resume_unless(false)) transports_.resume();
}

bool Core::is_crowded() const {
    return sequencer_->is_full() || std::any_of(cores_.begin(), cores_.end(), [](const auto* core) {
               return core->is_crowded();
           });
}

void Core::read(CoreLetter letter, Instant now) {
    if (auto* stored = std::get_if<mail::FromSequencer>(&letter)) {
        hub_.handle_mail(std::move(*stored), now);
    } else if (auto* mail = std::get_if<mail::CoreMail>(&letter)) {
        hub_.handle_core_mail(std::move(*mail), now);
    } else if (auto* foreign = std::get_if<net::Foreign>(&letter)) {
        foreign_.push_back(std::move(*foreign));
    }
}

/// Set for the earliest deadline or before it: a deadline that moved back is noticed when the timer
/// fires, which is cheaper than moving the timer at every message.
void Core::arm_timer() {
    const auto due = earliest(hub_.next_timeout(), transports_.next_timeout());
    if (due && (!timer_.due() || *due < *timer_.due())) timer_.set(*due);
}

void Core::handle_timeout() {
    turn([this](Instant now) {
        hub_.handle_timeout(now);
        transports_.handle_timeout(now);
    });
}

/// What `look` sees on the core's thread; none if that does not come round.
template <class Look>
auto Core::look_now(Look look) -> std::optional<decltype(look())> {
    using Seen = decltype(look());
    const auto told = std::make_shared<std::promise<Seen>>();
    auto seen = told->get_future();
    wake_up_.post([told, look = std::move(look)] { told->set_value(look()); });
    if (seen.wait_for(std::chrono::seconds(1)) != std::future_status::ready) return std::nullopt;
    return seen.get();
}

net::RefusalCounts Core::refusals_now() {
    return look_now([this] { return transports_.http().refusals(); })
        .value_or(net::RefusalCounts());
}

hub::HubCounts Core::counts_now() {
    return look_now([this] { return hub_.counts(); }).value_or(hub::HubCounts());
}

std::optional<std::vector<hub::RoomReader>> Core::readers_now(const std::string& room,
                                                              delivery::Offset offset) {
    return look_now([this, room, offset] { return hub_.readers_of(room, offset); });
}

std::future<void> Core::refuse_newcomers() {
    const auto done = std::make_shared<std::promise<void>>();
    wake_up_.post([this, done] {
        transports_.refuse_newcomers();
        listener_.stop();
        done->set_value();
    });
    return done->get_future();
}

/// What the sequencer has said is told first.
void Core::shut_down() {
    wake_up_.post([this] {
        shutting_down_ = true;
        has_mail_ = true;
        take_news();
        turn([this](Instant now) { hub_.shut_down(now); });
    });
}

void Core::note_exception(const std::string& sentence) {
    ++exceptions_;
    log_(sentence);
}

}  // namespace oncewire::core
