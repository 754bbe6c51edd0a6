#include "server/operator/operations.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <future>
#include <iterator>
#include <memory>
#include <type_traits>
#include <utility>

#include "server/operator/metrics.hpp"
#include "server/operator/where.hpp"

namespace oncewire::ops {
namespace {

using Answer = Result<std::string, std::string>;
using store::OperatedStore;

std::string describe(const store::CheckReport& report) {
    return std::to_string(report.entries) + " messages in " + std::to_string(report.rooms) +
           " rooms, " + std::to_string(report.producers) + " senders, schema " +
           std::to_string(report.schema) + ", epoch " +
           (report.head.epoch.text.empty() ? "not begun" : report.head.epoch.text);
}

/// A backup nobody could start with is none, so it is looked at before anybody relies on it.
Answer checked_backup(const store::Engine& engine, const std::string& path) {
    const auto report = engine.check(path);
    if (!report) return Err{report.error().sentence};
    if (!report->problems.empty()) {
        return Err{"the backup '" + path + "' is damaged: " + report->problems.front()};
    }
    return "backup " + path + ": " + describe(*report) + "\n";
}

/// As a server would, when no server has it.
Result<std::unique_ptr<OperatedStore>, std::string> open_closed(const Database& database) {
    if (!database.engine.exists(database.path)) {
        return Err{"cannot open the database '" + database.path + "': it does not exist"};
    }
    auto store = database.engine.open(database.path, database.epoch_if_new, {});
    if (!store) return Err{store.error().sentence};
    return std::move(*store);
}

Answer back_up_running(RunningServer& server, OperatedStore& store, const store::Engine& engine,
                       const std::string& to) {
    const auto done = std::make_shared<std::promise<Answer>>();
    auto copied = done->get_future();
    const auto begun = std::make_shared<bool>(false);
    server.add_chore([&store, to, done, begun](const sequencer::Sequencer&) {
        if (!std::exchange(*begun, true)) {
            if (const auto begin = store.begin_backup(to); !begin) {
                done->set_value(Err{begin.error().sentence});
                return true;
            }
        }
        const auto step = store.step_backup();
        if (step && !*step) return false;
        done->set_value(step ? Answer(std::string()) : Answer(Err{step.error().sentence}));
        return true;
    });
    try {
        auto answer = copied.get();
        return answer ? checked_backup(engine, to) : answer;
    } catch (const std::future_error&) {
        return Err{std::string("the server stopped before the backup was complete")};
    }
}

/// What `look` sees on the store's thread, or a sentence.
template <class Look>
auto on_store_thread(RunningServer& server, Look look)
    -> Result<std::invoke_result_t<Look, const sequencer::Sequencer&>, std::string> {
    using Seen = std::invoke_result_t<Look, const sequencer::Sequencer&>;
    const auto told = std::make_shared<std::promise<Seen>>();
    auto seen = told->get_future();
    server.add_chore([told, look = std::move(look)](const sequencer::Sequencer& sequencer) {
        told->set_value(look(sequencer));
        return true;
    });
    try {
        return seen.get();
    } catch (const std::future_error&) {
        return Err{std::string("the server is stopping")};
    }
}

constexpr const char* no_key =
    "a message is named by its key, 'producer:sequence', as ?debug shows it on its sender's page";

Answer find_message_running(RunningServer& server, OperatedStore& store, const std::string& name) {
    const auto key = store::parse_message_key(name);
    if (!key) return Err{std::string(no_key)};
    struct Seen {
        Result<store::Whereabouts, store::StoreError> found;
        delivery::Epoch epoch;
    };
    const auto seen = on_store_thread(server, [&store, key](const sequencer::Sequencer&) {
        return Seen{store.find_message(*key), store.head().epoch};
    });
    if (!seen) return Err{seen.error()};
    if (!seen->found) return Err{std::string(store::error_text(seen->found.error()))};
    return where_text(*seen->found, seen->epoch, [&server](const store::LogEntry& entry) {
        return server.readers_of(entry.room, entry.offset);
    });
}

Answer find_message_closed(const Database& database, const std::string& name) {
    const auto key = store::parse_message_key(name);
    if (!key) return Err{std::string(no_key)};
    auto store = open_closed(database);
    if (!store) return Err{store.error()};
    const auto found = (*store)->find_message(*key);
    if (!found) return Err{std::string(store::error_text(found.error()))};
    return where_text(*found, (*store)->head().epoch, {});
}

/// While it lives, the signals that end a program wait; those that the program ignores stay ignored.
class StopSignalsHeld {
  public:
    StopSignalsHeld() {
        sigemptyset(&held_);
        for (const int signal : signals) {
            struct sigaction now {};
            const bool is_known = sigaction(signal, nullptr, &now) == 0;
            if (is_known && now.sa_handler != SIG_IGN) sigaddset(&held_, signal);
        }
        pthread_sigmask(SIG_BLOCK, &held_, &before_);
    }
    ~StopSignalsHeld() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    StopSignalsHeld(const StopSignalsHeld&) = delete;
    StopSignalsHeld& operator=(const StopSignalsHeld&) = delete;

