#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "server/hub/hub.hpp"
#include "server/sequencer/sequencer.hpp"
#include "server/store/memory/memory_store.hpp"
#include "shared/base/json.hpp"
#include "shared/base/prng.hpp"
#include "shared/base/verify.hpp"
#include "shared/peer/capability.hpp"

namespace oncewire::fuzz {

/// Two cores whose applications do anything at any time, a sequencer, and peers that send anything and
/// read slowly or not at all. What is demanded of the hubs meanwhile:
///
/// * Each session that the application was asked about is told gone once, and nothing is heard of it after
///   that. Once its connection is over, nobody finds it.
/// * What waits for a peer is bounded, whatever is said to it; nothing goes out twice at a time, or after
///   the end; what was said to one session arrives in order and without a hole, up to its end.
/// * No id is given out again while somebody may mean its old owner by it.
/// * A bystander, who reads and offends nobody, never loses its connection or a word.
///
/// A demand that does not hold ends the program.
class HubWorld {
  public:
    /// `tiny`: queues in which an answer to CONNECT may be the word too many.
    HubWorld(bool recovery, bool tiny)
        : recovery_(recovery),
          soft_limit_(tiny ? 100 : 2000),
          largest_(tiny ? 300 : 6000),
          store_(disk_, &faults_),
          sequencer_(store_,
                     {{"store", [this](auto& tx, const auto& said) { return keep(tx, said); }},
                      {"look", [](auto& tx, const auto& said) { return look(tx, said); }}},
                     {.lookups = {"look"}}) {
        for (std::uint16_t core = 0; core < cores; ++core) {
            hub::Hub::Options options;
            options.core = core;
            options.server.cores = cores;
            if (recovery) options.server.connection_state_recovery.emplace();
            options.durable_events = {"store", "look"};
            options.lookups = {"look"};
            options.send_queue_bytes = soft_limit_;
            hubs_.push_back(std::make_unique<hub::Hub>(std::move(options)));
        }
        sequencer_.start();
        settle();
        bystander_ = open(0, Reading::at_once, engineio::TransportKind::websocket);
        hear(bystander_, FrameType::text, "40/quiet,");
        settle();
        VERIFY(quiet_.has_value());
    }

    /// One thing happens. `control`: what, and whether all that follows from it happens before the next
    /// thing; `bytes`: to whom, and how.
    void step(std::uint8_t control, std::string_view bytes) {
        bytes_ = bytes;
        happen(control & 31);
        check();
        if ((control & 32) != 0) settle();
    }

    void finish() {
        settle();
        const auto quiet = find(*quiet_);
        hub_of(*quiet_).sockets().emit(quiet_->second, R"(["still there"])");
        settle();
        VERIFY(quiet && peer(bystander_).is_open &&
               peer(bystander_).last.find("still there") != std::string::npos);
        for (std::size_t at = 0; at < peers_.size(); ++at) cut(at);
        settle();
        for (const auto& [id, session] : sessions_) VERIFY(session.is_gone);
        for (const auto& each : peers_) VERIFY(!each.is_open);
        for (const auto& hub : hubs_)
            VERIFY(hub->counts().connections_open == 0 && hub->counts().sockets_open == 0);
        VERIFY(asked_.empty());
    }

  private:
    static constexpr std::uint16_t cores = 2;
    static constexpr std::size_t peers_max = 8;
    /// Four times the soft limit, the word that made it too much, and a page of the log, which is no longer
    /// than the log.
    std::uint64_t hard_limit() const {
        return 4 * soft_limit_ + 8 * largest_ + (recovery_ ? limits::page_bytes : stored_bytes_);
    }

    enum class Reading : std::uint8_t { at_once, when_asked, never };
    struct Peer {
        std::uint16_t core = 0;
        hub::ConnectionId id = 0;
        Reading reading = Reading::at_once;
        std::string sid;
        std::string last;  // frame it was sent
        bool is_open = true;
        bool is_writing = false;
    };
    using SessionId = std::pair<std::uint16_t, hub::SocketId>;
    struct Session {
        std::optional<std::size_t> peer;  // none: its connection was over before it was heard of
        bool is_connected = false;
        bool is_gone = false;
        std::uint64_t said = 0, heard = 0;
    };

