#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "server/sequencer/batch_mail.hpp"
#include "server/sequencer/counts.hpp"
#include "server/sequencer/live_sessions.hpp"
#include "server/sequencer/words.hpp"
#include "server/store/recovery.hpp"
#include "shared/base/time.hpp"

namespace oncewire::sequencer {

/// How unmodified clients come back: who is and was connected, and what is emitted to them. What it changes becomes part
/// of the batch, what it says is held back with it; the sequencer begins that batch before it calls, and ends it after an
/// error.
///
/// Whatever the store refuses ends the recovery of all sessions: an event that could not be recorded or a room that could
/// not be left must not be forgotten by those who come back. They get a new session, and are told.
class Recovery {
  public:
    /// All of them outlive it.
    Recovery(Overlay& overlay, BatchMail& mail, const store::RecoveryLimits& limits,
             SequencerCounts& counts)
        : overlay_(overlay), mail_(mail), limits_(limits), counts_(counts) {}

    void set_time(Instant now, UnixMillis wall_clock);
    const LiveSessions& live() const { return live_; }

    // ---- the batch ------------------------------------------------------------------------------

    /// False: put_restart() goes first, in a batch of its own: once in the life of a process, and when sessions were
    /// forgotten.
    bool is_ready() const { return is_restarted_ && !must_forget_; }
    void put_restart();
    void restarted();
    /// The batch has something of a session from now on.
    void begin() { is_in_batch_ = true; }
    /// The batch is to be written: adds what is over by now.
    void tidy();
    /// The batch has ended; if it was void, all sessions are forgotten that it had something of.
    void end_batch(bool is_void);
    /// Nobody can come back.
    void forget_all();

    // ---- sessions -------------------------------------------------------------------------------

    Result<void, StoreError> open(const OpenSession& request);
    /// Lets it in, but nothing is kept of it.
    void open_unkept(const OpenSession& request);
    /// Whose rooms this changes; none: nobody's, or a newer command has changed them.
    std::optional<std::string> changed_session(const ChangeRooms& change);
    Result<void, StoreError> change_rooms(const std::string& pid, const ChangeRooms& change);
    Result<void, StoreError> end(const std::string& pid, bool is_final);

    // ---- what is emitted ------------------------------------------------------------------------

    /// Tells it to everybody, in order. `is_stored`: as part of the batch, too.
    void record(const Record& record, bool is_stored);
    /// The next room command: its number is told with it.
    void count_command() { ++commands_; }
    Result<void, StoreError> apply(const SessionEffect& effect);
    void relay(const Relay& relay);

  private:
    UnixMillis steady_clock();
    Result<std::string, StoreError> why_not(const OpenSession& request,
                                            const std::optional<SessionRow>& row,
                                            delivery::Offset& after);
    Result<void, StoreError> resume(const OpenSession& request, SessionRow row,
                                    delivery::Offset after);
    void order(std::uint16_t core, FromSequencer mail);

    Overlay& overlay_;
    BatchMail& mail_;
    const store::RecoveryLimits& limits_;
    SequencerCounts& counts_;
    Instant now_;
    UnixMillis wall_clock_;
    std::optional<std::int64_t> clock_offset_;  // a steady clock that began at the time of day
    LiveSessions live_;                         // empty again whenever sessions are forgotten
    std::uint64_t commands_ = 0;                // to rooms and sessions, so far
    bool is_restarted_ = false;                 // since this process began
    bool must_forget_ = false;
    bool is_in_batch_ = false;
    UnixMillis tidy_at_;
};

}  // namespace oncewire::sequencer
