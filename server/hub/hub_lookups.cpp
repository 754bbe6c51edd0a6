// Questions that are only read for: few of one connection at a time, and none for whoever does not take the
// answers.
#include <algorithm>

#include "server/hub/parts.hpp"
#include "shared/base/json.hpp"

namespace oncewire::hub {

bool Parts::is_lookup(std::string_view data) const {
    if (options_.lookups.empty()) return false;
    const auto name = json::first_element(data);
    const auto event = name ? json::as_string(*name) : std::nullopt;
    return event && options_.lookups.contains(*event);
}

/// Without an acknowledgement nobody would hear the answer.
void Parts::look_up(ConnectionId id, mail::Submit submit) {
    if (!submit.ack_id) return;
    if (submit.data.size() > limits::lookup_bytes) {
        return refuse_lookup(submit, "too_large", "a question has at most 4096 bytes");
    }
    Connection* connection = find_connection(id);
    if (!connection) return;
    auto& waiting = connection->waiting_lookups;
    if (waiting.size() >= limits::lookups_waiting) {
        return refuse_lookup(submit, "too_many_questions", "wait for the answers first");
    }
    waiting.push_back(std::move(submit));
    send_lookups(id);
}

void Parts::refuse_lookup(const mail::Submit& submit, const char* code, const char* message) {
    const auto verdict = store::reject(code, message);
    if (*submit.ack_id > first_submission) {
        outputs_.push_back(SubmitSettled{*submit.ack_id - first_submission, verdict});
    } else {
        send_ack(submit.from.session, *submit.ack_id, '[' + verdict.body + ']', {});
    }
}

/// As many as may be under way, unless earlier answers have not been taken yet.
void Parts::send_lookups(ConnectionId id) {
    Connection* connection = find_connection(id);
    if (!connection) return;
    auto& waiting = connection->waiting_lookups;
    while (!waiting.empty() && connection->lookups.size() < limits::lookups_in_flight &&
           connection->queue_bytes <= options_.send_queue_bytes / 2) {
        connection->lookups.emplace_back(waiting.front().from.session, *waiting.front().ack_id);
        outputs_.push_back(ToStore{std::move(waiting.front())});
        waiting.erase(waiting.begin());
    }
}

/// False: it was none, or its session is gone. The next one goes out once this one's answer is queued.
bool Parts::end_lookup(const mail::SessionRef& to, std::optional<socketio::AckId> ack_id) {
    const Socket* socket = find_socket(to.session);
    if (!socket || !ack_id) return false;
    Connection* connection = find_connection(socket->connection);
    if (!connection) return false;
    auto& under_way = connection->lookups;
    const auto found =
        std::find(under_way.begin(), under_way.end(), std::pair(to.session, *ack_id));
    if (found == under_way.end()) return false;
    under_way.erase(found);
    answered_lookups_.push_back(socket->connection);
    return true;
}

/// True: the sequencer knows of some, and should hear that nobody waits for them any more.
bool Parts::drop_lookups(SocketId id, const Socket& socket) {
    Connection* connection = known_connection(socket.connection);
    if (!connection) return false;
    std::erase_if(connection->waiting_lookups,
                  [id](const mail::Submit& submit) { return submit.from.session == id; });
    return std::erase_if(connection->lookups,
                         [id](const auto& lookup) { return lookup.first == id; }) > 0;
}

}  // namespace oncewire::hub
