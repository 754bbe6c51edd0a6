#include "server/hub/namespace_families.hpp"

namespace oncewire::hub {

void NamespaceFamilies::add(std::string_view family, std::string_view nsp) {
    families_[std::string(family)].emplace_back(nsp);
}

void NamespaceFamilies::remove(std::string_view family, std::string_view nsp) {
    const auto found = families_.find(family);
    if (found == families_.end()) return;
    std::erase(found->second, nsp);
    if (found->second.empty()) families_.erase(found);
}

const std::vector<std::string>* NamespaceFamilies::find(std::string_view nsp) const {
    const auto found = families_.find(nsp);
    return found == families_.end() ? nullptr : &found->second;
}

}  // namespace oncewire::hub
