#include "client-wasm/event_json.hpp"

#include <utility>

#include "shared/base/decimal.hpp"
#include "shared/base/json.hpp"

namespace oncewire::client_wasm {
namespace {

std::string decimal(std::uint64_t number) {
    std::string text;
    append_decimal(text, number);
    return text;
}

/// Builds one flat JSON object. Names are ours and need no escapes.
class Object {
  public:
    explicit Object(const char* type) : text_("{\"type\":\"") {
        text_ += type;
        text_ += '"';
    }

    Object& json(const char* name, std::string_view value) {
        text_ += ",\"";
        text_ += name;
        text_ += "\":";
        text_ += value;
        return *this;
    }
    Object& number(const char* name, std::uint64_t value) { return json(name, decimal(value)); }
    Object& millis(const char* name, Millis value) {
        return number(name, static_cast<std::uint64_t>(value.count()));
    }
    Object& flag(const char* name, bool value) { return json(name, value ? "true" : "false"); }
    Object& string(const char* name, std::string_view value) {
        return json(name, json::quoted(value));
    }
    std::string take() { return std::move(text_ += '}'); }

  private:
    std::string text_;
};

Object object(const char* type, peer::NamespaceIndex index) {
    Object made(type);
    made.number("namespace", index);
    return made;
}

template <class Item, class Write>
std::string array(const std::vector<Item>& items, Write write) {
    std::string text = "[";
    for (const auto& item : items) {
        if (text.size() > 1) text += ',';
        text += write(item);
    }
    return text + ']';
}

PageEvent with_attachments(Object& made, std::vector<std::string> attachments) {
    if (!attachments.empty()) {
        made.json("attachments", array(attachments, [](const std::string& bytes) {
                      return decimal(bytes.size());
                  }));
    }
    return {made.take(), std::move(attachments)};
}

const char* state_text(peer::MessageState state) {
    switch (state) {
        case peer::MessageState::saving:
            return "saving";
        case peer::MessageState::queued:
            return "queued";
        case peer::MessageState::sent:
            return "sent";
    }
    return "";
}

const char* guarantee_text(peer::Guarantee guarantee) {
    switch (guarantee) {
        case peer::Guarantee::at_most_once:
            return "at-most-once";
        case peer::Guarantee::at_least_once:
            return "at-least-once";
        case peer::Guarantee::exactly_once:
            return "exactly-once";
    }
    return "";
}

struct Writer {
    using Made = std::optional<PageEvent>;

    Made operator()(peer::OpenLink&) { return std::nullopt; }
    Made operator()(peer::SendFrame&) { return std::nullopt; }
    Made operator()(peer::SendRequest&) { return std::nullopt; }
    Made operator()(peer::CloseLink&) { return std::nullopt; }

