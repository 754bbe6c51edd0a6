#pragma once

#include <string>

#include "server/operator/operations.hpp"

namespace oncewire::api {

/// The database of a program on the public API, and how it is opened.
ops::Database database_of(const std::string& path);

}  // namespace oncewire::api
