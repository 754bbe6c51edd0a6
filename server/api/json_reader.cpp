#include "server/api/json_reader.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

namespace oncewire::api {
namespace {

using Members = Json::object_t;

Members& members_of(Json& object) { return object.get_ref<Members&>(); }

/// Its own operator[] takes names alone.
auto& at(Members& members, std::size_t index) {
    return *std::next(members.begin(), static_cast<std::ptrdiff_t>(index));
}

/// The members by name, those of one name in the order in which they came.
std::vector<std::size_t> by_name(Members& members) {
    std::vector<std::size_t> order(members.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        const int difference = at(members, a).first.compare(at(members, b).first);
        return difference < 0 || (difference == 0 && a < b);
    });
    return order;
}

void remove_repeated(Members& members) {
    const auto order = by_name(members);
    std::vector<bool> is_repeated(members.size(), false);
    std::size_t repeated = 0;
    for (std::size_t i = 1, first = order.empty() ? 0 : order[0]; i < order.size(); ++i) {
        if (at(members, order[i]).first != at(members, first).first) {
            first = order[i];
            continue;
        }
        at(members, first).second = std::move(at(members, order[i]).second);
        is_repeated[order[i]] = true;
        ++repeated;
    }
    if (repeated == 0) return;
    Members kept;
    kept.reserve(members.size() - repeated);
    for (std::size_t i = 0; i < members.size(); ++i) {
        auto& [name, value] = at(members, i);
        if (!is_repeated[i]) kept.emplace_back(name, std::move(value));
    }
    members.swap(kept);
}

}  // namespace

bool JsonReader::key(string_t& name) {
    members_of(*open_.back()).emplace_back(std::move(name), nullptr);
    return true;
}

bool JsonReader::end_object() {
    Members& members = members_of(*open_.back());
    if (members.size() > 1) remove_repeated(members);
    open_.pop_back();
    return true;
}

bool JsonReader::end_array() {
    open_.pop_back();
    return true;
}

Json& JsonReader::place() {
    if (open_.empty()) return root_;
    Json& parent = *open_.back();
    if (parent.is_object()) return members_of(parent).back().second;
    return parent.get_ref<Json::array_t&>().emplace_back(nullptr);
}

bool JsonReader::add(Json value) {
    place() = std::move(value);
    return true;
}

bool JsonReader::open(Json value) {
    Json& here = place();
    here = std::move(value);
    open_.push_back(&here);
    return true;
}

}  // namespace oncewire::api
