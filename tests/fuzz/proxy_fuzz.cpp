// Any bytes in a proxy's place: its PROXY header says the same whether it comes whole or one by one, and
// whatever its headers claim, the client is an address, written in the one way; of a stranger nothing counts.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/net/gate/client.hpp"
#include "server/net/gate/http_message.hpp"
#include "server/net/gate/proxy_protocol.hpp"
#include "shared/base/verify.hpp"

using namespace oncewire;

namespace {

void check_address(std::string_view text) {
    const auto address = net::IpAddress::parse(text);
    VERIFY(address && address->text() == text);
    VERIFY(net::IpBlock::parse(text)->contains(*address));
    if (!address->is_ipv4()) VERIFY(net::IpBlock::parse(net::network_of(text))->contains(*address));
}

/// What follows never changes what was said, and what was refused stays so.
void check_proxy_header(std::string_view bytes) {
    const auto whole = net::read_proxy_header(bytes);
    for (std::size_t size = 0; size <= bytes.size(); ++size) {
        const auto part = net::read_proxy_header(bytes.substr(0, size));
        if (!part) {
            VERIFY(!whole);
            return;
        }
        if (!*part) continue;
        VERIFY(whole && *whole && (*whole)->size == (*part)->size && (*part)->size <= size);
        VERIFY((*whole)->client == (*part)->client);
        if ((*part)->client) check_address((*part)->client->text());
        return;
    }
    VERIFY(whole && !*whole);
}

net::HeaderList headers_of(std::string_view lines) {
    constexpr std::string_view names[] = {"X-Forwarded-For", "Forwarded", "X-Forwarded-Proto",
                                          "X-Forwarded-Host", "X-Forwarded-Prefix"};
    net::HeaderList headers;
    while (!lines.empty()) {
        const std::string_view line = lines.substr(0, lines.find('\n'));
        lines.remove_prefix(std::min(line.size() + 1, lines.size()));
        if (line.empty()) continue;
        const auto which = static_cast<unsigned char>(line[0]) % std::size(names);
        headers.emplace_back(names[which], net::trim_blanks(line.substr(1)));
    }
    return headers;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    check_proxy_header(bytes);
    const net::HeaderList headers = headers_of(bytes);
    const std::vector<net::IpBlock> trusted = {*net::IpBlock::parse("127.0.0.1"),
                                               *net::IpBlock::parse("10.0.0.0/8"),
                                               *net::IpBlock::parse("2001:db8::/32")};
    const auto behind = net::client_of("127.0.0.1", headers, trusted);
    check_address(behind.address);
    VERIFY(behind.prefix.empty() || net::is_prefix(behind.prefix));
    const auto stranger = net::client_of("192.0.2.1", headers, trusted);
    VERIFY(stranger.address == "192.0.2.1" && !stranger.by_proxy && !stranger.secure);
    VERIFY(!stranger.host && stranger.prefix.empty());
    if (net::IpAddress::parse(bytes)) check_address(net::IpAddress::parse(bytes)->text());
    return 0;
}
