#pragma once

/// Requests by co_await.
#include "server/api/awaitable.hpp"
