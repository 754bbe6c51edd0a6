#include "tests/sim/link.hpp"

#include <iterator>
#include <utility>

namespace oncewire::sim {
namespace {

constexpr std::uint32_t half_open_min = 100;
constexpr std::uint32_t half_open_max = 60'000;
constexpr std::uint32_t zombie_min = 200;
constexpr std::uint32_t zombie_max = 20'000;
constexpr std::uint32_t stall_min = 500;
constexpr std::uint32_t stall_max = 30'000;
constexpr std::uint32_t slow_reader_min = 1'000;
constexpr std::uint32_t slow_reader_max = 60'000;

/// Engine.IO ping and pong: most of what is ever sent, and not worth reading.
bool is_heartbeat(const Frame& frame) { return frame.bytes == "2" || frame.bytes == "3"; }

}  // namespace

// ---- what the ends do ---------------------------------------------------------------------------

LinkNumber Network::dial(LinkEnd& client, Target target) {
    const LinkNumber number = ++last_;
    Link& link = links_[number];
    link.target = std::move(target);
    link.end(Side::client) = {&client, {}, {}, true, true, false};
    const bool far = env_.faults.strikes(Fault::delay, 1, 3);
    link.latency = env_.choices.delay("latency", far ? 100 : 1, far ? 2'000 : 30);
    link.jitter = far ? 500 : 3;
    link.buffer_bytes = 512u << env_.choices.between("socket buffer", 0, 7);
    env_.note("link {} dialled", number);

    if (env_.faults.strikes(Fault::connect_hangs, 1, 12)) return number;
    env_.heap.at(arrival(link), [this, number] { answer_dial(number); });
    return number;
}

void Network::answer_dial(LinkNumber number) {
    Link* link = find(number);
    if (!link) return;
    if (!link->end(Side::client).hears_closed) {  // given up meanwhile
        links_.erase(number);
        return;
    }
    if (!server_ || env_.faults.strikes(Fault::connect_refused, 1, 6)) {
        env_.note("link {} refused", number);
        return send_item(number, Side::client, Pipe::Kind::closed, nullptr, arrival(*link));
    }
    link->end(Side::server) = {server_, {}, {}, true, true, false};
    send_item(number, Side::client, Pipe::Kind::opened, nullptr, arrival(*link));
    server_->link_opened(number);
}

void Network::send(LinkNumber number, Side from, const std::vector<SharedFrame>& frames) {
    Link* link = find(number);
    if (!link) return;
    for (const auto& frame : frames) {
        send_item(number, other(from), Pipe::Kind::frame, frame, arrival(*link));
        // A cut hurts most while something is under way.
        if (is_heartbeat(*frame) || !env_.faults.is_possible(Fault::link_cut)) continue;
        // One frame is all that a request ever has.
        const bool is_request = link->target.kind != Target::Kind::websocket;
        if (!env_.choices.chance("cut under way", 1, is_request ? 25 : 150)) continue;
        env_.heap.after(env_.choices.delay("cut after", 0, 40), [this, number] {
            if (find(number) && links_[number].end(Side::server).hears_closed) cut(number);
        });
    }
    link->end(from).awaits_written = true;
    check_written(number, from);
}

void Network::close(LinkNumber number, Side from) {
    Link* link = find(number);
    if (!link || !link->end(from).hears_closed) return;
    env_.note(
        from == Side::server ? "link {} closed by the server" : "link {} closed by the client",
        number);
    link->end(from).hears_closed = false;
    link->end(from).hears_frames = false;
    link->end(from).awaits_written = false;
    send_item(number, other(from), Pipe::Kind::closed, nullptr, arrival(*link));
}

void Network::abandon(LinkNumber number, Side side) { leave(number, side, false); }

void Network::leave(LinkNumber number, Side side, bool power_lost) {
    Link* link = find(number);
    if (!link) return;
    link->end(side) = {nullptr, link->end(side).incoming, link->end(side).arrivals, false, false,
                       false};
    lose_tail(*link, other(side));
    notice_closed(number, other(side), power_lost);
}

void Network::abandon_all_by_server(bool power_lost) {
    for (auto& [number, link] : links_) {
        if (link.end(Side::server).hears_closed) leave(number, Side::server, power_lost);
    }
}

// ---- how it gets there --------------------------------------------------------------------------

Network::Link* Network::find(LinkNumber number) {
    const auto found = links_.find(number);
    return found == links_.end() ? nullptr : &found->second;
}

bool Network::Link::is_over() const {
    for (const End& end : ends) {
        if (end.hears_closed || end.incoming.size() > 0) return false;
    }
    return true;
}

Instant Network::arrival(const Link& link) {
    return env_.now() + link.latency + env_.choices.delay("jitter", 0, link.jitter);
}

void Network::send_item(LinkNumber number, Side to, Pipe::Kind kind, SharedFrame frame,
                        Instant due) {
    links_[number].end(to).incoming.send(kind, std::move(frame), env_.now(), due);
    await_arrival(number, to);
}

void Network::await_arrival(LinkNumber number, Side side) {
    End& end = links_[number].end(side);
    end.arrivals.arm(env_.heap, end.incoming.next(), [this, number, side] { pump(number, side); });
}

void Network::pump(LinkNumber number, Side side) {
    Link* link = find(number);
    if (!link || !link->end(side).arrivals.fired(env_.now())) return;
    // The receiver may close, dial or send meanwhile, so nothing is held across deliver().
    while (const auto item = links_[number].end(side).incoming.take(env_.now())) {
        check_written(number, other(side));
        deliver(number, side, *item);
    }
    await_arrival(number, side);
    forget_if_over(number);
}

void Network::deliver(LinkNumber number, Side side, const Pipe::Item& item) {
    const End& end = links_[number].end(side);
    if (item.kind == Pipe::Kind::closed) return tell_closed(number, side);
    if (!end.hears_frames) return;
    sent_at_ = item.sent;
    if (item.kind == Pipe::Kind::opened) return end.who->link_opened(number);
    if (!is_heartbeat(*item.frame)) {
        env_.note(side == Side::server ? "link {} to server" : "link {} to client", number, 0,
                  item.frame->bytes);
    }
    end.who->link_frame(number, *item.frame);
}

void Network::check_written(LinkNumber number, Side side) {
    Link& link = links_[number];
    End& end = link.end(side);
    if (!end.awaits_written) return;
    if (link.end(other(side)).incoming.bytes() > link.buffer_bytes) return;
    end.awaits_written = false;
    env_.heap.after(Millis{0}, [this, number, side] {
        const Link* still = find(number);
        if (still && links_[number].end(side).hears_closed) {
            links_[number].end(side).who->link_written(number);
        }
    });
}

void Network::tell_closed(LinkNumber number, Side side) {
    End& end = links_[number].end(side);
    if (!end.hears_closed) return;
    end.hears_closed = false;
    end.hears_frames = false;
    env_.note(side == Side::server ? "link {} gone for the server" : "link {} gone for the client",
              number);
    end.who->link_closed(number);
}

void Network::forget_if_over(LinkNumber number) {
    const Link* link = find(number);
    if (link && link->is_over()) links_.erase(number);
}

// ---- what goes wrong ----------------------------------------------------------------------------

void Network::misbehave() {
    if (links_.empty()) return;
    const auto count = static_cast<std::uint32_t>(links_.size());
    const LinkNumber number =
        std::next(links_.begin(), env_.choices.choose("which link", count))->first;
    if (!links_[number].end(Side::server).hears_closed) return;
    const Side side = env_.choices.choose("which side", 2) == 0 ? Side::server : Side::client;
    switch (env_.choices.choose("what happens to the link", 4)) {
        case 0:
        case 1:
            if (env_.faults.is_possible(Fault::link_cut)) cut(number);
            return;
        case 2:
            if (env_.faults.strikes(Fault::stall, 1, 1)) {
                stand_still(number, side, env_.choices.long_tailed("stall", stall_min, stall_max));
            }
            return;
        case 3:
            if (env_.faults.strikes(Fault::slow_reader, 1, 1)) {
                stand_still(number, Side::client,
                            env_.choices.long_tailed("slow", slow_reader_min, slow_reader_max));
            }
            return;
    }
}

void Network::cut(LinkNumber number) {
    env_.faults.count(Fault::link_cut);
    env_.note("link {} is cut", number);
    break_direction(number, Side::server);
    break_direction(number, Side::client);
}

void Network::break_direction(LinkNumber number, Side side) {
    End& end = links_[number].end(side);
    const auto zombie = side == Side::server ? Fault::zombie_server : Fault::zombie_client;
    if (end.incoming.size() == 0 || !env_.faults.strikes(zombie, 1, 3)) {
        lose_tail(links_[number], side);
        return notice_closed(number, side);
    }
    end.incoming.cut(0);
    end.incoming.postpone(env_.choices.long_tailed("zombie", zombie_min, zombie_max));
    if (side == Side::server) return notice_closed(number, side);  // behind what is under way
    // The client goes elsewhere at once; what its old link still brings is handed to it later (R10).
    env_.heap.after(Millis{0}, [this, number] {
        if (!find(number)) return;
        tell_closed(number, Side::client);
        End& client = links_[number].end(Side::client);
        client.hears_frames = client.who != nullptr;
    });
}

void Network::lose_tail(Link& link, Side side) {
    Pipe& pipe = link.end(side).incoming;
    const auto fault =
        side == Side::server ? Fault::tail_lost_to_server : Fault::tail_lost_to_client;
    const bool loses = pipe.size() > 0 && env_.faults.strikes(fault, 3, 4);
    pipe.cut(loses ? env_.choices.between("lost", 1, pipe.size()) : 0);
}

void Network::notice_closed(LinkNumber number, Side side, bool power_lost) {
    const auto fault = side == Side::server ? Fault::half_open_server : Fault::half_open_client;
    const bool late = power_lost || env_.faults.strikes(fault, 1, 3);
    const Millis after = late ? env_.choices.long_tailed("half-open", half_open_min, half_open_max)
                              : env_.choices.delay("notice", 0, 50);
    send_item(number, side, Pipe::Kind::closed, nullptr, env_.now() + after);
}

void Network::stand_still(LinkNumber number, Side side, Millis time) {
    env_.note(side == Side::server ? "link {} to server stands still for {} ms"
                                   : "link {} to client stands still for {} ms",
              number, static_cast<std::uint64_t>(time.count()));
    links_[number].end(side).incoming.stall(env_.now() + time);
    await_arrival(number, side);
}

void Network::heal() {
    for (auto& [number, link] : links_) {
        link.latency = Millis{20};
        link.jitter = 3;
        for (const Side side : {Side::server, Side::client}) {
            link.end(side).incoming.stall(env_.now());
            await_arrival(number, side);
        }
    }
}

}  // namespace oncewire::sim
