#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "server/chat/chat.hpp"

namespace oncewire::chat {

/// Who is here, on all cores. Each core keeps the whole list: it tells the others who came to it and who
/// left it, and its own clients what changed for the list as a whole.
///
/// Somebody is here from the first session until `grace` after the last. Clients hear of it at most every
/// 250 ms, of at most 50 people each time, and of each what came of it: however often somebody comes and
/// goes, and however many come at once, what that costs the others is bounded by the clock.
class People {
  public:
    /// `application` outlives it.
    People(api::Application& application, Millis grace);

    void enter(const User& user);
    void leave(const std::string& id);
    void rename(const std::string& id, const std::string& name);
    bool knows(const std::string& id) const { return people_.contains(id); }
    /// {"people": [{id, name}], "count"}; the list ends at 200.
    api::Json list() const;

    static constexpr Millis gather{250};
    static constexpr std::size_t told_max = 50;

  private:
    struct Person {
        std::string name;
        std::set<std::uint16_t> cores;
        std::uint32_t sessions = 0;               // here, on this core
        std::uint64_t visit = 0;                  // whoever comes back makes an older farewell void
        std::optional<std::string> told_as = {};  // the name clients know; none: not as here
        bool is_news = false;                     // listed in news_
    };
    struct Changes {
        api::Json joined = api::Json::array();
        api::Json left = api::Json::array();
        api::Json renamed = api::Json::array();
    };

    void announce(const std::string& id, bool is_here);
    void apply(std::uint16_t core, const std::string& id, const std::string& name, bool is_here);
    void apply_name(const std::string& id, const std::string& name);
    void note(const std::string& id, Person& person);
    void tell_later();
    void tell();
    void collect(const std::string& id, Changes& changes);

    api::Application& application_;
    Millis grace_;
    std::map<std::string, Person> people_;
    std::size_t here_ = 0;          // with a core
    std::deque<std::string> news_;  // ids of whom clients have yet to hear, each once
    bool tells_later_ = false;
};

}  // namespace oncewire::chat