    // ---- chance ---------------------------------------------------------------------------------

    /// From the input while there is any, so that a fuzzer can learn what matters.
    std::size_t below(std::size_t bound) {
        if (bytes_.empty()) return static_cast<std::size_t>(prng_.below(bound));
        const auto byte = static_cast<unsigned char>(bytes_.front());
        bytes_.remove_prefix(1);
        return byte % bound;
    }
    bool maybe() { return below(2) == 1; }
    std::string filling() { return std::string(below(256) * largest_ / 256, 'x'); }
    std::string room() { return std::string(1, static_cast<char>('a' + below(3))); }
    std::string nsp() { return below(3) == 0 ? "/a" : "/"; }
    static std::string named(const std::string& nsp) { return nsp == "/" ? "" : nsp + ','; }
    /// A session that the application knows, or has known; never the bystander's.
    std::optional<SessionId> some_session() {
        if (recent_.empty()) return std::nullopt;
        return recent_[recent_.size() - 1 - below(std::min<std::size_t>(recent_.size(), 12))];
    }
    /// Any but the bystander: most often one that is open.
    std::optional<std::size_t> some_peer() {
        if (peers_.size() == 1) return std::nullopt;
        const std::size_t newest = std::min<std::size_t>(peers_.size() - 1, peers_max);
        std::size_t who = peers_.size() - 1 - below(newest);
        const std::size_t tries = below(8) == 0 ? 0 : newest;
        for (std::size_t i = 0; i < tries && !peer(who).is_open; ++i)
            who = who == peers_.size() - newest ? peers_.size() - 1 : who - 1;
        return who;
    }
    mail::Target some_target() {
        mail::Target target{nsp(), {}, {}};
        if (maybe()) target.rooms = {room()};
        if (below(4) == 0) target.except = {room()};
        return target;
    }

    // ---- what happens ---------------------------------------------------------------------------

