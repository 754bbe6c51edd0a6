#include "server/chat/people.hpp"

#include <utility>

namespace oncewire::chat {
namespace {

using api::Json;

/// 200: people in one list; more are a number.
constexpr std::size_t listed_max = 200;

Json person_json(const std::string& id, const std::string& name) {
    return {{"id", id}, {"name", name}};
}

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

Json People::list() const {
    Json people = Json::array();
    for (const auto& [id, person] : people_) {
        if (people.size() == listed_max) break;
        if (!person.cores.empty()) people.push_back(person_json(id, person.name));
    }
    return {{"people", std::move(people)}, {"count", here_}};
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
    } else {
        person.cores.erase(core);
    }
    const bool is_here_now = !person.cores.empty();
    if (was_here == is_here_now) {
        if (!is_here_now && person.sessions == 0 && !person.is_news) people_.erase(id);
        return;
    }
    is_here_now ? ++here_ : --here_;
    note(id, person);
}

void People::apply_name(const std::string& id, const std::string& name) {
    const auto found = people_.find(id);
    if (found == people_.end() || found->second.name == name) return;
    found->second.name = name;
    note(id, found->second);
}

void People::note(const std::string& id, Person& person) {
    if (std::exchange(person.is_news, true)) return;
    news_.push_back(id);
    tell_later();
}

void People::tell_later() {
    if (std::exchange(tells_later_, true)) return;
    application_.after(gather, [this] { tell(); });
}

void People::tell() {
    tells_later_ = false;
    Changes changes;
    for (std::size_t told = 0; told < told_max && !news_.empty(); ++told) {
        collect(news_.front(), changes);
        news_.pop_front();
    }
    if (!news_.empty()) tell_later();
    if (changes.joined.empty() && changes.left.empty() && changes.renamed.empty()) return;
    application_.local().to(lobby).emit("presence", Json{{"joined", changes.joined},
                                                         {"left", changes.left},
                                                         {"renamed", changes.renamed},
                                                         {"count", here_}});
}

/// What came of everything since clients heard of this person the last time: perhaps nothing.
void People::collect(const std::string& id, Changes& changes) {
    const auto found = people_.find(id);
    Person& person = found->second;
    person.is_news = false;
    const bool is_here = !person.cores.empty();
    if (is_here && !person.told_as) {
        changes.joined.push_back(person_json(id, person.name));
    } else if (is_here && person.told_as != person.name) {
        changes.renamed.push_back(person_json(id, person.name));
    } else if (!is_here && person.told_as) {
        changes.left.push_back(person_json(id, person.name));
    }
    person.told_as = is_here ? std::optional(person.name) : std::nullopt;
    if (!is_here && person.sessions == 0) people_.erase(found);
}

}  // namespace oncewire::chat
