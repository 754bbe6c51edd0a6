#pragma once

#include <cstdint>

#include "shared/base/time.hpp"

/// The bounds of the protocol in one place: the value, what it protects, and who else chose it. All others
/// are named in SECURITY.md, beside these.
namespace oncewire::limits {

/// 10: attachments per packet; a peer could otherwise make us hold unbounded partial packets.
/// socket.io-parser >= 4.2.6 has the same default (CVE-2026-33151).
inline constexpr std::uint32_t attachments_per_packet = 10;

/// 64: nesting of JSON arrays and objects; no chat needs more, and everything that walks JSON stays
/// flat. Node accepts any depth and overflows later in application code.
inline constexpr std::uint32_t json_depth = 64;

/// 16: digits of an acknowledgement id, value at most 2^53-1, so that a JavaScript peer can hold it.
inline constexpr std::uint32_t ack_id_digits = 16;
inline constexpr std::int64_t safe_integer = 9007199254740991;

/// 256 bytes: a namespace name. Names are kept per connection, so they must be small.
inline constexpr std::uint32_t namespace_bytes = 256;

/// 32: namespaces one connection may join; each costs a session on our side.
inline constexpr std::uint32_t namespaces_per_connection = 32;

/// 64 CONNECTs of one connection at once, twice as many as it may have namespaces, and one more each
/// second: everybody in a namespace may hear of each. Beyond that they are refused.
inline constexpr std::uint32_t connects_at_once = 64;
inline constexpr Millis connect_every{1000};
/// 4,096 of all who come from one network, and fifty more each second: an office that comes back after a
/// restart passes, somebody who opens connections for the sake of it does not.
inline constexpr std::uint32_t network_connects_at_once = 4096;
inline constexpr Millis network_connect_every{20};

/// 16 KiB: the auth of one CONNECT; a token takes some hundred bytes, and the application may keep it.
inline constexpr std::uint32_t auth_bytes = 16u << 10;

/// 1,000,000 bytes: one message (all its attachments included); Engine.IO's maxHttpBufferSize.
inline constexpr std::uint32_t message_bytes = 1'000'000;

/// 64 MiB: one message a client takes from a server, attachments included, or sends it. Servers choose
/// their own bound, and may choose a large one; this one keeps a hostile server out of all our memory.
inline constexpr std::uint32_t received_bytes = 64u << 20;
inline constexpr std::uint32_t emitted_bytes = 64u << 20;

/// 65,536: packets in one polling body from a server; each costs a frame's bookkeeping.
inline constexpr std::uint32_t packets_per_payload = 65'536;

/// 1,024: fragments of one WebSocket message, empty ones counted; time is what fragments cost
/// (CVE-2026-48779; ws settled at 16,384, which is more than any real client needs).
inline constexpr std::uint32_t fragments_per_message = 1024;

/// 10 s: for all attachments of one packet to arrive; Node waits for ever.
inline constexpr Millis attachments_timeout{10'000};

/// 1,024: durable messages of one producer on the wire without a verdict. At 50 ms each way that is
/// 10,000 messages/s; a window of 1 is stock `retries` (10 to 48 messages/s measured).
inline constexpr std::uint32_t window = 1024;
/// 131,072 bytes of them, unless a single one is larger: what a thin uplink (64 kbit/s) carries within a
/// heartbeat's deadline, as the pong waits behind it.
inline constexpr std::uint32_t window_bytes = 131'072;
/// 4,096: the largest window a server may announce; bounds what a hostile one makes a client track.
inline constexpr std::uint32_t window_max = 4096;

/// 65,536 bytes: one durable message (event name and arguments as JSON text), announced at attach.
inline constexpr std::uint32_t durable_message_bytes = 65'536;

/// 256: questions of the server that one client has not answered; a client who stays away, or whose
/// application never answers, costs no more until they expire.
inline constexpr std::uint32_t questions_per_client = 256;
/// 16: of them on the wire, and in the server's memory; people and their pages answer few at a time.
inline constexpr std::uint32_t questions_window = 16;

/// 4: questions of one connection that the store is being read for, and 64 more that wait for it to take
/// the answers; a client has a page of history or a few pictures to ask for at a time.
inline constexpr std::uint32_t lookups_in_flight = 4;
inline constexpr std::uint32_t lookups_waiting = 64;
/// 4,096 bytes: one of them.
inline constexpr std::uint32_t lookup_bytes = 4096;

/// 10,000: ephemeral emits a client holds while it is not connected; the reference has no bound.
inline constexpr std::uint32_t send_buffer_packets = 10'000;

/// 16 MiB: events a client holds before the answer to CONNECT (a recovery sends them first).
inline constexpr std::uint64_t held_bytes = 16u << 20;

/// 10 s: for a stock server to acknowledge a durable message before it is sent again; the tutorial's
/// ackTimeout.
inline constexpr Millis stock_ack_timeout{10'000};

/// 60 s: the longest pause a server may ask for before a durable message is sent again.
inline constexpr Millis retry_later_max{60'000};

/// 100: messages that a session sends in spite of being asked to wait, before its connection is closed. An
/// unmodified page that stores a hundred things in one go is not cut off for it.
inline constexpr std::uint32_t pauses_ignored_max = 100;

/// 1 MiB: what may wait for a slow reader before its cursor stays in the log and ephemeral traffic
/// for it is dropped. uWebSockets' maxBackpressure default is the same.
inline constexpr std::uint32_t send_queue_bytes = 1u << 20;

/// 32 MiB: answers that wait for all readers of one network. One connection may let 4 MiB wait, and a network
/// has a thousand.
inline constexpr std::uint64_t network_queue_bytes = 32u << 20;

/// 32 MiB: packets of one network whose attachments have not all come. One connection may keep a whole message
/// waiting for ten seconds, and a network has a thousand.
inline constexpr std::uint64_t network_attachments_bytes = 32u << 20;

/// 16 KiB: of each such packet that nobody counts, so that what people send gets in whatever somebody else in
/// their network does.
inline constexpr std::uint64_t attachments_uncounted = 16u << 10;

/// 30 s: a reader that takes nothing for this long is closed, with a reason, and may come back.
inline constexpr Millis slow_reader_timeout{30'000};

/// Entries and bytes in one page of replayed history: big enough to fill a write and to be worth waking two
/// threads for (with 512, a third fewer rows a second), small enough that other readers wait 2 ms at most.
inline constexpr std::uint32_t page_entries = 2048;
inline constexpr std::uint32_t page_bytes = 256u << 10;
/// 512: whoever has missed fewer is answered by the thread that stores, which need not tell another one.
inline constexpr std::uint32_t short_page_entries = 512;

}  // namespace oncewire::limits
