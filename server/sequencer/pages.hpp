#pragma once

#include <cstdint>
#include <optional>

#include "server/sequencer/words.hpp"
#include "server/store/reading.hpp"

namespace oncewire::sequencer {

/// One page of the log, and what whoever counts should know of it.
struct PageRead {
    Page page;
    std::uint64_t unreadable = 0;  ///< entries left out, as no client could read them
};

/// Answers `request` from what is committed, with all that recovery kept for its session. `head`: of what
/// `reading` shows. A store that cannot be read makes a page that failed; `error` says why.
PageRead read_page(store::Reading& reading, const ReadPage& request, delivery::Offset head,
                   std::optional<StoreError>& error);

/// Whether retention removed something that was for this session, which has everything up to `after`.
Result<bool, StoreError> has_lost_history(store::Reading& reading, const SessionRow& row,
                                          delivery::Offset after);

}  // namespace oncewire::sequencer
