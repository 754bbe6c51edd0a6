#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "server/operator/control.hpp"
#include "server/operator/operations.hpp"
#include "server/operator/running_server.hpp"

namespace CLI {
class App;
}

/// What an operator asks on the command line of any of our servers, the product's or one's own.
namespace oncewire::ops {

/// Exit status for a database that must be looked at by a person before anything is written to it.
inline constexpr int damaged_exit_status = 75;

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
                           const Database& database);

/// One sentence of `program`, for people. Returns `status`.
int fail(const std::string& program, const std::string& sentence, int status = 1);

/// So that such questions reach the running server. Null: it cannot be had, which is told to `log`, and
/// serving goes on without it; or the database is no file. `store`: the database, as `server` has it open.
/// It outlives neither of them, nor the engine.
std::unique_ptr<Control> open_control(const Database& database, RunningServer& server,
                                      store::OperatedStore& store,
                                      const std::function<void(const std::string&)>& log);

}  // namespace oncewire::ops
