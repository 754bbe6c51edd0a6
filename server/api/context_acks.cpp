// Answers of clients: to one event, to a broadcast over all cores, and who they are.
#include <utility>

#include "server/api/context.hpp"
#include "shared/base/json.hpp"

namespace oncewire::api {
namespace {

/// Questions to this core alone have numbers of their own.
constexpr std::uint64_t local_question = 1ull << 63;

/// 5 s: for other cores to answer, as the reference waits for other nodes.
constexpr Millis cores_timeout{5'000};

}  // namespace

// ---- one client ---------------------------------------------------------------------------------

void Context::ask_socket(hub::SocketId id, const Arguments& event, std::optional<Millis> timeout,
                         Request<AckResult>::Done done) {
    const SocketState* state = find(id);
    const std::string nsp = state ? state->nsp->name : "/";
    const auto ack_id =
        hub->server().emit_with_ack({id}, nsp, event.data, event.attachments, timeout);
    waiting_.emplace(ack_id, std::move(done));
    tell_outgoing(id, event.data, event.attachments);
}

void Context::handle(const hub::AckArrived& arrived) {
    if (auto waiting = waiting_.extract(arrived.id)) {
        waiting.mapped()(Arguments{arrived.data, arrived.attachments});
        return;
    }
    const auto relay = relays_.find(arrived.id);
    const SocketState* state = find(arrived.socket);
    if (relay == relays_.end() || !state) return;
    hub->server().answer(relay->second.question,
                         '[' + json::quoted(state->sid) + ',' + arrived.data + ']',
                         arrived.attachments, false);
}

void Context::handle(const hub::AcksFinished& finished) {
    const bool timed_out = finished.why == hub::AcksFinished::Why::timed_out;
    if (auto waiting = waiting_.extract(finished.id)) {
        waiting.mapped()(Err{timed_out ? AckError::timed_out : AckError::disconnected});
        return;
    }
    if (const auto relay = relays_.extract(finished.id)) {
        const auto& [question, asked] = relay.mapped();
        const auto end = '[' + std::to_string(asked) + (timed_out ? ",true]" : ",false]");
        hub->server().answer(question, end, {}, true);
    }
}

// ---- many ---------------------------------------------------------------------------------------

void Context::ask_many(mail::CoreQuestion question, bool local,
                       BroadcastOperator::OnAnswer on_answer, Request<BroadcastAcks>::Done done) {
    Asked asked;
    asked.on_answer = std::move(on_answer);
    asked.acks_done = std::move(done);
    const Millis patience = question.timeout.value_or(Millis{0}) + cores_timeout;
    start(std::move(question), local, std::move(asked), patience);
}

void Context::fetch(mail::CoreQuestion question, bool local, Request<RemoteSockets>::Done done) {
    Asked asked;
    asked.sockets_done = std::move(done);
    start(std::move(question), local, std::move(asked), cores_timeout);
}

void Context::start(mail::CoreQuestion question, bool local, Asked asked, Millis patience) {
    if (!local) return start_everywhere(std::move(question), std::move(asked), patience);
    asked.waits_for = {hub->server().core()};
    question.from = hub->server().core();
    question.number = ++newest_local_ | local_question;
    asked_.emplace(question.number, std::move(asked));
    handle(hub::QuestionArrived{std::move(question)});
}

void Context::start_everywhere(mail::CoreQuestion question, Asked asked, Millis patience) {
    for (std::uint16_t core = 0; core < hub->server().core_count(); ++core)
        asked.waits_for.insert(core);
    const auto number = hub->server().ask_cores(std::move(question));
    asked_.emplace(number, std::move(asked));
    call_after(patience, [this, number] { give_up(number); });
}

/// Whoever has not answered is not waited for any longer, and who it is is told.
void Context::give_up(std::uint64_t number) {
    const auto late = asked_.find(number);
    if (late == asked_.end()) return;
    Asked& asked = late->second;
    const std::vector<std::uint16_t> missing(asked.waits_for.begin(), asked.waits_for.end());
    asked.acks.timed_out = asked.server_side.timed_out = true;
    asked.acks.missing = asked.sockets.missing = asked.server_side.missing = missing;
    finish(number);
}

void Context::ask_server_side(const std::string& nsp, const Arguments& event,
                              Request<ServerSideAcks>::Done done) {
    mail::CoreQuestion question;
    question.kind = mail::CoreQuestion::Kind::server_side;
    question.target.nsp = nsp;
    question.data = event.data;
    question.attachments = event.attachments;
    Asked asked;
    asked.server_side_done = std::move(done);
    start_everywhere(std::move(question), std::move(asked), cores_timeout);
}

void Context::handle(const hub::QuestionArrived& arrived) {
    const auto& question = arrived.question;
    if (question.kind == mail::CoreQuestion::Kind::server_side) return answer_server_side(question);
    if (question.kind == mail::CoreQuestion::Kind::describe) {
        return hub->server().answer(question, describe(question.target).dump(), {}, true);
    }
    // Of several namespaces at once nobody is asked: an event belongs to one.
    const bool is_family = question.target.nsp.ends_with(',');
    const auto receivers =
        is_family ? std::vector<hub::SocketId>() : hub->server().sockets(question.target);
    const auto ack_id = hub->server().emit_with_ack(receivers, question.target.nsp, question.data,
                                                    question.attachments, question.timeout);
    relays_.emplace(ack_id, Relay{question, receivers.size()});
    for (const auto id : receivers) tell_outgoing(id, question.data, question.attachments);
}

Json Context::describe(const mail::Target& target) {
    Json all = Json::array();
    for (const auto id : hub->server().sockets(target)) {
        const SocketState* state = find(id);
        if (!state) continue;
        all.push_back({{"id", state->sid},
                       {"nsp", state->nsp->name},
                       {"rooms", hub->sockets().rooms_of(id)},
                       {"handshake", socket(id).handshake()},
                       {"data", state->data}});
    }
    // What is not UTF-8 would not be JSON on the other core either.
    return decode_json(all.dump(-1, ' ', false, Json::error_handler_t::replace), {})
        .value_or(Json::array());
}

void Context::handle(const hub::AnswerArrived& arrived) {
    const auto found = asked_.find(arrived.number);
    if (found == asked_.end()) return;
    Asked& asked = found->second;
    if (asked.acks_done) {
        take_ack(asked, arrived);
    } else if (asked.sockets_done) {
        take_sockets(asked, arrived);
    } else if (arrived.data != "null") {
        asked.server_side.answers.push_back({arrived.data, arrived.attachments});
    }
    if (arrived.is_last) asked.waits_for.erase(arrived.core);
    if (asked.waits_for.empty()) finish(arrived.number);
}

void Context::finish(std::uint64_t number) {
    Asked finished = std::move(asked_.extract(number).mapped());
    if (finished.acks_done) {
        finished.acks_done(std::move(finished.acks));
    } else if (finished.sockets_done) {
        finished.sockets_done(std::move(finished.sockets));
    } else {
        finished.server_side_done(std::move(finished.server_side));
    }
}

void Context::take_ack(Asked& asked, const hub::AnswerArrived& arrived) {
    const auto parts = json::elements(arrived.data);
    if (arrived.is_last) {
        asked.acks.asked += static_cast<std::uint64_t>(json::as_integer(parts[0]).value_or(0));
        asked.acks.timed_out = asked.acks.timed_out || parts[1] == "true";
        return;
    }
    asked.acks.answers.push_back(
        {json::as_string(parts[0]).value_or(""), {std::string(parts[1]), arrived.attachments}});
    // Copied: it may ask again, and so move what `asked` refers to.
    const auto on_answer = asked.on_answer;
    const auto answer = asked.acks.answers.back();
    if (on_answer) on_answer(answer.socket, answer.arguments);
}

void Context::take_sockets(Asked& asked, const hub::AnswerArrived& arrived) {
    const Json all = decode_json(arrived.data, {}).value_or(Json::array());
    for (const auto& each : all) {
        auto id = each["id"].get<std::string>();
        const auto nsp = each["nsp"].get<std::string>();
        RemoteSocket remote(BroadcastOperator(this, nsp).to(id), id);
        for (const auto& room : each["rooms"]) remote.rooms_.push_back(room.get<std::string>());
        remote.handshake_ = each["handshake"];
        remote.data_ = each["data"];
        asked.sockets.push_back(std::move(remote));
    }
}

// ---- the store ----------------------------------------------------------------------------------

void Context::submit(hub::SocketId id, const Arguments& event, Request<SubmitResult>::Done done) {
    const SocketState* state = find(id);
    if (!state || state->phase == SocketState::Phase::gone) {
        return done(Err{SubmitError::unknown});
    }
    submissions_.emplace(hub->sockets().submit(id, event.data), Submission{id, std::move(done)});
}

void Context::handle(const hub::SubmitSettled& settled) {
    auto found = submissions_.extract(settled.number);
    if (!found) return;
    const auto done = std::move(found.mapped().done);
    settled.verdict ? done(*settled.verdict) : done(Err{SubmitError::later});
}

/// Nobody hears what becomes of them.
void Context::abandon_submissions(hub::SocketId socket) {
    std::vector<Request<SubmitResult>::Done> abandoned;
    std::erase_if(submissions_, [&](auto& entry) {
        if (entry.second.socket != socket) return false;
        abandoned.push_back(std::move(entry.second.done));
        return true;
    });
    for (const auto& done : abandoned) done(Err{SubmitError::unknown});
}

}  // namespace oncewire::api
