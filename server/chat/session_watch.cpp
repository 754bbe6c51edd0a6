#include "server/chat/session_watch.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace oncewire::chat {
namespace {

/// An expiry that cannot be computed with is as good as none.
constexpr UnixMillis end_of_time{INT64_MAX};

}  // namespace

void SessionWatch::watch(const api::Socket& socket, const User& user) {
    if (!user.expires && user.credential.empty()) return;
    sessions_.insert_or_assign(std::string(socket.id()),
                               Session{socket, user.expires, user.credential});
    const auto expires = user.expires.value_or(end_of_time);
    if (!earliest_ || expires.value < earliest_->value) earliest_ = expires;
    look_later();
}

void SessionWatch::look_later() {
    if (std::exchange(looks_later_, true)) return;
    application_.after(look_every, [this] {
        looks_later_ = false;
        look();
        if (!sessions_.empty()) look_later();
    });
}

/// Walks through all of them only if there is something to find.
void SessionWatch::look() {
    const UnixMillis now = application_.wall_clock();
    until_keys_ -= look_every;
    const bool is_time_for_keys = is_revoked_ && until_keys_.count() <= 0;
    if (!is_time_for_keys && earliest_ && now.value < earliest_->value) return;
    until_keys_ = look_at_keys_every;
    earliest_ = end_of_time;
    std::vector<api::Socket> over;
    for (const auto& [id, session] : sessions_) {
        if (is_over(session, now)) {
            over.push_back(session.socket);
        } else {
            earliest_ =
                UnixMillis{std::min(earliest_->value, session.expires.value_or(end_of_time).value)};
        }
    }
    for (const auto& socket : over) {
        leave(socket);
        socket.emit("expired");
        socket.disconnect();
    }
}

bool SessionWatch::is_over(const Session& session, UnixMillis now) const {
    if (!session.socket.connected()) return true;
    if (session.expires && session.expires->value <= now.value) return true;
    return is_revoked_ && !session.credential.empty() && is_revoked_(session.credential);
}

}  // namespace oncewire::chat
