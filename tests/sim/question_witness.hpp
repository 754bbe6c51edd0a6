#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "server/mail/sequencer_mail.hpp"
#include "server/store/memory/memory_store.hpp"
#include "shared/delivery/answer.hpp"

namespace oncewire::sim {

enum class Breach : std::uint8_t;

/// One question of the workload; over all histories.
using QuestionId = std::uint32_t;

/// What one page was asked so far.
struct AskedPage {
    std::optional<delivery::Position> newest;
};

/// Judges what clients are asked. The server's handlers ask ["question",id]; whatever ends a question
/// publishes ["over",id,place,how] in the same transaction. So on the disk each question is there either as a
/// row or as one such entry; and a page hears of it once, in order, and not again when storage holds its
/// answer.
class QuestionWitness {
  public:
    using Report = std::function<void(Breach, std::string)>;
    explicit QuestionWitness(Report report) : report_(std::move(report)) {}

    // ---- the server -----------------------------------------------------------------------------

    QuestionId add() { return count_++; }
    /// A handler that published an entry there has asked this, or nothing: both land, or neither.
    void asked(delivery::Offset place, std::optional<QuestionId> id);
    /// Handlers say how a question ended with this event: "answered" and its value, "expired", "cancelled".
    /// `place`: of this entry, for clients who take the third for that.
    static std::string over(QuestionId id, delivery::Offset place, std::string_view how);
    static std::optional<QuestionId> question_in(std::string_view data);
    static bool is_over(std::string_view data) { return data.starts_with(R"(["over",)"); }
    /// Its handler is told that it expired, at this time.
    void expires(QuestionId id, UnixMillis now);

    /// After every commit, when the log of this disk was looked at.
    void look_at_disk(const store::MemoryDisk& disk);
    /// It is about to be sent.
    void given_out(const mail::Ask& ask, const store::MemoryDisk& disk);
    /// Any question that is open; none if there is none.
    const store::QuestionRow* open_question(std::uint32_t choice) const;

    // ---- pages ----------------------------------------------------------------------------------

    void handed_on(AskedPage& page, const ProducerId& producer, const delivery::Position& question,
                   std::string_view data);
    /// The page answers `id` with this value.
    void answered(QuestionId id, std::string_view value);
    /// An entry of the outbox is in storage.
    void stored(const ProducerId& producer, std::string_view message);
    bool is_stored(const ProducerId& producer, const delivery::Position& question) const;
    /// Storage is as it was some time ago.
    void rolled_back(const ProducerId& producer) { stored_.erase(producer); }

  private:
    void read(const store::LogEntry& entry);

    Report report_;
    QuestionId count_ = 0;
    std::map<delivery::Offset, QuestionId> asked_;  // by handlers that have not committed yet
    std::string epoch_;
    std::size_t read_to_ = 0;                              // entries of this epoch's log
    std::map<QuestionId, store::QuestionRow> open_;        // on the disk
    std::map<QuestionId, std::string> over_;               // how, in this epoch
    std::map<QuestionId, std::set<std::string>> answers_;  // given by pages
    std::map<ProducerId, std::set<std::string>> stored_;   // answers: what they answer
};

}  // namespace oncewire::sim
