#pragma once

#include <string_view>

namespace oncewire::delivery {

/// The `error` of the one rejection that is none: the message was offered before, and what it was told then
/// is forgotten, because the lease of its outbox ended. It is stored or it is not; offered again, it gets
/// this word again. Ours alone: an application's handler cannot say it.
inline constexpr std::string_view outcome_unknown = "outcome_unknown";

/// `rejection`: JSON text, as a server gives it with a verdict.
bool is_outcome_unknown(std::string_view rejection);

}  // namespace oncewire::delivery
