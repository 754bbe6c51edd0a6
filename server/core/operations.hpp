#pragma once

#include <map>
#include <string>

#include "server/core/control.hpp"
#include "server/core/server.hpp"
#include "server/store/sqlite/store.hpp"
#include "shared/base/result.hpp"

/// What an operator may ask of a server, running or not. Each answers with text for people or programs,
/// or with a sentence that says why not.
namespace oncewire::core {

/// The verbs of a running server: `backup FILE`, `status`, `where KEY`. `server` and `store` outlive them.
std::map<std::string, Control::Verb> control_verbs(Server& server, store::SqliteStore& store);

/// Through the server that has the database open, or directly if none has. Blocks. Signals that would end the
/// process wait meanwhile: a copy that this process makes is given up first, and its part removed. A server
/// goes on with the one it was asked for.
Result<std::string, std::string> back_up(const std::string& database, const std::string& to);
/// In Prometheus' text format, from the running server.
Result<std::string, std::string> ask_status(const std::string& database);

/// What became of the message of this key, "producer:sequence": from the running server, or directly if
/// none has the database.
Result<std::string, std::string> find_message(const std::string& database, const std::string& key);

struct Examined {
    bool is_sound = false;
    std::string text;  ///< lines
};
/// Error: it could not be looked at.
Result<Examined, std::string> examine(const std::string& database);

}  // namespace oncewire::core
