#include "server/sequencer/live_sessions.hpp"

namespace oncewire::sequencer {

const std::string* LiveSessions::pid_of(const SessionRef& connection) const {
    const auto found = pids_.find(connection);
    return found == pids_.end() ? nullptr : &found->second;
}

const SessionRef* LiveSessions::connection_of(std::string_view pid) const {
    const auto found = live_.find(pid);
    return found == live_.end() ? nullptr : &found->second.connection;
}

void LiveSessions::open(const std::string& pid, const SessionRef& connection) {
    close(pid);
    live_[pid].connection = connection;
    pids_[connection] = pid;
}

void LiveSessions::close(const std::string& pid) {
    const auto found = live_.find(pid);
    if (found == live_.end()) return;
    pids_.erase(found->second.connection);
    live_.erase(found);
}

void LiveSessions::clear() {
    live_.clear();
    pids_.clear();
}

void LiveSessions::note_command(std::string_view pid, const SessionEffect& effect,
                                std::uint64_t number) {
    const auto found = live_.find(pid);
    if (found == live_.end()) return;
    for (const auto& room : effect.joined) found->second.commands[room] = number;
    for (const auto& room : effect.left) found->second.commands[room] = number;
}

bool LiveSessions::is_outdated(std::string_view pid, const std::string& room,
                               std::uint64_t number) {
    const auto found = live_.find(pid);
    if (number == 0 || found == live_.end()) return false;
    const auto newest = found->second.commands.find(room);
    if (newest == found->second.commands.end()) return false;
    if (newest->second > number) return true;
    found->second.commands.erase(newest);
    return false;
}

}  // namespace oncewire::sequencer
