#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "server/sequencer/words.hpp"
#include "shared/base/limits.hpp"
#include "shared/base/time.hpp"
#include "shared/delivery/outbox.hpp"

namespace oncewire::sequencer {

/// Who is asked what when. A question is a row that is there until it has ended; the session of its recipient is sent
/// the oldest of them, as many as fit into a window, anew after each Attach.
class AskedClients {
  public:
    /// It has a new session, which is asked everything anew.
    void attached(const ProducerId& id);
    /// It has no session.
    void detached(const ProducerId& id) { asking_.erase(id); }
    /// The batch has ended: its questions are to be asked, those that are over make room for others. If nobody knows how
    /// it ended, what there is is read anew; a client who hears something twice says nothing.
    void note(const store::Batch& batch, bool outcome_known);

    bool has_work() const { return !unasked_.empty(); }
    /// Those who may have to be asked something more; each is taken once.
    std::set<ProducerId> take_unasked();
    /// It could not be asked now: it is taken again.
    void ask_again(const ProducerId& id) { unasked_.insert(id); }

    struct Next {
        std::uint64_t id = 0;
        std::string data;
    };
    /// What the client with this id is to be asked now, in order.
    Result<std::vector<Next>, StoreError> next(const ProducerId& id, store::Store& store);

  private:
    /// There is none for those who are asked nothing.
    struct Asking {
        delivery::Outbox outbox{{.window = limits::questions_window}, 0};
        std::uint64_t read_to = 0;  // id
    };
    std::map<ProducerId, Asking> asking_;
    std::set<ProducerId> unasked_;
};

}  // namespace oncewire::sequencer
