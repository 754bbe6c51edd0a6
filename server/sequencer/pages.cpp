#include "server/sequencer/pages.hpp"

#include <algorithm>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/mail/feed.hpp"
#include "shared/base/limits.hpp"

namespace oncewire::sequencer {
namespace {

using store::Reading;
using Entries = std::vector<LogEntry>;

/// Leaves out those at the beginning of the page; it ends before the next ones, which begin the page after
/// it. Returns how many.
std::uint64_t leave_out_unreadable(Entries& entries, Page& page) {
    const auto is_readable = [](const LogEntry& entry) { return is_event(entry.data); };
    const auto first = std::find_if(entries.begin(), entries.end(), is_readable);
    const auto count = static_cast<std::uint64_t>(first - entries.begin());
    if (count > 0) {
        page.unreadable_from = entries.front().offset;
        page.unreadable_to = std::prev(first)->offset;
    }
    entries.erase(std::find_if_not(first, entries.end(), is_readable), entries.end());
    entries.erase(entries.begin(), first);
    return count;
}

/// Leaves out of `entries` what this session may not see, adds to the page what was recorded for it, and
/// moves the page's end back to where both have been read.
Result<void, StoreError> add_recorded(Reading& reading, const ReadPage& request, Page& page,
                                      Entries& entries) {
    page.lost = request.resumes && request.pid.empty();
    if (request.pid.empty()) return {};
    const auto row = reading.find_session(request.pid);
    if (!row) return Err{row.error()};
    const auto pruned = reading.pruned();
    if (!pruned) return Err{pruned.error()};
    if (page.lost = !*row; page.lost) return {};
    // Of history from before the session it gets what the log still has, and no events.
    const auto after = std::max(request.after, (*row)->from.offset);
    const auto history_lost = has_lost_history(reading, **row, after);
    if (!history_lost) return Err{history_lost.error()};
    page.lost = after < pruned->to || *history_lost;
    if (page.lost) return {};
    const auto& memberships = (*row)->rooms;
    std::vector<std::string> rooms;
    for (const auto& membership : memberships) rooms.push_back(membership.room);
    auto events = reading.read_recorded(rooms, after, limits::page_entries, limits::page_bytes);
    if (!events) return Err{events.error()};
    if (!events->empty()) page.end = std::min(page.end, events->back().offset);
    for (auto& event : *events) {
        if (event.offset > page.end) break;
        if (!may_see(memberships, event.offset, event.rooms, event.except)) continue;
        page.recorded.push_back(std::make_shared<const RecordedEvent>(std::move(event)));
    }
    std::erase_if(entries, [&](const LogEntry& entry) {
        const bool hidden =
            request.resumes && !may_see(memberships, entry.offset, {entry.room}, {});
        return hidden || entry.offset > page.end;
    });
    return {};
}

/// Fills in all of the page but its entries, and returns these.
Result<Entries, StoreError> fill(Reading& reading, const ReadPage& request, delivery::Offset head,
                                 PageRead& read) {
    Page& page = read.page;
    auto entries =
        reading.read(request.rooms, request.after, limits::page_entries, limits::page_bytes);
    if (!entries) return entries;
    const auto trimmed = reading.trimmed_to(request.rooms);
    if (!trimmed) return Err{trimmed.error()};
    read.unreadable = leave_out_unreadable(*entries, page);
    if (!entries->empty()) {
        page.end = entries->back().offset;
    } else {
        page.end = page.unreadable_to > 0 ? page.unreadable_to : head;
    }
    if (const auto added = add_recorded(reading, request, page, *entries); !added)
        return Err{added.error()};
    page.reached_head = page.end == head;
    if (request.after < *trimmed) page.lost_to = *trimmed;
    return entries;
}

}  // namespace

PageRead read_page(Reading& reading, const ReadPage& request, delivery::Offset head,
                   std::optional<StoreError>& error) {
    PageRead read;
    read.page.to = request.from;
    read.page.after = request.after;
    auto entries = fill(reading, request, head, read);
    if (entries) {
        read.page.entries = std::make_shared<const Entries>(std::move(*entries));
    } else {
        error = entries.error();
        read.page = mail::unread(request.from, request.after);
    }
    return read;
}

Result<bool, StoreError> has_lost_history(Reading& reading, const SessionRow& row,
                                          delivery::Offset after) {
    for (const auto& membership : row.rooms) {
        const auto trimmed = reading.trimmed_to({membership.room});
        if (!trimmed) return Err{trimmed.error()};
        if (*trimmed > std::max(after, membership.since)) return true;
    }
    return false;
}

}  // namespace oncewire::sequencer
