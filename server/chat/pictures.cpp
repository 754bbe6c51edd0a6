// Keeping pictures, showing them, and letting go of them.
#include "server/chat/pictures.hpp"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "server/chat/limiter.hpp"
#include "server/chat/picture_kind.hpp"
#include "shared/base/base64.hpp"

namespace oncewire::chat {
namespace {

using api::Ack;
using api::Json;
using sequencer::Message;
using sequencer::Tx;
using store::reject;
using store::StoreError;
using store::Verdict;
using Answer = Result<Verdict, StoreError>;
using Done = Result<void, StoreError>;

constexpr Millis day{86'400'000};
/// 4,096 bytes: what the smallest picture counts as, so that rows are bounded with bytes.
constexpr std::size_t counted_min = 4096;

/// Bytes are kept as base64: the tables of applications hold text.
const std::vector<std::string> tables = {
    "CREATE TABLE pictures (id TEXT PRIMARY KEY, owner TEXT NOT NULL, address TEXT NOT NULL,"
    " at INTEGER NOT NULL, size INTEGER NOT NULL, type TEXT NOT NULL, width INTEGER NOT NULL,"
    " height INTEGER NOT NULL, place TEXT, posted INTEGER, bytes TEXT) STRICT",
    "CREATE INDEX pictures_by_owner ON pictures (owner, at, size)",
    "CREATE INDEX pictures_by_address ON pictures (address, at, size)",
    "CREATE INDEX pictures_kept ON pictures (at) WHERE bytes IS NOT NULL",
    "CREATE INDEX pictures_unposted ON pictures (at) WHERE posted IS NULL",
    "CREATE TABLE picture_space (used INTEGER NOT NULL) STRICT",
    "INSERT INTO picture_space VALUES (0)",
    // How much each network has, so that the one with most makes room.
    "CREATE TABLE picture_networks (network TEXT PRIMARY KEY, used INTEGER NOT NULL) STRICT",
    "INSERT INTO picture_networks SELECT address, sum(size) FROM pictures WHERE bytes IS NOT NULL"
    " GROUP BY address",
    "CREATE INDEX picture_networks_by_use ON picture_networks (used)",
    "CREATE INDEX pictures_of_network ON pictures (address, owner, size) WHERE bytes IS NOT NULL",
    "CREATE INDEX pictures_of_owner ON pictures (owner, posted IS NULL DESC, at)"
    " WHERE bytes IS NOT NULL",
};

Verdict refuse_unknown() { return reject("no_picture", "this picture is not kept"); }

// ---- space --------------------------------------------------------------------------------------

Result<std::int64_t, StoreError> number(
    const Result<std::vector<store::SqlRow>, store::SqlError>& rows) {
    if (!rows) return api::failed(rows.error());
    return rows->empty() ? 0 : store::get<std::int64_t>(rows->front(), 0).value_or(0);
}

Done grow(Tx& tx, const std::string& network, std::int64_t bytes) {
    const auto done = tx.sql("UPDATE picture_space SET used = used + ?1", bytes);
    if (!done) return api::failed(done.error());
    const auto counted = tx.sql(
        "INSERT INTO picture_networks VALUES (?1, ?2)"
        " ON CONFLICT (network) DO UPDATE SET used = used + excluded.used",
        network, bytes);
    if (!counted) return api::failed(counted.error());
    const auto tidied =
        tx.sql("DELETE FROM picture_networks WHERE network = ?1 AND used <= 0", network);
    if (!tidied) return api::failed(tidied.error());
    return {};
}

/// Whose pictures are in the way: of the network that has most, who has most of it; what they have not
/// posted goes first, then their oldest. However many names somebody takes on, they make room for
/// themselves.
auto next_to_go(Tx& tx) {
    return tx.sql(
        "SELECT id FROM pictures WHERE bytes IS NOT NULL AND owner ="
        " (SELECT owner FROM pictures WHERE bytes IS NOT NULL AND address ="
        "  (SELECT network FROM picture_networks ORDER BY used DESC LIMIT 1)"
        "  GROUP BY owner ORDER BY sum(size) DESC, owner LIMIT 1)"
        " ORDER BY posted IS NULL DESC, at LIMIT 1");
}

/// Until the rest may stay; and what nobody has posted within a day.
Done tidy_up(Tx& tx, const PictureLimits& limits) {
    const auto drop_all = [&](const auto& rows) -> Done {
        if (!rows) return api::failed(rows.error());
        for (const auto& row : *rows) {
            const auto dropped = drop_picture(tx, store::get<std::string>(row, 0).value_or(""));
            if (!dropped) return dropped;
        }
        return {};
    };
    const auto forgotten = drop_all(
        tx.sql("SELECT id FROM pictures WHERE posted IS NULL AND at < ?1 ORDER BY at LIMIT 8",
               tx.now().value - day.count()));
    if (!forgotten) return forgotten;
    if (limits.keep.count() > 0) {
        const auto aged = drop_all(tx.sql(
            "SELECT id FROM pictures WHERE bytes IS NOT NULL AND at < ?1 ORDER BY at LIMIT 8",
            tx.now().value - limits.keep.count()));
        if (!aged) return aged;
    }
    while (true) {
        const auto used = number(tx.sql("SELECT used FROM picture_space"));
        if (!used) return Err{used.error()};
        if (*used <= static_cast<std::int64_t>(limits.in_all)) return {};
        const auto next = next_to_go(tx);
        if (const auto dropped = drop_all(next); !dropped || next->empty()) return dropped;
    }
}

/// Why somebody has sent enough for today; none: they have not.
Result<std::optional<Verdict>, StoreError> refuse_amount(Tx& tx, const Sender& sender,
                                                         const PictureLimits& limits,
                                                         std::size_t size) {
    using Refusal = std::optional<Verdict>;
    const std::int64_t since = tx.now().value - day.count();
    const auto is_over = [size](const auto& used, std::uint64_t most) {
        return most > 0 &&
               static_cast<std::uint64_t>(std::max<std::int64_t>(*used, 0)) + size > most;
    };
    const auto own = number(
        tx.sql("SELECT sum(size) FROM pictures WHERE owner = ?1 AND at > ?2", sender.id, since));
    if (!own) return Err{own.error()};
    if (is_over(own, limits.of_person_each_day)) {
        return Refusal(reject("too_many_pictures", "that is enough pictures for one day"));
    }
    if (sender.network.empty()) return Refusal();
    const auto near = number(tx.sql("SELECT sum(size) FROM pictures WHERE address = ?1 AND at > ?2",
                                    sender.network, since));
    if (!near) return Err{near.error()};
    if (!is_over(near, limits.of_network_each_day)) return Refusal();
    return Refusal(
        reject("too_many_pictures_here", "that is enough pictures from your network for one day"));
}

// ---- keep ---------------------------------------------------------------------------------------

Done insert(Tx& tx, const Sender& sender, const std::string& id, const PictureKind& kind,
            std::size_t size, std::string_view encoded) {
    const auto stored = tx.sql(
        "INSERT INTO pictures (id, owner, address, at, size, type, width, height, bytes)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        id, sender.id, sender.network, tx.now().value, size, kind.type, kind.width, kind.height,
        encoded);
    if (!stored) return api::failed(stored.error());
    return grow(tx, sender.network, static_cast<std::int64_t>(size));
}

/// (id, base64)
Answer keep_picture(Tx& tx, const Message& message, const PictureLimits& limits) {
    const Sender sender = decode_sender(message.sender);
    const auto id = string_at(message.args, 0);
    const auto encoded = string_at(message.args, 1);
    if (sender.id.empty()) return reject("not_signed_in", "say who you are first");
    if (limits.in_all == 0) return reject("no_pictures", "no pictures are kept here");
    const auto bytes = encoded && encoded->size() <= picture_bytes_max * 2
                           ? base64::decode(*encoded)
                           : std::nullopt;
    if (!id || !is_picture_id(*id)) return reject("invalid_picture", "this is no picture");
    if (!bytes || bytes->size() > picture_bytes_max) {
        return reject("picture_too_large", "the picture is too large");
    }
    const auto kind = kind_of_picture(*bytes);
    if (!kind || std::max(kind->width, kind->height) > picture_side_max) {
        return reject("invalid_picture", "this is no picture that can be shown");
    }
    const auto known = find_picture(tx, *id);
    if (!known) return Err{known.error()};
    if (*known && (*known)->owner != sender.id) return reject("not_yours", "this id is taken");
    if (*known) return store::accept();
    const std::size_t size = std::max(bytes->size(), counted_min);
    const auto refused = refuse_amount(tx, sender, limits, size);
    if (!refused) return Err{refused.error()};
    if (*refused) return **refused;
    if (const auto kept = insert(tx, sender, *id, *kind, size, *encoded); !kept)
        return Err{kept.error()};
    if (const auto tidy = tidy_up(tx, limits); !tidy) return Err{tidy.error()};
    return store::accept();
}

// ---- show ---------------------------------------------------------------------------------------

/// Who may read the message may see the picture; so may who sent it.
bool may_see(const std::string& reader, const std::string& owner,
             const std::optional<std::string>& place) {
    if (!reader.empty() && reader == owner) return true;
    if (!place) return false;
    if (!is_person(*place)) return true;
    return !reader.empty() && *place == std::string(user_prefix) + reader;
}

/// (id)
Answer show_picture(Tx& tx, const Message& message) {
    const auto id = string_at(message.args, 0);
    if (!id) return refuse_unknown();
    const auto rows = tx.sql("SELECT owner, place, type, bytes FROM pictures WHERE id = ?1", *id);
    if (!rows) return api::failed(rows.error());
    if (rows->empty()) return refuse_unknown();
    const auto text = [&](std::size_t column) {
        return store::get<std::string>(rows->front(), column);
    };
    const std::string reader = decode_sender(message.sender).id;
    if (!may_see(reader, text(0).value_or(""), text(1)) || !text(3)) return refuse_unknown();
    return store::accept("{\"type\":\"" + text(2).value_or("") + "\",\"data\":\"" + *text(3) +
                         "\"}");
}

// ---- as bytes -----------------------------------------------------------------------------------

Json later() { return {{"error", "later"}, {"message", "not now; try again"}}; }

void take_bytes(const api::Socket& socket, const std::string& id, const api::Binary& bytes,
                const Ack& ack) {
    if (bytes.bytes.size() > picture_bytes_max) {
        return ack(Json{{"error", "picture_too_large"}, {"message", "the picture is too large"}});
    }
    socket.submit("keep picture", id, base64::encode(bytes.bytes),
                  [ack](const api::SubmitResult& result) {
                      if (!result) return ack(later());
                      if (result->kind == Verdict::Kind::accepted) return ack(nullptr);
                      ack(api::JsonText{result->body});
                  });
}

void give_bytes(const api::Socket& socket, const std::string& id, const Ack& ack) {
    socket.submit("show picture", id, [ack](const api::SubmitResult& result) {
        if (!result) return ack(later());
        if (result->kind == Verdict::Kind::rejected) return ack(api::JsonText{result->body});
        const auto body = api::decode_json(result->body, {});
        const auto data = base64::decode(string_in(*body, "data").value_or("")).value_or("");
        ack(nullptr,
            Json{{"type", (*body)["type"]}, {"bytes", Json::binary({data.begin(), data.end()})}});
    });
}

}  // namespace

Result<std::optional<KeptPicture>, StoreError> find_picture(Tx& tx, const std::string& id) {
    const auto rows = tx.sql("SELECT owner, width, height, posted FROM pictures WHERE id = ?1", id);
    if (!rows) return api::failed(rows.error());
    if (rows->empty()) return std::optional<KeptPicture>();
    const store::SqlRow& row = rows->front();
    KeptPicture found{store::get<std::string>(row, 0).value_or(""),
                      static_cast<std::uint32_t>(store::get<std::int64_t>(row, 1).value_or(0)),
                      static_cast<std::uint32_t>(store::get<std::int64_t>(row, 2).value_or(0))};
    if (const auto posted = store::get<std::int64_t>(row, 3)) {
        found.posted = static_cast<delivery::Offset>(*posted);
    }
    return std::optional(std::move(found));
}

Done note_posted(Tx& tx, const std::string& id, const std::string& place, delivery::Offset offset) {
    const auto done =
        tx.sql("UPDATE pictures SET place = ?2, posted = ?3 WHERE id = ?1", id, place, offset);
    if (!done) return api::failed(done.error());
    return {};
}

Done drop_picture(Tx& tx, const std::string& id) {
    const auto kept =
        tx.sql("SELECT size, address FROM pictures WHERE id = ?1 AND bytes IS NOT NULL", id);
    if (!kept) return api::failed(kept.error());
    const auto emptied = tx.sql("UPDATE pictures SET bytes = NULL WHERE id = ?1", id);
    if (!emptied) return api::failed(emptied.error());
    const auto removed = tx.sql("DELETE FROM pictures WHERE id = ?1 AND posted IS NULL", id);
    if (!removed) return api::failed(removed.error());
    if (kept->empty()) return {};
    const auto size = store::get<std::int64_t>(kept->front(), 0).value_or(0);
    return grow(tx, store::get<std::string>(kept->front(), 1).value_or(""), -size);
}

void install_pictures(api::Application& application, const Options& options) {
    if (!options.pictures) return;
    const PictureLimits limits = *options.pictures;
    application.schema("pictures", tables);
    // Two: the handlers are on two threads.
    const auto to_keep = std::make_shared<Allowance>(options.questions);
    const auto to_see = std::make_shared<Allowance>(options.questions);
    // Before the bytes are looked at: those take longer than most messages.
    application.on_durable("keep picture", [=](Tx& tx, const Message& message) -> Answer {
        const char* code = to_keep->refuse(decode_sender(message.sender), tx.now());
        return code ? reject(code, "too many pictures at once; wait a moment")
                    : keep_picture(tx, message, limits);
    });
    application.on_lookup("show picture", [to_see](Tx& tx, const Message& message) -> Answer {
        const char* code = to_see->refuse(decode_sender(message.sender), tx.now());
        return code ? reject(code, "too many pictures at once; wait a moment")
                    : show_picture(tx, message);
    });
    application.on("picture", take_bytes);
    application.on("see picture", give_bytes);
}

}  // namespace oncewire::chat
