#include "server/sequencer/mistake.hpp"

#include "shared/base/json.hpp"
#include "shared/base/limits.hpp"

namespace oncewire::sequencer {
namespace {

/// As it fits into what carries it: ["oncewire:verdicts",first,[[kind,body]]].
constexpr std::uint32_t body_depth = limits::json_depth - 3;

}  // namespace

std::string mistake_of(const Tx& tx, const Result<Verdict, StoreError>& verdict) {
    if (!tx.mistake().empty() || !verdict || json::is_valid(verdict->body, body_depth))
        return tx.mistake();
    return "the body of a verdict is JSON text, and was " + verdict->body.substr(0, 60);
}

}  // namespace oncewire::sequencer
