#pragma once

#include <optional>

#include "server/chat/chat.hpp"
#include "server/chat/limiter.hpp"

namespace oncewire::chat {

/// Whether a message may be stored now: asked before anything of it is stored or used up, whatever it is
/// and whatever would come of it. On the sequencer's thread.
class Door {
  public:
    explicit Door(const Options& options);

    std::optional<api::Later> ask(const api::Offer& offer);

  private:
    Allowance messages_;
    Allowance rooms_;
    Allowance bytes_;  // in units of 1,024
};

void install_admission(api::Application& application, const Options& options);

}  // namespace oncewire::chat
