#include "server/net/http_server.hpp"

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <optional>
#include <utility>

#include "server/net/gate/http_body.hpp"
#include "server/net/gate/http_gate.hpp"
#include "server/net/gate/proxy_protocol.hpp"
#include "server/net/http_head.hpp"
#include "server/net/websocket_handshake.hpp"
#include "server/net/zip/content_coding.hpp"
#include "shared/base/give_back.hpp"

namespace oncewire::net {

namespace {

/// 256 KiB: what is read and thrown away of what is no request, or behind one.
constexpr std::size_t discard_bytes_max = 256u << 10;

/// 16 KiB: what of a body is taken, or compressed, at once. More may be packets by the hundred thousand, and
/// has to wait for its turn.
constexpr std::size_t at_once_bytes = 16u << 10;

constexpr std::string_view continue_head = "HTTP/1.1 100 Continue\r\n\r\n";

/// What somebody who embeds the chat on a new site finds in the browser's tools.
constexpr std::string_view stranger = "Forbidden: this site is not on the server's list of origins";

constexpr std::string_view wrong_name =
    "Forbidden: this server does not go by the name it was asked for by; see names in its "
    "configuration";

/// Where the build puts the client library.
constexpr std::string_view built_in_client = "/socket.io/";

bool would_block(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

/// [RFC9110 5.6.7] strftime() would speak the language of the program's locale.
std::string format_date(std::time_t time) {
    constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::tm parts{};
    gmtime_r(&time, &parts);
    char text[64];
    const int size = std::snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT",
                                   days[parts.tm_wday], parts.tm_mday, months[parts.tm_mon],
                                   parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
    return {text, static_cast<std::size_t>(size)};
}

}  // namespace

/// One connection while it speaks HTTP. Each step ends by asking for the next: a head, a body, an
/// answer, and again. Not a coroutine, because g++ 12 miscompiles several of their forms. The server has
/// it until end() or release(), and so has whoever calls it, so it lives to the end of the call.
class HttpServer::Conversation : public std::enable_shared_from_this<Conversation> {
  public:
    Conversation(HttpServer& server, int socket, Peer peer, std::string received, Seat seat)
        : server_(server),
          loop_(server.loop_),
          seat_(std::move(seat)),
          socket_(socket),
          deadline_(loop_, [this] { expire(shared_from_this()); }),
          peer_(std::move(peer)),
          received_(std::move(received)) {}
    ~Conversation() {
        if (socket_ < 0) return;
        loop_.forget(socket_);
        close(socket_);
    }
    Conversation(const Conversation&) = delete;
    Conversation& operator=(const Conversation&) = delete;

    void begin() {
        const auto address = IpAddress::parse(peer_.address);
        is_proxy_ = address && is_in(*server_.options_.trusted_proxies.now(), *address);
        if (!is_proxy_) return await_request();
        set_deadline(server_.options_.engine.server.header_timeout);
        await_proxy_header();
    }

    /// A proxy keeps connections for its next clients, and a request that it sends on one which we close
    /// at that moment may be lost; so it is the one to close.
    void await_request() {
        const auto& options = server_.options_;
        const bool may_idle = is_proxy_ && received_.empty();
        set_deadline(may_idle ? options.proxy_idle_timeout : options.engine.server.header_timeout);
        may_idle ? read_some(&Conversation::begin_head, &Conversation::give_up) : begin_head();
    }

    void begin_head() {
        set_deadline(server_.options_.engine.server.header_timeout);
        scanned_ = 0;
        await_head();
    }

    void go_on() {
        set_deadline(std::max(left_, Millis(0)));
        await_body();
    }

    void take_answer(HttpResponse response) {
        stop_waiting();
        finish(std::move(response));
    }

    void take_admission() {
        stop_waiting();
        clear_deadline();
        begin_session();
    }

    void handle_ready() {
        if (await_ == Await::bytes) return receive();
        if (await_ == Await::room) return send_rest();
        if (waiting_as_ == 0 || watched_as_ != waiting_as_ || !peer_is_gone()) {
            return loop_.unwatch(socket_);  // what comes early is the next request
        }
        stop_waiting();
        server_.host_.handle_abandoned(watched_as_, request_);
        end();
    }

