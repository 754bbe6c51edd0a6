#pragma once

#include "server/net/gate/http_message.hpp"

namespace oncewire::net {

/// [RFC6455 4.2] 101 with the accept key, or the refusal of a malformed handshake. `deflate`: compression
/// is agreed to if it is offered. [RFC7692]
HttpResponse answer_handshake(const HttpRequest& request, bool deflate = false);
/// Whether that answer agreed to it.
bool agrees_to_deflate(const HttpResponse& answer);

}  // namespace oncewire::net
