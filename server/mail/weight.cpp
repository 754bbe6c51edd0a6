#include "server/mail/weight.hpp"

#include <string>
#include <vector>

namespace oncewire::mail {
namespace {

std::size_t total(const std::vector<std::string>& texts) {
    std::size_t sum = 0;
    for (const auto& text : texts) sum += text.size();
    return sum;
}

std::size_t total(const std::vector<store::LogEntry>& entries) {
    std::size_t sum = 0;
    for (const auto& entry : entries) sum += entry.data.size() + sizeof entry;
    return sum;
}

std::size_t size(const store::RecordedEvent& event) {
    return event.data.size() + total(event.attachments);
}

/// Everything else is small, whatever its sender did.
struct Size {
    std::size_t operator()(const Submit& submit) const {
        return submit.data.size() + submit.sender.size();
    }
    std::size_t operator()(const ReadPage& request) const { return total(request.rooms); }
    std::size_t operator()(const OpenSession& request) const { return total(request.rooms); }
    std::size_t operator()(const Record& record) const { return size(record.event); }
    std::size_t operator()(const Relay& relay) const {
        return relay.letter ? std::visit(*this, *relay.letter) : 0;
    }

    std::size_t operator()(const Published& published) const { return total(*published.entries); }
    std::size_t operator()(const Page& page) const {
        std::size_t sum = total(*page.entries);
        for (const auto& event : page.recorded) sum += size(*event);
        return sum;
    }
    std::size_t operator()(const Settled& settled) const {
        std::size_t sum = 0;
        for (const auto& verdict : settled.verdicts) sum += verdict.body.size() + sizeof verdict;
        return sum;
    }
    std::size_t operator()(const Answered& answered) const { return answered.verdict.body.size(); }
    std::size_t operator()(const Ask& ask) const { return ask.data.size(); }
    std::size_t operator()(const Recorded& recorded) const {
        return recorded.event ? size(*recorded.event) : 0;
    }
    std::size_t operator()(const Relayed& relayed) const {
        return relayed.letter ? std::visit(*this, *relayed.letter) : 0;
    }

    std::size_t operator()(const Broadcast& broadcast) const {
        return broadcast.data.size() + total(broadcast.attachments);
    }
    std::size_t operator()(const ServerSideEmit& emit) const { return emit.data.size(); }
    std::size_t operator()(const CoreQuestion& question) const {
        return question.data.size() + total(question.attachments);
    }
    std::size_t operator()(const CoreAnswer& answer) const {
        return answer.data.size() + total(answer.attachments);
    }
    template <class Other>
    std::size_t operator()(const Other&) const {
        return 0;
    }
};

}  // namespace

std::size_t bytes_of(const ToSequencer& letter) {
    return sizeof letter + std::visit(Size(), letter);
}

std::size_t bytes_of(const ToReader& letter) { return sizeof letter + std::visit(Size(), letter); }

std::size_t bytes_of(const FromSequencer& letter) {
    return sizeof letter + std::visit(Size(), letter);
}

std::size_t bytes_of(const CoreMail& letter) {
    return sizeof letter + std::visit(Size(), *letter.command);
}

}  // namespace oncewire::mail