    void give_up_waiting() {
        if (action_) return take_refusal("nobody decided in time");
        take_answer(plain_text(503, "nobody answered in time"));
    }

    void take_refusal(std::string_view message) {
        take_answer(
            engine_error_response(EngineError::forbidden, is_upgrade_request(request_), message));
    }

  private:
    using Step = void (Conversation::*)();
    enum class Await : std::uint8_t {
        nothing,
        bytes,
        room,  ///< for what is unsent
        turn,  ///< all is sent
    };

    // ---- reading --------------------------------------------------------------------------------

    void await_proxy_header() {
        const auto header = read_proxy_header(received_);
        if (!header) return refuse({400, header.error()});
        if (!*header) return read_some(&Conversation::await_proxy_header, &Conversation::give_up);
        received_.erase(0, (*header)->size);
        take_proxy_header(**header);
    }

    void take_proxy_header(const ProxyHeader& header) {
        if (!header.client) return await_request();
        peer_ = {header.client->text(), header.secure};
        is_proxy_ = false;  // one client has all of the connection
        auto seat = server_.host_.take_seat_by_proxy(peer_.address);
        if (!seat) return refuse({503, "too many connections"});
        seat_ = both(std::move(seat_), std::move(*seat));
        await_request();
    }

    void await_head() {
        const auto found = find_head(received_, scanned_);
        if (!found) return refuse(found.error());
        if (*found) return take_head(**found);
        scanned_ = received_.size();
        read_some(&Conversation::await_head, &Conversation::give_up);
    }

    void take_head(std::size_t size) {
        const std::string_view head = std::string_view(received_).substr(0, size);
        const auto framing = check_head(head, server_.options_.engine.server.max_http_buffer_size);
        if (!framing) return refuse(framing.error());
        auto request = parse_head(head);
        if (!request) return refuse({400, "malformed request"});
        request_ = std::move(*request);
        head_ = received_.substr(0, size);
        received_.erase(0, size);
        body_ = HttpBody(*framing, server_.options_.engine.server.max_http_buffer_size);
        expects_continue_ = framing->expects_continue;
        is_last_ = framing->is_last;
        if (is_last_) forget_upgrade();
        meet_client();
        // Since it connected the list was replaced. Its place is one of those that are not counted.
        const bool is_proxy_no_more = is_proxy_ && !request_.client.by_proxy;
        is_proxy_no_more ? refuse({503, "this proxy is not trusted any more"}) : judge();
    }

    /// Who sent the request, and what it asks for in our own words.
    void meet_client() {
        const Options& options = server_.options_;
        Client& client = request_.client;
        client = client_of(peer_.address, request_.headers, *options.trusted_proxies.now());
        if (peer_.secure) client.secure = true;
        if (client.prefix.empty()) client.prefix = options.prefix;
        if (!is_engine_request(request_, options.engine)) take_off_prefix();
    }

    /// A proxy may have done so already.
    void take_off_prefix() {
        const std::string_view target = request_.target;
        std::string_view below = without_prefix(target, request_.client.prefix);
        if (below.size() == target.size()) below = without_prefix(target, server_.options_.prefix);
        request_.target = std::string(below);
    }

    /// [RFC9110 7.8] Who speaks HTTP/1.0 passes on what it does not mean.
    void forget_upgrade() {
        auto& headers = request_.headers;
        std::erase_if(headers, [](const auto& header) {
            return equal_ignoring_case(header.first, "Upgrade");
        });
    }

