#include "server/turn/transactions.hpp"

#include <iterator>
#include <utility>

#include "server/mail/weight.hpp"

namespace oncewire::turn {

void Transactions::add(std::vector<mail::ToSequencer> letters) {
    if (is_empty()) {
        letters_ = std::move(letters);
        next_ = 0;
    } else {
        letters_.insert(letters_.end(), std::make_move_iterator(letters.begin()),
                        std::make_move_iterator(letters.end()));
    }
}

std::optional<mail::ToSequencer> Transactions::next() {
    if (is_empty() || letters_in_ >= letters_max_ || bytes_in_ >= bytes_max) {
        letters_in_ = bytes_in_ = 0;
        return std::nullopt;
    }
    mail::ToSequencer letter = std::move(letters_[next_++]);
    ++letters_in_;
    bytes_in_ += mail::bytes_of(letter);
    return letter;
}

}  // namespace oncewire::turn
