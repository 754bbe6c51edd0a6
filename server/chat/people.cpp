#include "server/chat/people.hpp"

namespace oncewire::chat {
namespace {

/// 200: people in one list; more are a number.
constexpr std::size_t listed_max = 200;

}  // namespace

People::People(api::Application& application, Millis grace)
    : application_(application), grace_(grace) {
    application.on_server_side(
        "person here", [this](std::uint16_t core, std::string id, std::string name, bool is_here) {
            apply(core, id, name, is_here);
        });
    application.on_server_side("person renamed",
                               [this](std::string id, std::string name) { apply_name(id, name); });
}

void People::enter(const User& user) {
    Person& person = people_[user.id];
    ++person.visit;
    ++person.sessions;
    if (!person.cores.contains(application_.core())) {
        if (person.cores.empty()) person.name = user.name;
        announce(user.id, true);
    }
    if (person.name != user.name) rename(user.id, user.name);
}

void People::leave(const std::string& id) {
    Person& person = people_[id];
    if (--person.sessions > 0) return;
    const std::uint64_t visit = ++person.visit;
    application_.after(grace_, [this, id, visit] {
        const auto found = people_.find(id);
        if (found != people_.end() && found->second.visit == visit) announce(id, false);
    });
}

void People::rename(const std::string& id, const std::string& name) {
    application_.server_side_emit("person renamed", id, name);
    apply_name(id, name);
}

api::Json People::list() const {
    api::Json people = api::Json::array();
    std::size_t count = 0;
    for (const auto& [id, person] : people_) {
        if (person.cores.empty() || ++count > listed_max) continue;
        people.push_back({{"id", id}, {"name", person.name}});
    }
    return {{"people", std::move(people)}, {"count", count}};
}

void People::announce(const std::string& id, bool is_here) {
    const std::string name = people_[id].name;
    application_.server_side_emit("person here", application_.core(), id, name, is_here);
    apply(application_.core(), id, name, is_here);
}

void People::apply(std::uint16_t core, const std::string& id, const std::string& name,
                   bool is_here) {
    Person& person = people_[id];
    const bool was_here = !person.cores.empty();
    if (is_here) {
        if (!was_here) person.name = name;
        person.cores.insert(core);
        if (!was_here) tell("joined", id, name);
        return;
    }
    person.cores.erase(core);
    if (!person.cores.empty()) return;
    if (was_here) tell("left", id, person.name);
    if (person.sessions == 0) people_.erase(id);
}

void People::apply_name(const std::string& id, const std::string& name) {
    const auto found = people_.find(id);
    if (found == people_.end() || found->second.name == name) return;
    found->second.name = name;
    tell("renamed", id, name);
}

void People::tell(std::string_view event, const std::string& id, const std::string& name) const {
    application_.local().to(lobby).emit(event, api::Json{{"id", id}, {"name", name}});
}

}  // namespace oncewire::chat
