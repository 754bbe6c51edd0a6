#include "server/core/transports.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include <boost/asio/post.hpp>

#include "server/core/environment.hpp"
#include "shared/base/base64.hpp"

namespace oncewire::core {

namespace {

std::vector<net::SharedFrame> as_text(const std::vector<net::SharedFrame>& frames) {
    std::vector<net::SharedFrame> texts;
    for (const auto& frame : frames) {
        const bool is_text = frame->type == FrameType::text;
        texts.push_back(is_text ? frame
                                : std::make_shared<const Frame>(
                                      Frame{FrameType::text, 'b' + base64::encode(frame->bytes)}));
    }
    return texts;
}

}  // namespace

Transports::Transports(hub::Hub& hub, boost::asio::io_context& context, Options options, Host host)
    : hub_(hub),
      context_(context),
      core_(options.core),
      cores_(options.cores),
      host_(std::move(host)),
      web_sockets_(options.web_sockets),
      polling_(std::move(options.polling)),
      http_(std::move(options.http), *this) {}

// ---- what comes in ------------------------------------------------------------------------------

bool Transports::hear(Instant now) {
    const bool heard = hear_web_sockets(now);
    return hear_polling(now) || heard;
}

/// What comes by a WebSocket that is being tried is taken alone: it may make it the transport, and
/// what follows in the same batch then belongs to the session, once the hub's outputs are performed.
bool Transports::hear_web_sockets(Instant now) {
    bool heard = false;
    while (const auto input = web_sockets_.poll_input()) {
        heard = true;
        add_entropy();
        const bool is_probe = polling_.is_open(input->id);
        perform(*input, is_probe, now);
        if (is_probe) break;
    }
    return heard;
}

void Transports::perform(const net::TransportInput& input, bool is_probe, Instant now) {
    using Kind = net::TransportInput::Kind;
    switch (input.kind) {
        case Kind::frame:
            return hear_frame(input.id, input.frame, is_probe, now);
        case Kind::written:
            if (!is_probe) hub_.handle_written(input.id, now);
            return;
        case Kind::closed:
            text_only_.erase(input.id);
            if (is_probe) return hub_.handle_probe_closed(input.id, now);
            return hub_.handle_transport_closed(input.id, input.reason, now);
    }
}

/// [EIO4 Packet encoding] Clients that can send no bytes send base64 in text, as by polling.
void Transports::hear_frame(net::TransportId id, FrameView frame, bool is_probe, Instant now) {
    if (is_probe) return hub_.handle_probe_frame(id, frame, now);
    const bool is_base64 = frame.type == FrameType::text && frame.bytes.starts_with('b');
    const auto bytes = is_base64 ? base64::decode(frame.bytes.substr(1)) : std::nullopt;
    hub_.handle_frame(id, bytes ? FrameView(FrameType::binary, *bytes) : frame, now);
}

bool Transports::hear_polling(Instant now) {
    bool heard = false;
    while (auto output = polling_.poll_output()) {
        heard = true;
        add_entropy();
        if (auto* answer = std::get_if<net::Polling::Answer>(&*output)) {
            http_.answer(answer->request, std::move(answer->response));
        } else if (const auto* written = std::get_if<net::Polling::Written>(&*output)) {
            hub_.handle_written(written->id, now);
        } else if (const auto* arrived = std::get_if<net::Polling::FrameArrived>(&*output)) {
            hub_.handle_frame(arrived->id, arrived->frame, now);
        } else if (const auto* closed = std::get_if<net::Polling::Closed>(&*output)) {
            web_sockets_.close(closed->id);
            hub_.handle_transport_closed(closed->id, closed->reason, now);
        }
    }
    return heard;
}

// ---- what the hub wants -------------------------------------------------------------------------

bool Transports::perform(hub::HubOutput& output, Instant now) {
    if (auto* bytes = std::get_if<hub::Write>(&output)) {
        write(bytes->connection, std::move(bytes->frames), now);
    } else if (const auto* end = std::get_if<hub::CloseTransport>(&output)) {
        text_only_.erase(end->connection);
        polling_.close(end->connection, end->reason, now);
        web_sockets_.close(end->connection);
    } else if (auto* probe = std::get_if<hub::WriteProbe>(&output)) {
        web_sockets_.write(probe->connection,
                           {std::make_shared<const Frame>(std::move(probe->frame))});
        polling_.release_soon(probe->connection, now);
    } else if (const auto* close = std::get_if<hub::CloseProbe>(&output)) {
        web_sockets_.close(close->connection);
    } else if (const auto* change = std::get_if<hub::SwitchTransport>(&output)) {
        switch_transport(change->connection, now);
    } else {
        return false;
    }
    return true;
}

void Transports::write(hub::ConnectionId id, std::vector<net::SharedFrame> frames, Instant now) {
    if (polling_.is_open(id)) return polling_.write(id, std::move(frames));
    if (!text_only_.empty() && text_only_.contains(id)) frames = as_text(frames);
    if (web_sockets_.write(id, std::move(frames))) hub_.handle_written(id, now);
}

/// What no GET has taken goes out first, so nothing is lost, repeated or overtaken.
void Transports::switch_transport(hub::ConnectionId id, Instant now) {
    auto waiting = polling_.hand_over(id);
    if (!waiting.empty()) write(id, std::move(waiting), now);
}

void Transports::handle_timeout(Instant now) {
    web_sockets_.handle_timeout(now);
    polling_.handle_timeout(now);
}

std::optional<Instant> Transports::next_timeout() const {
    return earliest(web_sockets_.next_timeout(), polling_.next_timeout());
}

// ---- HTTP ---------------------------------------------------------------------------------------

net::SessionKind Transports::session_kind(std::string_view sid) {
    const auto owner = hub::Hub::owner_of(sid);
    if (owner && *owner != core_ && *owner < cores_) return net::SessionKind::elsewhere;
    const auto connection = hub_.find_by_sid(sid);
    if (!connection) {
        const bool unheard = polling_.has_farewell(sid);
        return unheard ? net::SessionKind::polling : net::SessionKind::unknown;
    }
    if (!polling_.is_open(*connection)) return net::SessionKind::websocket;
    const bool open = hub_.state_of(*connection) == engineio::SessionState::open;
    return open ? net::SessionKind::polling : net::SessionKind::probing;
}

void Transports::handle_handshake(net::RequestId id, const net::HttpRequest& request,
                                  const std::string& address) {
    host_.turn([&](Instant) {
        const auto transport = net::is_upgrade_request(request) ? engineio::TransportKind::websocket
                                                                : engineio::TransportKind::polling;
        host_.ask_admission({transport, address, request.target, request.headers},
                            [this, id](const std::optional<std::string>& refusal) {
                                boost::asio::post(context_, [=, this] { decide(id, refusal); });
                            });
    });
}

void Transports::handle_other(net::RequestId id, const net::HttpRequest& request,
                              const std::string& address) {
    host_.turn([&](Instant) {
        host_.ask_http(request, address, [this, id](net::HttpResponse response) {
            boost::asio::post(context_, [this, id, response = std::move(response)]() mutable {
                http_.answer(id, std::move(response));
            });
        });
    });
}

/// In a turn of its own, because whoever decides is in the middle of one.
void Transports::decide(net::RequestId id, const std::optional<std::string>& refusal) {
    refusal ? http_.refuse(id, *refusal) : http_.admit(id);
}

void Transports::handle_get(net::RequestId id, const net::HttpRequest& request,
                            const std::string& address) {
    host_.turn([&](Instant now) {
        const std::string_view sid = net::engine_sid(request);
        if (sid.empty()) return open_polling(id, request, address, now);
        const auto connection = hub_.find_by_sid(sid);
        if (!connection) {
            polling_.handle_late_get(sid, id);
            return;
        }
        const bool probing = hub_.state_of(*connection) != engineio::SessionState::open;
        polling_.handle_get(*connection, id, probing, now, net::request_mark(request));
    });
}

void Transports::open_polling(net::RequestId id, const net::HttpRequest& request,
                              const std::string& address, Instant now) {
    if (!accepting_) return http_.answer(id, net::plain_text(503, "shutting down"));
    auto seat = host_.take_seat(address);
    if (!seat) return http_.answer(id, net::plain_text(503, "too many sessions"));
    add_entropy();
    const auto opened = hub_.handle_accept(
        {engineio::TransportKind::polling, address, request.target, request.headers}, now);
    polling_.open(opened, std::string(hub_.engine_sid_of(opened)), id, std::move(*seat));
}

bool Transports::handle_post_begun(const net::HttpRequest& request) {
    bool taken = false;
    host_.turn([&](Instant) {
        const auto connection = hub_.find_by_sid(net::engine_sid(request));
        taken = connection && polling_.handle_post_begun(*connection);
    });
    return taken;
}

void Transports::handle_post(net::RequestId id, const net::HttpRequest& request) {
    host_.turn([&](Instant) {
        // The session may have ended while the body came.
        const auto connection = hub_.find_by_sid(net::engine_sid(request));
        polling_.handle_post(connection.value_or(net::Polling::nobody), id, request.body,
                             net::request_mark(request));
    });
}

void Transports::handle_post_aborted(const net::HttpRequest& request) {
    host_.turn([&](Instant) {
        const auto connection = hub_.find_by_sid(net::engine_sid(request));
        if (connection) polling_.handle_post_aborted(*connection);
    });
}

void Transports::handle_abandoned(net::RequestId id, const net::HttpRequest& request) {
    // Others than polls have no session, and their answer finds nobody.
    host_.turn([&](Instant) {
        const auto connection = hub_.find_by_sid(net::engine_sid(request));
        if (connection) polling_.handle_get_aborted(*connection, id);
    });
}

void Transports::handle_upgrade(net::Upgraded upgraded) {
    if (!accepting_) {
        close(upgraded.socket);
        return;
    }
    host_.turn([&](Instant now) {
        add_entropy();
        const std::string sid(net::engine_sid(upgraded.request));
        const bool text_only = net::wants_base64(upgraded.request);
        auto connection = sid.empty() ? std::nullopt : hub_.find_by_sid(sid);
        if (sid.empty()) {
            connection = hub_.handle_accept(
                {engineio::TransportKind::websocket, std::move(upgraded.address),
                 std::move(upgraded.request.target), std::move(upgraded.request.headers)},
                now);
        } else if (!connection || !hub_.handle_probe_opened(*connection, now)) {
            return refuse(upgraded);
        }
        if (text_only) text_only_.insert(*connection);
        web_sockets_.open(*connection,
                          {upgraded.socket, upgraded.answer, std::move(upgraded.unread),
                           upgraded.deflate, std::move(upgraded.seat)});
    });
}

/// As the reference does: the handshake is answered, and the WebSocket closed at once. A client that
/// was refused before it would report a broken server. [EIO4 Upgrade]
void Transports::refuse(const net::Upgraded& upgraded) {
    const std::string answer = upgraded.answer + std::string("\x88\x00", 2);
    // The first bytes on a connection always fit; a peer that is gone does not matter.
    [[maybe_unused]] const auto sent =
        send(upgraded.socket, answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    close(upgraded.socket);
}

void Transports::handle_foreign(std::string_view sid, net::Foreign foreign) {
    host_.pass_on(*hub::Hub::owner_of(sid), std::move(foreign));
}

void Transports::add_entropy() {
    if (const std::size_t wanted = hub_.secrets().wanted()) {
        hub_.secrets().add(random_bytes(wanted));
    }
}

}  // namespace oncewire::core
