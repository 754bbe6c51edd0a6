#include "server/net/gate/refusals.hpp"

#include "shared/base/json.hpp"

namespace oncewire::net {
namespace {

/// 200 bytes: names are at most 253, and nearly all far below.
constexpr std::size_t shown_bytes_max = 200;

std::string shown(std::string_view value) { return json::quoted(value.substr(0, shown_bytes_max)); }

std::string line(Refusals::What what, std::string_view host, std::string_view origin) {
    if (what == Refusals::What::host) {
        return "refused the Host " + shown(host) + " (Origin " + shown(origin) +
               "): if this server goes by that name, add it to names in [server]";
    }
    return "refused the Origin " + shown(origin) + " (Host " + shown(host) +
           "): if its pages may connect, add it to origins in [server]; if it is this server's own "
           "page, "
           "add its host to names in [server]";
}

}  // namespace

std::optional<std::string> Refusals::note(What what, std::string_view host, std::string_view origin,
                                          Instant now) {
    ++(what == What::host ? counts_.hosts : counts_.origins);
    return may_write(now) ? std::optional(line(what, host, origin)) : std::nullopt;
}

bool Refusals::may_write(Instant now) {
    if (now >= period_end_) {
        period_end_ = now + period;
        lines_ = 0;
    }
    return ++lines_ <= lines_max;
}

}  // namespace oncewire::net
