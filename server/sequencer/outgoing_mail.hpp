#pragma once

#include <cstdint>

#include "server/sequencer/words.hpp"

namespace oncewire::sequencer {

/// What left the sequencer, or who reads for it, and for whom.
struct OutgoingMail {
    static constexpr std::uint16_t every_core = 0xffff;

    std::uint16_t core = every_core;
    FromSequencer mail;
};

}  // namespace oncewire::sequencer
