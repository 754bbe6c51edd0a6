#pragma once

#include <string>

#include "server/hub/hub_output.hpp"

namespace oncewire::hub {

/// A Request in one piece of memory: every connection keeps its own as long as it lives, and few ask for it.
class PackedRequest {
  public:
    PackedRequest() = default;
    explicit PackedRequest(const Request& request);

    Request unpack() const;

  private:
    std::string bytes_;  // transport, secure, then each text behind its length
};

}  // namespace oncewire::hub
