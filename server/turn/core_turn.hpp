#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

#include "server/hub/hub.hpp"
#include "server/mail/feed.hpp"

namespace oncewire::turn {

/// One turn of a core: everything that has come went into its hub, now all outputs come out, so what many events
/// have to say to one client leaves in one write.
///
/// `Letter`: what the boxes of cores hold; a mail::CoreMail is one. `Host`, where it is asked for, has
///   void perform(hub::HubOutput output, Instant now);   // whatever is no letter
///   void post(std::vector<mail::ToSequencer> letters);
///   void post(std::size_t core, std::vector<Letter> letters);
///   bool is_stuck(std::size_t core);                     // its box was full for `patience`
///   void look_around(Instant& now);                      // what has come meanwhile goes into the hub
template <class Letter>
class CoreTurn {
  public:
    /// 32: writes, some 5 µs each, between two looks at what has come meanwhile; a look is a tenth of one.
    static constexpr std::size_t writes_before_look = 32;
    /// 10 ms: for so long a turn goes on with what comes meanwhile. Then whoever wants to be let in gets a look.
    static constexpr Millis look_for{10};

    /// `hub` outlives this. `look_after`: so many writes.
    CoreTurn(hub::Hub& hub, std::size_t cores, std::size_t look_after = writes_before_look)
        : hub_(hub), look_after_(look_after), letters_(cores) {}

    /// Letters leave before the first of many writes, so that whoever they are for works beside us. What comes
    /// meanwhile leaves with the writes that are still to be made, instead of after them: in a crowd each receiver is
    /// written to half as often, and two cores do not wait for each other's last write.
    template <class Host>
    void drain(Host& host, Instant& now) {
        const Instant until = now + look_for;
        std::size_t writes = 0;
        while (auto output = hub_.poll_output()) {
            const bool is_last_kind = is_write_of_somebody_here(*output);
            if (is_last_kind) send_letters(host);
            perform(host, std::move(*output), now);
            if (is_last_kind && ++writes % look_after_ == 0 && now < until) host.look_around(now);
        }
    }

    /// At the end of a turn.
    template <class Host>
    void send_letters(Host& host) {
        if (!outgoing_.empty()) host.post(std::exchange(outgoing_, {}));
        for (std::size_t core = 0; core < letters_.size(); ++core) {
            if (letters_[core].empty()) continue;
            auto letters = std::exchange(letters_[core], {});
            if (host.is_stuck(core)) std::erase_if(letters, is_ephemeral);
            host.post(core, std::move(letters));
        }
    }

    // ---- whether its clients are read -----------------------------------------------------------

    /// `is_crowded`: somebody's box is full, and not stuck. Which of them what a client sends would reach, nobody
    /// knows before: a broadcast goes by the core that orders it, which would have to hold back all others.
    /// True: nothing is read from clients until resume_unless() says so.
    bool pause_if(bool is_crowded) {
        if (is_crowded) is_paused_ = true;
        return is_crowded;
    }
    /// True: it was paused and is not any more.
    bool resume_unless(bool is_crowded) {
        return !pause_if(is_crowded) && std::exchange(is_paused_, false);
    }
    bool is_paused() const { return is_paused_; }

  private:
    /// Those of connections that are over stand among other outputs; all others come when there are none.
    bool is_write_of_somebody_here(const hub::HubOutput& output) const {
        const auto* write = std::get_if<hub::Write>(&output);
        return write && hub_.status_of(write->connection).state != engineio::SessionState::closed;
    }

    template <class Host>
    void perform(Host& host, hub::HubOutput output, Instant now) {
        if (auto* to_store = std::get_if<hub::ToStore>(&output)) {
            outgoing_.push_back(std::move(to_store->mail));
        } else if (auto* to_core = std::get_if<hub::ToCore>(&output)) {
            letters_[to_core->core].emplace_back(std::move(to_core->mail));
        } else {
            host.perform(std::move(output), now);
        }
    }

    static bool is_ephemeral(const Letter& letter) {
        const auto* mail = std::get_if<mail::CoreMail>(&letter);
        return mail && mail::is_ephemeral(*mail->command);
    }

    hub::Hub& hub_;
    std::size_t look_after_;
    std::vector<mail::ToSequencer> outgoing_;
    std::vector<std::vector<Letter>> letters_;  // by core
    bool is_paused_ = false;
};

}  // namespace oncewire::turn
