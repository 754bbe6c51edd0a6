// The public Server on a command line: its own flags, the application's, and what operators ask.
#include <algorithm>
#include <string_view>

#include <CLI/CLI.hpp>

#include "server/api/server.hpp"
#include "server/api_server/database.hpp"
#include "server/operator/commands.hpp"

namespace oncewire::api {
namespace {

/// How the program was called, without its folder.
std::string name_of(const char* path) {
    const std::string_view text = path;
    return std::string(text.substr(text.find_last_of('/') + 1));
}

/// What is left of the command line, in its order. `left` is part of it.
void keep(const std::vector<std::string>& left, int& argc, char** argv) {
    int kept = 1;
    for (int i = 1; i < argc && static_cast<std::size_t>(kept) <= left.size(); ++i) {
        if (left[static_cast<std::size_t>(kept) - 1] == argv[i]) argv[kept++] = argv[i];
    }
    argc = kept;
    argv[argc] = nullptr;
}

}  // namespace

void Server::declare(CLI::App& app, const Flag& flag) {
    const std::string name = flag.flag.substr(0, flag.flag.find(' '));
    const auto refuse = [name] { throw CLI::ValidationError(name, "this cannot be used"); };
    if (!flag.has_value) {
        const auto each = [take = flag.take, refuse] {
            if (!take("")) refuse();
        };
        app.add_flag_callback(name, each, flag.help);
        return;
    }
    const auto each = [take = flag.take](const CLI::results_t& values) {
        return std::all_of(values.begin(), values.end(), take);
    };
    const bool is_named = name.size() < flag.flag.size();
    app.add_option(name, each, flag.help)
        ->type_name(is_named ? flag.flag.substr(name.size() + 1) : "VALUE")
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

std::optional<int> Server::take_flags(int& argc, char** argv) {
    program_ = name_of(argv[0]);
    CLI::App app("A server on Oncewire", program_);
    app.allow_extras();
    // Of a flag that is said twice the last one holds, as scripts that add one expect.
    app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    app.add_option("--host", options_.host, "Address or name to listen on")->capture_default_str();
    app.add_option("--port", options_.port, "Port to listen on; 0: any free one")
        ->capture_default_str();
    app.add_option("--db", options_.database,
                   "Database file, made if missing; :memory: keeps nothing")
        ->capture_default_str();
    app.add_option("--cores", options_.cores, "Threads that serve connections")
        ->check(CLI::Range(1, 256))
        ->capture_default_str();
    std::vector<std::string> origins;
    // One value each time: what follows may be the application's.
    const auto add_origins = [&origins](const CLI::results_t& values) {
        origins = values;
        return true;
    };
    app.add_option("--origin", add_origins, "Also let pages of this origin connect; repeatable")
        ->type_name("TEXT")
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    ops::Command command;
    ops::declare(app, command);
    for (const Flag& flag : flags_) declare(app, flag);
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& wanted) {
        return app.exit(wanted);  // --help
    } catch (const CLI::ParseError& error) {
        return ops::fail(program_, std::string(error.what()) + " (--help lists the flags)");
    }
    options_.origins.insert(options_.origins.end(), origins.begin(), origins.end());
    restored_ = command.restored;
    keep(app.remaining(), argc, argv);
    return ops::perform(command, program_, database_of(options_.database));
}

int Server::run(int argc, char** argv) {
    if (const auto status = take_flags(argc, argv)) return *status;
    if (argc == 1) return run();
    return ops::fail(program_, std::string("cannot use ") + argv[1] + " (--help lists the flags)");
}

}  // namespace oncewire::api
