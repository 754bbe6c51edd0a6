#include "server/product/identity.hpp"

#include <jwt.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>

#include "shared/base/base64.hpp"

namespace oncewire::product {
namespace {

using api::Json;
using api::Refusal;

/// 8,192 bytes: no honest token is larger, and what is larger is not even looked at.
constexpr std::size_t token_bytes_max = 8192;
constexpr std::size_t secret_characters = 32;
constexpr std::size_t visitor_bytes = 12;  // 96 bits of the hash are nobody else's

constexpr std::array algorithms = {"HS256", "HS384", "HS512", "RS256", "RS384",
                                   "RS512", "ES256", "ES384", "ES512"};

Err<Refusal> refused(const char* code, const std::string& message) {
    return Err{api::refuse(message, Json{{"code", code}})};
}

/// The header or the claims: base64url of a JSON object.
std::optional<Json> part_of(std::string_view token, std::size_t index) {
    for (; index > 0; --index) {
        const std::size_t dot = token.find('.');
        if (dot == token.npos) return std::nullopt;
        token.remove_prefix(dot + 1);
    }
    const auto bytes = base64::decode(token.substr(0, token.find('.')));
    auto json = bytes ? api::decode_json(*bytes, {}) : std::nullopt;
    return json && json->is_object() ? json : std::nullopt;
}

std::optional<std::int64_t> seconds_in(const Json& claims, const char* name) {
    const auto found = claims.find(name);
    if (found == claims.end() || !found->is_number()) return std::nullopt;
    const double seconds = found->get<double>();
    constexpr double largest = 1e11;  // the year 5138
    if (!(seconds >= 0 && seconds <= largest)) return std::nullopt;
    return static_cast<std::int64_t>(seconds);
}

bool is_for(const Json& claims, const std::string& audience) {
    const auto found = claims.find("aud");
    if (found == claims.end()) return false;
    if (found->is_array()) return std::find(found->begin(), found->end(), audience) != found->end();
    return *found == audience;
}

/// The signature, by the key's own algorithm whatever the token asks for.
bool is_signed(const std::string& token, const TokenKey& key) {
    jwt_t* raw = nullptr;
    const auto* bytes = reinterpret_cast<const unsigned char*>(key.key.data());
    const int failed = jwt_decode(&raw, token.c_str(), bytes, static_cast<int>(key.key.size()));
    const std::unique_ptr<jwt_t, void (*)(jwt_t*)> jwt(raw, jwt_free);
    return failed == 0 && jwt && jwt_get_alg(jwt.get()) == jwt_str_alg(key.algorithm.c_str());
}

const TokenKey* find_key(const std::vector<TokenKey>& keys, const Json& header) {
    const auto id = chat::string_in(header, "kid");
    for (const auto& key : keys) {
        const bool is_it = id ? key.id == *id : key.id.empty();
        if (is_it || (keys.size() == 1 && (!id || key.id.empty()))) return &key;
    }
    return nullptr;
}

/// Hexadecimal digits of so many bytes of a hash.
std::string digest(const std::string& text, std::size_t bytes) {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash.data());
    std::string digits;
    for (std::size_t i = 0; i < bytes; ++i) {
        digits += "0123456789abcdef"[hash[i] >> 4];
        digits += "0123456789abcdef"[hash[i] & 15];
    }
    return digits;
}

std::string visitor_id(const std::string& secret) {
    return "v-" + digest("oncewire visitor " + secret, visitor_bytes);
}

/// Another one whenever anything about the key changes; tells nothing of it.
std::string credential_of(const TokenKey& key) {
    std::string text = "oncewire key";
    for (const auto& part : {key.id, key.algorithm, key.key, key.issuer, key.audience}) {
        text += '\n' + std::to_string(part.size()) + ' ' + part;
    }
    return digest(text, visitor_bytes);
}

const std::string visitor_credential = "visitor";

bool is_secret(const std::string& text) {
    return text.size() == secret_characters &&
           text.find_first_not_of("0123456789abcdef") == text.npos;
}

}  // namespace

Identity::Identity(IdentityOptions options) : options_(std::move(options)) {
    for (const TokenKey& key : options_.keys) credentials_.push_back(credential_of(key));
}

bool Identity::accepts(const std::string& credential) const {
    if (credential == visitor_credential) return options_.anonymous;
    return std::find(credentials_.begin(), credentials_.end(), credential) != credentials_.end();
}

bool is_token_algorithm(std::string_view name) {
    return std::find(algorithms.begin(), algorithms.end(), name) != algorithms.end();
}

Result<chat::User, Refusal> Identity::identify(const Json& auth, UnixMillis now) const {
    if (const auto token = chat::string_in(auth, "token")) return by_token(*token, now);
    if (!options_.anonymous) return refused("token_required", "sign in first");
    const auto secret = chat::string_in(auth, "visitor");
    if (!secret || !is_secret(*secret)) {
        return chat::User{"", "", true, std::nullopt, visitor_credential};
    }
    const auto name = chat::clean_name(chat::string_in(auth, "name").value_or(""));
    return chat::User{visitor_id(*secret), name.value_or(""), true, std::nullopt,
                      visitor_credential};
}

Result<chat::User, Refusal> Identity::by_token(const std::string& token, UnixMillis now) const {
    const auto header = token.size() <= token_bytes_max ? part_of(token, 0) : std::nullopt;
    const TokenKey* key = header ? find_key(options_.keys, *header) : nullptr;
    if (!key) return refused("invalid_token", "this token was not signed for us");
    const bool is_known = chat::string_in(*header, "alg") == key->algorithm;
    if (!is_known || header->contains("crit") || !is_signed(token, *key)) {
        return refused("invalid_token", "the token's signature is not valid");
    }
    const auto claims = part_of(token, 1);
    if (!claims) return refused("invalid_token", "the token is malformed");
    const auto issuer = chat::string_in(*claims, "iss").value_or("");
    if (!key->issuer.empty() && issuer != key->issuer) {
        return refused("invalid_token", "the token comes from somebody else");
    }
    if (!is_for(*claims, key->audience)) {
        return refused("invalid_token", "the token is meant for somebody else");
    }
    const std::int64_t skew = options_.clock_skew.count();
    const auto expires = seconds_in(*claims, "exp");
    if (!expires) return refused("invalid_token", "the token must say when it expires");
    if (*expires * 1000 + skew <= now.value) {
        return refused("expired_token", "the token has expired");
    }
    if (claims->contains("nbf")) {
        const auto begins = seconds_in(*claims, "nbf");
        if (!begins || *begins * 1000 - skew > now.value) {
            return refused("invalid_token", "the token is not valid yet");
        }
    }
    const auto subject = chat::string_in(*claims, "sub");
    const std::string id = "u:" + subject.value_or("");
    if (!subject || subject->empty() || !chat::is_user_id(id)) {
        return refused("invalid_token", "the token names nobody");
    }
    const auto name = chat::clean_name(chat::string_in(*claims, "name").value_or(*subject));
    const auto& credential = credentials_[static_cast<std::size_t>(key - options_.keys.data())];
    return chat::User{id, name.value_or(""), false, UnixMillis{*expires * 1000 + skew}, credential};
}

}  // namespace oncewire::product
