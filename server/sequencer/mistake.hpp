#pragma once

#include <string>

#include "server/sequencer/transaction.hpp"

namespace oncewire::sequencer {

/// What a handler did that none may, in a sentence; empty: nothing. `verdict`: what it returned.
std::string mistake_of(const Tx& tx, const Result<Verdict, StoreError>& verdict = accept());

}  // namespace oncewire::sequencer
