// The load generator: one thread, epoll, Engine.IO and Socket.IO over raw WebSocket, written apart from
// everything else here so that it measures Node's server and ours with the same ruler.
//
//   load fanout   --port P [--receivers 1000] [--senders 4] [--window 4] [--size 64] [--seconds 3]
//   load durable  --port P [--connections 4] [--senders 4] [--window 64] [--size 64] [--tier 1|2]
//                          [--seconds 3 | --count N]
//   load replay   --port P --rows N [--connections 1] [--seconds N: over and over]
//   load idle     --port P [--connections 10000]
//   load echo     --port P [--seconds 3]
//
// With --pid it also reads that process's CPU time and memory. Prints one JSON object.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Steady = std::chrono::steady_clock;

std::uint64_t nanoseconds() {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(Steady::now().time_since_epoch())
            .count());
}

[[noreturn]] void fail(const std::string& what) {
    std::fprintf(stderr, "load: %s\n", what.c_str());
    std::exit(1);
}

class Options {
  public:
    Options(int argc, char** argv) {
        if (argc < 2) fail("usage: load fanout|durable|replay|idle|echo --port P …");
        mode = argv[1];
        for (int i = 2; i + 1 < argc; i += 2) values_[argv[i]] = argv[i + 1];
    }
    std::uint64_t number(const std::string& name, std::uint64_t otherwise) const {
        const auto found = values_.find(name);
        return found == values_.end() ? otherwise : std::stoull(found->second);
    }
    std::string mode;

  private:
    std::map<std::string, std::string> values_;
};

// ---- the measured process -----------------------------------------------------------------------

struct Usage {
    double cpu_seconds = 0;
    double resident_kib = 0;
};

Usage usage_of(std::uint64_t pid) {
    Usage usage;
    if (pid == 0) return usage;
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    std::string text((std::istreambuf_iterator<char>(stat)), {});
    std::istringstream fields(text.substr(text.rfind(')') + 2));
    std::string skipped;
    double user = 0, system = 0;
    for (int i = 0; i < 11; ++i) fields >> skipped;
    fields >> user >> system;
    usage.cpu_seconds = (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("VmRSS:")) usage.resident_kib = std::strtod(line.c_str() + 6, nullptr);
    }
    return usage;
}

// ---- one connection -----------------------------------------------------------------------------

class Load;

struct Peer {
    int fd = -1;
    std::uint32_t number = 0;
    enum class State {
        connecting,
        upgrading,
        handshaking,
        joining,
        joined
    } state = State::connecting;
    std::string in;   // received and not yet a whole frame
    std::string out;  // not yet taken by the kernel
    std::string connect_payload;

    // what the modes count
    std::uint64_t received = 0;
    std::uint64_t in_flight = 0;
    std::uint64_t sent = 0;
    std::uint64_t acknowledged = 0;
    std::deque<std::uint64_t> sent_at;  // of what is in flight
};

void append_frame(std::string& out, std::string_view text) {
    out += static_cast<char>(0x81);
    if (text.size() < 126) {
        out += static_cast<char>(0x80 | text.size());
    } else if (text.size() < 65536) {
        out += static_cast<char>(0x80 | 126);
        out += static_cast<char>(text.size() >> 8);
        out += static_cast<char>(text.size() & 255);
    } else {
        fail("no message of ours is that long");
    }
    out.append(4, '\0');  // a mask of zeros changes nothing and costs nothing
    out += text;
}

/// All connections of one run.
class Load {
  public:
    using Hear = std::function<void(Peer&, std::string_view)>;

    explicit Load(std::uint64_t port)
        : poll_(epoll_create1(0)), port_(static_cast<std::uint16_t>(port)) {}

    /// Opens `count` connections, some at a time, and waits until all have joined the main namespace.
    void join(std::uint64_t count, const std::function<std::string(std::uint32_t)>& payload) {
        const std::uint64_t target = joined_ + count;
        std::uint64_t opened = 0;
        while (joined_ < target) {
            while (opened < count && opened < joined_ + count - target + 64) {
                open(payload(static_cast<std::uint32_t>(peers_.size())));
                ++opened;
            }
            turn(1000);
        }
    }

    void send(Peer& peer, std::string_view text) { append_frame(peer.out, text); }

