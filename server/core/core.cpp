#include "server/core/core.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include <boost/asio/post.hpp>

#include "server/core/environment.hpp"
#include "server/core/failures.hpp"
#include "server/mail/feed.hpp"
#include "server/net/gate/address.hpp"

namespace oncewire::core {

namespace asio = boost::asio;

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

bool is_ephemeral(const CoreLetter& letter) {
    const auto* mail = std::get_if<mail::CoreMail>(&letter);
    return mail && mail::is_ephemeral(*mail->command);
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
          hub_, context_,
          {std::move(options.http), options.web_sockets, std::move(options.polling), options.limits,
           options.sessions_per_connection, options.hub.core, options.hub.cores},
          transports_host()),
      listener_(context_,
                [this](auto socket, std::string address) { welcome(std::move(socket), address); }),
      readable_(context_, dup(transports_.descriptor())),
      timer_(context_),
      patience_(context_) {
    letters_.resize(options.hub.cores);
    inbox_.set_wake([this] { asio::post(context_, [this] { handle_inbox(); }); });
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
    host.is_busy = [this] {
        const bool is_busy = is_crowded();
        if (is_busy) look_again_later();
        return is_busy;
    };
    return host;
}

/// One too many is told so, as far as its socket takes it at once.
void Core::welcome(asio::ip::tcp::socket socket, std::string address) {
    const auto known = net::IpAddress::parse(address);
    const bool is_proxy = known && net::is_in(*trusted_proxies_.now(), *known);
    auto seat = is_proxy ? limits_.take_for_proxy() : limits_.take(address);
    if (seat) {
        transports_.http().serve(std::move(socket), {std::move(address)}, {}, std::move(*seat));
        return;
    }
    constexpr std::string_view answer =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 20\r\n"
        "Access-Control-Allow-Origin: *\r\nConnection: close\r\n\r\ntoo many connections";
    boost::system::error_code ignored;
    socket.non_blocking(true, ignored);
    socket.write_some(asio::buffer(answer), ignored);
}

void Core::run() {
    await_readable();
    const auto work = asio::make_work_guard(context_);
    for (;;) {
        try {
            context_.run();
            return;
        } catch (const std::exception& exception) {
            note_exception(one_line(std::string("a handler failed: ") + exception.what()));
        }
    }
}

// ---- one turn -----------------------------------------------------------------------------------

void Core::turn(const std::function<void(Instant)>& input) {
    try {
        const Instant now = monotonic_now();
        drain(now);  // what an exception left of the turn before
        input(now);
        do {
            drain(now);
            transports_.end_turn(now);
        } while (transports_.hear(now));
    } catch (const std::exception& exception) {
        note_exception(one_line(std::string("a handler failed: ") + exception.what()));
    }
    finish_turn();
}

void Core::drain(Instant now) {
    while (auto output = hub_.poll_output()) perform(std::move(*output), now);
}

void Core::perform(hub::HubOutput output, Instant now) {
    if (transports_.perform(output, now)) return;
    if (auto* to_store = std::get_if<hub::ToStore>(&output)) {
        outgoing_.push_back(std::move(to_store->mail));
    } else if (auto* to_core = std::get_if<hub::ToCore>(&output)) {
        letters_[to_core->core].push_back(std::move(to_core->mail));
    } else if (const auto* message = std::get_if<hub::MessageArrived>(&output)) {
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
        hub_.reject(asked->socket, R"({"message":"Internal error"})", now);
    } else if (const auto* arrived = std::get_if<hub::EventArrived>(&output)) {
        hub_.disconnect(arrived->socket, true, now);
    }
}

void Core::finish_turn() {
    sequencer_->post(std::exchange(outgoing_, {}));
    for (std::size_t core = 0; core < letters_.size(); ++core) {
        auto letters = std::exchange(letters_[core], {});
        if (!letters.empty() && cores_[core]->is_stuck()) std::erase_if(letters, is_ephemeral);
        cores_[core]->post(std::move(letters));
    }
    arm_timer();
    if (shutting_down_ && transports_.is_empty() && !std::exchange(is_drained_, true)) {
        drained_.set_value();
    }
}

// ---- inputs -------------------------------------------------------------------------------------

void Core::handle_inbox() {
    auto taken = inbox_.take();
    if (taken.was_full) {
        for (CoreMailbox* core : cores_) core->wake();
    }
    turn([&](Instant now) {
        for (auto& letter : taken.letters) read(std::move(letter), now);
    });
    for (auto& foreign : std::exchange(foreign_, {})) {
        asio::ip::tcp::socket socket(context_);
        boost::system::error_code error;
        socket.assign(asio::ip::tcp::v4(), foreign.socket, error);
        if (error) continue;
        transports_.http().serve(std::move(socket), std::move(foreign.peer),
                                 std::move(foreign.received), std::move(foreign.seat));
    }
    resume_reading();
}

void Core::resume_reading() {
    if (std::exchange(reading_paused_, false)) await_readable();
    if (!is_crowded()) transports_.resume();
}

/// Who has enough to do wakes us when it has less, and not if it is stuck.
void Core::look_again_later() {
    patience_.expires_after(CoreMailbox::patience);
    patience_.async_wait([this](boost::system::error_code error) {
        if (!error) resume_reading();
    });
}

/// Somebody has enough to do. Which of them what a client sends would reach, nobody knows before: a
/// broadcast goes by the core that orders it, which would have to hold back all others.
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

void Core::await_readable() {
    // Clients wait in their sockets while a thread has enough to do; it wakes us when it took what it had.
    if (is_crowded()) {
        reading_paused_ = true;
        return look_again_later();
    }
    readable_.async_wait(asio::posix::stream_descriptor::wait_read,
                         [this](boost::system::error_code error) {
                             if (error) return;
                             transports_.collect();
                             turn([this](Instant now) { transports_.hear(now); });
                             await_readable();
                         });
}

/// Armed for the earliest deadline or before it: a deadline that moved back is noticed when the timer
/// fires, which is cheaper than moving the timer at every message.
void Core::arm_timer() {
    const auto due = earliest(hub_.next_timeout(), transports_.next_timeout());
    if (!due || (timer_at_ && *timer_at_ <= *due)) return;
    timer_at_ = due;
    timer_.expires_at(std::chrono::steady_clock::time_point(due->time_since_epoch()));
    timer_.async_wait([this](boost::system::error_code error) {
        if (error) return;
        timer_at_.reset();
        turn([this](Instant now) {
            hub_.handle_timeout(now);
            transports_.handle_timeout(now);
        });
    });
}

/// What `look` sees on the core's thread; none if that does not come round.
template <class Look>
auto Core::look_now(Look look) -> std::optional<decltype(look())> {
    using Seen = decltype(look());
    const auto told = std::make_shared<std::promise<Seen>>();
    auto seen = told->get_future();
    boost::asio::post(context_, [told, look = std::move(look)] { told->set_value(look()); });
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
    asio::post(context_, [this, done] {
        transports_.refuse_newcomers();
        listener_.stop();
        done->set_value();
    });
    return done->get_future();
}

/// What the sequencer has said is told first.
void Core::shut_down() {
    asio::post(context_, [this] {
        shutting_down_ = true;
        handle_inbox();
        turn([this](Instant now) { hub_.shut_down(now); });
    });
}

void Core::note_exception(const std::string& sentence) {
    ++exceptions_;
    log_(sentence);
}

}  // namespace oncewire::core