    /// Before the body is read: what is refused by its head costs no memory.
    void judge() {
        action_.reset();
        const EngineOptions& engine = server_.options_.engine;
        known_ = known_answer();
        if (known_) return answer();
        if (!is_engine_request(request_, engine)) return judge_other();
        const std::string_view sid = engine_sid(request_);
        const auto kind = sid.empty() ? SessionKind::none : server_.host_.session_kind(sid);
        if (kind == SessionKind::elsewhere) return pass_on(std::string(sid));
        const auto action = judge_engine_request(request_, engine, kind);
        if (!action) {
            const bool is_stranger = action.error() == EngineError::forbidden;
            if (is_stranger) server_.note_refusal(Refusals::What::origin, request_);
            known_ = engine_error_response(action.error(), is_upgrade_request(request_),
                                           is_stranger ? stranger : "");
            return answer();
        }
        action_ = *action;
        action_ == EngineAction::post ? begin_post() : answer();
    }

    void judge_other() {
        const bool is_wanted = !is_upgrade_request(request_) && server_.host_.takes_others();
        if (is_wanted) return begin_body();
        known_ = plain_text(404, "not found");
        answer();
    }

    /// Whatever the request is for, if its head alone decides it.
    std::optional<HttpResponse> known_answer() const {
        const Options& options = server_.options_;
        if (options.serves_page && path_of(request_.target) == "/health") return say_healthy();
        if (!is_host_allowed(request_, options.engine)) return refuse_host();
        const std::string& prefix = request_.client.prefix;
        const bool is_above = options.serves_page && path_of(request_.target) == prefix;
        return is_above ? lead_below(prefix) : serve_file();
    }

    HttpResponse say_healthy() const {
        const bool is_leaving = server_.host_.is_leaving();
        HttpResponse response = is_leaving ? plain_text(503, "leaving") : plain_text(200, "ok");
        response.headers.emplace_back("Cache-Control", "no-store");
        return response;
    }

    HttpResponse refuse_host() const {
        server_.note_refusal(Refusals::What::host, request_);
        return is_engine_request(request_, server_.options_.engine)
                   ? engine_error_response(EngineError::forbidden, is_upgrade_request(request_),
                                           wrong_name)
                   : plain_text(403, wrong_name);
    }

    /// What a page at "/chat" names beside it would be looked for above it.
    HttpResponse lead_below(const std::string& prefix) const {
        HttpResponse response = plain_text(307, "it is below");
        const std::string query(request_.target.substr(prefix.size()));
        response.headers.emplace_back("Location", prefix + '/' + query);
        return response;
    }

    std::optional<HttpResponse> serve_file() const {
        const Options& options = server_.options_;
        const std::string_view path = path_of(request_.target);
        const auto origins = options.engine.origins.now();
        if (auto found = serve_static(request_, path, options.files, *origins)) return found;
        if (is_engine_request(request_, options.engine)) {
            if (!options.engine.server.serve_client) return std::nullopt;
            const std::string name(
                path.substr(std::min(path.size(), options.engine.server.path.size())));
            return serve_static(request_, std::string(built_in_client) + name, static_files(),
                                *origins);
        }
        const std::string_view page = without_instance(path);
        const bool is_page = options.serves_page && !page.starts_with(built_in_client);
        return is_page ? serve_static(request_, page, static_files(), *origins) : std::nullopt;
    }

    void begin_post() {
        // [EIO4 HTTP long-polling] Payloads are text; the reference refuses this type, too.
        const bool octets =
            find_header(request_.headers, "Content-Type") == "application/octet-stream";
        if (octets) server_.host_.handle_post_aborted(request_);
        if (octets || !server_.host_.handle_post_begun(request_)) return finish_empty(400);
        begin_body();
    }

    void begin_body() {
        share_.emplace(server_.unfinished_, network_of(request_.client.address));
        if (!body_.is_complete()) set_deadline(server_.options_.engine.server.body_timeout);
        const bool is_awaited = !body_.is_complete() && received_.empty();
        return expects_continue_ && is_awaited ? ask_for_body() : await_body();
    }

    void ask_for_body() {
        send_parts({continue_head, {}}, &Conversation::await_body, &Conversation::give_up);
    }

