#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <variant>
#include <vector>

#include "server/mail/feed.hpp"
#include "server/sequencer/sequencer.hpp"

namespace oncewire::turn {

/// What of the sequencer's mail goes into the box of which core. Nobody waits for a core that has enough to do: it
/// gets its answers, and reads the rest from the log when it has room and hears where the log stands.
///
/// `Letter`: what the boxes of cores hold; a mail::FromSequencer is one.
template <class Letter>
class Feeds {
  public:
    explicit Feeds(std::size_t cores) : letters_(cores), is_behind_(cores, false) {}

    void add(sequencer::OutgoingMail mail) {
        if (mail.core < letters_.size()) {
            letters_[mail.core].push_back(std::move(mail.mail));
        } else {
            for (auto& letters : letters_) letters.push_back(mail.mail);
        }
    }

    /// What was added for this core, as far as it is to be posted. `state`: where the log stands now.
    std::vector<Letter> take(std::size_t core, bool is_full, const mail::LogState& state) {
        std::vector<mail::FromSequencer> added = std::exchange(letters_[core], {});
        std::vector<Letter> posted;
        posted.reserve(added.size() + 1);
        for (auto& letter : added) {
            if (!is_full) {
                posted.emplace_back(std::move(letter));
            } else if (auto rest = mail::without_feed(std::move(letter))) {
                posted.emplace_back(std::move(*rest));
            }
        }
        if (!is_full && is_behind_[core]) posted.emplace_back(mail::FromSequencer(state));
        is_behind_[core] = is_full && (is_behind_[core] || !added.empty());
        return posted;
    }

    /// It was not told of all that is in the log.
    bool is_behind(std::size_t core) const { return is_behind_[core]; }
    bool is_somebody_behind() const {
        return std::find(is_behind_.begin(), is_behind_.end(), true) != is_behind_.end();
    }

  private:
    std::vector<std::vector<mail::FromSequencer>> letters_;  // by core
    std::vector<bool> is_behind_;
};

}  // namespace oncewire::turn
