#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "server/net/gate/http_message.hpp"
#include "server/net/gate/seat.hpp"
#include "server/options/server_options.hpp"
#include "shared/base/frame.hpp"
#include "shared/base/limits.hpp"
#include "shared/base/output_queue.hpp"
#include "shared/base/time.hpp"
#include "shared/engineio/session.hpp"

namespace oncewire::net {

/// [EIO4 HTTP long-polling] The long-polling transports of one core, without I/O: which GET is parked,
/// what waits for one, what a POST carried.
///
/// Promise: every request handed in is answered exactly once; a session has at most one GET parked and
/// one POST being read, and a second of either ends it, as the reference does; what the server writes
/// is handed over once, in order, or given back when a WebSocket takes over.
///
/// A browser whose connection breaks before the answer came sends its request again, and does not say
/// so: the answer to a poll would be lost for good, a POST be taken twice. So requests may carry a
/// `mark` (see request_mark()): a repeated one gets the answer of the first, and nothing else happens.
///
/// What is kept for that, and for those who have not heard of their session's end, has a bound. What does
/// not fit is forgotten as a whole, the ends of the longest standing first: whoever comes for it is
/// refused, connects again, and says how far it has read; never does one get what follows what was lost.
///
/// One thread. After each call drain poll_output() and perform it.
class Polling {
  public:
    /// The owner's number for a session, as for WebSockets.
    using TransportId = std::uint64_t;
    /// The owner's number for an HTTP request that waits for its answer.
    using RequestId = std::uint64_t;
    /// No session has this number.
    static constexpr TransportId nobody = ~TransportId{0};
    using SharedFrame = std::shared_ptr<const Frame>;

    struct Answer {
        RequestId request = 0;
        HttpResponse response;
    };
    /// All of the last write() was handed over.
    struct Written {
        TransportId id = 0;
    };
    /// Of one POST, in order.
    struct FramesArrived {
        TransportId id = 0;
        std::vector<Frame> frames;
    };
    /// The client broke the rules or went away. The id means nothing any more.
    struct Closed {
        TransportId id = 0;
        engineio::CloseReason reason = engineio::CloseReason::transport_error;
    };
    using Output = std::variant<Answer, Written, FramesArrived, Closed>;

    struct Options {
        ServerOptions server = {};
        /// 16 MiB: answers kept until the next request says that they arrived, and last words.
        std::uint64_t kept_bytes_max = 16u << 20;
    };

    Polling() = default;
    explicit Polling(Options options) : options_(std::move(options)) {}

    /// The handshake GET; the first write() answers it. `sid` is remembered for close(). `seat`: kept as
    /// long as the session polls.
    void open(TransportId id, std::string sid, RequestId get, Seat seat = {});
    bool is_open(TransportId id) const { return sessions_.count(id) != 0; }

    /// A GET with this session's sid. While a WebSocket is being tried it is released after
    /// `noop_after`, so that the client can stop polling.
    void handle_get(TransportId id, RequestId request, bool is_probing, Instant now,
                    std::string_view mark = {});
    bool has_farewell(std::string_view sid) const {
        return farewells_.count(std::string(sid)) != 0;
    }
    /// A session that is over: a repeated GET gets what it missed, and the next one is told of the end.
    /// False: no such session.
    bool handle_late_get(std::string_view sid, RequestId request, std::string_view mark = {});
    /// The head of a POST came; its body follows. False: answer 400 and drop it; the session ends.
    bool handle_post_begun(TransportId id);
    /// All of a POST's body came. `id` may be over by now, or nobody.
    void handle_post(TransportId id, RequestId request, std::string_view body,
                     std::string_view mark = {});
    /// The peer closed its connection in the middle of a POST.
    void handle_post_aborted(TransportId id);
    /// The peer closed its connection while its GET was parked.
    void handle_get_aborted(TransportId id, RequestId request);

    /// The frames of one hub Write. Written follows when a GET has taken them.
    void write(TransportId id, std::vector<SharedFrame> frames);
    /// The session is over on our side: tells a parked GET, or the next one within `farewell`.
    void close(TransportId id, engineio::CloseReason reason, Instant now);
    /// The probe was answered: the client now waits for its parked GET to come back.
    void release_soon(TransportId id, Instant now);
    /// A WebSocket takes over: releases a parked GET; what no GET took is the caller's to send.
    std::vector<SharedFrame> hand_over(TransportId id);

    void handle_timeout(Instant now);
    std::optional<Instant> next_timeout() const;
    std::optional<Output> poll_output() { return outputs_.poll(); }

    /// [EIO4 Upgrade] 100 ms: the reference's interval for releasing a parked GET with a noop.
    static constexpr Millis noop_after{100};
    /// 30 s: how long a session that is over waits for a GET to tell.
    static constexpr Millis farewell{30'000};

  private:
    struct Session {
        std::string sid;
        std::optional<RequestId> parked;
        std::string get_mark;       // of the newest GET
        std::string last_body;      // what it was answered with, if it has a mark
        bool is_forgotten = false;  // last_body did not fit
        std::string post_mark;      // of the newest POST that was taken
        std::vector<SharedFrame> waiting;
        bool reading_post = false;
        bool is_new = true;  // its handshake was not answered yet
        std::optional<Instant> release_at;
        Seat seat;
    };

    /// What the client of a session that is over may still ask for.
    struct Farewell {
        std::string get_mark;  // as of Session
        std::string last_body;
        std::optional<std::string> body;  // what the next GET is answered with, unless it was
        Seat seat;

        std::size_t bytes() const { return last_body.size() + (body ? body->size() : 0); }
    };

    void answer_poll(Session& session, RequestId request, std::string body);
    void answer_payload(RequestId request, std::string body, HeaderList headers = {});
    void answer_ok(RequestId request);
    HeaderList first_headers(Session& session) const;
    void answer_empty(RequestId request, unsigned status);
    void release_later(TransportId id, Session& session, Instant now);
    void fail(TransportId id, engineio::CloseReason reason);
    void keep_answer(Session& session, std::string_view body);
    void forget_answer(Session& session);
    void keep_farewell(std::string sid, Farewell rest, Instant now);
    void forget_farewell(const std::string& sid);
    bool make_room(std::size_t bytes);

    Options options_;
    std::unordered_map<TransportId, Session> sessions_;
    std::unordered_map<std::string, Farewell> farewells_;  // by sid
    // By time, since each kind waits equally long. What was done meanwhile is still in them.
    std::deque<std::pair<Instant, TransportId>> releases_;
    std::deque<std::pair<Instant, std::string>> ends_of_farewells_;
    std::uint64_t kept_bytes_ = 0;  // last_body of all sessions, and all farewells
    OutputQueue<Output> outputs_;
};

}  // namespace oncewire::net
