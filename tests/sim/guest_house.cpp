#include "tests/sim/guest_house.hpp"

#include "shared/base/json.hpp"

namespace oncewire::sim {

std::uint64_t number_of(std::string_view data) {
    const auto elements = json::elements(data);
    return elements.size() < 2
               ? 0
               : static_cast<std::uint64_t>(json::as_integer(elements[1]).value_or(0));
}

void GuestHouse::install(api::Application& application) {
    application.use([this](api::Socket socket) {
        const auto handshake = socket.handshake();
        const auto name = handshake.auth_value<std::string>("name").value_or("");
        const bool skipped =
            env_.mutant == Mutant::middleware_skipped && handshake.auth.contains("pid");
        if (!skipped && banned_at_.contains(name)) return std::optional(api::refuse("banned"));
        socket.identify(name);
        return api::allow();
    });
    application.on_connection([this](api::Socket socket) {
        if (socket.recovered()) return;
        socket.join(hall);
        socket.emit("joined", next_number(), hall);
    });
}

void GuestHouse::tell_news(api::Application& io) {
    const char* room = env_.choices.choose("room", 2) == 0 ? hall : parlour;
    auto everybody = io.everybody().to(room);
    if (env_.choices.chance("both rooms", 1, 5)) everybody = everybody.to(parlour);
    const auto number = next_number();
    env_.note("the house has news {}", number, 0, room);
    everybody.emit("news", number, std::string(env_.choices.between("length", 0, 40), 'n'));
}

void GuestHouse::spread_rumour(api::Application& io) {
    io.everybody().volatile_().emit("rumour", next_number(), "a string");
}

/// The word comes last: whoever has it is in the room already, whatever the process still did.
void GuestHouse::let_in(api::Application& io, const std::string& sid) {
    const auto number = next_number();
    changing_[number] = {sid, parlour};
    env_.note("the house lets somebody in, {}", number);
    io.everybody().to(sid).sockets_join(parlour);
    io.everybody().to(sid).emit("joined", number, parlour);
}

void GuestHouse::put_out(api::Application& io, const std::string& sid) {
    const char* room = env_.choices.choose("out of", 2) == 0 ? hall : parlour;
    const auto number = next_number();
    changing_[number] = {sid, room};
    env_.note("the house puts somebody out, {}", number, 0, room);
    io.everybody().to(sid).sockets_leave(room);
    io.everybody().to(sid).emit("left", number, room);
}

void GuestHouse::look_at_disk(const store::MemoryDisk& disk) {
    for (const auto& [pid, row] : disk.tables.sessions.rows) {
        begun_.try_emplace(pid, forgotten_);
        for (const auto& membership : row.rooms) {
            if (membership.room == store::log_room("/", hall)) housed_.insert(pid);
        }
    }
    for (const auto& [offset, event] : disk.tables.sessions.recorded) {
        if (recorded_.try_emplace(offset, event).second) changing_.erase(number_of(event.data));
    }
}

void GuestHouse::look_at(const mail::FromSequencer& mail, const store::MemoryDisk& disk) {
    const auto* recorded = std::get_if<mail::Recorded>(&mail);
    if (!recorded || !recorded->event) return;
    const auto& event = *recorded->event;
    changing_.erase(number_of(event.data));
    if (!recorded->is_stored) {
        unstored_.insert(number_of(event.data));
        return;
    }
    const bool dropped = event.offset <= disk.tables.sessions.pruned.to;
    if (dropped) recorded_.try_emplace(event.offset, event);  // it came and went in one transaction
    if (!recorded_.contains(event.offset)) {
        env_.witness.report(Breach::leaked, "an event is told before it is recorded");
    }
}

void GuestHouse::look_at_answer(const Frame& frame) {
    if (!frame.bytes.starts_with("40{")) return;
    const auto member = json::member(std::string_view(frame.bytes).substr(2), "pid");
    const auto pid = member ? json::as_string(*member) : std::nullopt;
    if (!pid || housed_.contains(*pid)) return;
    const auto begun = begun_.find(*pid);
    const bool forgotten = begun != begun_.end() && begun->second != forgotten_;
    if (forgotten) return;
    env_.witness.report(Breach::dishonest, "CONNECT is answered before the rooms are kept");
}

void GuestHouse::process_died() {
    for (const auto& [number, change] : changing_) doubtful_.insert(change);
    changing_.clear();
}

}  // namespace oncewire::sim
