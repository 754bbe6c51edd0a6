#pragma once

#include <map>
#include <string>

#include "server/operator/control.hpp"
#include "server/operator/running_server.hpp"
#include "server/store/engine.hpp"
#include "shared/base/result.hpp"

/// What an operator may ask of a server, running or not. Each answers with text for people or programs,
/// or with a sentence that says why not.
namespace oncewire::ops {

/// The verbs of a running server: `backup FILE`, `status`, `where KEY`. All three outlive them.
std::map<std::string, Control::Verb> control_verbs(RunningServer& server,
                                                   store::OperatedStore& store,
                                                   const store::Engine& engine);

/// Where to look, and how it is opened if no server has it. `engine` outlives it.
struct Database {
    const store::Engine& engine;
    std::string path;
    delivery::Epoch epoch_if_new;
};

/// Through the server that has the database open, or directly if none has. Blocks. Signals that would end the
/// process wait meanwhile: a copy that this process makes is given up first, and its part removed. A server
/// goes on with the one it was asked for.
Result<std::string, std::string> back_up(const Database& database, const std::string& to);
/// In Prometheus' text format, from the running server.
Result<std::string, std::string> ask_status(const std::string& database);

/// What became of the message of this key, "producer:sequence": from the running server, or directly if
/// none has the database.
Result<std::string, std::string> find_message(const Database& database, const std::string& key);

struct Examined {
    bool is_sound = false;
    std::string text;  ///< lines
};
/// Error: it could not be looked at.
Result<Examined, std::string> examine(const store::Engine& engine, const std::string& path);

}  // namespace oncewire::ops
