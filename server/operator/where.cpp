#include "server/operator/where.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace oncewire::ops {
namespace {

/// Sessions named in one line; a person reads no more.
constexpr std::size_t named_max = 100;

/// "2026-11-27 19:31:01.123 UTC"
std::string time_text(UnixMillis time) {
    const std::time_t seconds = static_cast<std::time_t>(time.value / 1000);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    char text[64];
    std::snprintf(text, sizeof text, "%04d-%02d-%02d %02d:%02d:%02d.%03d UTC", parts.tm_year + 1900,
                  parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                  static_cast<int>(time.value % 1000));
    return text;
}

std::string names(const std::vector<hub::RoomReader>& readers, bool is_past) {
    std::string text;
    std::size_t count = 0;
    for (const auto& reader : readers) {
        if (reader.is_past != is_past) continue;
        if (++count <= named_max) text += ' ' + reader.sid;
    }
    if (count > named_max) text += " and " + std::to_string(count - named_max) + " more";
    return count == 0 ? " nobody" : text;
}

std::string readers_text(const std::optional<std::vector<hub::RoomReader>>& readers) {
    if (!readers) return "    a core does not answer, so who has it cannot be said\n";
    return "    handed to:" + names(*readers, true) +
           "\n    still behind:" + names(*readers, false) + '\n';
}

std::string entry_text(const store::LogEntry& entry, const std::string& position) {
    const auto comma = entry.room.find(',');
    return "  " + position + " in room '" + entry.room.substr(comma + 1) + "' of '" +
           entry.room.substr(0, comma) + "', stored at " + time_text(entry.stored_at) + '\n';
}

std::string published_text(const store::Whereabouts& found, const delivery::Epoch& epoch,
                           const ReadersOf& readers) {
    if (!found.published)
        return "accepted by an older version, which did not note what it published\n";
    const auto [first, count] = *found.published;
    if (count == 0) return "accepted; it published nothing\n";
    std::string text = "accepted; it published " + std::to_string(count) + ":\n";
    const auto shown = std::min(count, store::Whereabouts::entries_max);
    auto entry = found.entries.begin();
    for (delivery::Offset offset = first; offset < first + shown; ++offset) {
        const std::string position = delivery::format(delivery::Position{epoch, offset});
        if (entry == found.entries.end() || entry->offset != offset) {
            text += "  " + position + ", removed by retention\n";
            continue;
        }
        text += entry_text(*entry, position);
        if (readers) text += readers_text(readers(*entry));
        ++entry;
    }
    if (shown < count) text += "  and " + std::to_string(count - shown) + " more\n";
    if (readers && !found.entries.empty()) {
        text +=
            "Handed to: these connected sessions read the room and are past this place; it is not "
            "known what a person saw,\nnor who is past it because they came into the room later.\n";
    }
    return text;
}

}  // namespace

std::string where_text(const store::Whereabouts& found, const delivery::Epoch& epoch,
                       const ReadersOf& readers) {
    using Outcome = store::Whereabouts::Outcome;
    switch (found.outcome) {
        case Outcome::unknown_sender:
            return "unknown sender: nothing of theirs was ever stored\n";
        case Outcome::not_here:
            return "not here: still in its sender's outbox, or never sent; the sender has got as "
                   "far "
                   "as " +
                   std::to_string(found.last) + '\n';
        case Outcome::forgotten:
            return "forgotten: it was offered, and its sender was away for longer than the lease; "
                   "it "
                   "may be stored\n";
        case Outcome::settled:
            break;
    }
    if (found.verdict.kind == store::Verdict::Kind::rejected)
        return "rejected: " + found.verdict.body + '\n';
    return published_text(found, epoch, readers);
}

}  // namespace oncewire::ops
