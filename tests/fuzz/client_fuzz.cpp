// Any server at all: whatever it answers, on which link, in which order. A request is made only when the
// one before it is over; nothing is sent on a link that is closed; each namespace is connected and lost
// in turn; the log is heard in order; and what was given to the outbox leaves it by one verdict.
//
// Input: steps separated by 0xFF; the first byte of each says what happens, the rest is the frame or body.
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>

#include "shared/base/verify.hpp"
#include "shared/peer/client.hpp"

using namespace oncewire;
using namespace oncewire::peer;

namespace {

Client::Options options(bool polls) {
    Client::Options made;
    made.engine.try_all_transports = polls;
    if (polls) {
        made.engine.transports = {engineio::TransportKind::polling,
                                  engineio::TransportKind::websocket};
    }
    return made;
}

RestoredLane lane() {
    RestoredLane made;
    made.producer = {ProducerId(std::string(32, 'a')), ProducerSecret(std::string(32, 'b'))};
    return made;
}

class Page {
  public:
    explicit Page(bool polls) : client_(options(polls), Prng(1)) {
        client_.open_namespace("/", lane());
        client_.open_namespace("/plain", std::nullopt);
        for (NamespaceIndex index = 0; index < 2; ++index) client_.connect(index, now_);
        drain();
    }

    void step(std::uint8_t control, std::string_view bytes) {
        now_ += Millis((control >> 4) * 1000);
        client_.handle_timeout(now_);
        drain();
        const NamespaceIndex index = bytes.size() % 2;
        switch (control & 15) {
            case 0:
                client_.handle_frame(newest_, {FrameType::text, bytes}, now_);
                break;
            case 1:
                client_.handle_frame(newest_, {FrameType::binary, bytes}, now_);
                break;
            case 2:
                client_.handle_frame(newest_ - 1, {FrameType::text, bytes}, now_);
                break;
            case 3:
                respond(false, 200, bytes);
                break;
            case 4:
                respond(true, 200, "ok");
                break;
            case 5:
                respond(bytes.size() % 2 == 0, 500, {});
                break;
            case 6:
                client_.handle_link_opened(newest_, now_);
                break;
            case 7:
                if (open_.erase(newest_) != 0) client_.handle_link_closed(newest_, now_);
                break;
            case 8:
                if (asked_.erase(index) != 0) client_.provide_auth(index, R"({"a":1})", now_);
                break;
            case 9:
                emit(index);
                break;
            case 10:
                if (client_.emit_durable(0, R"(["m",1])", now_)) ++waiting_;
                break;
            case 11:
                save();
                break;
            case 12:
                client_.disconnect(index, now_);
                break;
            case 13:
                client_.connect(index, now_);
                client_.retry_now(now_);
                break;
            case 14:
                client_.handle_network_lost(now_);
                break;
            case 15:
                if (const auto next = client_.next_timeout()) now_ = std::max(now_, *next);
                client_.handle_timeout(now_);
                break;
        }
        drain();
        VERIFY(client_.outbox(0)->size() == waiting_);
    }

    void finish() {
        for (NamespaceIndex index = 0; index < 2; ++index) client_.disconnect(index, now_);
        drain();
        VERIFY(connected_.empty() && open_.empty());
        VERIFY(!client_.is_connected(0) && !client_.is_connected(1));
    }

  private:
    void respond(bool is_post, std::uint32_t status, std::string_view body) {
        for (auto& [link, requests] : requests_) {
            auto& in_flight = is_post ? requests.second : requests.first;
            if (!in_flight) continue;
            in_flight = false;
            return client_.handle_response(link, is_post, status, body, now_);
        }
    }

    void emit(NamespaceIndex index) {
        Client::EmitOptions how;
        how.wants_ack = true;
        how.ack_timeout = Millis{500};
        (void)client_.emit(index, R"(["e",{"_placeholder":true,"num":0}])", {"bytes"}, how, now_);
    }

    void save() {
        if (saves_.empty()) return;
        const Save save = saves_.front();
        saves_.pop_front();
        client_.handle_saved(save.index, save.token, now_);
    }

    void drain() {
        while (auto output = client_.poll_output()) {
            std::visit([this](const auto& it) { take(it); }, *output);
        }
    }

    template <class Other>
    void take(const Other&) {}
    void take(const OpenLink& it) {
        VERIFY(it.link > newest_);
        newest_ = it.link;
        open_.insert(it.link);
        requests_[it.link] = {false, false};
    }
    void take(const SendFrame& it) { VERIFY(open_.contains(it.link)); }
    void take(const SendRequest& it) {
        bool& in_flight = it.body ? requests_[it.link].second : requests_[it.link].first;
        VERIFY(!in_flight);
        in_flight = true;
        VERIFY(it.body || open_.contains(it.link));
    }
    void take(const CloseLink& it) {
        open_.erase(it.link);
        requests_[it.link].first = false;
    }
    void take(const AskAuth& it) { asked_.insert(it.index); }
    void take(const Save& it) { saves_.push_back(it); }
    void take(const Connected& it) { VERIFY(connected_.insert(it.index).second); }
    void take(const Disconnected& it) { VERIFY(connected_.erase(it.index) == 1); }
    void take(const StreamChanged&) { heard_.reset(); }
    void take(const EventArrived& it) {
        if (!it.position) return;
        VERIFY(!heard_ || !(heard_->epoch == it.position->epoch) ||
               heard_->offset < it.position->offset);
        heard_ = it.position;
    }
    void take(const MessageSettled&) { --waiting_; }

    Client client_;
    Instant now_{};
    LinkId newest_ = 0;
    std::set<LinkId> open_;
    std::map<LinkId, std::pair<bool, bool>> requests_;  // a GET, a POST is under way
    std::set<NamespaceIndex> asked_, connected_;
    std::deque<Save> saves_;
    std::optional<delivery::Position> heard_;
    std::size_t waiting_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    if (rest.empty()) return 0;
    Page page((rest.front() & 1) != 0);
    rest.remove_prefix(1);
    while (!rest.empty()) {
        const std::string_view piece = rest.substr(0, rest.find('\xff'));
        rest.remove_prefix(piece.size() < rest.size() ? piece.size() + 1 : rest.size());
        if (!piece.empty()) page.step(static_cast<std::uint8_t>(piece.front()), piece.substr(1));
    }
    page.finish();
    return 0;
}
