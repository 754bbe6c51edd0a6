#include "server/core/letters.hpp"

#include <string>
#include <vector>

namespace oncewire::core {
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
    std::size_t operator()(const store::Submit& submit) const {
        return submit.data.size() + submit.sender.size();
    }
    std::size_t operator()(const store::ReadPage& request) const { return total(request.rooms); }
    std::size_t operator()(const store::OpenSession& request) const { return total(request.rooms); }
    std::size_t operator()(const store::Record& record) const { return size(record.event); }

    std::size_t operator()(const store::Published& published) const {
        return total(*published.entries);
    }
    std::size_t operator()(const store::Page& page) const {
        std::size_t sum = total(*page.entries);
        for (const auto& event : page.recorded) sum += size(*event);
        return sum;
    }
    std::size_t operator()(const store::Settled& settled) const {
        std::size_t sum = 0;
        for (const auto& verdict : settled.verdicts) sum += verdict.body.size() + sizeof verdict;
        return sum;
    }
    std::size_t operator()(const store::Answered& answered) const {
        return answered.verdict.body.size();
    }
    std::size_t operator()(const store::Ask& ask) const { return ask.data.size(); }
    std::size_t operator()(const store::Recorded& recorded) const {
        return recorded.event ? size(*recorded.event) : 0;
    }
    std::size_t operator()(const store::FromSequencer& mail) const {
        return std::visit(*this, mail);
    }

    std::size_t operator()(const hub::Broadcast& broadcast) const {
        return broadcast.data.size() + total(broadcast.attachments);
    }
    std::size_t operator()(const hub::CoreMail& mail) const {
        return std::visit(*this, *mail.command);
    }
    template <class Other>
    std::size_t operator()(const Other&) const {
        return 0;
    }
};

}  // namespace

std::size_t bytes_of(const store::ToSequencer& letter) {
    return sizeof letter + std::visit(Size(), letter);
}

std::size_t bytes_of(const CoreLetter& letter) {
    return sizeof letter + std::visit(Size(), letter);
}

}  // namespace oncewire::core
