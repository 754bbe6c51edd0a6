#include "server/store/verdict.hpp"

#include <utility>

#include "shared/base/json.hpp"
#include "shared/delivery/outcome.hpp"

namespace oncewire::store {

Verdict accept(std::string body) { return {Verdict::Kind::accepted, std::move(body)}; }

Verdict reject(std::string_view code, std::string_view message) {
    std::string body = R"({"error":)";
    json::append_quoted(body, code);
    body += R"(,"message":)";
    json::append_quoted(body, message);
    body += '}';
    return {Verdict::Kind::rejected, std::move(body)};
}

Verdict outcome_unknown() {
    return reject(delivery::outcome_unknown,
                  "it was offered before, so long ago that nobody knows whether it was stored");
}

}  // namespace oncewire::store
