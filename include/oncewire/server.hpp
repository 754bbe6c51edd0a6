#pragma once

/// The public API: Server, Application, Socket.
#include "server/api/server.hpp"
