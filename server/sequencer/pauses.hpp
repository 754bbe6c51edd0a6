#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include "server/sequencer/words.hpp"
#include "shared/base/time.hpp"

namespace oncewire::sequencer {

/// Who was asked to wait, and who does not.
class Pauses {
  public:
    /// The session is asked to wait for so long. True: it was asked limits::pauses_ignored_max times in a row and has
    /// never waited, so it is to be cut off; then nothing is known of it any more.
    bool ask(const SessionRef& session, Instant now, Millis after);
    /// The session is gone.
    void forget(const SessionRef& session) { pauses_.erase(session); }

  private:
    struct Pause {
        Instant until;
        std::uint32_t ignored = 0;  // messages that came before that, in a row
    };
    void forget_ended(Instant now);

    std::map<SessionRef, Pause> pauses_;
    std::size_t look_at_ = 1024;  // when there are so many
};

}  // namespace oncewire::sequencer
