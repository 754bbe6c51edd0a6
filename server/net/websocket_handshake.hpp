#pragma once

#include "server/net/http_message.hpp"

namespace oncewire::net {

/// [RFC6455 4.2] 101 with the accept key, or the refusal of a malformed handshake.
HttpResponse answer_handshake(const HttpRequest& request);

}  // namespace oncewire::net
