#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "server/chat/chat.hpp"

namespace oncewire::chat {

/// Who is here, on all cores. Each core keeps the whole list: it tells the others who came to it and who
/// left it, and its own clients what changed for the list as a whole.
///
/// Somebody is here from the first session until `grace` after the last.
class People {
  public:
    /// `application` outlives it.
    People(api::Application& application, Millis grace);

    void enter(const User& user);
    void leave(const std::string& id);
    void rename(const std::string& id, const std::string& name);
    /// {"people": [{id, name}], "count"}; the list ends at 200.
    api::Json list() const;

  private:
    struct Person {
        std::string name;
        std::set<std::uint16_t> cores;
        std::uint32_t sessions = 0;  // here, on this core
        std::uint64_t visit = 0;     // whoever comes back makes an older farewell void
    };

    void announce(const std::string& id, bool is_here);
    void apply(std::uint16_t core, const std::string& id, const std::string& name, bool is_here);
    void apply_name(const std::string& id, const std::string& name);
    void tell(std::string_view event, const std::string& id, const std::string& name) const;

    api::Application& application_;
    Millis grace_;
    std::map<std::string, Person> people_;
};

}  // namespace oncewire::chat
