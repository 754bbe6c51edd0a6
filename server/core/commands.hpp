#pragma once

#include <memory>
#include <optional>
#include <string>

#include "server/core/control.hpp"
#include "server/core/operations.hpp"
#include "server/core/server.hpp"

namespace CLI {
class App;
}

/// What an operator asks on the command line of any of our servers, the product's or one's own.
namespace oncewire::core {

struct Command {
    std::string check;   ///< a database
    std::string backup;  ///< a new file
    bool status = false;
    std::string where;  ///< the key of a message
    bool restored = false;
};

/// Its flags, with a line of help for each.
void declare(CLI::App& app, Command& command);

/// Does what was asked, on standard output, and returns what to exit with; none if it was to serve.
/// `program`: whose name stands before sentences on standard error.
std::optional<int> perform(const Command& command, const std::string& program,
                           const std::string& database);

/// One sentence of `program`, for people. Returns `status`.
int fail(const std::string& program, const std::string& sentence, int status = 1);

/// So that such questions reach the running server. Null: it cannot be had, which is told to `log`, and
/// serving goes on without it; or the database is no file. `server` and `store` outlive it.
std::unique_ptr<Control> open_control(const std::string& database, Server& server,
                                      store::SqliteStore& store, const Log& log);

}  // namespace oncewire::core
