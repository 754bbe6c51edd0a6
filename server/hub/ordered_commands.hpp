#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/hub/barrier.hpp"
#include "server/hub/log_readers.hpp"
#include "server/hub/recovery_sessions.hpp"
#include "server/hub/socket_lifecycle.hpp"

namespace oncewire::hub {

/// What applications say to all cores, done in the same order on each: one place orders it, core 0, or the
/// sequencer where recovery is on. There it stands in one order with what is recorded, and what is neither
/// must not overtake them (Barrier).
class OrderedCommands {
  public:
    struct Uses {
        const Options& options;
        Turn& turn;
        Audience& audience;
        SocketWriter& writer;
        LogReaders& readers;
        Barrier& barrier;
        RecoverySessions& recovery;
        SocketLifecycle& lifecycle;
    };
    explicit OrderedCommands(const Uses& uses) : uses_(uses) {}

    // ---- the application ------------------------------------------------------------------------

    void broadcast(mail::Broadcast command);
    void send_to_cores(mail::CoreCommand command);
    /// An event of this core's application gets a place in the log. `is_direct`: to one socket.
    void record(mail::Broadcast command, bool is_direct);
    /// Now, or when all that was said before has come back.
    void do_in_order(Deferred deferred);
    std::uint64_t ask_cores(mail::CoreQuestion question);
    void answer(const mail::CoreQuestion& question, mail::CoreAnswer answer);
    void watch_broadcasts(bool on) { watches_broadcasts_ = on; }

    // ---- other cores, and the sequencer ---------------------------------------------------------

    void handle(const mail::CoreMail& mail);
    void handle(const mail::Recorded& recorded);
    void handle(const mail::Relayed& relayed);

  private:
    void relay(std::shared_ptr<const mail::CoreCommand> command);
    void perform(const mail::CoreCommand& command);
    void perform_deferred();
    void deliver(const mail::Recorded& recorded);
    void broadcast_here(const mail::Broadcast& command);

    void apply(const mail::Broadcast& command);
    void apply(const mail::JoinRooms& command);
    void apply(const mail::LeaveRooms& command);
    void apply(const mail::DisconnectSockets& command);
    void apply(const mail::ServerSideEmit& command);
    void apply(const mail::CoreQuestion& question);
    void apply(const mail::CoreAnswer& answer);

    void apply(const EnterRoom& enter) { uses_.audience.enter(enter.socket, enter.log_room); }
    void apply(const LeaveRoom& leave) { uses_.audience.leave(leave.socket, leave.log_room); }
    void apply(const SendEvent& send) {
        uses_.writer.send_event(send.socket, send.data, send.attachments);
    }
    void apply(const SendAck& send) {
        uses_.writer.send_ack(send.socket, send.id, send.data, send.attachments);
    }
    void apply(const SendFrames& send) { uses_.writer.send_frames(send.socket, send.frames); }
    void apply(const SendBroadcast& send) { broadcast_here(send.command); }
    void apply(const AnswerConnect& answer) { uses_.lifecycle.answer_connect(answer.socket); }
    void apply(const EndSocket& end) {
        uses_.lifecycle.disconnect(end.socket, end.close_connection);
    }

    Uses uses_;
    std::uint64_t newest_question_ = 0;
    std::uint64_t relayed_ = 0;  // number of the Relayed that is being obeyed; else 0
    bool watches_broadcasts_ = false;
};

}  // namespace oncewire::hub