    /// One turn of the loop: hears what came, then sends what became due.
    void turn(int wait_ms) {
        epoll_event events[256];
        const int count = epoll_wait(poll_, events, 256, wait_ms);
        for (int i = 0; i < count; ++i) handle(*peers_[events[i].data.u32], events[i].events);
        for (Peer* peer : talkers) flush(*peer);
    }

    Peer& peer(std::size_t index) { return *peers_[index]; }
    std::size_t size() const { return peers_.size(); }

    Hear hear = [](Peer&, std::string_view) {};
    std::vector<Peer*> talkers;  // who may have something to send after a turn

  private:
    void open(std::string payload) {
        auto peer = std::make_unique<Peer>();
        peer->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        if (peer->fd < 0) fail("socket: " + std::string(std::strerror(errno)));
        peer->number = static_cast<std::uint32_t>(peers_.size());
        peer->connect_payload = std::move(payload);
        const int on = 1;
        setsockopt(peer->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port_);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (connect(peer->fd, reinterpret_cast<sockaddr*>(&address), sizeof address) < 0 &&
            errno != EINPROGRESS) {
            fail("connect: " + std::string(std::strerror(errno)));
        }
        epoll_event event{};
        event.events = EPOLLIN | EPOLLOUT;
        event.data.u32 = peer->number;
        epoll_ctl(poll_, EPOLL_CTL_ADD, peer->fd, &event);
        peers_.push_back(std::move(peer));
    }

    void watch(Peer& peer, std::uint32_t what) {
        epoll_event event{};
        event.events = what;
        event.data.u32 = peer.number;
        epoll_ctl(poll_, EPOLL_CTL_MOD, peer.fd, &event);
    }

    void handle(Peer& peer, std::uint32_t events) {
        if (peer.state == Peer::State::connecting && (events & EPOLLOUT)) {
            peer.out =
                "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: "
                "websocket\r\n"
                "Connection: Upgrade\r\nSec-WebSocket-Key: "
                "b25jZXdpcmUtb25jZXdpcg==\r\nSec-WebSocket-Version: 13\r\n\r\n";
            peer.state = Peer::State::upgrading;
        }
        if (events & EPOLLIN) receive(peer);
        flush(peer);
    }

    void flush(Peer& peer) {
        if (peer.out.empty()) return;
        const ssize_t taken = write(peer.fd, peer.out.data(), peer.out.size());
        if (taken < 0 && errno != EAGAIN) fail("write: " + std::string(std::strerror(errno)));
        if (taken > 0) peer.out.erase(0, static_cast<std::size_t>(taken));
        watch(peer, peer.out.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT);
    }

    void receive(Peer& peer) {
        static char buffer[256 * 1024];
        const ssize_t count = read(peer.fd, buffer, sizeof buffer);
        if (count == 0) fail("the server closed a connection");
        if (count < 0) {
            if (errno == EAGAIN) return;
            fail("read: " + std::string(std::strerror(errno)));
        }
        std::string_view bytes(buffer, static_cast<std::size_t>(count));
        if (!peer.in.empty()) {
            peer.in += bytes;
            bytes = peer.in;
        }
        const std::size_t used =
            peer.state == Peer::State::upgrading ? upgrade(peer, bytes) : frames(peer, bytes);
        std::string rest(bytes.substr(used));
        peer.in = std::move(rest);
    }

    std::size_t upgrade(Peer& peer, std::string_view bytes) {
        const std::size_t end = bytes.find("\r\n\r\n");
        if (end == bytes.npos) return 0;
        if (!bytes.starts_with("HTTP/1.1 101"))
            fail("no upgrade: " + std::string(bytes.substr(0, 60)));
        peer.state = Peer::State::handshaking;
        return end + 4 + frames(peer, bytes.substr(end + 4));
    }

    std::size_t frames(Peer& peer, std::string_view bytes) {
        std::size_t at = 0;
        while (bytes.size() - at >= 2) {
            const auto byte = [&](std::size_t i) {
                return static_cast<std::uint8_t>(bytes[at + i]);
            };
            std::size_t length = byte(1) & 127, head = 2;
            if (length == 126) {
                if (bytes.size() - at < 4) break;
                length = std::size_t{byte(2)} << 8 | byte(3);
                head = 4;
            } else if (length == 127) {
                if (bytes.size() - at < 10) break;
                length = 0;
                for (std::size_t i = 2; i < 10; ++i) length = length << 8 | byte(i);
                head = 10;
            }
            if (bytes.size() - at - head < length) break;
            if ((byte(0) & 15) == 8) fail("the server sent a close frame");
            if ((byte(0) & 15) == 1) text(peer, bytes.substr(at + head, length));
            at += head + length;
        }
        return at;
    }

