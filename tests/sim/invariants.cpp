#include "tests/sim/invariants.hpp"

#include <algorithm>

namespace oncewire::sim {
namespace {

std::string name_of(MessageId message) { return "m" + std::to_string(message); }

}  // namespace

const char* breach_name(Breach breach) {
    switch (breach) {
        case Breach::lost:
            return "lost";
        case Breach::duplicated:
            return "duplicated";
        case Breach::reordered:
            return "reordered";
        case Breach::leaked:
            return "leaked";
        case Breach::stuck:
            return "stuck";
        case Breach::dishonest:
            return "dishonest";
        case Breach::unbounded:
            return "unbounded";
        case Breach::unrepeatable:
            return "unrepeatable";
    }
    return "?";
}

void Witness::report(Breach breach, std::string what) {
    violations_.push_back({breach, heap_.now(), std::move(what)});
}

// ---- messages -----------------------------------------------------------------------------------

MessageId Witness::add_message(AuthorId author, bool wanted) {
    messages_.push_back({});
    messages_.back().author = author;
    messages_.back().wanted = wanted;
    return message_count() - 1;
}

std::optional<MessageId> Witness::message_in(std::string_view data) {
    std::size_t i = data.find(R"(,"m)");
    if (i == std::string_view::npos || !data.starts_with("[\"")) return std::nullopt;
    MessageId id = 0;
    const std::size_t first = i += 3;
    for (; i < data.size() && data[i] >= '0' && data[i] <= '9'; ++i) {
        id = id * 10 + static_cast<MessageId>(data[i] - '0');
    }
    if (i == first || i == data.size() || data[i] != ':') return std::nullopt;
    return id;
}

void Witness::saved(MessageId message) { messages_[message].promised = true; }

void Witness::release(MessageId message) { messages_[message].released = true; }

void Witness::cancelled(MessageId message) {
    messages_[message].cancelled = true;
    if (messages_[message].copies > 0) {
        report(Breach::dishonest, name_of(message) + " was taken back, but is in the log");
    }
}

void Witness::restored(MessageId message) {
    Message& back = messages_[message];
    const bool had_outcome = back.verdict == Fate::accepted || back.had_outcome_before;
    const bool went_with_its_log = had_outcome && back.copies == 0;
    back.risen = back.risen || back.cancelled || went_with_its_log;
    // Its number went to the server as that of a cancellation, and stands for the message again.
    if (back.cancelled) put_back(back.author);
    back.cancelled = false;
    back.was_told = false;
}

void Witness::settled(MessageId id, bool accepted, bool too_large) {
    Message& message = messages_[id];
    const Fate verdict = accepted ? Fate::accepted : Fate::rejected;
    message.too_large = too_large && message.bytes > smallest_limit_;
    // What went with its log is asked about anew, and the next server may take less.
    const bool is_asked_anew = message.too_large && message.copies == 0;
    if (message.verdict != Fate::open && message.verdict != verdict && !is_asked_anew) {
        report(Breach::dishonest, name_of(id) + " got two different verdicts");
    }
    if (message.is_unknown)
        report(Breach::dishonest, name_of(id) + " got a verdict when nobody knew it any more");
    message.verdict = verdict;
    message.was_told = true;
    if (message.too_large) message.released = true;
    if (accepted != message.wanted && !message.too_large) {
        report(Breach::dishonest, name_of(id) + (accepted ? " was accepted" : " was rejected"));
    }
    if (accepted && !message.was_stored) {
        report(Breach::leaked, name_of(id) + " was accepted, but is not committed");
    }
    if (!accepted && message.copies > 0) {
        report(Breach::dishonest, name_of(id) + " was rejected, but is in the log");
    }
    // Accepted in a history that has since been replaced: readers are told by the new epoch (R11).
    if (accepted && message.copies == 0) message.released = true;
}

void Witness::offered(MessageId id, const ProducerId& producer, delivery::Sequence sequence) {
    Message& message = messages_[id];
    message.was_offered = message.was_offered || sequence > forgotten_[producer];
}

/// Only of what was offered before its lease ended; whoever had their storage put back cannot know.
void Witness::outcome_unknown(MessageId id, const ProducerId& producer, delivery::Sequence sequence,
                              const delivery::Epoch& epoch) {
    Message& message = messages_[id];
    if (sequence > once_forgotten_[producer])
        report(Breach::dishonest, name_of(id) + " is called unknown, and its verdict is kept");
    if (!message.was_offered && !put_back_.contains(message.author))
        report(Breach::dishonest, name_of(id) + " is called unknown, and is new");
    // Said of the log before: the one there is now may well know.
    (epoch == epoch_ ? message.is_unknown : message.had_outcome_before) = true;
    message.was_told = true;
    message.released = true;
}

// ---- the log ------------------------------------------------------------------------------------

void Witness::look_at_disk(const store::MemoryDisk& disk) {
    if (epoch_.text.empty()) epoch_ = disk.epoch;
    if (!(epoch_ == disk.epoch)) return report(Breach::lost, "the epoch changed by itself");
    const Log& log = logs_[epoch_.text];
    if (disk.tables.log.size() < log.size()) return report(Breach::lost, "the log became shorter");
    for (std::size_t i = log.size(); i < disk.tables.log.size(); ++i) take_in(disk.tables.log[i]);
    for (const auto& [room, offset] : disk.tables.trimmed) gone_[epoch_.text] = offset;
    for (const auto& [id, row] : disk.tables.producers) {
        forgotten_[id] = row.forgotten;
        once_forgotten_[id] = std::max(once_forgotten_[id], row.forgotten);
        marks_[id] = std::max(marks_[id], row.seen.last);
    }
    for (const auto& [id, task] : disk.tables.tasks) tasks_.try_emplace(task.key, 0);
    questions.look_at_disk(disk);
    while (!left_.empty() && left_.begin()->first <= log.size()) {
        const auto landed = left_.extract(left_.begin());
        if (!tasks_.contains(landed.mapped()))
            report(Breach::lost, "task " + landed.mapped() + " is not stored with its message");
    }
}

/// What one outbox holds is said by one user: whoever signs in later must not say it.
void Witness::check_user(std::string_view data) {
    const auto member = [data](std::string_view name) {
        const auto key = '"' + std::string(name) + R"(":")";
        const auto found = data.find(key);
        if (found == std::string_view::npos) return std::string();
        const auto first = found + key.size();
        return std::string(data.substr(first, data.find('"', first) - first));
    };
    const std::string key = member("key");
    if (key.empty()) return;
    std::string& user = user_of_[key.substr(0, key.find(':'))];
    const std::string from = member("from");
    if (!user.empty() && user != from) report(Breach::leaked, user + "'s outbox as " + from);
    user = from;
}

void Witness::take_in(const store::LogEntry& entry) {
    Log& log = logs_[epoch_.text];
    const auto before = std::find_if(log.rbegin(), log.rend(), [&](const store::LogEntry& other) {
        return other.room == entry.room;
    });
    const std::uint64_t room_seq = before == log.rend() ? 1 : before->room_seq + 1;
    log.push_back(entry);
    if (entry.offset != log.size()) report(Breach::lost, "a hole in the offsets of the log");
    if (entry.room_seq != room_seq) report(Breach::lost, "a hole in the numbers of a room");
    check_user(entry.data);
    if (QuestionWitness::is_over(entry.data)) return;
    const auto id = message_in(entry.data);
    if (!id || *id >= messages_.size()) return report(Breach::leaked, "a stranger: " + entry.data);
    Message& message = messages_[*id];
    message.was_stored = true;
    if (++message.copies > 1) report(Breach::duplicated, name_of(*id) + " is in the log twice");
    if (message.cancelled) {
        report(Breach::dishonest, name_of(*id) + " was stored after it was taken back");
    }
    if (message.risen) return;
    const auto newest = newest_of_author_.try_emplace(message.author, *id).first;
    if (newest->second > *id) {
        report(Breach::reordered, name_of(*id) + " stored behind " + name_of(newest->second));
    }
    newest->second = std::max(newest->second, *id);
}

void Witness::examine_disk(const store::MemoryDisk& disk) {
    look_at_disk(disk);
    if (disk.tables.log != logs_[epoch_.text]) report(Breach::lost, "an entry of the log changed");
    for (const auto& [id, row] : disk.tables.producers) {
        const auto verdicts = disk.tables.verdicts.find(id);
        check_mark(row, verdicts == disk.tables.verdicts.end() ? Verdicts() : verdicts->second);
    }
}

/// Each number has its verdict, but for what is forgotten, and for what may have got one in a log before
/// this one.
void Witness::check_mark(const store::ProducerRow& row, const Verdicts& verdicts) {
    const auto before = marks_before_.find(row.identity.id);
    const auto elsewhere = before == marks_before_.end() ? 0 : before->second;
    const auto must_be_from = std::max(row.forgotten, elsewhere) + 1;
    const auto kept = std::distance(verdicts.lower_bound(must_be_from), verdicts.end());
    const auto newest = verdicts.empty() ? row.forgotten : verdicts.rbegin()->first;
    const bool all_there = must_be_from > row.seen.last ||
                           static_cast<std::uint64_t>(kept) == row.seen.last - must_be_from + 1;
    if (row.seen.last != newest || !all_there)
        report(Breach::lost, "a producer's high-water mark is not its newest verdict");
}

void Witness::log_replaced(const delivery::Epoch& epoch, delivery::Offset head) {
    const Log& old = logs_[epoch_.text];
    gone_[epoch.text] = gone_[epoch_.text];
    logs_[epoch.text] = Log(old.begin(), old.begin() + static_cast<std::ptrdiff_t>(head));
    epoch_ = epoch;
    left_.clear();
    // Those that the copy has are found there.
    std::erase_if(tasks_, [](const auto& task) { return task.second == 0; });
    forgotten_.clear();
    marks_before_ = marks_;
    for (auto& message : messages_) {
        if (message.is_unknown || message.verdict == Fate::rejected)
            message.had_outcome_before = true;
        message.copies = 0;
        message.is_unknown = false;
    }
    newest_of_author_.clear();
    user_of_.clear();
    for (const auto& entry : logs_[epoch.text]) {
        check_user(entry.data);
        if (QuestionWitness::is_over(entry.data)) continue;
        const MessageId id = *message_in(entry.data);
        ++messages_[id].copies;
        newest_of_author_[messages_[id].author] = id;
    }
    for (auto& message : messages_) {
        // Nobody remembers why, and the next server may have another limit.
        if (message.too_large && message.verdict == Fate::rejected) message.verdict = Fate::open;
        // Its author has the verdict and let go of it; only the new epoch tells of the loss (P6).
        if (message.verdict == Fate::accepted && message.copies == 0) message.released = true;
    }
}

void Witness::announced(const delivery::Epoch& epoch, const store::LogEntry& entry) {
    const Log* log = find_log(epoch);
    if (log && entry.offset >= 1 && entry.offset <= log->size()) {
        store::LogEntry stored = (*log)[entry.offset - 1];
        if (entry.before == 0) stored.before = 0;  // retention has removed it since
        if (stored == entry) return;
    }
    report(Breach::leaked, "offset " + std::to_string(entry.offset) +
                               " was announced, but is not " + "committed: " + entry.data);
}

delivery::Offset Witness::head() const {
    const Log* log = find_log(epoch_);
    return log ? log->size() : 0;
}

const Witness::Log* Witness::find_log(const delivery::Epoch& epoch) const {
    const auto found = logs_.find(epoch.text);
    return found == logs_.end() ? nullptr : &found->second;
}

// ---- tasks --------------------------------------------------------------------------------------

void Witness::task_left(delivery::Offset offset, std::string key) {
    left_.erase(left_.lower_bound(offset),
                left_.end());  // what was tried there before did not land
    if (!key.empty()) left_.emplace(offset, std::move(key));
}

void Witness::task_ran(const std::string& key) {
    const auto task = tasks_.find(key);
    if (task == tasks_.end()) return report(Breach::leaked, "task " + key + " is not committed");
    ++task->second;
}

// ---- readers ------------------------------------------------------------------------------------

void Witness::handed_over(ReaderState& reader, const delivery::Position& position,
                          std::string_view data) {
    const Log* log = find_log(position.epoch);
    if (!log || position.offset == 0 || position.offset > log->size()) {
        return report(Breach::leaked, "handed over, but not committed: " + std::string(data));
    }
    if ((*log)[position.offset - 1].data != data) {
        return report(Breach::leaked, "offset " + std::to_string(position.offset) +
                                          " was handed over as " + std::string(data));
    }
    if (reader.epoch.text.empty()) reader.epoch = position.epoch;
    const std::string where = "offset " + std::to_string(position.offset) + " after " +
                              std::to_string(reader.count) + " entries";
    if (!(reader.epoch == position.epoch)) {
        return report(Breach::dishonest, "the log changed without a word at " + where);
    }
    if (position.offset <= reader.count) return report(Breach::duplicated, "handed over " + where);
    if (position.offset > reader.count + 1) return report(Breach::lost, "handed over " + where);
    reader.count = position.offset;
}

std::uint64_t Witness::told_of_gap(ReaderState& reader, delivery::Offset from,
                                   delivery::Offset to) {
    // A link may still bring what was said before the log was replaced; and whoever has shown nothing yet
    // may be reading in any log there was.
    delivery::Offset gone = gone_[reader.epoch.text];
    for (const auto& [epoch, to_there] : gone_) {
        if (reader.epoch.text.empty()) gone = std::max(gone, to_there);
    }
    const std::string told = "told of a gap from " + std::to_string(from) + " to " +
                             std::to_string(to) + " after " + std::to_string(reader.count);
    if (to > gone || from > to)
        report(Breach::dishonest, told + ", gone is " + std::to_string(gone));
    if (from > reader.count + 1) report(Breach::lost, told);
    const std::uint64_t missed = to > reader.count ? to - reader.count : 0;
    reader.count += missed;
    return missed;
}

void Witness::noticed(std::uint32_t holes, std::uint32_t again) {
    holes_ += holes;
    if (holes_ > vanished_.size())
        report(Breach::lost, "a page noticed a hole where nothing vanished");
    if (again > 0) report(Breach::duplicated, "a page noticed that an entry came again");
}

/// What it is shown may have left a server that has died since, and be of the log before this one.
void Witness::pass_gap(ReaderState& reader, const delivery::Position& position) {
    const auto gone = gone_.find(position.epoch.text);
    if (gone == gone_.end()) return;
    reader.count = std::max(reader.count, std::min(gone->second, position.offset - 1));
}

void Witness::stream_changed(ReaderState& reader, const delivery::Epoch& epoch) {
    if (reader.epoch == epoch) report(Breach::dishonest, "told of a new log, but it is the same");
    reader = {epoch, 0};
}

void Witness::check_durable_reader(const std::optional<delivery::Position>& cursor,
                                   const std::vector<std::string>& shown) {
    const std::uint64_t position = cursor ? cursor->offset : 0;
    if (shown.size() < position)
        return report(Breach::lost, "the stored cursor is ahead of the page");
    if (shown.size() > position) {
        return report(Breach::duplicated, "the stored cursor is behind the page");
    }
    if (position == 0) return;
    const Log* log = find_log(cursor->epoch);
    const bool is_gone = shown.back() == gone_mark;
    if (is_gone) return report(Breach::lost, "the stored page ends with what it never had");
    if (!log || log->size() < position || (*log)[position - 1].data != shown.back()) {
        report(Breach::lost, "the stored page is no prefix of the log");
    }
}

void Witness::check_outcome() {
    for (const auto& [key, ran] : tasks_) {
        if (ran == 0) report(Breach::lost, "task " + key + " was never done");
    }
    for (MessageId id = 0; id < messages_.size(); ++id) {
        const Message& message = messages_[id];
        const bool wanted =
            message.promised && !message.released && !message.cancelled && message.wanted;
        if (wanted && message.copies == 0) report(Breach::lost, name_of(id) + " is not in the log");
    }
}

}  // namespace oncewire::sim
