#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>

#include "server/chat/chat.hpp"

namespace oncewire::chat {

/// Ends sessions whose token has expired, or whose key has been taken away. However often a session renews
/// its token it has one place here, which it leaves when it ends; one timer looks at all of them.
class SessionWatch {
  public:
    /// `application` outlives it.
    SessionWatch(api::Application& application, Options::IsRevoked is_revoked)
        : application_(application), is_revoked_(std::move(is_revoked)) {}

    /// From now on until leave(), or in place of what was said of it before.
    void watch(const api::Socket& socket, const User& user);
    void leave(const api::Socket& socket) { sessions_.erase(std::string(socket.id())); }
    std::size_t size() const { return sessions_.size(); }

    /// How often it is looked, and how often at keys, too.
    static constexpr Millis look_every{1'000};
    static constexpr Millis look_at_keys_every{10'000};

  private:
    struct Session {
        api::Socket socket;
        std::optional<UnixMillis> expires;
        std::string credential;
    };

    void look_later();
    void look();
    bool is_over(const Session& session, UnixMillis now) const;

    api::Application& application_;
    Options::IsRevoked is_revoked_;
    std::map<std::string, Session> sessions_;
    std::optional<UnixMillis> earliest_;  // expiry, or one that was
    Millis until_keys_ = look_at_keys_every;
    bool looks_later_ = false;
};

}  // namespace oncewire::chat