    void text(Peer& peer, std::string_view text) {
        if (peer.state == Peer::State::joined && text[0] == '4') return hear(peer, text);
        if (text == "2") return send(peer, "3");
        if (text[0] == '0') {
            peer.state = Peer::State::joining;
            return send(peer, "40" + peer.connect_payload);
        }
        if (text.starts_with("40")) {
            peer.state = Peer::State::joined;
            ++joined_;
        } else if (text.starts_with("44")) {
            fail("CONNECT refused: " + std::string(text));
        } else {
            hear(peer, text);  // the stock server sends missed events first
        }
    }

    int poll_;
    std::uint16_t port_;
    std::vector<std::unique_ptr<Peer>> peers_;
    std::uint64_t joined_ = 0;
};

// ---- results ------------------------------------------------------------------------------------

class Latencies {
  public:
    void add(std::uint64_t ns) { microseconds_.push_back(static_cast<float>(ns) / 1000.0f); }
    double percentile(double share) {
        if (microseconds_.empty()) return 0;
        std::sort(microseconds_.begin(), microseconds_.end());
        return static_cast<double>(microseconds_[static_cast<std::size_t>(
            share * static_cast<double>(microseconds_.size() - 1))]);
    }

  private:
    std::vector<float> microseconds_;
};

class Watch {
  public:
    explicit Watch(std::uint64_t pid) : pid_(pid), before_(usage_of(pid)), begun_(nanoseconds()) {}
    double seconds() const { return static_cast<double>(nanoseconds() - begun_) / 1e9; }
    double cpu_seconds() const { return usage_of(pid_).cpu_seconds - before_.cpu_seconds; }

  private:
    std::uint64_t pid_;
    Usage before_;
    std::uint64_t begun_;
};

const auto no_auth = [](std::uint32_t) { return std::string(); };

// ---- modes --------------------------------------------------------------------------------------

/// "SS" + nanoseconds in hex + padding: who sent it, and when.
std::string stamped(std::uint32_t sender, std::uint64_t size) {
    char head[32];
    std::snprintf(head, sizeof head, "%02u%016llx", sender,
                  static_cast<unsigned long long>(nanoseconds()));
    std::string text(head);
    text.resize(std::max<std::size_t>(size, text.size()), 'x');
    return text;
}

void fanout(const Options& options) {
    const auto receivers = options.number("--receivers", 1000),
               senders = options.number("--senders", 4);
    const auto window = options.number("--window", 4), size = options.number("--size", 64);
    const auto pid = options.number("--pid", 0);
    const auto duration = options.number("--seconds", 3) * 1'000'000'000;
    Load load(options.number("--port", 0));
    load.join(receivers, no_auth);

    constexpr std::string_view prefix = "42[\"message\",\"";
    std::uint64_t deliveries = 0;
    bool sending = true;
    Latencies latencies;
    const auto shoot = [&](Peer& peer) {
        std::string text(prefix);
        load.send(peer, (text += stamped(peer.number, size)) += "\"]");
    };
    load.hear = [&](Peer& peer, std::string_view text) {
        if (!text.starts_with(prefix)) return;
        ++deliveries;
        text.remove_prefix(prefix.size());
        if (deliveries % 64 == 0) {
            latencies.add(nanoseconds() -
                          std::strtoull(std::string(text.substr(2, 16)).c_str(), nullptr, 16));
        }
        const std::uint32_t sender =
            static_cast<std::uint32_t>((text[0] - '0') * 10 + (text[1] - '0'));
        if (sender == peer.number && sending) shoot(peer);
    };
    for (std::uint32_t i = 0; i < senders; ++i) load.talkers.push_back(&load.peer(i));
    for (std::uint64_t i = 0; i < window; ++i) {
        for (Peer* sender : load.talkers) shoot(*sender);
    }
    const auto warm = nanoseconds();
    while (nanoseconds() - warm < 500'000'000) load.turn(100);
    deliveries = 0;
    latencies = {};
    const Watch watch(pid);
    const auto begun = nanoseconds();
    while (nanoseconds() - begun < duration) load.turn(100);
    const double seconds = watch.seconds(), cpu = watch.cpu_seconds();
    sending = false;
    std::printf(
        "{\"deliveries_per_s\":%.0f,\"cpu_s_per_million\":%.3f,\"p50_ms\":%.2f,\"p99_ms\":%.2f}\n",
        static_cast<double>(deliveries) / seconds, cpu / (static_cast<double>(deliveries) / 1e6),
        latencies.percentile(0.5) / 1000, latencies.percentile(0.99) / 1000);
}

