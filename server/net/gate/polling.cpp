#include "server/net/gate/polling.hpp"

#include <algorithm>
#include <utility>

#include "shared/base/give_back.hpp"
#include "shared/base/verify.hpp"
#include "shared/engineio/payload.hpp"

namespace oncewire::net {
namespace {

using engineio::PacketType;

/// [EIO4 Packet encoding] as bodies of one packet.
constexpr std::string_view close_payload = "1";
constexpr std::string_view noop_payload = "6";

std::string payload_of(const std::vector<Polling::SharedFrame>& frames) {
    std::string body;
    for (const auto& frame : frames) engineio::append_to_payload(body, *frame);
    return body;
}

void append_packet(std::string& body, std::string_view packet) {
    engineio::append_to_payload(body, {FrameType::text, packet});
}

std::string attributes_of(const Cookie& cookie) {
    std::string text;
    if (!cookie.path.empty()) text += "; Path=" + cookie.path;
    if (!cookie.domain.empty()) text += "; Domain=" + cookie.domain;
    if (cookie.max_age) text += "; Max-Age=" + std::to_string(*cookie.max_age);
    if (cookie.http_only) text += "; HttpOnly";
    if (cookie.secure) text += "; Secure";
    if (cookie.partitioned) text += "; Partitioned";
    if (!cookie.same_site.empty()) text += "; SameSite=" + cookie.same_site;
    return text;
}

}  // namespace

void Polling::open(TransportId id, std::string sid, RequestId get, Seat seat) {
    Session session;
    session.sid = std::move(sid);
    session.parked = get;
    session.seat = std::move(seat);
    sessions_.emplace(id, std::move(session));
}

// ---- requests -----------------------------------------------------------------------------------

void Polling::handle_get(TransportId id, RequestId request, bool is_probing, Instant now,
                         std::string_view mark) {
    Session& session = sessions_.at(id);
    const bool is_repeated = !mark.empty() && mark == session.get_mark;
    if (is_repeated && session.parked) {
        answer_empty(*std::exchange(session.parked, request), 400);  // nobody is there any more
        return;
    }
    if (is_repeated && session.is_forgotten) {
        answer_empty(request, 400);
        return fail(id, engineio::CloseReason::transport_error);
    }
    if (is_repeated) return answer_payload(request, session.last_body);
    if (session.parked) {
        answer_payload(*std::exchange(session.parked, std::nullopt), std::string(close_payload));
        answer_empty(request, 400);
        return fail(id, engineio::CloseReason::transport_error);
    }
    session.get_mark = mark;
    forget_answer(session);
    if (session.waiting.empty()) {
        session.parked = request;
        if (is_probing) release_later(id, session, now);
        return;
    }
    answer_poll(session, request, payload_of(std::exchange(session.waiting, {})));
    outputs_.push_back(Written{id});
}

bool Polling::handle_late_get(std::string_view sid, RequestId request, std::string_view mark) {
    const auto found = farewells_.find(std::string(sid));
    if (found == farewells_.end()) return false;
    Farewell& rest = found->second;
    const std::size_t before = rest.bytes();
    const bool is_repeated = !mark.empty() && mark == rest.get_mark;
    if (!is_repeated) {
        if (!rest.body) {  // it was told, and asks all the same
            answer_empty(request, 400);
            return true;
        }
        rest.last_body = *std::exchange(rest.body, std::nullopt);
        rest.get_mark = mark;
        kept_bytes_ -= before - rest.bytes();
    }
    answer_payload(request, rest.last_body);
    // Whoever repeats a request without a mark does not say so.
    if (mark.empty()) forget_farewell(found->first);
    return true;
}

bool Polling::handle_post_begun(TransportId id) {
    Session& session = sessions_.at(id);
    if (std::exchange(session.reading_post, true)) {
        fail(id, engineio::CloseReason::transport_error);
        return false;
    }
    return true;
}

void Polling::handle_post(TransportId id, RequestId request, std::string_view body,
                          std::string_view mark) {
    const auto found = sessions_.find(id);
    if (found == sessions_.end()) return answer_empty(request, 400);  // ended while the body came
    Session& session = found->second;
    session.reading_post = false;
    if (!mark.empty() && mark == session.post_mark) return answer_ok(request);
    // More would be none of a client that has something to say, and each costs many times its two bytes.
    const auto most =
        std::min(options_.server.max_http_buffer_size / 2, limits::packets_per_payload);
    auto frames = engineio::decode_payload(body, most);
    if (!frames) {
        answer_empty(request, 400);
        return fail(id, engineio::CloseReason::parse_error);
    }
    session.post_mark = mark;
    outputs_.push_back(FramesArrived{id, std::move(*frames)});
    answer_ok(request);
}

void Polling::handle_post_aborted(TransportId id) {
    if (is_open(id)) fail(id, engineio::CloseReason::transport_error);
}

void Polling::handle_get_aborted(TransportId id, RequestId request) {
    const auto found = sessions_.find(id);
    if (found == sessions_.end() || found->second.parked != request) return;
    found->second.parked.reset();
    fail(id, engineio::CloseReason::transport_error);
}

// ---- the hub's side -----------------------------------------------------------------------------

void Polling::write(TransportId id, std::vector<SharedFrame> frames) {
    const auto found = sessions_.find(id);
    if (found == sessions_.end()) return;
    Session& session = found->second;
    if (!session.parked) {
        session.waiting.insert(session.waiting.end(), std::make_move_iterator(frames.begin()),
                               std::make_move_iterator(frames.end()));
        return;
    }
    session.release_at.reset();
    answer_poll(session, *std::exchange(session.parked, std::nullopt), payload_of(frames));
    outputs_.push_back(Written{id});
}

HeaderList Polling::first_headers(Session& session) const {
    const bool is_new = std::exchange(session.is_new, false);
    const auto& cookie = options_.server.cookie;
    if (!is_new || !cookie) return {};
    return {{"Set-Cookie", cookie->name + '=' + session.sid + attributes_of(*cookie)}};
}

void Polling::close(TransportId id, engineio::CloseReason reason, Instant now) {
    const auto found = sessions_.find(id);
    if (found == sessions_.end()) return;
    Session session = std::move(found->second);
    sessions_.erase(found);
    kept_bytes_ -= session.last_body.size();
    const bool asked_by_peer = reason == engineio::CloseReason::transport_close;
    std::string body = payload_of(session.waiting);
    append_packet(body, asked_by_peer ? noop_payload : close_payload);
    if (session.parked) answer_payload(*session.parked, body);
    // Who asked, broke the rules or has been silent too long is not waited for.
    if (reason != engineio::CloseReason::forced_close) return;
    Farewell rest{std::move(session.get_mark), std::move(session.last_body), std::move(body),
                  std::move(session.seat)};
    if (session.parked) {
        if (rest.get_mark.empty()) return;
        rest.last_body = *std::exchange(rest.body, std::nullopt);
    }
    // Of what would follow an answer that is not kept nothing may be told.
    if (!session.is_forgotten) keep_farewell(std::move(session.sid), std::move(rest), now);
}

void Polling::release_soon(TransportId id, Instant now) {
    const auto found = sessions_.find(id);
    if (found != sessions_.end() && found->second.parked) release_later(id, found->second, now);
}

void Polling::release_later(TransportId id, Session& session, Instant now) {
    session.release_at = now + noop_after;
    releases_.emplace_back(now + noop_after, id);
}

std::vector<Polling::SharedFrame> Polling::hand_over(TransportId id) {
    const auto found = sessions_.find(id);
    if (found == sessions_.end()) return {};
    Session session = std::move(found->second);
    sessions_.erase(found);
    kept_bytes_ -= session.last_body.size();
    if (session.parked) answer_payload(*session.parked, std::string(noop_payload));
    return std::move(session.waiting);
}

void Polling::handle_timeout(Instant now) {
    while (!releases_.empty() && releases_.front().first <= now) {
        const auto found = sessions_.find(releases_.front().second);
        releases_.pop_front();
        if (found == sessions_.end()) continue;
        Session& session = found->second;
        if (!session.release_at || *session.release_at > now) continue;
        session.release_at.reset();
        if (!session.parked) continue;
        answer_poll(session, *std::exchange(session.parked, std::nullopt),
                    std::string(noop_payload));
    }
    while (!ends_of_farewells_.empty() && ends_of_farewells_.front().first <= now) {
        forget_farewell(ends_of_farewells_.front().second);
        ends_of_farewells_.pop_front();
    }
}

std::optional<Instant> Polling::next_timeout() const {
    std::optional<Instant> soonest;
    if (!releases_.empty()) soonest = releases_.front().first;
    if (!ends_of_farewells_.empty()) soonest = earliest(soonest, ends_of_farewells_.front().first);
    return soonest;
}

// ---- what is kept -------------------------------------------------------------------------------

void Polling::keep_answer(Session& session, std::string_view body) {
    session.is_forgotten = !make_room(body.size());
    if (session.is_forgotten) return;
    give_back(session.last_body);
    session.last_body = body;
    kept_bytes_ += body.size();
}

void Polling::forget_answer(Session& session) {
    kept_bytes_ -= session.last_body.size();
    give_back(session.last_body);
    session.is_forgotten = false;
}

void Polling::keep_farewell(std::string sid, Farewell rest, Instant now) {
    if (!make_room(rest.bytes())) return;
    kept_bytes_ += rest.bytes();
    ends_of_farewells_.emplace_back(now + farewell, sid);
    farewells_.insert_or_assign(std::move(sid), std::move(rest));
}

void Polling::forget_farewell(const std::string& sid) {
    const auto found = farewells_.find(sid);
    if (found == farewells_.end()) return;
    kept_bytes_ -= found->second.bytes();
    farewells_.erase(found);
}

/// False: there is none, though no farewell is left.
bool Polling::make_room(std::size_t bytes) {
    if (bytes > options_.kept_bytes_max) return false;
    while (kept_bytes_ + bytes > options_.kept_bytes_max && !ends_of_farewells_.empty()) {
        forget_farewell(ends_of_farewells_.front().second);
        ends_of_farewells_.pop_front();
    }
    return kept_bytes_ + bytes <= options_.kept_bytes_max;
}

// ---- answers ------------------------------------------------------------------------------------

void Polling::answer_poll(Session& session, RequestId request, std::string body) {
    if (!session.get_mark.empty()) keep_answer(session, body);
    answer_payload(request, std::move(body), first_headers(session));
}

void Polling::answer_ok(RequestId request) {
    HttpResponse ok;
    ok.headers = {{"Content-Type", "text/html"}, {"Cache-Control", "no-store"}};
    ok.body = "ok";
    outputs_.push_back(Answer{request, std::move(ok)});
}

void Polling::answer_payload(RequestId request, std::string body, HeaderList headers) {
    HttpResponse response;
    response.headers = std::move(headers);
    response.headers.emplace_back("Content-Type", "text/plain; charset=UTF-8");
    response.headers.emplace_back("Cache-Control", "no-store");
    response.body = std::move(body);
    outputs_.push_back(Answer{request, std::move(response)});
}

void Polling::answer_empty(RequestId request, unsigned status) {
    HttpResponse response;
    response.status = status;
    outputs_.push_back(Answer{request, std::move(response)});
}

void Polling::fail(TransportId id, engineio::CloseReason reason) {
    const auto found = sessions_.find(id);
    if (found->second.parked) answer_empty(*found->second.parked, 400);
    kept_bytes_ -= found->second.last_body.size();
    sessions_.erase(found);
    outputs_.push_back(Closed{id, reason});
}

}  // namespace oncewire::net
