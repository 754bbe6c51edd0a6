#include "server/core/core.hpp"

#include <unistd.h>

#include <chrono>
#include <exception>
#include <utility>

#include <boost/asio/post.hpp>

#include "server/core/environment.hpp"

namespace oncewire::core {

namespace asio = boost::asio;

namespace {

hub::Hub::Options with_names_of(api::Application& application, hub::Hub::Options options,
                                const std::function<void(api::Application&)>& install) {
    install(application);
    options.durable_events = application.durable_event_names();
    return options;
}

}  // namespace

Core::Core(Options options, const std::function<void(api::Application&)>& install)
    : log_(std::move(options.log)),
      hub_(with_names_of(application_, std::move(options.hub), install)),
      web_sockets_({}),
      http_(std::move(options.http),
            [this](net::Upgraded upgraded) { handle_upgraded(std::move(upgraded)); }),
      listener_(context_,
                [this](auto socket, std::string address) {
                    http_.serve(std::move(socket), std::move(address));
                }),
      readable_(context_, dup(web_sockets_.descriptor())),
      timer_(context_) {
    inbox_.set_wake([this] { asio::post(context_, [this] { handle_inbox(); }); });
}

void Core::run() {
    await_readable();
    const auto work = asio::make_work_guard(context_);
    for (;;) {
        try {
            context_.run();
            return;
        } catch (const std::exception& exception) {
            note_exception(exception.what());
        }
    }
}

// ---- one turn -----------------------------------------------------------------------------------

void Core::turn(const std::function<void(Instant)>& input) {
    try {
        const Instant now = monotonic_now();
        input(now);
        do {
            drain(now);
            web_sockets_.end_turn(now);
        } while (hear(now));
    } catch (const std::exception& exception) {
        note_exception(exception.what());
    }
    finish_turn();
}

/// What connections have to say. False: nothing.
bool Core::hear(Instant now) {
    bool heard = false;
    while (const auto input = web_sockets_.poll_input()) {
        heard = true;
        if (const std::size_t wanted = hub_.secrets().wanted()) {
            hub_.secrets().add(random_bytes(wanted));
        }
        switch (input->kind) {
            case net::TransportInput::Kind::frame:
                hub_.handle_frame(input->id, input->frame, now);
                break;
            case net::TransportInput::Kind::written:
                hub_.handle_written(input->id, now);
                break;
            case net::TransportInput::Kind::closed:
                hub_.handle_transport_closed(input->id, input->reason, now);
                break;
        }
    }
    return heard;
}

void Core::drain(Instant now) {
    while (auto output = hub_.poll_output()) perform(std::move(*output), now);
}

void Core::perform(hub::HubOutput output, Instant now) {
    if (auto* write = std::get_if<hub::Write>(&output)) {
        const hub::ConnectionId id = write->connection;
        if (web_sockets_.write(id, std::move(write->frames))) hub_.handle_written(id, now);
    } else if (const auto* close = std::get_if<hub::CloseTransport>(&output)) {
        web_sockets_.close(close->connection);
    } else if (auto* to_store = std::get_if<hub::ToStore>(&output)) {
        outgoing_.push_back(std::move(to_store->mail));
    } else {
        ask_application(output, now);
    }
}

/// An application that throws loses the client it threw about, and nobody else.
void Core::ask_application(const hub::HubOutput& output, Instant now) {
    try {
        application_.handle(hub_, output, now);
    } catch (const std::exception& exception) {
        note_exception(exception.what());
        if (const auto* asked = std::get_if<hub::ConnectAsked>(&output)) {
            hub_.reject(asked->socket, R"({"message":"Internal error"})", now);
        } else if (const auto* arrived = std::get_if<hub::EventArrived>(&output)) {
            hub_.disconnect(arrived->socket, true, now);
        }
    }
}

void Core::finish_turn() {
    sequencer_->post(std::exchange(outgoing_, {}));
    arm_timer();
    if (shutting_down_ && web_sockets_.size() == 0 && !std::exchange(is_drained_, true)) {
        drained_.set_value();
    }
}

// ---- inputs -------------------------------------------------------------------------------------

void Core::handle_upgraded(net::Upgraded upgraded) {
    if (shutting_down_) {
        close(upgraded.socket);
        return;
    }
    turn([&](Instant now) {
        if (const std::size_t wanted = hub_.secrets().wanted()) {
            hub_.secrets().add(random_bytes(wanted));
        }
        const hub::ConnectionId id =
            hub_.handle_accept({.address = std::move(upgraded.address),
                                .url = std::move(upgraded.request.target),
                                .headers = std::move(upgraded.request.headers)},
                               now);
        web_sockets_.open(id, upgraded.socket, upgraded.answer, std::move(upgraded.unread));
    });
}

void Core::handle_inbox() {
    auto taken = inbox_.take();
    turn([&](Instant now) {
        for (auto& letter : taken.letters) hub_.handle_mail(std::move(letter), now);
    });
    if (std::exchange(reading_paused_, false)) await_readable();
}

void Core::await_readable() {
    // Clients wait in their sockets while the sequencer has enough to do; it wakes us when it took
    // what it had.
    if (sequencer_->is_full()) {
        reading_paused_ = true;
        return;
    }
    readable_.async_wait(asio::posix::stream_descriptor::wait_read,
                         [this](boost::system::error_code error) {
                             if (error) return;
                             web_sockets_.collect();
                             turn([this](Instant now) { hear(now); });
                             await_readable();
                         });
}

/// Armed for the earliest deadline or before it: a deadline that moved back is noticed when the timer
/// fires, which is cheaper than moving the timer at every message.
void Core::arm_timer() {
    const auto due = earliest(hub_.next_timeout(), web_sockets_.next_timeout());
    if (!due || (timer_at_ && *timer_at_ <= *due)) return;
    timer_at_ = due;
    timer_.expires_at(std::chrono::steady_clock::time_point(due->time_since_epoch()));
    timer_.async_wait([this](boost::system::error_code error) {
        if (error) return;
        timer_at_.reset();
        turn([this](Instant now) {
            hub_.handle_timeout(now);
            web_sockets_.handle_timeout(now);
        });
    });
}

void Core::shut_down() {
    asio::post(context_, [this] {
        shutting_down_ = true;
        listener_.stop();
        turn([this](Instant now) { hub_.shut_down(now); });
    });
}

void Core::note_exception(const std::string& what) {
    ++exceptions_;
    log_("an event failed: " + what);
}

}  // namespace oncewire::core