    void happen(std::uint8_t what) {
        switch (what) {
            case 0:
                return newcomer();
            case 1:
                return say("40" + named(nsp()) + auth());
            case 2:
                return say("42" + named(nsp()) + R"(["event",")" + filling() + "\"]");
            case 3:
                return say("42" + named(nsp()) + (maybe() ? R"(1["event"])" : R"(2["look",1])"));
            case 4:
                return say("42" + std::string(maybe() ? "" : named(nsp())) + "7" + R"(["store",")" +
                           filling() + "\"]");
            case 5:
                return say_keyed();
            case 6:
                return say("41" + named(nsp()));
            case 7:
                return say("43" + named(nsp()) + std::to_string(below(8)) + R"(["yes"])");
            case 8:
                return say_bytes();
            case 9:
                if (const auto who = some_peer()) cut(*who);
                return;
            case 10:
                if (const auto who = some_peer()) read(*who);
                return;
            case 11:
                return probe();
            case 12:
                return wait();
            case 13:
                return settle();
            case 14:
                return say("451-" + named(nsp()) + R"(9["store",{"_placeholder":true,"num":0}])");
            default:
                return act();
        }
    }

    /// Shorter than it takes to be called silent: the bystander answers.
    void wait() {
        settle();
        now_ += Millis(static_cast<std::int64_t>(below(19)) * 1000);
        for (auto& hub : hubs_) hub->handle_timeout(now_);
        settle();
    }
    void newcomer() {
        const auto core = static_cast<std::uint16_t>(below(cores));
        const auto reading = static_cast<Reading>(below(3));
        open(core, reading,
             below(4) == 0 ? engineio::TransportKind::polling : engineio::TransportKind::websocket);
    }
    std::size_t open(std::uint16_t core, Reading reading, engineio::TransportKind transport) {
        refill();
        const std::size_t who = peers_.size();
        hub::Request request;
        request.transport = transport;
        request.network = std::to_string(who % 3);
        request.url = std::to_string(who);
        const auto id = hubs_[core]->handle_accept(request, now_);
        for (const auto& each : peers_) VERIFY(each.core != core || each.id != id);
        peers_.push_back(
            {core, id, reading, std::string(hubs_[core]->status_of(id).engine_sid), {}});
        return who;
    }
    std::string auth() {
        switch (below(5)) {
            case 0:
                return "";
            case 1:
                return R"({"token":")" + filling() + "\"}";
            case 2:
                return R"({"pid":)" +
                       json::quoted(pids_.empty() ? "p" : pids_[below(pids_.size())]) +
                       R"(,"offset":"e.)" + std::to_string(below(20)) + "\"}";
            default:
                return peer::add_capability(
                    "{}", {{ProducerId(producer()), ProducerSecret(std::string(32, 'e'))},
                           std::nullopt,
                           maybe(),
                           maybe()});
        }
    }
    std::string producer() { return std::string(32, static_cast<char>('a' + below(3))); }
    void say_keyed() {
        const auto text = R"(["store",")" + filling() + "\"]";
        say("42" + named(nsp()) + peer::encode(peer::SendEvent{1 + below(4), 7, text}));
    }
    void say_bytes() {
        const auto who = some_peer();
        const auto type = maybe() ? FrameType::text : FrameType::binary;
        const std::string bytes(bytes_);
        if (who) hear(*who, type, bytes);
    }
    void say(const std::string& text) {
        if (const auto who = some_peer()) hear(*who, FrameType::text, text);
    }
    void hear(std::size_t who, FrameType type, std::string_view bytes) {
        refill();
        hub_at(who).handle_frame(peer(who).id, {type, bytes}, now_);
    }
    void cut(std::size_t who) {
        hub_at(who).handle_transport_closed(peer(who).id, engineio::CloseReason::transport_close,
                                            now_);
    }
    void read(std::size_t who) {
        if (!std::exchange(peer(who).is_writing, false)) return;
        hub_at(who).handle_written(peer(who).id, now_);
    }
    void probe() {
        const auto who = some_peer();
        if (!who) return;
        switch (below(4)) {
            case 0:
                hub_at(*who).handle_probe_opened(peer(*who).id, now_);
                return;
            case 1:
                return hub_at(*who).handle_probe_closed(peer(*who).id, now_);
            default:
                return hub_at(*who).handle_probe_frame(
                    peer(*who).id, {FrameType::text, maybe() ? "2probe" : "5"}, now_);
        }
    }

    /// The application does something.
    void act() {
        const auto whom = some_session();
        if (!whom) return;
        hub::Hub& hub = hub_of(*whom);
        const hub::SocketId socket = whom->second;
        switch (below(16)) {
            case 0:
                return hub.sockets().accept(socket, {{room()}, some_offset(), maybe() ? "ann" : ""},
                                            now_);
            case 1:
                return hub.sockets().reject(socket, R"({"message":"no"})", now_);
            case 2:
                return hub.sockets().join(socket, room());
            case 3:
                return hub.sockets().leave(socket, room());
            case 4:
            case 5:
                for (auto times = below(4); times > 0; --times) emit(*whom);
                return emit(*whom);
            case 6:
                return hub.sockets().acknowledge(socket, 1, "[\"" + filling() + "\"]");
            case 7:
                return hub.server().broadcast(
                    {some_target(), R"(["all",")" + filling() + "\"]", {}, maybe()});
            case 8:
                return hub.server().broadcast_local({some_target(), R"(["here"])", {}, maybe()});
            case 9:
                return hub.sockets().disconnect(socket, maybe(), now_);
            case 10:
                if (below(4) == 0) hub.server().disconnect_sockets({some_target(), maybe()});
                return;
            case 11:
                return maybe() ? hub.server().join_rooms({some_target(), {room()}})
                               : hub.server().leave_rooms({some_target(), {room()}});
            case 12:
                return ask(*whom);
            case 13:
                hub.sockets().submit(socket,
                                     maybe() ? R"(["look"])" : R"(["store",")" + filling() + "\"]");
                return;
            case 14:
                return hub.sockets().introduce(socket, "somebody");
            default:
                emit(*whom);
                return hub.sockets().disconnect(socket, maybe(), now_);
        }
    }
    std::optional<delivery::Offset> some_offset() {
        return maybe() ? std::optional<delivery::Offset>(below(10)) : std::nullopt;
    }
    void emit(const SessionId& whom) {
        const Session* session = find(whom);
        if (!session || !session->is_connected || session->is_gone) return;
        const std::string place = std::to_string(whom.first) + ',' + std::to_string(whom.second);
        const std::string number = std::to_string(find(whom)->said++);
        hub_of(whom).sockets().emit(whom.second,
                                    "[\"one\"," + place + ',' + number + ",\"" + filling() + "\"]");
    }
    void ask(const SessionId& whom) {
        std::vector<hub::SocketId> to = {whom.second};
        if (const auto other = some_session(); other && other->first == whom.first)
            to.push_back(other->second);
        std::sort(to.begin(), to.end());
        to.erase(std::unique(to.begin(), to.end()), to.end());
        const auto timeout = maybe() ? std::optional(Millis(3000)) : std::nullopt;
        asked_.insert({whom.first, hub_of(whom).server().emit_with_ack(
                                       to, "/", R"(["well?",")" + filling() + "\"]", {}, timeout)});
    }

    Result<store::Verdict, store::StoreError> keep(sequencer::Tx& tx,
                                                   const sequencer::Message& said) {
        const std::string text(said.args.empty() ? "null" : said.args[0]);
        stored_bytes_ += text.size() + 100;  // and what stands around it on the wire
        const auto stored = tx.publish("a", R"(["stored",)" + text + ']');
        if (!stored) return Err{stored.error()};
        return store::accept(text);
    }

    static Result<store::Verdict, store::StoreError> look(sequencer::Tx& tx,
                                                          const sequencer::Message&) {
        const auto found = tx.read_before("a", limits::safe_integer, 5);
        if (!found) return Err{found.error()};
        std::string all = "[0";
        for (const auto& entry : *found) all += ',' + entry.data;
        return store::accept(all + ']');
    }

    // ---- what follows ---------------------------------------------------------------------------

    void settle() {
        for (bool busy = true; busy;) {
            busy = false;
            for (std::uint16_t core = 0; core < cores; ++core) busy = drain(core) || busy;
            busy = store_mail() || busy;
        }
    }
    bool drain(std::uint16_t core) {
        bool busy = false;
        for (auto& mail : std::exchange(core_mail_[core], {})) {
            hubs_[core]->handle_core_mail(std::move(mail), now_);
            busy = true;
        }
        while (auto output = hubs_[core]->poll_output()) {
            std::visit([&](auto& one) { take(core, one); }, *output);
            check();
            busy = true;
        }
        for (const auto who : std::exchange(pinged_, {})) hear(who, FrameType::text, "3");
        return busy;
    }
    bool store_mail() {
        bool busy = !to_store_.empty();
        for (auto& mail : std::exchange(to_store_, {}))
            sequencer_.handle_mail(std::move(mail), now_, {1234});
        sequencer_.commit(now_);
        sequencer_.handle_timeout(now_, {1234});
        while (auto mail = sequencer_.poll_output()) {
            busy = true;
            for (std::uint16_t core = 0; core < cores; ++core) {
                const bool to_all = mail->core == sequencer::OutgoingMail::every_core;
                if (to_all || mail->core == core) hubs_[core]->handle_mail(mail->mail, now_);
            }
        }
        return busy;
    }
    void refill() {
        for (auto& hub : hubs_) {
            for (std::size_t wanted = hub->secrets().wanted(); wanted > 0; --wanted)
                hub->secrets().add(std::string(1, static_cast<char>(secrets_.next())));
        }
    }

    template <class Other>
    void take(std::uint16_t, const Other&) {}
    void take(std::uint16_t, hub::ToStore& mail) { to_store_.push_back(std::move(mail.mail)); }
    void take(std::uint16_t, hub::ToCore& mail) {
        core_mail_[mail.core].push_back(std::move(mail.mail));
    }

    void take(std::uint16_t core, const hub::Write& write) {
        const std::size_t who = owner_of(core, write.connection);
        VERIFY(!peer(who).is_writing);
        peer(who).is_writing = true;
        for (const auto& frame : write.frames) note(who, frame->bytes);
        if (peer(who).reading == Reading::at_once) read(who);
    }
    void note(std::size_t who, const std::string& bytes) {
        peer(who).last = bytes;
        if (bytes == "2" && peer(who).reading != Reading::never) pinged_.push_back(who);
        if (const auto at = bytes.find(R"("pid":")"); at != std::string::npos)
            pids_.push_back(bytes.substr(at + 7, bytes.find('"', at + 7) - at - 7));
        const auto data = std::string_view(bytes).substr(std::min(bytes.find('['), bytes.size()));
        if (bytes.starts_with("42") && data.starts_with(R"(["one",)")) note_said(data);
    }
    /// Recovery brings a session to another id, so there order is the store's to hold.
    void note_said(std::string_view data) {
        const auto parts = json::elements(data);
        const auto number = [&](std::size_t at) {
            return static_cast<std::uint64_t>(json::as_integer(parts[at]).value_or(-1));
        };
        Session* session = find({static_cast<std::uint16_t>(number(1)), number(2)});
        VERIFY(session && (recovery_ || number(3) == session->heard++));
    }
    void take(std::uint16_t core, const hub::CloseTransport& close) {
        peer(owner_of(core, close.connection)).is_open = false;
    }
    void take(std::uint16_t core, const hub::WriteProbe& probe) {
        owner_of(core, probe.connection);
    }

    void take(std::uint16_t core, const hub::ConnectAsked& asked) {
        const SessionId id{core, asked.socket};
        VERIFY(sessions_.emplace(id, Session{peer_of(id)}).second);
        VERIFY(asked.auth.size() <= limits::auth_bytes);
        if (asked.nsp == "/quiet") {
            quiet_ = id;
            return hubs_[core]->sockets().accept(asked.socket, {{}, std::nullopt, {}}, now_);
        }
        recent_.push_back(id);
        if (prng_.below(3) != 0)
            hubs_[core]->sockets().accept(asked.socket, {{"a"}, some_offset(), {}}, now_);
        everything_at_once();
    }
    void take(std::uint16_t core, const hub::SocketConnected& connected) {
        VERIFY(!std::exchange(living(core, connected.socket).is_connected, true));
        if (!(SessionId{core, connected.socket} == quiet_)) everything_at_once();
    }
    void take(std::uint16_t core, const hub::EventArrived& arrived) {
        VERIFY(living(core, arrived.socket).is_connected);
        if (arrived.ack_id && prng_.below(2) == 0)
            hubs_[core]->sockets().acknowledge(arrived.socket, *arrived.ack_id,
                                               "[\"" + filling() + "\"]");
        everything_at_once();
    }
    void take(std::uint16_t core, const hub::AckArrived& arrived) {
        VERIFY(living(core, arrived.socket).is_connected && asked_.contains({core, arrived.id}));
    }
    void take(std::uint16_t core, const hub::AcksFinished& finished) {
        VERIFY(asked_.erase({core, finished.id}) == 1);
    }
    void take(std::uint16_t core, const hub::SocketGone& gone) {
        Session& session = living(core, gone.socket);
        VERIFY(gone.was_connected == session.is_connected);
        session.is_gone = true;
        VERIFY(hubs_[core]->sockets().sid_of(gone.socket).empty() &&
               !hubs_[core]->sockets().request_of(gone.socket));
        if (prng_.below(4) == 0) hubs_[core]->sockets().emit(gone.socket, R"(["too late"])");
    }

    /// An application that does what comes to its mind in the middle of being told something.
    void everything_at_once() {
        for (auto times = prng_.below(4); times > 0; --times) {
            act();
            check();
        }
    }

    // ---- what is demanded -----------------------------------------------------------------------

    void check() {
        for (std::size_t who = 0; who < peers_.size(); ++who) {
            const bool is_found = hub_at(who).find_by_sid(peer(who).sid).has_value();
            const auto state = hub_at(who).status_of(peer(who).id).state;
            VERIFY(is_found == (state != engineio::SessionState::closed));
            VERIFY(hub_at(who).status_of(peer(who).id).queued_bytes <= hard_limit());
        }
        for (std::size_t back = 0; back < std::min<std::size_t>(recent_.size(), 12); ++back)
            check(recent_[recent_.size() - 1 - back]);
    }
    void check(const SessionId& id) {
        const Session& session = *find(id);
        hub::Hub& hub = hub_of(id);
        const bool is_over =
            session.is_gone || !session.peer ||
            hub.status_of(peer(*session.peer).id).state == engineio::SessionState::closed;
        if (!is_over) return;
        VERIFY(hub.sockets().sid_of(id.second).empty() && !hub.sockets().request_of(id.second));
        for (const auto* name : {"/", "/a"}) {
            const auto found = hub.server().sockets({name, {}, {}});
            VERIFY(std::find(found.begin(), found.end(), id.second) == found.end());
        }
    }

    Session* find(const SessionId& id) {
        const auto found = sessions_.find(id);
        return found == sessions_.end() ? nullptr : &found->second;
    }
    /// The application has been asked about it, and not told that it is gone.
    Session& living(std::uint16_t core, hub::SocketId socket) {
        Session* session = find({core, socket});
        VERIFY(session && !session->is_gone);
        return *session;
    }
    std::optional<std::size_t> peer_of(const SessionId& id) {
        const auto request = hub_of(id).sockets().request_of(id.second);
        const auto who = request ? json::as_integer(request->url) : std::nullopt;
        return who ? std::optional(static_cast<std::size_t>(*who)) : std::nullopt;
    }
    std::size_t owner_of(std::uint16_t core, hub::ConnectionId id) {
        for (std::size_t who = peers_.size(); who-- > 0;) {
            if (peer(who).core == core && peer(who).id == id && peer(who).is_open) return who;
        }
        VERIFY(false);
    }
    Peer& peer(std::size_t who) { return peers_[who]; }
    hub::Hub& hub_at(std::size_t who) { return *hubs_[peer(who).core]; }
    hub::Hub& hub_of(const SessionId& id) { return *hubs_[id.first]; }

    bool recovery_;
    std::uint64_t soft_limit_;
    std::size_t largest_;
    std::uint64_t stored_bytes_ = 0;
    Instant now_{Millis{1000}};
    Prng prng_{1}, secrets_{2};
    std::string_view bytes_;
    store::MemoryFaults faults_;
    store::MemoryDisk disk_{.epoch = {"e"}, .tables = {}};
    store::MemoryStore store_;
    sequencer::Sequencer sequencer_;
    std::vector<std::unique_ptr<hub::Hub>> hubs_;
    std::vector<mail::ToSequencer> to_store_;
    std::vector<mail::CoreMail> core_mail_[cores];
    std::vector<Peer> peers_;
    std::map<SessionId, Session> sessions_;
    std::vector<SessionId> recent_;  // all but the bystander's, the newest last
    std::set<std::pair<std::uint16_t, socketio::AckId>> asked_;
    std::vector<std::size_t> pinged_;
    std::vector<std::string> pids_;
    std::size_t bystander_ = 0;
    std::optional<SessionId> quiet_;
};

