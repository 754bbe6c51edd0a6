#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <vector>

#include "server/sequencer/outgoing_mail.hpp"
#include "server/sequencer/words.hpp"
#include "shared/base/output_queue.hpp"

namespace oncewire::sequencer {

/// What a batch leads to, held back until it has ended (R1): first what everybody is told, in the order in which it was
/// decided, then what each sender is. And who has something in it, for a batch that fails.
class BatchMail {
  public:
    /// Whoever has something in the batch.
    struct Involved {
        SessionRef session;
        std::optional<socketio::AckId> ack_id;
    };
    void involve(const SessionRef& session, std::optional<socketio::AckId> ack_id) {
        involved_.push_back({session, ack_id});
    }
    std::vector<Involved> take_involved();

    void reply(const SessionRef& to, FromSequencer mail);
    /// The sender's message has its verdict. Those that follow each other are one letter (R16).
    void settle(const SessionRef& to, delivery::Sequence sequence, Verdict verdict);
    /// One word is enough for a session with numbers: it sends everything again.
    void retry_later(const SessionRef& session, std::optional<socketio::AckId> ack_id,
                     Millis after);

    /// So many entries are in the batch by now: those since the last time have their place in the order here.
    void publish_to(std::size_t entries);
    /// Told in order, behind the entries that are published so far. `core`: or OutgoingMail::every_core.
    void order(std::uint16_t core, FromSequencer mail);
    /// The batch is committed. `entries`: all of it, moved from.
    void fill_in(std::vector<LogEntry>& entries);

    /// The batch is not committed. What is told of it in order is told as far as it is true without: see the mail. What
    /// was answered on its strength is not said; the rest still is. `outcome_known`: it is not there; else it may be
    /// found in the log later.
    void void_batch(bool outcome_known);
    /// Gives out all there is, and begins anew.
    void send(OutputQueue<OutgoingMail>& outputs);

  private:
    struct Feed {
        std::size_t place;       // of a Published in ordered_, to be filled in
        std::size_t entries_to;  // it has those of the batch before this, which no other has
    };
    std::vector<OutgoingMail> ordered_;
    std::vector<Feed> feeds_;
    std::vector<OutgoingMail> replies_;
    std::map<SessionRef, std::size_t> settled_at_;  // this session's newest Settled in replies_
    std::vector<Involved> involved_;
};

/// Let in, but nothing is kept of it.
SessionOpened not_kept(const SessionRef& session);

}  // namespace oncewire::sequencer