    void await_body() {
        if (server_.host_.is_busy()) return pause();
        const auto is_complete = take_body();
        if (!is_complete) return give_up_post(), refuse(is_complete.error());
        if (!share_->hold(request_.body.size())) return give_up_large_body();
        if (*is_complete) return take_request();
        read_some(&Conversation::await_body, &Conversation::give_up);
    }

    /// What comes waits in its socket. The time is not the peer's fault.
    void pause() {
        left_ = deadline_.due().value_or(loop_.now()) - loop_.now();
        clear_deadline();
        server_.paused_.push_back(shared_from_this());
    }

    /// As much as has come.
    Result<bool, HttpRefusal> take_body() {
        std::string_view rest = received_;
        const auto is_complete = body_.take(rest, request_.body);
        received_.erase(0, received_.size() - rest.size());
        return is_complete;
    }

    /// The peer went away, or took too long. One that said nothing at all is not worth an answer.
    void give_up() {
        give_up_post();
        const bool said_something = !received_.empty() || !body_.is_complete();
        if (expired_ && said_something) return refuse({408, "too slow"});
        end();
    }

    /// Whoever sends so much at once may try again. A session is told, also if it was the last piece.
    void give_up_large_body() {
        if (action_ == EngineAction::post) server_.host_.handle_post_aborted(request_);
        finish(plain_text(503, "too many unfinished requests"));
    }

    void give_up_post() {
        if (action_ == EngineAction::post && !body_.is_complete()) {
            server_.host_.handle_post_aborted(request_);
        }
    }

    // ---- the socket -----------------------------------------------------------------------------

    /// `otherwise`: the peer is gone, or the deadline has passed.
    void await(Await what, Step then, Step otherwise) {
        await_ = what;
        then_ = then;
        otherwise_ = otherwise;
    }

    void read_some(Step then, Step otherwise) {
        await(Await::bytes, then, otherwise);
        watch(EPOLLIN);
    }

    void receive() {
        auto& piece = server_.piece_;
        const ssize_t count = recv(socket_, piece.data(), piece.size(), MSG_DONTWAIT);
        if (count < 0 && would_block(errno)) return;
        if (count <= 0) return go_on_otherwise();
        received_.append(piece.data(), static_cast<std::size_t>(count));
        await_ = Await::nothing;
        (this->*then_)();
    }

    /// Both outlive the sending.
    void send_parts(std::array<std::string_view, 2> parts, Step then, Step otherwise) {
        await(Await::room, then, otherwise);
        unsent_ = parts;
        send_rest();
    }

    void send_rest() {
        std::array<iovec, 2> list;
        std::transform(unsent_.begin(), unsent_.end(), list.begin(), [](std::string_view part) {
            return iovec{const_cast<char*>(part.data()), part.size()};
        });
        msghdr message{};
        message.msg_iov = list.data();
        message.msg_iovlen = list.size();
        const ssize_t sent = sendmsg(socket_, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && !would_block(errno)) return go_on_otherwise();
        if (!take_off_unsent(sent < 0 ? 0 : static_cast<std::size_t>(sent))) return watch(EPOLLOUT);
        // In a turn of its own: whoever sends many requests at once has others between them.
        await_ = Await::turn;
        loop_.later([self = shared_from_this()] {
            self->await_ = Await::nothing;
            (self.get()->*(self->expired_ ? self->otherwise_ : self->then_))();
        });
    }

    /// True: nothing is left.
    bool take_off_unsent(std::size_t sent) {
        for (std::string_view& part : unsent_) {
            const std::size_t taken = std::min(sent, part.size());
            part.remove_prefix(taken);
            sent -= taken;
        }
        return unsent_[0].empty() && unsent_[1].empty();
    }

    void watch(std::uint32_t events) {
        if (!loop_.watch(socket_, events, server_)) go_on_otherwise();
    }

    void go_on_otherwise() {
        await_ = Await::nothing;
        (this->*otherwise_)();
    }

    // ---- answering ------------------------------------------------------------------------------

