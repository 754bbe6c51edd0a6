#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "shared/peer/client.hpp"
#include "tests/sim/env.hpp"
#include "tests/sim/indexed_db.hpp"
#include "tests/sim/link.hpp"
#include "tests/sim/requests.hpp"

namespace oncewire::sim {

/// One tab of a browser with the chat page in it: the production Client, a lane in IndexedDB, and a
/// page that shows what it is handed and tells the witness.
class Browser final : public LinkEnd {
  public:
    struct Options {
        AuthorId author = 0;
        /// The page keeps what it shows in IndexedDB, with the cursor, in one transaction; otherwise it
        /// starts from nothing after each refresh.
        bool keeps_page = false;
        /// How it reaches the server.
        peer::EngineClient::Options engine = {};
    };

    Browser(Env& env, Network& network, Options options);

    /// Loads the page, unless it is there.
    void open();
    /// The user types a message of about this length, if the page is there.
    void type(std::uint32_t length = 3);
    /// The page asks the server to echo something.
    void ask_echo();
    /// The page answers what it was asked and has not answered yet.
    void answer_all();
    /// The user takes back the newest message.
    void take_back();
    /// Memory is gone; the page comes back from storage after a while.
    void refresh();
    /// The network seems to be back: do not wait for the backoff.
    void come_online();
    /// The tab goes to the background and is frozen for `time`.
    void freeze(Millis time);
    void thaw();
    /// For good.
    void close();
    /// The user presses Disconnect, and Connect after a while.
    void pause();

    /// Nothing waits, and the page shows the whole log.
    bool is_at_rest() const;
    /// What is_at_rest() misses, for people.
    std::string describe() const;

    void link_opened(LinkNumber link) override;
    void link_frame(LinkNumber link, const Frame& frame) override;
    void link_written(LinkNumber) override {}
    void link_closed(LinkNumber link) override;

  private:
    /// A message in the outbox, as the page sees it.
    struct Waiting {
        std::optional<MessageId> message;  ///< none: taken back before the last refresh
        peer::MessageState state = peer::MessageState::saving;
        bool taken_back = false;  ///< still in the outbox, as words that say nothing
        bool is_answer = false;   ///< to a question of the server
    };
    using Waitings = std::map<delivery::Sequence, Waiting>;
    struct Echo {
        std::string value;
        bool on_the_wire = false;  ///< else it waits for the link
    };
    /// A change of the outbox that is not in storage yet.
    struct OwedSave {
        peer::Save save;
        std::vector<MessageId> taken_back;  ///< what its words that say nothing stand for
        bool answered = false;              ///< storage refused it once, and the user was told
    };
    static void apply(const OwedSave& owed, Witness& witness, StoredLane& lane);

    void leave();
    void restore_waiting(const std::vector<delivery::OutboxEntry>& entries);
    void be_asked(const peer::EventArrived& event);
    void answer(const delivery::Position& question, QuestionId id);
    void check_answer_sent(std::string_view frame);
    bool is_storage_at_rest() const;
    void drain();
    void arm();
    void in_this_page(Instant when, EventHeap::Action action);
    void when_awake(EventHeap::Action input);
    void check_outbox();
    void check_echoes();
    void check_size(MessageId message, const std::string& frame);
    void look_at_limit(Frame& frame);
    std::string auth();

    Requests begin_requests();
    void check_saved(std::string_view frame);
    void perform(const peer::OpenLink& open);
    void perform(const peer::SendFrame& send);
    void perform(const peer::CloseLink& close);
    void perform(const peer::AskAuth& ask);
    void perform(const peer::Save& save);
    void perform(const peer::Connected& connected);
    void perform(const peer::ConnectFailed& failed);
    void perform(const peer::Disconnected& disconnected);
    void perform(const peer::SendRequest& request);
    void perform(const peer::AttemptBegun&) {}
    void perform(const peer::LinkOpened&) {}
    void perform(const peer::LinkUpgraded&) {}
    void perform(const peer::Pinged&) {}
    void perform(const peer::AttemptFailed&) {}
    void perform(const peer::LinkFailed&) {}
    void perform(const peer::LinkClosed&) {}
    void perform(const peer::GaveUp&) {}
    void perform(const peer::Reconnecting&) {}
    void perform(const peer::EventArrived& event);
    void perform(const peer::AckArrived& ack);
    void perform(const peer::AckLost& lost);
    void perform(const peer::MessageMoved& moved);
    void perform(const peer::MessageSettled& settled);
    void perform(const peer::MessageRenumbered& renumbered);
    void perform(const peer::StreamChanged& changed);
    void perform(const peer::HistoryLost& lost);
    void perform(const peer::Noticed& noticed);
    void perform(const peer::ServerBusy&) { may_go_back_ = true; }

    void finish_renumbering();
    void store_outbox();
    void outbox_stored(std::size_t count, bool stored);
    bool replaces_stored(const peer::Save& save) const;
    void store_page();

    Env& env_;
    Network& network_;
    Options options_;
    IndexedDb storage_;
    std::uint64_t life_ = 0;  // of the page; events of earlier ones are nobody's
    bool closed_ = false;
    bool is_other_user_ = false;  // somebody else is signed in

    // What a refresh takes away:
    struct Page {
        Page(peer::Client client_, Requests requests_)
            : client(std::move(client_)), requests(std::move(requests_)) {}
        peer::Client client;
        Requests requests;
        Timer timer;
        bool frozen = false;
        std::deque<EventHeap::Action> asleep;      // inputs that wait for the thaw
        std::map<LinkNumber, peer::LinkId> links;  // WebSockets
        std::map<peer::LinkId, LinkNumber> numbers;
        peer::LinkId newest_link = 0;

        Waitings waiting;
        Waitings renumbered;  // on their way to their new places
        std::vector<OwedSave> owed;
        bool storing_outbox = false;
        std::set<MessageId> unsaved;  // storage refused them, and the user was told so
        std::map<socketio::AckId, Echo> echoes;
        AskedPage asked;
        std::map<std::string, QuestionId> unanswered;  // by their names
        std::set<std::string> unsaved_answers;         // storage refused them: what they answer
        bool lost_link = false;                        // during this input
        std::uint32_t holes = 0;                       // noticed so far
        std::optional<std::uint32_t> limit;  // of one message, as the server announced it last
        std::optional<std::uint32_t> heard_limit;  // perhaps over a link that counts no more

        ReaderState reader;
        std::vector<std::string> gone;      // marks, shown with the next entry
        std::vector<std::string> unstored;  // shown, and not yet on its way to storage
        std::optional<delivery::Position> shown_to;
        bool replaced = false;  // storage still shows another history
        bool storing = false;
    };
    std::unique_ptr<Page> page_;
    std::optional<MessageId> went_back_;  // to an earlier state during this input,
    bool may_go_back_ = false;            // and there was a reason for it
};

}  // namespace oncewire::sim
