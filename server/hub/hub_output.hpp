#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "server/hub/ids.hpp"
#include "server/mail/core_mail.hpp"
#include "server/mail/sequencer_mail.hpp"
#include "shared/base/frame.hpp"
#include "shared/engineio/session.hpp"
#include "shared/socketio/disconnect_reason.hpp"

/// What a hub puts out: to its host, and to the application.
namespace oncewire::hub {

/// A frame encoded once and shared by every receiver of this core.
using SharedFrame = std::shared_ptr<const Frame>;

/// What the first HTTP request of a connection said.
struct Request {
    engineio::TransportKind transport = engineio::TransportKind::websocket;
    std::string address;  ///< of the client: behind a trusted proxy the one that the proxy names
    /// What of `address` is counted: IPv4 as it is, IPv6 as the /64 it lies in, "2001:db8:1:2::/64".
    std::string network;
    std::string url;
    std::vector<std::pair<std::string, std::string>> headers;
    bool secure = false;  ///< over TLS, as a trusted proxy says; nobody else is asked
};

/// How a connection is. Of one that is gone: closed, and nothing.
struct ConnectionStatus {
    std::string_view engine_sid;  ///< valid until the next input
    engineio::SessionState state = engineio::SessionState::closed;
    std::uint64_t queued_bytes = 0;  ///< what waits for its peer to read
};

// ---- outputs: to the host -----------------------------------------------------------------------

/// Hand all of it to the transport in one go. Afterwards, when the operating system has taken it, call
/// handle_written(); until then no further Write for this connection follows.
struct Write {
    ConnectionId connection = 0;
    std::vector<SharedFrame> frames;
};
/// Send what was written, then close. The connection's last output; its id is free.
struct CloseTransport {
    ConnectionId connection = 0;
    /// transport_close: the peer asked for it or is gone already.
    engineio::CloseReason reason = engineio::CloseReason::forced_close;
};
/// [EIO4 Upgrade] For the WebSocket that is being tried while polling goes on.
struct WriteProbe {
    ConnectionId connection = 0;
    Frame frame;
};
struct CloseProbe {
    ConnectionId connection = 0;
};
/// The probe is the transport now: answer a parked GET with a noop, and send what polling has not
/// delivered, then all further Writes, on it.
struct SwitchTransport {
    ConnectionId connection = 0;
};
struct ToStore {
    mail::ToSequencer mail;
};
/// For the hub of another core, in order.
struct ToCore {
    std::uint16_t core = 0;
    mail::CoreMail mail;
};

// ---- outputs: to the application ----------------------------------------------------------------

/// Answer with accept() or reject(), now or later. SocketGone follows some day, whatever the answer.
struct ConnectAsked {
    SocketId socket = 0;
    std::string nsp;
    std::string auth;  ///< JSON object text
};
struct SocketConnected {
    SocketId socket = 0;
    /// The session of an earlier connection goes on: its sid, its rooms, and what it missed.
    bool is_resumed = false;
};
struct EventArrived {
    SocketId socket = 0;
    std::string data;  ///< JSON array text: ["event", …args]
    std::vector<std::string> attachments;
    std::optional<socketio::AckId> ack_id;  ///< answer with acknowledge(), once
};
/// The session is over; its rooms are left already.
struct SocketGone {
    SocketId socket = 0;
    socketio::DisconnectReason reason = socketio::DisconnectReason::transport_close;
    std::vector<std::string> rooms = {};  ///< those it was in
    bool was_connected = true;            ///< false: it never got as far as SocketConnected
};

/// One receiver's answer to emit_with_ack().
struct AckArrived {
    SocketId socket = 0;
    socketio::AckId id = 0;
    std::string data;  ///< JSON array text
    std::vector<std::string> attachments;
};

/// No more answers to emit_with_ack() will come; after all AckArrived of this id.
struct AcksFinished {
    enum class Why : std::uint8_t {
        complete,  ///< everybody who is still there answered
        timed_out,
        disconnected,  ///< the last one waited for is gone
    };
    socketio::AckId id = 0;
    Why why = Why::complete;
};
/// What became of a message that the application submitted.
struct SubmitSettled {
    std::uint64_t number = 0;
    std::optional<store::Verdict> verdict;  ///< none: nothing could be stored now
};
/// From a connection of a hub that speaks Engine.IO alone; answer with send().
struct MessageArrived {
    ConnectionId connection = 0;
    Frame message;
};
/// The moment that wake_at() named has come.
struct Woken {};
/// The application of another core says something to this one's.
struct ServerSideEvent {
    std::string nsp;
    std::string data;  ///< JSON array text
};

/// Answer with answer(), now or later.
struct QuestionArrived {
    mail::CoreQuestion question;
};
/// One core's answer to ask_cores(); not all cores are done before each said which was its last.
struct AnswerArrived {
    std::uint64_t number = 0;
    std::uint16_t core = 0;
    std::string data;
    std::vector<std::string> attachments;
    bool is_last = true;
};
/// A broadcast was sent to those of its target who are on this core: only while watched.
struct BroadcastSent {
    mail::Broadcast command;
};

/// Work that a durable handler left; answer with end_task(), some day. To the first core alone.
struct TaskArrived {
    store::TaskRow task;
};

using HubOutput =
    std::variant<Write, CloseTransport, WriteProbe, CloseProbe, SwitchTransport, ToStore, ToCore,
                 ConnectAsked, SocketConnected, EventArrived, AckArrived, AcksFinished,
                 ServerSideEvent, QuestionArrived, AnswerArrived, BroadcastSent, TaskArrived,
                 MessageArrived, SubmitSettled, SocketGone, Woken>;

}  // namespace oncewire::hub
