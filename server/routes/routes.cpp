#include "server/routes/routes.hpp"

#include <memory>
#include <utility>
#include <variant>

#include "shared/base/base64.hpp"

namespace oncewire::routes {
namespace {

Routes::Frames as_text(const Routes::Frames& frames) {
    Routes::Frames texts;
    for (const auto& frame : frames) {
        const bool is_text = frame->type == FrameType::text;
        texts.push_back(is_text ? frame
                                : std::make_shared<const Frame>(
                                      Frame{FrameType::text, 'b' + base64::encode(frame->bytes)}));
    }
    return texts;
}

}  // namespace

// ---- WebSockets ---------------------------------------------------------------------------------

std::optional<hub::ConnectionId> Routes::handle_websocket(std::string_view sid,
                                                          const hub::Request& request,
                                                          bool text_only, Instant now) {
    wires_.add_entropy();
    auto connection = sid.empty() ? std::nullopt : hub_.find_by_sid(sid);
    if (sid.empty()) {
        connection = hub_.handle_accept(request, now);
    } else if (!connection || !hub_.handle_probe_opened(*connection, now)) {
        return std::nullopt;
    }
    if (text_only) text_only_.insert(*connection);
    return connection;
}

/// [EIO4 Packet encoding] Clients that can send no bytes send base64 in text, as by polling.
void Routes::handle_frame(hub::ConnectionId id, FrameView frame, Instant now) {
    wires_.add_entropy();
    if (is_probing(id)) return hub_.handle_probe_frame(id, frame, now);
    const bool is_base64 = frame.type == FrameType::text && frame.bytes.starts_with('b');
    const auto bytes = is_base64 ? base64::decode_wrapped(frame.bytes.substr(1)) : std::nullopt;
    hub_.handle_frame(id, bytes ? FrameView(FrameType::binary, *bytes) : frame, now);
}

void Routes::handle_written(hub::ConnectionId id, Instant now) {
    if (!is_probing(id)) hub_.handle_written(id, now);
}

void Routes::handle_closed(hub::ConnectionId id, engineio::CloseReason reason, Instant now) {
    text_only_.erase(id);
    if (is_probing(id)) return hub_.handle_probe_closed(id, now);
    hub_.handle_transport_closed(id, reason, now);
}

// ---- long-polling -------------------------------------------------------------------------------

bool Routes::is_polling(std::string_view sid) const {
    const auto connection = hub_.find_by_sid(sid);
    return connection ? polling_.is_open(*connection) : polling_.has_farewell(sid);
}

void Routes::handle_first_get(RequestId id, const hub::Request& request, net::Seat seat,
                              Instant now) {
    wires_.add_entropy();
    const auto opened = hub_.handle_accept(request, now);
    polling_.open(opened, std::string(hub_.status_of(opened).engine_sid), id, std::move(seat));
}

void Routes::handle_get(RequestId id, std::string_view sid, std::string_view mark, Instant now) {
    const auto connection = hub_.find_by_sid(sid);
    if (!connection) {
        polling_.handle_late_get(sid, id, mark);
        return;
    }
    const bool probing = hub_.status_of(*connection).state != engineio::SessionState::open;
    polling_.handle_get(*connection, id, probing, now, mark);
}

bool Routes::handle_post_begun(std::string_view sid) {
    const auto connection = hub_.find_by_sid(sid);
    return connection && polling_.handle_post_begun(*connection);
}

/// The session may have ended while the body came.
void Routes::handle_post(RequestId id, std::string_view sid, std::string_view body,
                         std::string_view mark) {
    const auto connection = hub_.find_by_sid(sid);
    polling_.handle_post(connection.value_or(net::Polling::nobody), id, body, mark);
}

void Routes::handle_post_aborted(std::string_view sid) {
    if (const auto connection = hub_.find_by_sid(sid)) polling_.handle_post_aborted(*connection);
}

void Routes::handle_abandoned(RequestId id, std::string_view sid) {
    if (const auto connection = hub_.find_by_sid(sid)) polling_.handle_get_aborted(*connection, id);
}

// ---- the hub's side -----------------------------------------------------------------------------

bool Routes::hear(Instant now) {
    bool heard = false;
    while (auto output = polling_.poll_output()) {
        heard = true;
        wires_.add_entropy();
        if (auto* answer = std::get_if<net::Polling::Answer>(&*output)) {
            wires_.answer(answer->request, std::move(answer->response));
        } else if (const auto* written = std::get_if<net::Polling::Written>(&*output)) {
            hub_.handle_written(written->id, now);
        } else if (const auto* arrived = std::get_if<net::Polling::FramesArrived>(&*output)) {
            for (const Frame& frame : arrived->frames) {
                wires_.add_entropy();
                hub_.handle_frame(arrived->id, frame, now);
            }
        } else if (const auto* closed = std::get_if<net::Polling::Closed>(&*output)) {
            wires_.close(closed->id);
            hub_.handle_transport_closed(closed->id, closed->reason, now);
        }
    }
    return heard;
}

bool Routes::perform(hub::HubOutput& output, Instant now) {
    if (auto* bytes = std::get_if<hub::Write>(&output)) {
        write(bytes->connection, std::move(bytes->frames), now);
    } else if (const auto* end = std::get_if<hub::CloseTransport>(&output)) {
        text_only_.erase(end->connection);
        polling_.close(end->connection, end->reason, now);
        wires_.close(end->connection);
    } else if (auto* probe = std::get_if<hub::WriteProbe>(&output)) {
        wires_.write(probe->connection, {std::make_shared<const Frame>(std::move(probe->frame))});
        polling_.release_soon(probe->connection, now);
    } else if (const auto* close = std::get_if<hub::CloseProbe>(&output)) {
        wires_.close(close->connection);
    } else if (const auto* change = std::get_if<hub::SwitchTransport>(&output)) {
        switch_transport(change->connection, now);
    } else {
        return false;
    }
    return true;
}

void Routes::write(hub::ConnectionId id, Frames frames, Instant now) {
    if (polling_.is_open(id)) return polling_.write(id, std::move(frames));
    if (!text_only_.empty() && text_only_.contains(id)) frames = as_text(frames);
    if (wires_.write(id, std::move(frames))) hub_.handle_written(id, now);
}

/// What no GET has taken goes out first, so nothing is lost, repeated or overtaken.
void Routes::switch_transport(hub::ConnectionId id, Instant now) {
    auto waiting = polling_.hand_over(id);
    if (!waiting.empty()) write(id, std::move(waiting), now);
}

}  // namespace oncewire::routes
