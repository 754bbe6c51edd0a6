#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "server/mail/sequencer_mail.hpp"

namespace oncewire::turn {

/// Divides what waited for the sequencer into transactions. All that was in its box when it came round is divided
/// before the box is looked at again, so the slower the disk, the bigger the transaction.
class Transactions {
  public:
    /// 1,024 letters: beyond that a commit gains nothing and the first waits longer. 512 KiB: whoever fills that keeps
    /// everybody else waiting for one such transaction, some 25 ms. A larger letter is a transaction of its own.
    static constexpr std::size_t letters_max = 1024;
    static constexpr std::size_t bytes_max = 512u << 10;

    explicit Transactions(std::size_t letters = letters_max) : letters_max_(letters) {}

    void add(std::vector<mail::ToSequencer> letters);
    bool is_empty() const { return next_ == letters_.size(); }
    /// The next letter of this transaction. None: it is to be committed, and what is asked for after that belongs to
    /// another one.
    std::optional<mail::ToSequencer> next();

  private:
    std::size_t letters_max_;
    std::vector<mail::ToSequencer> letters_;
    std::size_t next_ = 0;
    std::size_t letters_in_ = 0;  // in the running transaction
    std::size_t bytes_in_ = 0;
};

}  // namespace oncewire::turn