/// An input of play_hub() in which everything happens, what matters more often.
inline std::string any_hub_input(Prng& prng) {
    constexpr std::string_view likely(
        "\0\0\1\1\1\1\1\1\2\2\2\3\4\4\4\4\5\5\5\5\6\7\x8\x9\xa\xa\xa\xb\xc\xd\xd\xe"
        "\x10\x10\x10\x10\x10\x10\x10\x10\x10\x10",
        42);
    std::string input(1, static_cast<char>(prng.below(4)));
    for (auto steps = 20 + prng.below(200); steps > 0; --steps) {
        const char what = likely[static_cast<std::size_t>(prng.below(likely.size()))];
        input += static_cast<char>(what | (prng.below(3) == 0 ? 0 : 32));
        for (auto bytes = prng.below(8); bytes > 0; --bytes)
            input += static_cast<char>(prng.below(255));
        input += '\xff';
    }
    return input;
}

/// Steps separated by 0xFF; the first byte of the input says whether there is recovery, and how large queues are.
inline void play_hub(std::string_view input) {
    if (input.empty()) return;
    HubWorld world((input.front() & 1) != 0, (input.front() & 2) != 0);
    input.remove_prefix(1);
    while (!input.empty()) {
        const std::string_view piece = input.substr(0, input.find('\xff'));
        input.remove_prefix(piece.size() < input.size() ? piece.size() + 1 : input.size());
        if (!piece.empty()) world.step(static_cast<std::uint8_t>(piece.front()), piece.substr(1));
    }
    world.finish();
}

}  // namespace oncewire::fuzz
