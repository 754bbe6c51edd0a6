#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace oncewire::hub {

/// Names that stand for several namespaces, as "/room-1" and "/room-2" that one pattern opened.
class NamespaceFamilies {
  public:
    /// A comma ends the name of a namespace on the wire, so no client can open one that has it.
    static bool is_family(std::string_view nsp) { return !nsp.empty() && nsp.back() == ','; }

    void add(std::string_view family, std::string_view nsp);
    void remove(std::string_view family, std::string_view nsp);
    /// In the order they were added. Null: `nsp` is a namespace like any other, or an empty family.
    const std::vector<std::string>* find(std::string_view nsp) const;

  private:
    std::map<std::string, std::vector<std::string>, std::less<>> families_;
};

}  // namespace oncewire::hub