    /// One came, and takes its effect when this object goes.
    bool is_waiting() const {
        sigset_t pending;
        sigemptyset(&pending);
        sigpending(&pending);
        return std::any_of(std::begin(signals), std::end(signals), [&](int signal) {
            return sigismember(&held_, signal) == 1 && sigismember(&pending, signal) == 1;
        });
    }

  private:
    static constexpr int signals[] = {SIGINT, SIGTERM, SIGHUP};
    sigset_t held_;
    sigset_t before_;
};

/// Whoever stops it finds nothing that was not there before.
Result<void, std::string> copy_closed(const Database& database, const std::string& to) {
    const StopSignalsHeld held;  // goes last, when everything is cleared away
    const auto store = open_closed(database);
    if (!store) return Err{store.error()};
    if (const auto begun = (*store)->begin_backup(to); !begun) return Err{begun.error().sentence};
    for (;;) {
        if (held.is_waiting()) return Err{"the backup '" + to + "' was given up"};
        const auto step = (*store)->step_backup();
        if (!step) return Err{step.error().sentence};
        if (*step) return {};
    }
}

}  // namespace

std::map<std::string, Control::Verb> control_verbs(RunningServer& server, OperatedStore& store,
                                                   const store::Engine& engine) {
    return {
        {"backup",
         [&server, &store, &engine](const std::string& to) {
             return back_up_running(server, store, engine, to);
         }},
        {"status",
         [&server, &store](const std::string&) -> Answer {
             const auto text = on_store_thread(server, [&](const sequencer::Sequencer& sequencer) {
                 return metrics_of(sequencer, server.reader_counts(), store);
             });
             if (!text) return text;
             return *text + metrics_of(server.hub_counts()) + metrics_of(server.refusals());
         }},
        {"where", [&server, &store](
                      const std::string& key) { return find_message_running(server, store, key); }},
    };
}

Answer back_up(const Database& database, const std::string& to) {
    const store::Engine& engine = database.engine;
    if (const auto refused = engine.refuse_copy_name(to)) return Err{refused->sentence};
    // The server has another working directory, perhaps.
    const std::string absolute = std::filesystem::absolute(to).string();
    auto answer = Control::ask(Control::path_for(database.path), "backup " + absolute);
    if (answer) return std::move(*answer);
    const auto copied = copy_closed(database, absolute);
    return copied ? checked_backup(engine, absolute) : Err{copied.error()};
}

Answer ask_status(const std::string& database) {
    auto answer = Control::ask(Control::path_for(database), "status");
    if (answer) return std::move(*answer);
    return Err{"no server has the database '" + database + "' open"};
}

Answer find_message(const Database& database, const std::string& key) {
    auto answer = Control::ask(Control::path_for(database.path), "where " + key);
    return answer ? std::move(*answer) : find_message_closed(database, key);
}

Result<Examined, std::string> examine(const store::Engine& engine, const std::string& path) {
    const auto report = engine.check(path);
    if (!report) return Err{report.error().sentence};
    Examined examined{report->problems.empty(), {}};
    for (const auto& problem : report->problems) examined.text += path + ": " + problem + '\n';
    if (examined.is_sound) examined.text = path + ": sound; " + describe(*report) + '\n';
    return examined;
}

}  // namespace oncewire::ops