/// How many items `[[0,…],[0,…]]` holds; fails if one of them is no acceptance.
std::uint64_t count_verdicts(std::string_view list) {
    std::uint64_t items = 0;
    int depth = 0;
    bool quoted = false;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const char c = list[i];
        if (quoted) {
            if (c == '\\')
                ++i;
            else if (c == '"')
                quoted = false;
        } else if (c == '"') {
            quoted = true;
        } else if (c == '[' && ++depth == 2) {
            if (list[i + 1] != '0') fail("a message was rejected");
            ++items;
        } else if (c == ']' && --depth == 0) {
            break;
        }
    }
    return items;
}

std::string random_hex(std::mt19937_64& chance, int digits) {
    std::string text;
    for (int i = 0; i < digits; ++i) text += "0123456789abcdef"[chance() % 16];
    return text;
}

/// Stored, broadcast to all connections, acknowledged; a window in flight for each sender. Tier 1 is
/// the tutorial's client: an id of its own and an acknowledgement; tier 2 our capability.
void durable(const Options& options) {
    const auto connections = options.number("--connections", 4),
               window = options.number("--window", 64);
    const auto size = options.number("--size", 64), tier = options.number("--tier", 1);
    const auto senders = options.number("--senders", connections);
    const auto pid = options.number("--pid", 0), limit = options.number("--count", 0);
    const auto duration = options.number("--seconds", 3) * 1'000'000'000;
    std::mt19937_64 chance(std::random_device{}());
    const std::string run = random_hex(chance, 8), body(size, 'm');
    Load load(options.number("--port", 0));
    load.join(connections, [&](std::uint32_t) {
        if (tier == 1) return std::string(R"({"serverOffset":9007199254740991})");
        return R"({"serverOffset":9007199254740991,"oncewire":{"version":1,"renumbered":true,"producer":")" +
               random_hex(chance, 32) + R"(","secret":")" + random_hex(chance, 32) + "\"}}";
    });

    std::uint64_t sent = 0, acknowledged = 0, deliveries = 0;
    Latencies latencies;
    const auto shoot = [&](Peer& peer) {
        if (limit != 0 && sent == limit) return;
        ++sent;
        ++peer.in_flight;
        peer.sent_at.push_back(nanoseconds());
        const std::string n = std::to_string(++peer.sent);
        if (tier == 1) {
            load.send(peer, "42" + n + "[\"chat message\",\"" + body + "\",\"" + run + '-' +
                                std::to_string(peer.number) + '-' + n + "\"]");
        } else {
            // As scattered as real ones: an index of them would show.
            char digest[17];
            std::snprintf(digest, sizeof digest, "%016llx",
                          static_cast<unsigned long long>(chance()));
            load.send(peer, "42[\"oncewire:send\"," + n + ",\"" + digest +
                                "\",[\"chat message\",\"" + body + "\"]]");
        }
    };
    load.hear = [&](Peer& peer, std::string_view text) {
        constexpr std::string_view verdicts = "42[\"oncewire:verdicts\",";
        std::uint64_t count = 1;
        if (text.starts_with(verdicts)) {
            count = count_verdicts(text.substr(text.find('[', verdicts.size())));
        } else if (!text.starts_with("43")) {
            ++deliveries;
            return;
        }
        acknowledged += count;
        peer.in_flight -= count;
        while (count-- > 0) {
            latencies.add(nanoseconds() - peer.sent_at.front());
            peer.sent_at.pop_front();
            shoot(peer);
        }
    };
    const Watch watch(pid);
    for (std::uint32_t i = 0; i < senders; ++i) load.talkers.push_back(&load.peer(i));
    for (Peer* peer : load.talkers) {
        for (std::uint64_t i = 0; i < window; ++i) shoot(*peer);
    }
    load.turn(0);
    const auto begun = nanoseconds();
    while (limit != 0 ? acknowledged < limit : nanoseconds() - begun < duration) load.turn(100);
    const double seconds = watch.seconds();
    std::printf(
        "{\"messages_per_s\":%.0f,\"deliveries_per_s\":%.0f,\"cpu_s_per_million\":%.3f,"
        "\"p99_ms\":%.2f}\n",
        static_cast<double>(acknowledged) / seconds, static_cast<double>(deliveries) / seconds,
        watch.cpu_seconds() / (static_cast<double>(acknowledged) / 1e6),
        latencies.percentile(0.99) / 1000);
}

