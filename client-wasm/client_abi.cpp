// What the page can call: a C ABI, noun first.
//
// Arguments are borrowed for the call; returned pointers are valid until the next call into the
// module. Only 32-bit integers, doubles (whole numbers up to 2^53) and UTF-8 text cross. Text goes in
// by client_buffer(), events come out by client_take_events(). js/engine.js is the only caller.

#include <emscripten.h>

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client-wasm/client_host.hpp"
#include "client-wasm/platform.hpp"
#include "shared/base/json.hpp"
#include "shared/peer/client.hpp"

namespace oncewire::client_wasm {
namespace {

// The page's own text, made by JSON.stringify: wrong shapes are our bug, but absent means default.

std::uint64_t number_in(std::string_view object, std::string_view key, std::uint64_t otherwise) {
    const auto value = json::member(object, key);
    const auto number = value ? json::as_integer(*value) : std::nullopt;
    return number && *number >= 0 ? static_cast<std::uint64_t>(*number) : otherwise;
}

std::string string_in(std::string_view object, std::string_view key) {
    const auto value = json::member(object, key);
    return value ? json::as_string(*value).value_or("") : "";
}

/// 64 bits of the page's entropy, as 16 hex digits.
std::uint64_t random_in(std::string_view object, std::string_view key) {
    return delivery::parse_digest(string_in(object, key)).value_or(0);
}

bool flag_in(std::string_view object, std::string_view key) {
    return json::member(object, key) == "true";
}

/// Text of "polling" and "websocket", in order of preference.
std::vector<engineio::TransportKind> transports_in(std::string_view object) {
    std::vector<engineio::TransportKind> kinds;
    for (const auto name : json::elements(json::member(object, "transports").value_or("[]"))) {
        kinds.push_back(name == "\"polling\"" ? engineio::TransportKind::polling
                                              : engineio::TransportKind::websocket);
    }
    return kinds;
}

peer::Client::Options parse_client_options(std::string_view text) {
    peer::Client::Options client;
    client.reconnection = flag_in(text, "reconnection");
    client.reconnection_attempts = static_cast<std::uint32_t>(number_in(text, "attempts", 0));
    client.backoff.min = Millis(number_in(text, "delayMin", 1000));
    client.backoff.max = Millis(number_in(text, "delayMax", 5000));
    client.backoff.jitter_percent = static_cast<std::uint32_t>(number_in(text, "jitter", 50));
    client.open_timeout.reset();
    if (json::member(text, "timeout")) client.open_timeout = Millis(number_in(text, "timeout", 0));
    client.engine = {transports_in(text), flag_in(text, "upgrade"),
                     flag_in(text, "rememberUpgrade"), flag_in(text, "tryAllTransports")};
    return client;
}

ClientHost::Options parse_options(std::string_view text) {
    return {string_in(text, "url"), parse_client_options(text), random_in(text, "seed")};
}

/// [sequence, digest, ["event", …args], 1 if it had another number once]
delivery::OutboxEntry parse_entry(std::string_view text) {
    const auto parts = json::elements(text);
    VERIFY(parts.size() == 4);  // our own script packs entries; no peer's words
    return {static_cast<delivery::Sequence>(json::as_integer(parts[0]).value_or(0)),
            delivery::parse_digest(json::as_string(parts[1]).value_or("")).value_or(0),
            std::string(parts[2]), parts[3] == "1"};
}

peer::RestoredLane parse_lane(std::string_view text) {
    peer::RestoredLane lane;
    lane.producer = {ProducerId(string_in(text, "producer")),
                     ProducerSecret(string_in(text, "secret"))};
    lane.next_sequence = number_in(text, "next", 1);
    lane.salt = random_in(text, "salt");
    lane.position = delivery::parse_position(string_in(text, "position"));
    if (const auto entries = json::member(text, "entries")) {
        for (const auto entry : json::elements(*entries))
            lane.entries.push_back(parse_entry(entry));
    }
    return lane;
}

// Nothing is zeroed or moved for arguments of the usual sizes.
constexpr std::uint32_t argument_buffer_least = 4096;
constexpr std::uint32_t argument_buffer_kept = 1u << 20;

// Filled by the page before a call, emptied by the call. One page, one thread: no sharing.
std::vector<char> argument_buffer;
std::vector<std::string> argument_attachments;
const std::string* events = nullptr;

std::vector<std::string> take_attachments() { return std::exchange(argument_attachments, {}); }

double failure(peer::EmitError error) { return -1 - static_cast<double>(error); }

}  // namespace
}  // namespace oncewire::client_wasm

using namespace oncewire;
using client_wasm::ClientHost;
using Namespace = peer::NamespaceIndex;