    Made operator()(peer::AskAuth& out) { return plain(object("auth", out.index)); }
    Made operator()(peer::Save& out) {
        const auto number = [](delivery::Sequence sequence) { return decimal(sequence); };
        const auto entry = [](const delivery::OutboxEntry& put) {
            std::string text = "[";
            append_decimal(text, put.sequence);
            text += ",\"";
            text += delivery::format_digest(put.digest);
            text += "\",";
            json::append_quoted(text, put.message);
            return text + (put.renumbered ? ",1]" : ",0]");
        };
        return plain(object("save", out.index)
                         .number("token", out.token)
                         .number("next", out.next_sequence)
                         .json("erase", array(out.erase, number))
                         .json("put", array(out.put, entry)));
    }
    Made operator()(peer::Connected& out) {
        return plain(object("connected", out.index)
                         .string("sid", out.sid)
                         .string("pid", out.pid)
                         .flag("recovered", out.recovered)
                         .string("notRecovered", out.not_recovered)
                         .string("guarantee", guarantee_text(out.guarantee)));
    }
    Made operator()(peer::ConnectFailed& out) {
        return plain(object("connect_failed", out.index)
                         .flag("refused", out.refused)
                         .json("error", out.error.empty() ? "{}" : out.error));
    }
    Made operator()(peer::Disconnected& out) {
        Object made = object("disconnected", out.index);
        made.string("reason", socketio::reason_text(out.reason));
        if (!out.detail.empty()) made.json("detail", out.detail);
        return plain(made);
    }
    Made operator()(peer::AttemptBegun&) { return plain(Object("attempt")); }
    Made operator()(peer::LinkOpened& out) {
        const bool is_polling = out.transport == engineio::TransportKind::polling;
        return plain(Object("open")
                         .string("transport", is_polling ? "polling" : "websocket")
                         .string("sid", out.sid));
    }
    Made operator()(peer::LinkUpgraded&) { return plain(Object("upgrade")); }
    Made operator()(peer::Pinged&) { return plain(Object("ping")); }
    Made operator()(peer::AttemptFailed& out) {
        return plain(Object("attempt_failed").json("error", out.error));
    }
    Made operator()(peer::LinkFailed& out) {
        return plain(Object("link_failed").json("error", out.error));
    }
    Made operator()(peer::LinkClosed& out) {
        Object made("close");
        made.string("reason", socketio::reason_text(out.reason));
        if (!out.detail.empty()) made.json("detail", out.detail);
        return plain(made);
    }
    Made operator()(peer::GaveUp&) { return plain(Object("gave_up")); }
    Made operator()(peer::Reconnecting& out) {
        return plain(Object("reconnecting").number("attempt", out.attempt));
    }
    Made operator()(peer::EventArrived& out) {
        Object made = object("event", out.index);
        made.json("data", out.data);
        if (out.ack_id) made.number("ack", *out.ack_id);
        if (out.position) made.string("position", delivery::format(*out.position));
        if (out.question) made.string("question", delivery::format(*out.question));
        return with_attachments(made, std::move(out.attachments));
    }
    Made operator()(peer::AckArrived& out) {
        Object made = object("ack", out.index);
        made.number("id", out.id).json("data", out.data);
        return with_attachments(made, std::move(out.attachments));
    }
    Made operator()(peer::AckLost&) { return std::nullopt; }  // the page counts for itself
    Made operator()(peer::MessageMoved& out) {
        return plain(object("moved", out.index)
                         .number("sequence", out.sequence)
                         .string("state", state_text(out.state)));
    }
    Made operator()(peer::MessageSettled& out) {
        return plain(object("settled", out.index)
                         .number("sequence", out.sequence)
                         .flag("accepted", out.accepted)
                         .flag("unknown", out.is_unknown)
                         .json("body", out.body.empty() ? "null" : out.body));
    }
    Made operator()(peer::MessageRenumbered& out) {
        return plain(object("renumbered", out.index)
                         .number("before", out.before)
                         .number("after", out.after));
    }
    Made operator()(peer::StreamChanged& out) {
        return plain(object("stream_changed", out.index)
                         .string("from", delivery::format(out.from))
                         .string("to", delivery::format(out.to)));
    }
    Made operator()(peer::HistoryLost& out) {
        return plain(
            object("history_lost", out.index).number("from", out.from).number("to", out.to));
    }
    Made operator()(peer::Noticed& out) {
        const auto& [holes, repeated, late] = out.anomalies;
        return plain(object("noticed", out.index)
                         .number("holes", holes)
                         .number("repeated", repeated)
                         .number("late", late));
    }
    Made operator()(peer::ServerBusy& out) {
        return plain(object("busy", out.index).millis("after", out.after));
    }

    static Made plain(Object&& made) { return PageEvent{made.take(), {}}; }
    static Made plain(Object& made) { return PageEvent{made.take(), {}}; }
};

}  // namespace

std::optional<PageEvent> page_event(peer::ClientOutput output) {
    return std::visit(Writer{}, output);
}

}  // namespace oncewire::client_wasm
