#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "server/hub/hub.hpp"
#include "server/sequencer/sequencer.hpp"
#include "server/store/memory/memory_store.hpp"
#include "shared/base/json.hpp"
#include "shared/peer/client.hpp"

/// The deciders wired together without network, threads or delay: clients, one hub, one sequencer, one
/// store in memory. For tests that read as stories; the simulator is the one with faults.
namespace oncewire::test {

inline std::string random_bytes(Prng& prng, std::size_t count) {
    std::string bytes;
    while (bytes.size() < count) bytes += static_cast<char>(prng.next() & 0xff);
    return bytes;
}

/// Publishes ["chat message", text, offset] to room "chat", or to "side" if the text begins so; refuses
/// the text "bad".
inline std::map<std::string, sequencer::DurableHandler, std::less<>> chat_handlers() {
    return {{"chat message",
             [](sequencer::Tx& tx,
                const sequencer::Message& message) -> Result<store::Verdict, store::StoreError> {
                 if (message.args.empty()) return store::reject("no_text", "say something");
                 if (message.args[0] == "\"bad\"") return store::reject("bad_text", "not that");
                 const auto id = std::to_string(tx.next_offset());
                 const auto offset = tx.publish(
                     message.args[0].starts_with("\"side") ? "side" : "chat",
                     "[\"chat message\"," + std::string(message.args[0]) + ',' + id + ']');
                 if (!offset) return Err{offset.error()};
                 return store::accept("{\"id\":" + id + '}');
             }},
            {"ask me",
             [](sequencer::Tx& tx,
                const sequencer::Message& message) -> Result<store::Verdict, store::StoreError> {
                 const auto asked = tx.ask(message.producer,
                                           "[\"question\"," + std::string(message.args[0]) + ']');
                 if (!asked) return Err{asked.error()};
                 return store::accept();
             }}};
}

/// Publishes what a question of "ask me" was answered.
inline sequencer::Sequencer::Options with_answers(sequencer::Sequencer::Options options) {
    options.answers["question"] =
        [](sequencer::Tx& tx, const sequencer::Question&,
           const sequencer::Reply& reply) -> Result<void, store::StoreError> {
        const auto offset =
            tx.publish("chat", "[\"answer\"," + std::string(reply.args.at(0)) + ']');
        if (!offset) return Err{offset.error()};
        return {};
    };
    return options;
}

class SmallWorld {
  public:
    struct Browser {
        peer::Client client;
        peer::NamespaceIndex nsp = 0;
        std::optional<hub::ConnectionId> connection;
        peer::LinkId link = 0;
        bool answers_saves = true;
        bool can_connect = true;
        bool reads = true;  // a browser that does not read leaves writes unfinished
        std::vector<peer::ClientOutput> seen;  // what the application was told
        std::vector<std::string> texts;        // data of every event handed on
        bool knows_questions = true;
        bool knows_links = true;
        /// A frame that contains this does not arrive, the first time.
        std::optional<std::string> loses = {};
    };

    explicit SmallWorld(const sequencer::Sequencer::Options& of_sequencer = {},
                        const char* epoch = "e1")
        : disk{delivery::Epoch{epoch}, {}},
          store(disk, &faults),
          sequencer(store, chat_handlers(), with_answers(of_sequencer)),
          hub([] {
              hub::Hub::Options options;
              options.durable_events = {"chat message"};
              return options;
          }()) {
        sequencer.start();
        settle();
    }

    std::size_t add_browser(bool with_lane, std::vector<delivery::OutboxEntry> entries = {},
                            delivery::Sequence next_sequence = 1,
                            std::optional<ProducerId> id = std::nullopt) {
        Browser& browser =
            browsers.emplace_back(Browser{peer::Client(peer::Client::Options(), prng.fork()),
                                          0,
                                          {},
                                          0,
                                          true,
                                          true,
                                          true,
                                          {},
                                          {}});
        std::optional<peer::RestoredLane> lane;
        if (with_lane) {
            lane.emplace();
            lane->producer = {id ? *id : ProducerId(delivery::hex(random_bytes(prng, 16))),
                              ProducerSecret(std::string(32, 'a'))};
            lane->entries = std::move(entries);
            lane->next_sequence = next_sequence;
            lane->salt = prng.next();
        }
        browser.nsp = browser.client.open_namespace("/", std::move(lane));
        return browsers.size() - 1;
    }

    Browser& operator[](std::size_t index) { return browsers[index]; }

    void connect(std::size_t index) {
        browsers[index].client.connect(browsers[index].nsp, now);
        settle();
    }

    /// Runs everything that can happen without time passing.
    void settle() {
        for (int turns = 0; turns < 1000; ++turns) {
            if (!step()) return;
        }
        VERIFY(false);  // never became idle
    }

    void pass(Millis time) {
        now += time;
        for (auto& browser : browsers) browser.client.handle_timeout(now);
        top_up();
        hub.handle_timeout(now);
        sequencer.handle_timeout(now, {});
        settle();
    }

    void cut(std::size_t index) {
        Browser& browser = browsers[index];
        if (browser.connection) {
            hub.handle_transport_closed(*browser.connection, engineio::CloseReason::transport_close,
                                        now);
        }
        browser.connection.reset();
        browser.client.handle_link_closed(browser.link, now);
        settle();
    }

