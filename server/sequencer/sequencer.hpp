#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "server/sequencer/admission.hpp"
#include "server/sequencer/asked_clients.hpp"
#include "server/sequencer/batch_mail.hpp"
#include "server/sequencer/counts.hpp"
#include "server/sequencer/outgoing_mail.hpp"
#include "server/sequencer/pauses.hpp"
#include "server/sequencer/reader.hpp"
#include "server/sequencer/recovery.hpp"
#include "server/sequencer/task_desk.hpp"
#include "server/sequencer/transaction.hpp"
#include "server/sequencer/words.hpp"
#include "server/store/reading.hpp"
#include "server/store/recovery.hpp"
#include "shared/base/limits.hpp"
#include "shared/base/output_queue.hpp"
#include "shared/base/time.hpp"
#include "shared/delivery/answer.hpp"
#include "shared/delivery/outbox.hpp"

namespace oncewire::sequencer {

/// The one writer: gives positions, dedupes, runs durable handlers, answers from history.
///
/// Promise: nothing it says about a message leaves before the transaction that holds the message, its
/// dedupe row and its verdict is durable (R1, R16). All that is handled between two commit() calls is
/// one transaction: that is group commit. Order of output: what was published, then verdicts.
///
/// A decider in all but one respect: it calls the Store, which may block. So it lives on a thread of
/// its own, and in the simulator on a node of its own. Not thread-safe.
class Sequencer {
  public:
    struct Options {
        RecoveryLimits recovery = {};
        Retention retention = {};
        /// How long the verdicts of a producer that is away are kept; none: for ever.
        std::optional<Millis> lease = {};
        /// How often it is looked whether history has become too long or too old, and who is away.
        Millis trim_every{60'000};
        /// How often a message whose handler failed is tried before it is rejected (R13). 5: with a
        /// second in between that outlasts a hiccup of what the handler needs, and not more.
        std::uint32_t handler_attempts_max = 5;
        /// What is larger is rejected for good; announced at attach (R17).
        std::uint32_t message_bytes_max = limits::durable_message_bytes;
        /// Called with a sentence when a handler did what no handler may.
        std::function<void(const std::string&)> on_mistake = {};
        /// Whether a message may be stored now; none: all may.
        Admission admission = {};
        /// What to do when a question has come to its end, by the question's event; without one its end
        /// has no effect.
        AnswerHandlers answers = {};
        /// Events whose handlers only read. They are answered by a Reader: each session in turn, and those of
        /// sessions that are gone not at all.
        std::set<std::string, std::less<>> lookups = {};
        /// None: the sequencer reads itself, between two batches, a step at a time. Else there is a Reader
        /// apart, which gets what poll_reader_mail() says: lookups, and pages that begin so many offsets or more
        /// before the head. Those that begin later are the sequencer's, see Reader.
        std::optional<delivery::Offset> reads_apart_from = {};
    };

    /// `handlers`: by event name; an event without one is rejected.
    Sequencer(std::unique_ptr<Overlay> overlay,
              std::map<std::string, DurableHandler, std::less<>> handlers, Options options);
    /// `store` outlives the sequencer.
    Sequencer(store::Store& store, std::map<std::string, DurableHandler, std::less<>> handlers,
              Options options)
        : Sequencer(std::make_unique<Overlay>(store), std::move(handlers), std::move(options)) {}
    Sequencer(store::Store& store, std::map<std::string, DurableHandler, std::less<>> handlers)
        : Sequencer(store, std::move(handlers), Options()) {}

    /// Says where the log stands, to every core. Call once, before any mail.
    void start();
    /// Takes one request into the current batch.
    void handle_mail(ToSequencer mail, Instant now, UnixMillis wall_clock);
    /// Ends the batch: one COMMIT for everything handled since the last. No-op for an empty batch.
    void commit(Instant now);
    /// Tries to reopen the store if that failed, gives out tasks, and removes what retention and leases no
    /// longer keep.
    void handle_timeout(Instant now, UnixMillis wall_clock);
    std::optional<Instant> next_timeout() const;

    bool accepts_writes() const { return accepts_writes_; }
    /// As every core is told at the start and at each change; a core that was not told of all that is new reads
    /// from the log when it is told this.
    LogState log_state() const;
    /// The database is damaged. Nothing more comes out, and the process must end, closing nothing: what
    /// is left is evidence, and to go on would spoil it.
    bool is_damaged() const { return is_damaged_; }
    /// Somebody else writes to the database now. Nothing more comes out, and the process must end.
    bool is_superseded() const { return is_superseded_; }

    std::optional<OutgoingMail> poll_output();
    /// For a Reader apart. What was asked after a message of the same client is said when that is committed.
    std::optional<ToReader> poll_reader_mail() { return reader_mail_.poll(); }
    const SequencerCounts& counts() const { return counts_; }
    /// What it read itself.
    const ReaderCounts& reader_counts() const { return reader_.counts(); }

  private:
    /// How long the store is left alone after it failed: a person freeing disk space sees messages flow
    /// again at once, and a locked file is not hammered.
    static constexpr Millis refuse_for{1000};

    /// A producer with an attached session: the fence, and the high-water mark in memory.
    struct Attachment {
        SessionRef session;
        ProducerRow row;                // as the running transaction leaves it
        delivery::HighWater committed;  // as the disk has it
        bool bound = false;        // the disk has a row; else the first message binds the secret
        bool dirty = false;        // row is to be written with this batch
        bool gone = false;         // its session left; drop it when the batch has ended
        bool expect_said = false;  // one Expect until the missing message comes
        // How often the handler of the next message failed, while attached.
        delivery::Sequence failed_sequence = 0;
        std::uint32_t failures = 0;
    };

