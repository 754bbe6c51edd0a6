#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "server/sequencer/words.hpp"
#include "shared/base/time.hpp"

namespace oncewire::sequencer {

/// Decides which stored tasks are given out when: some at a time, in order of their ids, again after a
/// failure or when nobody answers. It remembers nothing over a restart: then all that are stored are
/// given out anew, which is what "at least once" means.
class TaskDesk {
  public:
    /// 16 at a time: enough to keep a slow other side busy, few to do again after a crash.
    static constexpr std::uint32_t open_max = 16;
    /// After a failure: 1 s, doubled each time.
    static constexpr Millis pause_first{1'000};
    static constexpr Millis pause_max{300'000};
    /// Whoever was given a task and said nothing for so long is taken to have lost it.
    static constexpr Millis answer_within{300'000};

    /// There may be stored tasks that it has not seen.
    void look_again() { may_have_more_ = true; }
    /// Those to give out now. Error: the store could not be read; ask again later.
    Result<std::vector<TaskRow>, StoreError> take_due(store::Store& store, Instant now);
    /// An attempt ended. True: it is done, so erase it from the store, then call erased().
    bool ended(std::uint64_t id, bool is_done, Instant now);
    /// Its erasure is durable.
    void erased(std::uint64_t id) { open_.erase(id); }
    /// Its erasure was lost: done, but to be erased again.
    void not_erased(std::uint64_t id, Instant now);
    std::optional<Instant> next_timeout() const;

  private:
    struct Open {
        TaskRow task;
        Instant due;  // to be given out, or given out again
        std::uint32_t failures = 0;
        bool is_done = false;
    };
    std::map<std::uint64_t, Open> open_;
    std::uint64_t read_to_ = 0;  // ids up to here were read
    bool may_have_more_ = true;
};

}  // namespace oncewire::sequencer