    /// What the head alone decides. Nobody wants a body.
    void answer() {
        if (!drop_body()) return refuse({400, "malformed body"});
        if (known_) return finish(std::move(*known_));
        switch (*action_) {
            case EngineAction::open_websocket:
            case EngineAction::open_polling:
                return server_.host_.asks_admission() ? ask_admission() : begin_session();
            case EngineAction::upgrade:
                return shake_hands();
            case EngineAction::poll:
                return park();
            case EngineAction::preflight:
                return finish(preflight_response(request_, server_.options_.engine));
            case EngineAction::method_not_allowed:
            case EngineAction::post:  // take_request() does
                return finish(plain_text(405, "method not allowed"));
        }
    }

    /// A body that has come already is thrown away, and the connection goes on after the answer. Of one
    /// that has not nothing is read before it. False: it is none.
    bool drop_body() {
        const auto is_complete = take_body();
        give_back(request_.body);
        return static_cast<bool>(is_complete);
    }

    /// All of it has come.
    void take_request() {
        await_answer();
        const bool is_large = request_.body.size() > at_once_bytes;
        if (action_) return is_large ? await_turn(&Conversation::take_post) : take_post();
        set_deadline(server_.options_.engine.server.admission_timeout);
        const RequestId id = waiting_as_;
        server_.host_.handle_other(id, request_);
        if (waiting_as_ == id) watch_peer(id);
    }

    void take_post() { server_.host_.handle_post(waiting_as_, request_); }

    // What takes long is done one after another, and between two whatever else has happened is looked at:
    // 60 peers with a megabyte each do not keep everybody else waiting for all of it.

    void await_turn(Step step) {
        clear_deadline();
        at_my_turn_ = step;
        server_.in_turn_.push_back(shared_from_this());
        if (server_.in_turn_.size() == 1) begin_turn();
    }

    void begin_turn() {
        loop_.later([self = shared_from_this()] { self->take_turn(); });
    }

    void take_turn() {
        auto& in_turn = server_.in_turn_;
        in_turn.pop_front();
        if (!in_turn.empty()) in_turn.front()->begin_turn();
        (this->*at_my_turn_)();
    }

    void ask_admission() {
        await_answer();
        set_deadline(server_.options_.engine.server.admission_timeout);
        const RequestId id = waiting_as_;
        server_.host_.handle_handshake(id, request_);
        if (waiting_as_ == id) watch_peer(id);
    }

    void begin_session() {
        if (action_ != EngineAction::open_polling) return shake_hands();
        if (!sessions_) sessions_ = std::make_shared<std::uint32_t>(0);
        if (!request_.client.by_proxy) request_.client.sessions = sessions_;
        park();
    }

    void shake_hands() {
        if (!body_.is_complete()) return refuse({400, "a body before a WebSocket"});
        response_ = answer_handshake(
            request_, server_.options_.engine.server.per_message_deflate.has_value());
        if (response_.status != 101) return finish(std::move(response_));
        auto seat = server_.host_.take_websocket_seat(request_);
        if (!seat) return finish(plain_text(503, "too many sessions"));
        if (*seat) seat_ = both(std::move(seat_), std::move(*seat));
        hand_over();
    }

    /// A GET that is answered when there is something to say. Meanwhile the socket is watched, because
    /// a peer that goes away must be noticed; what it sends early is its next request.
    void park() {
        await_answer();
        clear_deadline();
        const RequestId id = waiting_as_;
        server_.host_.handle_get(id, request_);
        if (waiting_as_ == id) watch_peer(id);
    }

    void watch_peer(RequestId id) {
        watched_as_ = id;
        loop_.watch(socket_, EPOLLIN, server_);  // where that fails the peer's end is not noticed
    }

