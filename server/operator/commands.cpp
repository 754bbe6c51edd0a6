#include "server/operator/commands.hpp"

#include <iostream>
#include <utility>

#include <CLI/CLI.hpp>

namespace oncewire::ops {
namespace {

int check(const std::string& program, const store::Engine& engine, const std::string& path) {
    const auto examined = examine(engine, path);
    if (!examined) return fail(program, examined.error());
    (examined->is_sound ? std::cout : std::cerr) << examined->text << std::flush;
    return examined->is_sound ? 0 : damaged_exit_status;
}

int print(const std::string& program, const Result<std::string, std::string>& answer) {
    if (!answer) return fail(program, answer.error());
    std::cout << *answer << std::flush;
    return 0;
}

}  // namespace

void declare(CLI::App& app, Command& command) {
    app.add_flag("--restored", command.restored,
                 "The database is an older copy, put back on purpose: begin a new history, so that "
                 "readers are told");
    app.add_option("--check", command.check,
                   "Examine this database and end: 0 sound, 75 damaged, 1 could not look");
    app.add_option(
        "--backup", command.backup,
        "Copy the database of --db to this new file and end; a server may be serving it");
    app.add_flag("--status", command.status,
                 "Print the counters of the server that serves --db, for Prometheus, and end");
    app.add_option(
        "--where", command.where,
        "Say what became of the message of this key, producer:sequence, in --db, and end; "
        "a server may be serving it");
}

std::optional<int> perform(const Command& command, const std::string& program,
                           const Database& database) {
    if (!command.check.empty()) return check(program, database.engine, command.check);
    if (!command.backup.empty()) return print(program, back_up(database, command.backup));
    if (command.status) return print(program, ask_status(database.path));
    if (!command.where.empty()) return print(program, find_message(database, command.where));
    return std::nullopt;
}

int fail(const std::string& program, const std::string& sentence, int status) {
    std::cerr << program << ": " << sentence << std::endl;
    return status;
}

std::unique_ptr<Control> open_control(const Database& database, RunningServer& server,
                                      store::OperatedStore& store,
                                      const std::function<void(const std::string&)>& log) {
    const std::string path = Control::path_for(database.path);
    if (path.empty()) return nullptr;
    auto control = std::make_unique<Control>(path, control_verbs(server, store, database.engine));
    const auto started = control->start();
    if (started) return control;
    log("no --backup, --status and --where while serving: " + started.error());
    return nullptr;
}

}  // namespace oncewire::ops