    template <class T>
    std::vector<T> seen(std::size_t index) const {
        std::vector<T> found;
        for (const auto& output : browsers[index].seen) {
            if (const auto* match = std::get_if<T>(&output)) found.push_back(*match);
        }
        return found;
    }

    std::vector<std::string> log_texts() const {
        std::vector<std::string> texts;
        for (const auto& entry : disk.tables.log) {
            texts.push_back(*json::as_string(json::elements(entry.data)[1]));
        }
        return texts;
    }

    Prng prng{7};
    Instant now{};
    store::MemoryDisk disk;
    store::MemoryFaults faults;
    store::MemoryStore store;
    sequencer::Sequencer sequencer;
    hub::Hub hub;
    std::deque<Browser> browsers;
    std::vector<std::pair<hub::SocketId, std::string>> events;  // that reached the application
    std::map<hub::SocketId, std::string> auths;
    delivery::Offset replay_after = 0;  // what the application lets the next ones read from
    // A room that the application lets everybody into when they are connected, or when a page of
    // history was asked for.
    std::optional<std::string> joins_when_connected;
    std::optional<std::string> joins_when_reading;

  private:
    void top_up() {
        if (const auto wanted = hub.secrets().wanted())
            hub.secrets().add(random_bytes(prng, wanted));
    }

    bool step() {
        bool busy = false;
        for (std::size_t i = 0; i < browsers.size(); ++i) {
            while (auto output = browsers[i].client.poll_output()) {
                busy = true;
                perform(browsers[i], std::move(*output));
            }
        }
        while (auto output = hub.poll_output()) {
            busy = true;
            perform(std::move(*output));
        }
        sequencer.commit(now);
        while (auto mail = sequencer.poll_output()) {
            busy = true;
            hub.handle_mail(std::move(mail->mail), now);
        }
        return busy;
    }

    static void cut_out(std::string& text, std::string_view word) {
        const auto found = text.find(word);
        if (found != std::string::npos) text.erase(found, word.size());
    }

    void perform(Browser& browser, peer::ClientOutput output) {
        if (const auto* open = std::get_if<peer::OpenLink>(&output)) {
            browser.link = open->link;
            if (!browser.can_connect) return browser.client.handle_link_closed(open->link, now);
            top_up();
            browser.client.handle_link_opened(open->link, now);
            browser.connection = hub.handle_accept({}, now);
        } else if (auto* send = std::get_if<peer::SendFrame>(&output)) {
            top_up();
            if (!browser.knows_questions) cut_out(send->frame.bytes, R"("answers":true,)");
            if (!browser.knows_links) cut_out(send->frame.bytes, R"("links":true,)");
            if (browser.connection && send->link == browser.link) {
                hub.handle_frame(*browser.connection, send->frame, now);
            }
        } else if (const auto* close = std::get_if<peer::CloseLink>(&output)) {
            if (browser.connection && close->link == browser.link) {
                hub.handle_transport_closed(*browser.connection,
                                            engineio::CloseReason::transport_close, now);
                browser.connection.reset();
            }
        } else if (const auto* ask = std::get_if<peer::AskAuth>(&output)) {
            browser.client.provide_auth(ask->index, "{}", now);
        } else if (const auto* save = std::get_if<peer::Save>(&output)) {
            if (browser.answers_saves) browser.client.handle_saved(save->index, save->token, now);
        }
        if (const auto* event = std::get_if<peer::EventArrived>(&output))
            browser.texts.push_back(event->data);
        browser.seen.push_back(std::move(output));
    }

    void perform(hub::HubOutput output) {
        if (auto* write = std::get_if<hub::Write>(&output)) {
            for (auto& browser : browsers) {
                if (browser.connection != write->connection || !browser.reads) continue;
                for (const auto& frame : write->frames) {
                    if (browser.loses && frame->bytes.find(*browser.loses) != std::string::npos) {
                        browser.loses.reset();
                        continue;
                    }
                    browser.client.handle_frame(browser.link, *frame, now);
                }
                hub.handle_written(write->connection, now);
            }
        } else if (const auto* close = std::get_if<hub::CloseTransport>(&output)) {
            for (auto& browser : browsers) {
                if (browser.connection != close->connection) continue;
                browser.connection.reset();
                browser.client.handle_link_closed(browser.link, now);
            }
        } else if (const auto* connected = std::get_if<hub::SocketConnected>(&output)) {
            if (joins_when_connected) hub.sockets().join(connected->socket, *joins_when_connected);
        } else if (auto* mail = std::get_if<hub::ToStore>(&output)) {
            const auto* read = std::get_if<mail::ReadPage>(&mail->mail);
            if (read && joins_when_reading)
                hub.sockets().join(read->from.session, *joins_when_reading);
            sequencer.handle_mail(std::move(mail->mail), now, UnixMillis{1});
        } else if (const auto* asked = std::get_if<hub::ConnectAsked>(&output)) {
            auths[asked->socket] = asked->auth;
            hub.sockets().accept(asked->socket, {{"chat"}, replay_after}, now);
        } else if (const auto* event = std::get_if<hub::EventArrived>(&output)) {
            events.push_back({event->socket, event->data});
            if (event->ack_id) hub.sockets().acknowledge(event->socket, *event->ack_id, "[\"ok\"]");
        }
    }
};

}  // namespace oncewire::test
