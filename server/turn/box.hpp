#pragma once

#include <cstddef>
#include <iterator>
#include <limits>
#include <utility>
#include <vector>

#include "shared/base/time.hpp"

namespace oncewire::turn {

/// 1 s: whose box is full for longer is stuck, in a handler that does not end perhaps, and nobody waits for it.
inline constexpr Millis patience{1000};

/// Mail that waits for one part of the server, first in, first out.
///
/// Bounded by manners: post() refuses nothing. But a core reads nothing from its clients while somebody's box is
/// full (CoreTurn), and a full box gets nothing that its owner can read from the log (Feeds). So it holds its bounds,
/// what each sender makes in one turn, and answers to what its owner has asked.
template <class Letter>
class Box {
  public:
    using Weigh = std::size_t (*)(const Letter&);
    struct Bounds {
        std::size_t letters;
        std::size_t bytes = std::numeric_limits<std::size_t>::max();
        Weigh weigh =
            nullptr;  ///< the bytes that a letter keeps; without it only letters are counted
    };

    explicit Box(Bounds bounds) : bounds_(bounds) {}

    /// True: it was empty before, so its owner has to be woken; once a batch.
    bool post(std::vector<Letter> letters) {
        if (letters.empty()) return false;
        const bool was_empty = letters_.empty();
        if (bounds_.weigh) {
            for (const Letter& letter : letters) bytes_ += bounds_.weigh(letter);
        }
        if (was_empty) {
            letters_ = std::move(letters);
        } else {
            letters_.insert(letters_.end(), std::make_move_iterator(letters.begin()),
                            std::make_move_iterator(letters.end()));
        }
        return was_empty;
    }

    struct Taken {
        std::vector<Letter> letters;
        bool was_full = false;  ///< senders may be waiting for room; wake them
    };
    /// Everything there is.
    Taken take() {
        Taken taken{{}, is_full()};
        taken.letters.swap(letters_);
        bytes_ = 0;
        return taken;
    }

    bool is_empty() const { return letters_.empty(); }
    std::size_t size() const { return letters_.size(); }
    bool is_full() const { return letters_.size() >= bounds_.letters || bytes_ >= bounds_.bytes; }

  private:
    Bounds bounds_;
    std::vector<Letter> letters_;
    std::size_t bytes_ = 0;  // of letters_, as bounds_.weigh says
};

}  // namespace oncewire::turn
