#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "server/api/application.hpp"
#include "server/mail/sequencer_mail.hpp"
#include "server/store/memory/memory_store.hpp"
#include "server/store/recovery.hpp"
#include "tests/sim/env.hpp"

namespace oncewire::sim {

/// The other application of the simulator: rooms in which guests are told news, with recovery on. What
/// it keeps outlives the process, as an application's own database would.
///
/// Stands beside the world as the witness does, and knows what was recorded and for whom.
class GuestHouse {
  public:
    GuestHouse(Env& env, store::RecoveryLimits limits) : env_(env), limits_(limits) {}

    void install(api::Application& application);
    const store::RecoveryLimits& limits() const { return limits_; }

    // ---- what the house does: `io` is one core's application ------------------------------------

    void tell_news(api::Application& io);
    void spread_rumour(api::Application& io);
    void let_in(api::Application& io, const std::string& sid);
    void put_out(api::Application& io, const std::string& sid);
    void ban(const std::string& name) { banned_at_.emplace(name, env_.now()); }

    // ---- what it sees ---------------------------------------------------------------------------

    void look_at_disk(const store::MemoryDisk& disk);
    void look_at(const mail::FromSequencer& mail, const store::MemoryDisk& disk);
    /// CONNECT is answered: whoever has the answer may come back to all the rooms it was given, whatever
    /// becomes of the process.
    void look_at_answer(const Frame& frame);
    void process_died();
    void sessions_forgotten() { ++forgotten_; }

    // ---- what is true ---------------------------------------------------------------------------

    using Recorded = std::map<delivery::Offset, store::RecordedEvent>;
    const Recorded& recorded() const { return recorded_; }
    /// Could not be stored: for whoever was there, without a place.
    bool is_unstored(std::uint64_t number) const { return unstored_.contains(number); }
    /// How often all sessions lost the right to come back.
    std::uint64_t forgotten() const { return forgotten_; }
    /// Nobody can say whether this session is in this room: the process died while it was changed.
    bool is_doubtful(const std::string& sid, const std::string& room) const {
        return doubtful_.contains({sid, room});
    }
    bool is_banned_since(const std::string& name, Instant when) const {
        const auto found = banned_at_.find(name);
        return found != banned_at_.end() && found->second <= when;
    }

    static constexpr const char* hall = "hall";
    static constexpr const char* parlour = "parlour";

  private:
    std::uint64_t next_number() { return ++newest_number_; }
    void change_soon(const std::string& sid, std::uint64_t number);

    Env& env_;
    store::RecoveryLimits limits_;
    Recorded recorded_;
    std::set<std::uint64_t> unstored_;
    std::uint64_t newest_number_ = 0;
    std::uint64_t forgotten_ = 0;
    std::map<std::uint64_t, std::pair<std::string, std::string>>
        changing_;  // by number of the word
    std::set<std::pair<std::string, std::string>> doubtful_;
    std::map<std::string, Instant> banned_at_;
    std::map<std::string, std::uint64_t>
        begun_;                     // sessions that were kept, by pid: forgotten_ then
    std::set<std::string> housed_;  // those that were kept as being in the hall
};

/// The number that each event of the house carries, rumours too.
std::uint64_t number_of(std::string_view data);

}  // namespace oncewire::sim