    void handle(const Attach& attach);
    void handle(const Submit& submit);
    void handle(const ReadPage& request);
    void handle(const Detach& detach);
    void handle(const TaskEnded& ended);

    // sessions.cpp: recovery
    void handle(const OpenSession& request);
    void handle(const ChangeRooms& change);
    void handle(const EndSession& end);
    void handle(const Record& record);
    void handle(const Relay& relay);
    bool begin_session_work();
    bool restart_sessions();
    void finish_session_work(const Result<void, StoreError>& done);

    // questions.cpp: what clients are asked
    Result<Verdict, StoreError> take_answer(const Submit& submit, const delivery::Answer& answer);
    Result<void, StoreError> end_question(const QuestionRow& row, const Reply& reply);
    void drop_question(const Submit& submit);
    void ask_questions();
    void note_questions(bool outcome_known);
    void expire_questions();
    Result<std::vector<QuestionRow>, StoreError> expiring(UnixMillis until,
                                                          std::uint32_t count_max);
    Result<void, StoreError> expire(const std::vector<QuestionRow>& due);
    Result<void, StoreError> expire(const QuestionRow& row);
    Result<void, StoreError> look_for_expiry();
    void note_expiry(UnixMillis expires_at);

    // What is only read
    bool is_lookup(const Submit& submit) const;
    void read_for_others();
    void look_up_for_others();
    void give_to_reader(ToReader question);
    void take_from_reader();

    void handle_keyed(const Submit& submit, Attachment& attachment);
    void handle_stock(const Submit& submit);
    // sequencer_admission.cpp
    std::optional<Later> ask_admission(const Submit& submit);
    void put_off(const Submit& submit, const Later& later);

    Result<std::optional<store::StoredVerdict>, StoreError> find_under_another_number(
        const Submit& submit, Attachment& attachment);
    void answer_repeated(const Submit& submit, Attachment& attachment);
    void answer_forgotten(const Submit& submit);
    static void skip_to(Attachment& attachment, delivery::Sequence first);
    void refuse(const Attach& attach, std::string reason);
    bool is_attached(const ProducerId& id) const;
    Result<Verdict, StoreError> run_handler(const Submit& submit);
    Result<Verdict, StoreError> call_handler(const Submit& submit);
    void tell_mistake(std::string_view event, const std::string& sentence);
    Result<Verdict, StoreError> store_message(const Submit& submit);
    Result<Verdict, StoreError> take_number(const Submit& submit, Verdict verdict);
    bool is_refusing() const { return needs_reopen_ || (refuse_until_ && *refuse_until_ > now_); }
    bool may_try_again(const Submit& submit);
    void reopen_store();

    void put_dirty_rows();
    void end_batch();
    void finish_committed();
    void fail_batch(StoreError error);  // rolled back: nothing is stored, everybody tries later
    void lose_batch();                  // unknown: everybody in it is cut and asks again (R3)
    template <class Outcome>
    void end_dirty(Outcome outcome);
    void void_batch(bool outcome_known);
    void clear_batch();
    void note_rewritten();
    void erase_traces();
    std::optional<Written> write_upkeep();
    void prepare_digests();
    void trim();
    void end_leases();
    void forget_ended_tasks();
    void refuse_for_a_while(StoreError error);
    void forget(const SessionRef& session);
    void retry_later(const SessionRef& session, std::optional<socketio::AckId> ack_id,
                     Millis after = refuse_for);
    void note(StoreError error) { is_damaged_ = is_damaged_ || error == StoreError::corrupt; }
    void reply(const SessionRef& to, FromSequencer mail) { mail_.reply(to, std::move(mail)); }
    void announce();

    store::Store& store() { return overlay_->store(); }

    std::unique_ptr<Overlay> overlay_;
    std::map<std::string, DurableHandler, std::less<>> handlers_;
    Options options_;
    SequencerCounts counts_;
    Instant now_;
    UnixMillis wall_clock_;

    // The batch.
    bool in_batch_ = false;
    std::size_t rewritten_ = 0;  // entries
    BatchMail mail_;
    Recovery recovery_{*overlay_, mail_, options_.recovery, counts_};
    std::vector<Attach> attaches_;
    std::vector<ToReader> questions_to_reader_;
    std::vector<ProducerId> dirty_;

    TaskDesk tasks_;
    std::vector<std::uint64_t> ended_tasks_;       // done, and erased by the running batch
    std::optional<Instant> erase_at_ = Instant{};  // what was rewritten; also by the process before
    Instant erased_at_;                            // tried last
    Instant trim_at_;
    std::optional<Instant> leases_at_;  // none: this process has only begun
    std::set<ProducerId> unprepared_;   // whose verdicts are to be found by digest
    AskedClients asked_;
    std::optional<Instant> expiry_at_ = Instant{};  // when to look for questions that expired
    std::map<std::uint64_t, std::uint32_t> expiry_failures_;  // of handlers, by question

    Reader reader_;  // answers what no Reader apart is given
    OutputQueue<ToReader> reader_mail_;
    std::set<SessionRef> read_for_;  // sessions that the Reader apart knows

    std::map<ProducerId, Attachment> attachments_;
    std::map<SessionRef, ProducerId> producer_of_;
    Pauses pauses_;

    bool accepts_writes_ = true;
    bool needs_reopen_ = false;
    bool is_damaged_ = false;
    bool is_superseded_ = false;
    std::optional<Instant> refuse_until_;  // the store failed; do not try before
    OutputQueue<OutgoingMail> outputs_;
};

}  // namespace oncewire::sequencer
