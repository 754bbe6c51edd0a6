#pragma once

/// Messages with ids that their senders give.
#include "server/api/insert_once.hpp"