    bool peer_is_gone() {
        char byte = 0;
        const auto seen = recv(socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        return seen == 0 || (seen < 0 && !would_block(errno));
    }

    void await_answer() {
        waiting_as_ = ++server_.last_request_;
        server_.waiting_[waiting_as_] = shared_from_this();
    }

    void stop_waiting() { server_.waiting_.erase(std::exchange(waiting_as_, 0)); }

    void finish_empty(unsigned status) {
        HttpResponse response;
        response.status = status;
        finish(std::move(response));
    }

    /// The last word on this request. One whose body was not read is the last of its connection.
    void finish(HttpResponse response) {
        give_back(request_.body);
        share_.reset();
        response_ = std::move(response);
        const bool is_long = response_.body.size() > at_once_bytes && is_compressed();
        return is_long ? await_turn(&Conversation::send_response) : send_response();
    }

    void send_response() {
        if (is_compressed()) compress();
        // The client's own files lie below the same path, and say of themselves that everybody may.
        const bool is_open = !find_header(response_.headers, "Access-Control-Allow-Origin").empty();
        if (!is_open && is_engine_request(request_, server_.options_.engine)) {
            add_cors_headers(response_, request_, server_.options_.engine);
        }
        const bool close = is_last_ || !body_.is_complete() || is_upgrade_request(request_) ||
                           has_token(find_header(request_.headers, "Connection"), "close");
        send(close ? &Conversation::linger : &Conversation::await_next);
    }

    ContentCoding coding() const {
        return choose_coding(find_header(request_.headers, "Accept-Encoding"));
    }

    /// Only what changes with every request; files were compressed when they were built.
    bool is_compressed() const {
        const bool is_poll = action_ == EngineAction::poll || action_ == EngineAction::open_polling;
        const auto& from = server_.options_.engine.server.http_compression;
        return is_poll && from && response_.body.size() >= *from &&
               coding() != ContentCoding::identity;
    }

    void compress() {
        const ContentCoding coding = this->coding();
        response_.body = encode_content(coding, response_.body);
        response_.headers.emplace_back("Content-Encoding", coding_name(coding));
    }

    /// Gives up the socket, which is still watched. The server forgets this.
    int release() {
        end();
        return std::exchange(socket_, -1);
    }

    void pass_on(std::string sid) {
        const int socket = release();
        loop_.unwatch(socket);
        server_.host_.handle_foreign(
            sid, {socket, std::move(peer_), head_ + received_, std::move(seat_)});
    }

    void hand_over() {
        const int socket = release();
        server_.host_.handle_upgrade(
            {socket, std::move(request_), format_head(response_, true, server_.date()),
             std::move(received_), agrees_to_deflate(response_), std::move(seat_)});
    }

    void refuse(HttpRefusal refusal) {
        give_back(request_);
        share_.reset();
        body_ = {};  // where it ends nobody knows
        response_ = plain_text(refusal.status, refusal.reason);
        send(&Conversation::linger);
    }

    void send(Step then) {
        set_deadline(server_.options_.engine.server.body_timeout);
        response_head_ = format_head(response_, then == &Conversation::await_next, server_.date());
        const bool is_head = request_.method == "HEAD";
        const std::string_view content = is_head ? std::string_view() : response_.content();
        send_parts({response_head_, content}, then, &Conversation::end);
    }

    /// Nothing is kept of the request while the connection is idle.
    void await_next() {
        forget_request();
        await_request();
    }

    void forget_request() {
        give_back(request_);
        give_back(response_);
        give_back(response_head_);
        give_back(head_);
    }

    // ---- the end --------------------------------------------------------------------------------

    /// Closing with unread bytes makes the kernel reset the connection, and the peer may lose our
    /// answer; so our side ends first, and what still comes is thrown away for a moment.
    ///
    /// A body that we did not want may be on its way, and its sender would not read before it is out.
    void linger() {
        const auto& options = server_.options_;
        const bool has_body = !body_.is_complete();
        set_deadline(has_body ? options.engine.server.body_timeout : options.linger);
        discard_left_ =
            discard_bytes_max + (has_body ? options.engine.server.max_http_buffer_size : 0);
        forget_request();
        shutdown(socket_, SHUT_WR);
        discard();
    }

    void discard() {
        if (received_.size() > discard_left_) return end();
        discard_left_ -= received_.size();
        received_.clear();
        read_some(&Conversation::discard, &Conversation::end);
    }

    void end() {
        deadline_.stop();
        await_ = Await::nothing;
        server_.by_socket_.erase(socket_);
    }

    /// Absolute: whatever is awaited fails when it passes, however often bytes come.
    void set_deadline(Millis after) {
        expired_ = false;
        deadline_.set_after(after);
    }

    void clear_deadline() { deadline_.stop(); }

    /// `self`: that it lives.
    void expire(const std::shared_ptr<Conversation>&) {
        if (waiting_as_ != 0) return give_up_waiting();
        expired_ = true;
        if (await_ == Await::bytes || await_ == Await::room) go_on_otherwise();
    }

    HttpServer& server_;
    Loop& loop_;
    Seat seat_;  // given back after the socket is closed
    int socket_;
    Loop::Timer deadline_;
    bool expired_ = false;
    Await await_ = Await::nothing;
    Step then_ = nullptr;
    Step otherwise_ = nullptr;
    std::array<std::string_view, 2> unsent_;
    RequestId watched_as_ = 0;  // whose peer is watched, if it still waits
    Millis left_{0};            // of the deadline, while paused
    Peer peer_;
    bool is_proxy_ = false;                    // one that is trusted
    std::shared_ptr<std::uint32_t> sessions_;  // see Client

    std::string received_;  // and not used yet
    std::string head_;      // of request_, as it came
    std::size_t scanned_ = 0;
    std::size_t discard_left_ = 0;
    HttpRequest request_;
    HttpBody body_;                                // of request_, as far as it has not come
    std::optional<UnfinishedBytes::Share> share_;  // what request_ holds, if its body is wanted
    bool expects_continue_ = false;
    bool is_last_ = false;                // of its connection
    std::optional<HttpResponse> known_;   // the answer, if the head alone decides it
    std::optional<EngineAction> action_;  // what request_ asks of Engine.IO
    RequestId waiting_as_ = 0;            // while the host has it
    Step at_my_turn_ = nullptr;           // while in_turn_ has us
    HttpResponse response_;
    std::string response_head_;
};

void HttpServer::handle_ready(int descriptor, std::uint32_t) {
    const auto found = by_socket_.find(descriptor);
    if (found == by_socket_.end()) return;
    const auto conversation = found->second;  // it must live while it is spoken to
    conversation->handle_ready();
}

/// A copy: it must live while it is spoken to.
std::shared_ptr<HttpServer::Conversation> HttpServer::find(RequestId id) const {
    const auto found = waiting_.find(id);
    return found == waiting_.end() ? nullptr : found->second;
}

void HttpServer::answer(RequestId id, HttpResponse response) {
    if (const auto conversation = find(id)) conversation->take_answer(std::move(response));
}

void HttpServer::admit(RequestId id) {
    if (const auto conversation = find(id)) conversation->take_admission();
}

void HttpServer::refuse(RequestId id, std::string_view message) {
    if (const auto conversation = find(id)) conversation->take_refusal(message);
}

void HttpServer::resume() {
    for (const auto& conversation : std::exchange(paused_, {})) conversation->go_on();
}

void HttpServer::serve(int socket, Peer peer, std::string received, Seat seat) {
    loop_.forget(socket);  // whatever had the number before
    const auto conversation = std::make_shared<Conversation>(*this, socket, std::move(peer),
                                                             std::move(received), std::move(seat));
    by_socket_[socket] = conversation;
    conversation->begin();
}

void HttpServer::note_refusal(Refusals::What what, const HttpRequest& request) {
    const std::string& asked = request.client.host.value_or("");
    const std::string_view host = asked.empty() ? find_header(request.headers, "Host") : asked;
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    const auto line = refusals_.note(what, host, find_header(request.headers, "Origin"),
                                     Instant(std::chrono::floor<Millis>(now)));
    if (line) options_.log(*line);
}

/// [RFC9110 5.6.7] Made once a second.
std::string_view HttpServer::date() {
    const std::time_t now = std::time(nullptr);
    if (std::exchange(date_of_, now) != now) date_ = format_date(now);
    return date_;
}

}  // namespace oncewire::net