/// Everything that was stored, to `connections` readers at once.
void replay(const Options& options) {
    const auto connections = options.number("--connections", 1), rows = options.number("--rows", 0);
    if (rows == 0) fail("replay needs --rows");
    Load load(options.number("--port", 0));
    std::uint64_t received = 0;
    load.hear = [&](Peer& peer, std::string_view text) {
        if (text.starts_with("42[\"chat message\"") && peer.received < rows) {
            ++peer.received;
            ++received;
        }
    };
    const Watch watch(options.number("--pid", 0));
    const auto join = [&] {
        load.join(connections, [](std::uint32_t) { return std::string(R"({"serverOffset":0})"); });
        while (received < rows * load.size()) load.turn(1000);
    };
    const auto begun = nanoseconds();
    const auto duration = options.number("--seconds", 0) * 1'000'000'000;
    do join();
    while (nanoseconds() - begun < duration);
    const double total = static_cast<double>(received);
    std::printf("{\"rows_per_s\":%.0f,\"cpu_s_per_million\":%.3f}\n", total / watch.seconds(),
                watch.cpu_seconds() / (total / 1e6));
}

void idle(const Options& options) {
    const auto connections = options.number("--connections", 10'000),
               pid = options.number("--pid", 0);
    Load load(options.number("--port", 0));
    load.join(50, no_auth);  // what the first connections warm up is not the price of one
    const Usage before = usage_of(pid);
    const Watch watch(pid);
    load.join(connections, no_auth);
    const double seconds = watch.seconds(), cpu = watch.cpu_seconds();
    const auto settle = nanoseconds();
    while (nanoseconds() - settle < 1'000'000'000) load.turn(100);
    std::printf(
        "{\"connects_per_s\":%.0f,\"cpu_us_per_connect\":%.1f,\"kib_per_connection\":%.2f}\n",
        static_cast<double>(connections) / seconds, cpu * 1e6 / static_cast<double>(connections),
        (usage_of(pid).resident_kib - before.resident_kib) / static_cast<double>(connections));
}

/// One question at a time on one connection.
void echo(const Options& options) {
    const auto duration = options.number("--seconds", 3) * 1'000'000'000;
    Load load(options.number("--port", 0));
    load.join(1, no_auth);
    Peer& peer = load.peer(0);
    load.talkers.push_back(&peer);
    Latencies latencies;
    std::uint64_t asked = 0, answers = 0;
    const auto ask = [&] {
        asked = nanoseconds();
        load.send(peer, "42" + std::to_string(answers) + "[\"echo\",\"ping\"]");
    };
    load.hear = [&](Peer&, std::string_view text) {
        if (!text.starts_with("43")) return;
        latencies.add(nanoseconds() - asked);
        ++answers;
        ask();
    };
    const Watch watch(options.number("--pid", 0));
    ask();
    load.turn(0);
    const auto begun = nanoseconds();
    while (nanoseconds() - begun < duration) load.turn(100);
    const double cpu = watch.cpu_seconds();
    std::printf(
        "{\"round_trips_per_s\":%.0f,\"cpu_us_per_round_trip\":%.2f,\"p50_us\":%.1f,"
        "\"p99_us\":%.1f}\n",
        static_cast<double>(answers) / watch.seconds(), cpu * 1e6 / static_cast<double>(answers),
        latencies.percentile(0.5), latencies.percentile(0.99));
}

}  // namespace

int main(int argc, char** argv) {
    const Options options(argc, argv);
    const std::map<std::string, void (*)(const Options&)> modes{{"fanout", fanout},
                                                                {"durable", durable},
                                                                {"replay", replay},
                                                                {"idle", idle},
                                                                {"echo", echo}};
    const auto mode = modes.find(options.mode);
    if (mode == modes.end()) fail("no mode is called " + options.mode);
    mode->second(options);
}
