#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/chat/chat.hpp"

/// What makes a program of the parts: who visitors are, and what the operator has configured.
namespace oncewire::product {

/// A key that a site's back end signs tokens with. Its algorithm is ours to say, never the token's.
struct TokenKey {
    std::string id;         ///< the token's `kid`; empty: any token, if it is the only key
    std::string algorithm;  ///< HS256, RS256, ES256 and their 384 and 512
    std::string key;        ///< the secret, or the public key as PEM
    std::string issuer;     ///< the token's `iss`; empty: not looked at
    std::string audience;   ///< among the token's `aud`
    bool operator==(const TokenKey&) const = default;
};

struct IdentityOptions {
    bool anonymous = true;  ///< visitors without a token may come in
    Millis clock_skew{30'000};
    std::vector<TokenKey> keys;
};

/// Who stands behind what CONNECT said: a token's subject, or a visitor known by a secret of their own
/// browser. Any thread.
class Identity {
  public:
    explicit Identity(IdentityOptions options);

    /// A refusal's data has a `code`: "token_required", "invalid_token", "expired_token".
    Result<chat::User, api::Refusal> identify(const api::Json& auth, UnixMillis now) const;
    /// Whether chat::User::credential of somebody who is in would still let them in.
    bool accepts(const std::string& credential) const;

  private:
    Result<chat::User, api::Refusal> by_token(const std::string& token, UnixMillis now) const;

    IdentityOptions options_;
    std::vector<std::string> credentials_;  // of options_.keys, one for each
};

/// The algorithms that TokenKey may name.
bool is_token_algorithm(std::string_view name);

}  // namespace oncewire::product
