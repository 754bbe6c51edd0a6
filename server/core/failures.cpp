#include "server/core/failures.hpp"

#include <algorithm>
#include <variant>
#include <vector>

#include "shared/base/json.hpp"

namespace oncewire::core {
namespace {

constexpr std::size_t told_bytes_max = 1000;

/// The event's name as its sender wrote it, in quotes.
std::string name_in(const std::string& data) {
    const auto elements = json::elements(data);
    return elements.empty() ? "?" : std::string(elements.front());
}

struct Subject {
    std::string operator()(const hub::ConnectAsked& asked) const {
        return "a middleware of \"" + asked.nsp + '"';
    }
    std::string operator()(const hub::SocketConnected&) const { return "a connection handler"; }
    std::string operator()(const hub::SocketGone&) const { return "a handler of \"disconnect\""; }
    std::string operator()(const hub::EventArrived& event) const {
        return "the handler of " + name_in(event.data);
    }
    std::string operator()(const hub::ServerSideEvent& event) const {
        return "the handler of " + name_in(event.data);
    }
    std::string operator()(const hub::TaskArrived& arrived) const {
        return "the handler of task \"" + arrived.task.name + '"';
    }
    std::string operator()(const hub::Woken&) const { return "what was to be done later"; }
    template <class Other>
    std::string operator()(const Other&) const {
        return "what was to follow an answer";
    }
};

}  // namespace

std::string failure_of(const hub::HubOutput& output, std::string_view what) {
    return one_line(std::visit(Subject(), output) + " failed: " + std::string(what));
}

std::string one_line(std::string_view text) {
    std::string line(text.substr(0, told_bytes_max));
    const auto is_control = [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; };
    std::replace_if(line.begin(), line.end(), is_control, ' ');
    return line;
}

}  // namespace oncewire::core