extern "C" {

/// `size` bytes for the page to write an argument into; it then passes pointer and length. Valid until
/// the next client_buffer().
EMSCRIPTEN_KEEPALIVE char* client_buffer(std::uint32_t size) {
    auto& buffer = client_wasm::argument_buffer;
    if (buffer.size() < size || buffer.size() > client_wasm::argument_buffer_kept) {
        buffer = std::vector<char>(std::max(size, client_wasm::argument_buffer_least));
    }
    return buffer.data();
}

/// Adds a binary attachment to the next client_emit() or client_acknowledge().
EMSCRIPTEN_KEEPALIVE void client_attach(const char* bytes, std::uint32_t size) {
    client_wasm::argument_attachments.emplace_back(bytes, size);
}

/// `options`: JSON object, see parse_options().
EMSCRIPTEN_KEEPALIVE ClientHost* client_create(const char* options, std::uint32_t size) {
    return new ClientHost(client_wasm::parse_options({options, size}));
}

EMSCRIPTEN_KEEPALIVE void client_destroy(ClientHost* host) { delete host; }

/// `options`: JSON object with `name` and perhaps `lane`.
EMSCRIPTEN_KEEPALIVE Namespace client_open_namespace(ClientHost* host, const char* options,
                                                     std::uint32_t size) {
    const std::string_view text(options, size);
    std::optional<peer::RestoredLane> lane;
    if (const auto found = json::member(text, "lane")) lane = client_wasm::parse_lane(*found);
    const auto index =
        host->client().open_namespace(client_wasm::string_in(text, "name"), std::move(lane));
    host->settle();
    return index;
}

/// For the attempts to come, and the one just told of, which goes on; `options` as for client_create().
EMSCRIPTEN_KEEPALIVE void client_configure(ClientHost* host, const char* options,
                                           std::uint32_t size) {
    host->configure(client_wasm::parse_options({options, size}));
}

/// Opens the link even if no namespace is wanted yet.
EMSCRIPTEN_KEEPALIVE void client_open(ClientHost* host) {
    host->client().open(client_wasm::now());
    host->settle();
}

EMSCRIPTEN_KEEPALIVE void client_close(ClientHost* host) {
    host->client().close(client_wasm::now());
    host->settle();
}

/// Ends the link as if it had failed.
EMSCRIPTEN_KEEPALIVE void client_close_link(ClientHost* host) {
    host->client().close_link(client_wasm::now());
    host->settle();
}

EMSCRIPTEN_KEEPALIVE void client_connect(ClientHost* host, Namespace index) {
    host->client().connect(index, client_wasm::now());
    host->settle();
}

EMSCRIPTEN_KEEPALIVE void client_disconnect(ClientHost* host, Namespace index) {
    host->client().disconnect(index, client_wasm::now());
    host->settle();
}

/// `auth`: JSON object, the answer to an `auth` event.
EMSCRIPTEN_KEEPALIVE void client_provide_auth(ClientHost* host, Namespace index, const char* auth,
                                              std::uint32_t size) {
    host->client().provide_auth(index, {auth, size}, client_wasm::now());
    host->settle();
}

/// `flags`: 1 wants an ack, 2 volatile. Returns the ack id, NaN where there is none, or -1 - EmitError.
EMSCRIPTEN_KEEPALIVE double client_emit(ClientHost* host, Namespace index, const char* data,
                                        std::uint32_t size, std::uint32_t flags) {
    peer::Client::EmitOptions options;
    options.wants_ack = (flags & 1) != 0;
    options.is_volatile = (flags & 2) != 0;
    const auto id = host->client().emit(index, {data, size}, client_wasm::take_attachments(),
                                        options, client_wasm::now());
    host->settle();
    if (!id) return client_wasm::failure(id.error());
    return *id ? static_cast<double>(**id) : std::numeric_limits<double>::quiet_NaN();
}

/// Returns the sequence (1 or more), or -1 - EmitError.
EMSCRIPTEN_KEEPALIVE double client_emit_durable(ClientHost* host, Namespace index, const char* data,
                                                std::uint32_t size) {
    const auto sequence = host->client().emit_durable(index, {data, size}, client_wasm::now());
    host->settle();
    return sequence ? static_cast<double>(*sequence) : client_wasm::failure(sequence.error());
}

/// `text`: the question's name, `name_size` bytes, and the arguments behind it. Returns as
/// client_emit_durable().
EMSCRIPTEN_KEEPALIVE double client_answer(ClientHost* host, Namespace index,
                                          std::uint32_t name_size, const char* text,
                                          std::uint32_t size) {
    const std::string_view both(text, size);
    const auto sequence = host->client().answer(index, both.substr(0, name_size),
                                                both.substr(name_size), client_wasm::now());
    host->settle();
    return sequence ? static_cast<double>(*sequence) : client_wasm::failure(sequence.error());
}

/// Answers the `save` event with this token.
EMSCRIPTEN_KEEPALIVE void client_saved(ClientHost* host, Namespace index, double token) {
    host->client().handle_saved(index, static_cast<std::uint64_t>(token), client_wasm::now());
    host->settle();
}

/// 1 if the message was taken back.
EMSCRIPTEN_KEEPALIVE int client_cancel(ClientHost* host, Namespace index, double sequence) {
    const bool cancelled =
        host->client().cancel(index, static_cast<delivery::Sequence>(sequence), client_wasm::now());
    host->settle();
    return cancelled ? 1 : 0;
}

/// 0, or as client_emit().
EMSCRIPTEN_KEEPALIVE double client_acknowledge(ClientHost* host, Namespace index, double id,
                                               const char* data, std::uint32_t size) {
    const bool fits = host->client().acknowledge(index, static_cast<socketio::AckId>(id),
                                                 {data, size}, client_wasm::take_attachments());
    host->settle();
    return fits ? 0 : client_wasm::failure(peer::EmitError::too_large);
}

/// One message of a WebSocket.
EMSCRIPTEN_KEEPALIVE void client_received(ClientHost* host, std::uint32_t link, int is_text,
                                          const char* bytes, std::uint32_t size) {
    const FrameView frame(is_text ? FrameType::text : FrameType::binary, {bytes, size});
    host->client().handle_frame(link, frame, client_wasm::now());
    host->settle();
}

/// One message of a WebSocket of which the page keeps the arguments: see ClientHost::handle_abridged().
EMSCRIPTEN_KEEPALIVE std::uint32_t client_received_event(ClientHost* host, std::uint32_t link,
                                                         const char* bytes, std::uint32_t size) {
    return host->handle_abridged(link, {bytes, size});
}

/// A WebSocket opened.
EMSCRIPTEN_KEEPALIVE void client_opened(ClientHost* host, std::uint32_t link) {
    host->client().handle_link_opened(link, client_wasm::now());
    host->settle();
}

/// A WebSocket closed, or none could be made.
EMSCRIPTEN_KEEPALIVE void client_closed(ClientHost* host, std::uint32_t link) {
    host->client().handle_link_closed(link, client_wasm::now());
    host->settle();
}

/// The answer to an HTTP request; `status` 0: there was none.
EMSCRIPTEN_KEEPALIVE void client_responded(ClientHost* host, std::uint32_t link, int is_post,
                                           std::uint32_t status, const char* body,
                                           std::uint32_t size) {
    host->client().handle_response(link, is_post != 0, status, {body, size}, client_wasm::now());
    host->settle();
}

/// 1 if a packet would leave at once.
EMSCRIPTEN_KEEPALIVE int client_is_writable(ClientHost* host) {
    return host->client().is_writable() ? 1 : 0;
}

/// 0: the server has been silent for too long, and the link is lost.
EMSCRIPTEN_KEEPALIVE int client_is_alive(ClientHost* host) {
    const bool is_alive = host->client().notice_silence(client_wasm::now());
    host->settle();
    return is_alive ? 1 : 0;
}

/// 1: nothing happens any more by itself; it may be destroyed.
EMSCRIPTEN_KEEPALIVE int client_is_at_rest(ClientHost* host) {
    return host->client().is_at_rest() ? 1 : 0;
}

EMSCRIPTEN_KEEPALIVE void client_network_lost(ClientHost* host) {
    host->client().handle_network_lost(client_wasm::now());
    host->settle();
}

EMSCRIPTEN_KEEPALIVE void client_retry_now(ClientHost* host) {
    host->client().retry_now(client_wasm::now());
    host->settle();
}

/// All events there are, as a JSON array (event_json.hpp); client_events_size() tells its length.
EMSCRIPTEN_KEEPALIVE const char* client_take_events(ClientHost* host) {
    client_wasm::events = &host->take_events();
    return client_wasm::events->data();
}

/// Of what client_take_events() just returned; 0: there were none.
EMSCRIPTEN_KEEPALIVE std::uint32_t client_events_size() {
    return static_cast<std::uint32_t>(client_wasm::events->size());
}

/// An attachment of the events taken last, counted through all of them; sizes are in the events.
EMSCRIPTEN_KEEPALIVE const char* client_attachment(ClientHost* host, std::uint32_t index) {
    const auto& attachments = host->attachments();
    return index < attachments.size() ? attachments[index].data() : nullptr;
}

}  // extern "C"
