#include "server/sequencer/batch_mail.hpp"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

namespace oncewire::sequencer {

SessionOpened not_kept(const SessionRef& session) {
    SessionOpened opened;
    opened.to = session;
    opened.reason = "unavailable";
    return opened;
}

std::vector<BatchMail::Involved> BatchMail::take_involved() { return std::exchange(involved_, {}); }

void BatchMail::reply(const SessionRef& to, FromSequencer mail) {
    replies_.push_back({to.core, std::move(mail)});
}

void BatchMail::settle(const SessionRef& to, delivery::Sequence sequence, Verdict verdict) {
    const auto newest = settled_at_.find(to);
    if (newest != settled_at_.end()) {
        auto& settled = *std::get_if<Settled>(&replies_[newest->second].mail);
        if (settled.first + settled.verdicts.size() == sequence) {
            settled.verdicts.push_back(std::move(verdict));
            return;
        }
    }
    settled_at_[to] = replies_.size();
    reply(to, Settled{to, sequence, {std::move(verdict)}});
}

void BatchMail::retry_later(const SessionRef& session, std::optional<socketio::AckId> ack_id,
                            Millis after) {
    const bool said =
        !ack_id && std::any_of(replies_.begin(), replies_.end(), [&](const auto& mail) {
            const auto* later = std::get_if<RetryLater>(&mail.mail);
            return later && later->to == session && !later->ack_id;
        });
    if (!said) reply(session, RetryLater{session, ack_id, after});
}

// ---- in order -----------------------------------------------------------------------------------

void BatchMail::publish_to(std::size_t entries) {
    if (entries == (feeds_.empty() ? 0 : feeds_.back().entries_to)) return;
    feeds_.push_back({ordered_.size(), entries});
    ordered_.push_back({OutgoingMail::every_core, Published{}});
}

void BatchMail::order(std::uint16_t core, FromSequencer mail) {
    ordered_.push_back({core, std::move(mail)});
}

void BatchMail::fill_in(std::vector<LogEntry>& entries) {
    std::size_t from = 0;
    for (const auto& [place, to] : feeds_) {
        const auto first = entries.begin() + static_cast<std::ptrdiff_t>(from);
        const auto last = entries.begin() + static_cast<std::ptrdiff_t>(to);
        std::get_if<Published>(&ordered_[place].mail)->entries =
            std::make_shared<const std::vector<LogEntry>>(std::make_move_iterator(first),
                                                          std::make_move_iterator(last));
        from = to;
    }
    feeds_.clear();
}

// ---- the end ------------------------------------------------------------------------------------

namespace {

/// None: nothing of it is true.
std::optional<OutgoingMail> without_batch(OutgoingMail mail, bool outcome_known) {
    if (auto* recorded = std::get_if<Recorded>(&mail.mail)) {
        recorded->is_stored = false;
        if (!outcome_known) recorded->event = nullptr;
        return mail;
    }
    if (auto* opened = std::get_if<SessionOpened>(&mail.mail)) {
        // A new one whose pid nobody was told is as if it had not been kept: with a disk that is full
        // every commit ends so, and whoever comes must get in all the same.
        if (!outcome_known && opened->is_resumed) {
            mail.mail = Cut{opened->to};
        } else {
            *opened = not_kept(opened->to);
        }
        return mail;
    }
    if (std::holds_alternative<Relayed>(mail.mail)) return mail;
    return std::nullopt;
}

}  // namespace

void BatchMail::void_batch(bool outcome_known) {
    for (auto& mail : std::exchange(ordered_, {})) {
        if (auto kept = without_batch(std::move(mail), outcome_known))
            ordered_.push_back(std::move(*kept));
    }
    std::erase_if(replies_, [](const OutgoingMail& mail) {
        return std::holds_alternative<Settled>(mail.mail) ||
               std::holds_alternative<Answered>(mail.mail) ||
               std::holds_alternative<Attached>(mail.mail);
    });
    feeds_.clear();
    settled_at_.clear();
    involved_.clear();
}

void BatchMail::send(OutputQueue<OutgoingMail>& outputs) {
    for (auto& mail : ordered_) outputs.push_back(std::move(mail));
    for (auto& mail : replies_) outputs.push_back(std::move(mail));
    ordered_.clear();
    feeds_.clear();
    replies_.clear();
    settled_at_.clear();
    involved_.clear();
}

}  // namespace oncewire::sequencer
