// The lanes of a Client: what is promised to arrive, and what arrives exactly once. Links and
// namespaces are in client.cpp.
#include <algorithm>

#include "shared/base/json.hpp"
#include "shared/base/limits.hpp"
#include "shared/base/overloaded.hpp"
#include "shared/base/verify.hpp"
#include "shared/delivery/answer.hpp"
#include "shared/delivery/outcome.hpp"
#include "shared/peer/client.hpp"
#include "shared/socketio/encoder.hpp"

namespace oncewire::peer {
namespace {

EmitError emit_error(delivery::OutboxError error) {
    switch (error) {
        case delivery::OutboxError::too_large:
            return EmitError::too_large;
        case delivery::OutboxError::entries_full:
        case delivery::OutboxError::bytes_full:
            return EmitError::outbox_full;
    }
    VERIFY(false);  // there is a case for each
}

}  // namespace

Result<delivery::Sequence, EmitError> Client::emit_durable(NamespaceIndex index, std::string data,
                                                           Instant) {
    Namespace& nsp = namespaces_[index];
    if (!nsp.lane) return Err{EmitError::no_lane};
    if (const auto error = check_event(data, message_depth)) return Err{*error};
    return push(index, std::move(data));
}

Result<delivery::Sequence, EmitError> Client::answer(NamespaceIndex index,
                                                     std::string_view question,
                                                     std::string_view arguments, Instant) {
    if (!namespaces_[index].lane) return Err{EmitError::no_lane};
    if (!delivery::parse_position(question) || !json::is_valid(arguments, message_depth - 1) ||
        json::kind_of(arguments) != json::Kind::array) {
        return Err{EmitError::not_an_event};
    }
    return push(index, delivery::answer_message(question, arguments));
}

Result<delivery::Sequence, EmitError> Client::push(NamespaceIndex index, std::string message) {
    const auto pushed = namespaces_[index].lane->outbox.push(std::move(message));
    if (!pushed) return Err{emit_error(pushed.error())};
    outputs_.push_back(MessageMoved{index, *pushed, MessageState::saving});
    save(index, {}, {*pushed});
    return *pushed;
}

bool Client::cancel(NamespaceIndex index, delivery::Sequence sequence, Instant) {
    Namespace& nsp = namespaces_[index];
    if (!nsp.lane || !nsp.lane->outbox.cancel(sequence)) return false;
    save(index, {}, {sequence});
    return true;
}

void Client::handle_saved(NamespaceIndex index, std::uint64_t token, Instant now) {
    Lane& lane = *namespaces_[index].lane;
    const auto found =
        std::find_if(lane.saves.begin(), lane.saves.end(),
                     [&](const PendingSave& pending) { return pending.token == token; });
    if (found == lane.saves.end()) return;
    for (const auto sequence : found->sequences) {
        if (!lane.outbox.find(sequence)) continue;
        lane.outbox.saved(sequence);
        outputs_.push_back(MessageMoved{index, sequence, MessageState::queued});
    }
    lane.saves.erase(found);
    pump(index, now);
}

/// CONNECT was answered: learn which promise this server can keep, and where both sides stand.
Guarantee Client::attach_lane(NamespaceIndex index, std::string_view connect_data, Instant) {
    Lane& lane = *namespaces_[index].lane;
    lane.resume_at.reset();
    const auto capability = find_server_capability(connect_data);
    if (!capability) {
        lane.mode = LaneMode::stock;
        lane.outbox.set_window(1);
        lane.outbox.set_message_bytes(options_.outbox.message_bytes_max);
        return Guarantee::at_least_once;
    }
    lane.mode = LaneMode::attached;
    lane.server_links = capability->links;
    lane.server_takes_renumbered = capability->renumbered;
    lane.outbox.set_window(capability->window);
    lane.outbox.set_message_bytes(capability->message_bytes_max);

    const auto before = lane.outbox.next_sequence();
    const auto changes = lane.outbox.attached(capability->seen);
    apply_renumbering(index, changes);
    if (changes.empty() && lane.outbox.next_sequence() != before) save(index, {}, {});

    const auto position = lane.cursor.position();
    if (position && !(*position == capability->position)) {
        outputs_.push_back(StreamChanged{index, *position, capability->position});
        lane.missing = 0;
    }
    lane.cursor.reset(capability->position);
    return Guarantee::exactly_once;
}

void Client::detach_lane(NamespaceIndex index) {
    Lane& lane = *namespaces_[index].lane;
    lane.mode = LaneMode::detached;
    lane.server_links = false;
    lane.resume_at.reset();
    if (lane.stock_ack) namespaces_[index].acks.settle(*lane.stock_ack);
    lane.stock_ack.reset();
    requeue(index, lane.outbox.link_lost());
}

/// False: malformed, which from a server that negotiated the capability is a violation.
bool Client::handle_delivery_event(NamespaceIndex index, std::string_view data, Instant now) {
    Lane& lane = *namespaces_[index].lane;
    const auto event = decode_delivery_event(data);
    if (!event) return false;
    std::visit(Overloaded{
                   [&](const VerdictsEvent& verdicts) {
                       std::vector<delivery::Sequence> erase;
                       auto sequence = verdicts.first;
                       for (const auto& verdict : verdicts.verdicts) {
                           settle(index, sequence++, verdict.accepted, verdict.body, erase);
                       }
                       if (!erase.empty()) save(index, std::move(erase), {});
                       apply_renumbering(index, lane.outbox.renumber_conflicts());
                   },
                   [&](const ExpectEvent& expect) {
                       requeue(index, lane.outbox.rewind(expect.sequence));
                       // Nothing to send from there: our numbers begin later, so they must come forward.
                       const auto entries = lane.outbox.entries();
                       if (!entries.empty() && entries.front()->sequence > expect.sequence) {
                           apply_renumbering(index, lane.outbox.attached({expect.sequence - 1, 0}));
                       }
                   },
                   [&](const ConflictEvent& conflict) {
                       lane.outbox.conflict(conflict.sequence, conflict.last);
                       apply_renumbering(index, lane.outbox.renumber_conflicts());
                   },
                   [&](const GapEvent& gap) {
                       outputs_.push_back(HistoryLost{index, gap.from, gap.to});
                   },
                   [&](const LaterEvent& later) {
                       const Millis after =
                           std::clamp(later.after, Millis{1}, limits::retry_later_max);
                       requeue(index, lane.outbox.link_lost());
                       lane.resume_at = now + after;
                       outputs_.push_back(ServerBusy{index, after});
                   },
                   [&](const AskEvent& ask) { hand_on(index, ask); },
                   [&](const ReachedEvent& reached) {
                       const auto& [epoch, offset] = *lane.cursor.position();
                       if (reached.offset > offset) lane.cursor.reset({epoch, reached.offset});
                   },
               },
               *event);
    pump(index, now);
    return true;
}

/// A question, unless the application has it already: this one, or an earlier one of this lane, whose
/// answer is in the outbox. An answer leaves that only when the server has it and asks no more.
void Client::hand_on(NamespaceIndex index, const AskEvent& ask) {
    Lane& lane = *namespaces_[index].lane;
    const delivery::Position question{lane.cursor.position()->epoch, ask.number};
    const auto arrival = lane.asked.arrive(question);
    if (arrival == delivery::Cursor::Arrival::repeated) return;
    if (arrival == delivery::Cursor::Arrival::late) return;
    if (arrival == delivery::Cursor::Arrival::stream_changed) lane.asked.reset(question);
    const auto waiting = lane.outbox.entries();
    const bool is_answered = std::any_of(waiting.begin(), waiting.end(), [&](const auto* entry) {
        return delivery::is_answer_to(entry->message, question);
    });
    if (is_answered) return;
    outputs_.push_back(
        EventArrived{index, std::string(ask.message), {}, std::nullopt, std::nullopt, question});
}

/// Takes the position off an entry of the log. False: it is not for the application.
bool Client::take_position(NamespaceIndex index, EventArrived& event, Instant now) {
    using Arrival = delivery::Cursor::Arrival;
    Lane& lane = *namespaces_[index].lane;
    if (lane.mode != LaneMode::attached || event.ack_id) return true;
    const auto elements = json::elements(event.data);
    if (elements.size() < 2) return true;
    const auto trailing = json::as_string(elements.back());
    auto linked = trailing ? delivery::parse_linked_position(*trailing) : std::nullopt;
    // Another epoch than the one announced at attach is an application's own string.
    if (!linked || !(linked->position.epoch == lane.cursor.position()->epoch)) return true;
    const auto arrival = lane.cursor.arrive(linked->position, linked->before);
    if (arrival == Arrival::hole && !mend(index, *linked, now)) return false;
    if (arrival == Arrival::repeated || arrival == Arrival::late) {
        ++(arrival == Arrival::late ? lane.noticed.late : lane.noticed.repeated);
        outputs_.push_back(Noticed{index, lane.noticed});
        tell_noticed(index);
        return false;
    }
    const auto& before = elements[elements.size() - 2];
    const auto end = static_cast<std::size_t>(before.data() + before.size() - event.data.data());
    event.data.resize(end);
    event.data += ']';
    event.position = std::move(linked->position);
    return true;
}

/// Something before this entry never came. The link is given up, and the next one begins where this one
/// stood; what not even that brings is told as lost, and true is returned: go on.
bool Client::mend(NamespaceIndex index, const delivery::LinkedPosition& linked, Instant now) {
    Lane& lane = *namespaces_[index].lane;
    if (lane.missing == linked.before) {
        const auto from = lane.cursor.position()->offset + 1;
        outputs_.push_back(HistoryLost{index, from, linked.before});
        lane.cursor.reset(linked.position);
        return true;
    }
    lane.missing = linked.before;
    ++lane.noticed.holes;
    outputs_.push_back(Noticed{index, lane.noticed});
    refuse_packet("a hole in the log", now);
    return false;
}

/// The server counts what its readers notice.
void Client::tell_noticed(NamespaceIndex index) {
    Namespace& nsp = namespaces_[index];
    Lane& lane = *nsp.lane;
    if (!is_connected(index) || !lane.server_links || lane.noticed == lane.told) return;
    const NoticedEvent event{{lane.noticed.holes - lane.told.holes,
                              lane.noticed.repeated - lane.told.repeated,
                              lane.noticed.late - lane.told.late}};
    lane.told = lane.noticed;
    send_packet({socketio::PacketType::event, nsp.name, std::nullopt, encode(event), {}});
}

void Client::settle(NamespaceIndex index, delivery::Sequence sequence, bool accepted,
                    std::string_view body, std::vector<delivery::Sequence>& erase) {
    Lane& lane = *namespaces_[index].lane;
    const auto* entry = lane.outbox.find(sequence);
    if (!entry) return;  // told before
    const bool cancelled = entry->message == delivery::cancelled_message;
    lane.outbox.settle(sequence);
    erase.push_back(sequence);
    if (!cancelled)
        outputs_.push_back(MessageSettled{index, sequence, accepted, std::string(body),
                                          !accepted && delivery::is_outcome_unknown(body)});
}

void Client::apply_renumbering(NamespaceIndex index,
                               const std::vector<delivery::Outbox::Renumbered>& changes) {
    if (changes.empty()) return;
    Lane& lane = *namespaces_[index].lane;
    std::vector<delivery::Sequence> erase;
    std::vector<delivery::Sequence> put;
    for (const auto& change : changes) {
        erase.push_back(change.before);
        put.push_back(change.after);
        outputs_.push_back(MessageRenumbered{index, change.before, change.after});
        // A save on its way stored the entry under its old number; only the new one counts.
        for (auto& pending : lane.saves) std::erase(pending.sequences, change.before);
    }
    save(index, std::move(erase), put);
}

void Client::requeue(NamespaceIndex index, const std::vector<delivery::Sequence>& sequences) {
    for (const auto sequence : sequences) {
        outputs_.push_back(MessageMoved{index, sequence, MessageState::queued});
    }
}

/// Sends what the window and the server allow.
void Client::pump(NamespaceIndex index, Instant now) {
    Namespace& nsp = namespaces_[index];
    Lane& lane = *nsp.lane;
    if (!is_connected(index) || lane.mode == LaneMode::detached) return;
    if (lane.resume_at && *lane.resume_at > now) return;
    lane.resume_at.reset();
    while (const auto* entry = lane.outbox.next()) {
        socketio::Packet packet{
            socketio::PacketType::event, nsp.name, std::nullopt, entry->message, {}};
        if (lane.mode == LaneMode::attached) {
            // An older client stored what nests deeper; a server would end the link over it, each time.
            const bool fits =
                !lane.outbox.is_too_large(*entry) && json::is_valid(entry->message, message_depth);
            const std::string_view message =
                fits ? std::string_view(entry->message) : delivery::too_large_message;
            packet.data = encode(SendEvent{entry->sequence, entry->digest, message,
                                           entry->renumbered && lane.server_takes_renumbered});
        } else {
            lane.stock_ack = nsp.acks.expect(now + limits::stock_ack_timeout);
            lane.stock_sequence = entry->sequence;
            packet.ack_id = lane.stock_ack;
        }
        const auto sequence = entry->sequence;
        outputs_.push_back(MessageMoved{index, sequence, MessageState::sent});
        if (!send_packet(packet)) return refuse_too_large(index, sequence, now);
    }
}

/// The server takes no packet of that size: one of ours hears of it instead and gives the verdict, for
/// another we do.
void Client::refuse_too_large(NamespaceIndex index, delivery::Sequence sequence, Instant now) {
    Namespace& nsp = namespaces_[index];
    Lane& lane = *nsp.lane;
    if (lane.mode == LaneMode::attached) {
        const auto& entry = *lane.outbox.find(sequence);
        const SendEvent event{sequence, entry.digest, delivery::too_large_message,
                              entry.renumbered && lane.server_takes_renumbered};
        send_packet({socketio::PacketType::event, nsp.name, std::nullopt, encode(event), {}});
        return pump(index, now);
    }
    nsp.acks.settle(*lane.stock_ack);
    lane.stock_ack.reset();
    std::vector<delivery::Sequence> erase;
    settle(index, sequence, false, R"({"error":"too_large"})", erase);
    save(index, std::move(erase), {});
    pump(index, now);
}

void Client::save(NamespaceIndex index, std::vector<delivery::Sequence> erase,
                  const std::vector<delivery::Sequence>& put) {
    Lane& lane = *namespaces_[index].lane;
    Save output{index, lane.next_token++, std::move(erase), {}, lane.outbox.next_sequence()};
    for (const auto sequence : put) output.put.push_back(*lane.outbox.find(sequence));
    lane.saves.push_back({output.token, put});
    outputs_.push_back(std::move(output));
}

}  // namespace oncewire::peer
