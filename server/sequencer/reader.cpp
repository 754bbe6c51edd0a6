#include "server/sequencer/reader.hpp"

#include <utility>
#include <variant>
#include <vector>

#include "server/mail/feed.hpp"
#include "server/sequencer/mistake.hpp"
#include "server/sequencer/pages.hpp"
#include "shared/base/json.hpp"

namespace oncewire::sequencer {
namespace {

/// 1 MiB: read, or said, in one step; some 3 ms. One lookup that reads more ends the step.
constexpr std::uint64_t step_bytes = 1u << 20;
/// 64: answered in one step.
constexpr std::uint32_t step_lookups = 64;
/// 64: waiting of one session; whoever has a hub before it never has as many.
constexpr std::size_t waiting_max = 64;

}  // namespace

void Reader::handle_mail(ToReader mail) {
    std::visit([this](const auto& request) { handle(request); }, mail);
}

/// Nobody hears what is not acknowledged.
void Reader::handle(const Submit& submit) {
    if (!submit.ack_id) return;
    auto& waiting = lookups_[submit.from];
    if (waiting.size() < waiting_max) return waiting.push_back(submit);
    outputs_.push_back(
        {submit.from.core, Answered{submit.from, *submit.ack_id,
                                    reject("too_many_questions", "wait for the answers first")}});
}

void Reader::handle(const Detach& detach) {
    std::erase_if(pages_, [&](const ReadPage& page) { return page.from == detach.from; });
    const auto found = lookups_.find(detach.from);
    if (found == lookups_.end()) return;
    counts_.lookups_dropped += found->second.size();
    lookups_.erase(found);
}

void Reader::step(UnixMillis wall_clock) {
    if (!pages_.empty()) {
        const ReadPage request = std::move(pages_.front());
        pages_.pop_front();
        answer(request);
    }
    answer_lookups(wall_clock);
}

// ---- pages of the log ---------------------------------------------------------------------------

void Reader::answer_pages() {
    for (const ReadPage& request : std::exchange(pages_, {})) answer(request);
}

void Reader::answer(const ReadPage& request) {
    const auto head = reading_.look();
    std::optional<StoreError> error;
    if (!head) error = head.error();
    PageRead read;
    if (head) {
        read = read_page(reading_, request, head->offset, error);
    } else {
        read.page = mail::unread(request.from, request.after);
    }
    reading_.let_go();
    if (error) note(*error);
    ++counts_.pages;
    counts_.unreadable += read.unreadable;
    if (read.page.lost_to > 0) ++counts_.gaps_told;
    if (options_.is_apart) read.page.reached_head = false;
    outputs_.push_back({request.from.core, std::move(read.page)});
}

// ---- lookups ------------------------------------------------------------------------------------

/// Each session in turn, so that nobody waits for all that somebody else asked.
Submit Reader::take_lookup() {
    auto next = lookups_.upper_bound(last_asker_);
    if (next == lookups_.end()) next = lookups_.begin();
    last_asker_ = next->first;
    Submit submit = std::move(next->second.front());
    next->second.pop_front();
    if (next->second.empty()) lookups_.erase(next);
    return submit;
}

void Reader::answer_lookups(UnixMillis wall_clock) {
    std::uint64_t bytes = 0;
    for (std::uint32_t count = 0; count < step_lookups && bytes < step_bytes; ++count) {
        if (lookups_.empty() || is_damaged_) return;
        bytes += answer(take_lookup(), wall_clock);
    }
}

/// Returns what it cost, in bytes.
std::uint64_t Reader::answer(const Submit& submit, UnixMillis wall_clock) {
    ++counts_.looked_up;
    const auto head = reading_.look();
    Tx tx(reading_, head ? head->offset : 0, submit.nsp, wall_clock);
    auto verdict = head ? look_up(tx, submit) : Result<Verdict, StoreError>(Err{head.error()});
    reading_.let_go();
    const auto core = submit.from.core;
    if (!verdict) {
        note(verdict.error());
        outputs_.push_back({core, RetryLater{submit.from, submit.ack_id, mail::ask_again_after}});
        return tx.bytes_read();
    }
    const std::uint64_t cost = tx.bytes_read() + verdict->body.size();
    outputs_.push_back({core, Answered{submit.from, *submit.ack_id, std::move(*verdict)}});
    return cost;
}

Result<Verdict, StoreError> Reader::look_up(Tx& tx, const Submit& submit) {
    auto elements = json::elements(submit.data);
    const std::string event = json::as_string(elements.at(0)).value_or("");
    const auto handler = options_.lookups.find(event);
    if (handler == options_.lookups.end())
        return reject("unknown_event", "nobody answers this here");
    elements.erase(elements.begin());
    const Message message{submit.nsp, event,         std::move(elements), submit.scope,
                          {},         submit.sender, submit.producer.text};
    auto answer = handler->second(tx, message);
    const std::string mistake = mistake_of(tx, answer);
    if (mistake.empty()) return answer;
    if (options_.on_mistake) options_.on_mistake("the handler of \"" + event + "\": " + mistake);
    return reject("handler_failed", "the server failed on this question");
}

}  // namespace oncewire::sequencer
