#include "tests/sim/world.hpp"

#include <string>
#include <utility>

namespace oncewire::sim {
namespace {

constexpr Millis rest_deadline{120'000};
/// A decider whose timer is always due, or nodes that answer each other for ever.
constexpr std::uint64_t events_per_instant_max = 100'000;

engineio::Timings draw_timings(Choices& choices) {
    switch (choices.choose("heartbeat", 3)) {
        case 0:
            return {Millis{25'000}, Millis{20'000}};
        case 1:
            return {Millis{5'000}, Millis{4'000}};
        default:
            return {Millis{1'000}, Millis{3'000}};
    }
}

/// Of a server that forgets fast: by count, by age, or by both.
store::Retention draw_retention(Choices& choices) {
    store::RetentionRule rule;
    const std::uint32_t kind = choices.choose("retention", 3);
    if (kind != 1) rule.entries = choices.between("entries kept", 1, 60);
    if (kind != 0) rule.age = choices.long_tailed("age kept", 1'000, 60'000);
    return {{rule}};
}

/// Half of the browsers use WebSockets alone, as the chat's page does.
peer::EngineClient::Options draw_engine(Choices& choices) {
    using engineio::TransportKind;
    peer::EngineClient::Options options;
    switch (choices.choose("transports", 6)) {
        case 3:
            options.transports = {TransportKind::polling};
            break;
        case 4:
            options.transports = {TransportKind::polling, TransportKind::websocket};
            options.remember_upgrade = choices.chance("remembers", 1, 2);
            break;
        case 5:
            options.transports = {TransportKind::websocket, TransportKind::polling};
            options.try_all_transports = true;
            break;
        default:
            break;
    }
    return options;
}

}  // namespace

World::World(Choices choices, Trace::Detail detail, Mutant mutant)
    : env_(std::move(choices), detail, mutant), network_(env_) {
    ServerNode::Options options;
    options.cores = static_cast<std::uint16_t>(env_.choices.between("cores", 1, 2));
    options.timings = draw_timings(env_.choices);
    if (env_.choices.chance("guest house", 1, 3)) {
        store::RecoveryLimits limits;
        if (env_.choices.chance("small house", 1, 2)) limits.entries_max = 20;
        house_ = std::make_unique<GuestHouse>(env_, limits);
        options.house = house_.get();
    }
    if (!house_ && env_.faults.is_possible(Fault::history_trimmed))
        options.retention = draw_retention(env_.choices);
    if (!house_ && env_.faults.is_possible(Fault::lease_ended))
        options.lease = env_.choices.long_tailed("lease", 500, 30'000);
    server_ = std::make_unique<ServerNode>(env_, network_, options);
    house_ ? add_guests() : add_browsers();
}

void World::add_guests() {
    const std::uint32_t count = env_.choices.between("guests", 1, 4);
    for (std::uint32_t number = 0; number < count; ++number)
        guests_.push_back(std::make_unique<Guest>(env_, network_, *house_, number));
}

void World::add_browsers() {
    const std::uint32_t count = env_.choices.between("browsers", 1, 4);
    for (AuthorId author = 0; author < count; ++author) {
        const bool keeps_page = env_.choices.choose("keeps its page", 2) == 0;
        browsers_.push_back(std::make_unique<Browser>(
            env_, network_, Browser::Options{author, keeps_page, draw_engine(env_.choices)}));
    }
    const std::uint32_t stock = env_.choices.choose("stock clients", 3);
    for (AuthorId number = 0; number < stock; ++number) {
        stock_.push_back(std::make_unique<StockBrowser>(env_, network_, number));
    }
}

Outcome World::run() {
    cause_trouble();
    come_to_rest();
    everybody_leaves();
    return outcome();
}

// ---- what people do -----------------------------------------------------------------------------

void World::plan_messages() {
    if (house_) return plan_house();
    const auto plan = [this](auto& browser) {
        Instant at = env_.now() + env_.choices.delay("first visit", 0, 3'000);
        env_.heap.at(at, [&browser] { browser.open(); });
        std::uint32_t messages = env_.choices.between("messages", 1, 20);
        const bool bursts = env_.faults.strikes(Fault::burst, 1, 6);
        if (bursts) messages += 150;
        for (; messages > 0; --messages) {
            at += bursts ? env_.choices.delay("burst gap", 0, 10)
                         : env_.choices.long_tailed("gap", 4, 6'000);
            env_.heap.at(at, [this, &browser] {
                if (!calm_) browser.type();
            });
            if (env_.choices.chance("echo", 1, 10)) {
                env_.heap.at(at, [this, &browser] {
                    if (!calm_) browser.ask_echo();
                });
            }
            if (env_.faults.strikes(Fault::refresh, 1, 40)) {  // while it is being saved, or sent
                env_.heap.at(at + env_.choices.delay("refresh after", 0, 100), [this, &browser] {
                    if (!calm_) browser.refresh();
                });
            }
        }
    };
    for (auto& browser : browsers_) plan(*browser);
    for (auto& browser : stock_) plan(*browser);
    if (env_.faults.strikes(Fault::flood, 1, 1)) plan_flood(*browsers_.front());
}

void World::plan_house() {
    for (auto& guest : guests_) {
        env_.heap.after(env_.choices.delay("first visit", 0, 3'000), [&guest] { guest->open(); });
    }
    Instant at = env_.now();
    for (std::uint32_t events = env_.choices.between("events", 20, 120); events > 0; --events) {
        at += env_.choices.long_tailed("gap", 4, 6'000);
        env_.heap.at(at, [this] {
            if (!calm_) run_house();
        });
    }
    if (!env_.faults.strikes(Fault::flood, 1, 1)) return;
    for (std::uint32_t i = 0; i < 1'500; ++i) {
        env_.heap.at(at + Millis{i}, [this] {
            if (!calm_) server_->speak([this](api::Application& io) { house_->tell_news(io); });
        });
    }
}

void World::run_house() {
    Guest& guest =
        *guests_[env_.choices.choose("guest", static_cast<std::uint32_t>(guests_.size()))];
    const auto event = env_.choices.choose("event", 20);
    if (event == 19 && env_.choices.chance("ban", 1, 4)) return house_->ban(guest.name());
    server_->speak([&](api::Application& io) {
        if (event < 12) return house_->tell_news(io);
        if (event < 14) return house_->spread_rumour(io);
        if (guest.sid().empty()) return;
        event < 17 ? house_->let_in(io, guest.sid()) : house_->put_out(io, guest.sid());
    });
}

/// More than one page of history, and more than a send queue holds.
void World::plan_flood(Browser& browser) {
    const Instant at = env_.now() + env_.choices.delay("flood", 4'000, 10'000);
    const std::uint32_t messages = env_.choices.between("flood", 300, 700);
    for (std::uint32_t i = 0; i < messages; ++i) {
        env_.heap.at(at + Millis{i * 5}, [this, &browser] {
            if (!calm_) browser.type(3'000);
        });
    }
}

void World::plan_mischief() {
    env_.heap.after(env_.choices.long_tailed("mischief", mischief_pause_, 8'000), [this] {
        if (calm_) return;
        misbehave();
        plan_mischief();
    });
}

void World::misbehave() {
    const bool has_guests = house_ != nullptr;
    const auto kind = env_.choices.choose("mischief", 17);
    if (has_guests && kind >= 2) return network_.misbehave();
    switch (kind) {
        case 0:
            if (env_.faults.strikes(Fault::crash_any_time, 1, 3)) server_->crash();
            return;
        case 1:
            if (env_.faults.strikes(Fault::graceful_restart, 1, 3)) server_->restart();
            return;
        case 2:
            if (env_.faults.is_possible(Fault::restored_backup)) server_->back_up();
            return;
        case 3:
        case 4:
            if (env_.faults.strikes(Fault::refresh, 1, 1)) some_browser()->refresh();
            return;
        case 5:
            if (StockBrowser* stock = some_stock();
                stock && env_.faults.strikes(Fault::refresh, 1, 2)) {
                stock->refresh();
            }
            return;
        case 6:
            if (env_.faults.is_possible(Fault::cancelled)) some_browser()->take_back();
            return;
        case 7:
            return some_browser()->pause();
        case 8:
            if (env_.faults.strikes(Fault::tab_frozen, 1, 2)) {
                some_browser()->freeze(env_.choices.long_tailed("frozen", 100, 60'000));
            }
            return;
        case 9:
            return some_browser()->come_online();
        case 10:
            return server_->bother_somebody();
        default:
            return network_.misbehave();
    }
}

Browser* World::some_browser() {
    const auto count = static_cast<std::uint32_t>(browsers_.size());
    return browsers_[env_.choices.choose("which browser", count)].get();
}

StockBrowser* World::some_stock() {
    if (stock_.empty()) return nullptr;
    const auto count = static_cast<std::uint32_t>(stock_.size());
    return stock_[env_.choices.choose("which stock", count)].get();
}

// ---- the phases ---------------------------------------------------------------------------------

/// False: a promise was broken, and what follows would only be its consequences.
bool World::run_until(Instant end) {
    std::uint64_t at_this_instant = 0;
    Instant instant = env_.now();
    while (env_.witness.violations().empty()) {
        const auto next = env_.heap.next();
        if (!next || *next > end) break;
        env_.heap.step();
        at_this_instant = env_.now() == instant ? at_this_instant + 1 : 0;
        instant = env_.now();
        if (at_this_instant > events_per_instant_max) {
            env_.witness.report(Breach::unbounded, "time stands still");
        }
    }
    if (!env_.witness.violations().empty()) return false;
    env_.heap.pass(end);
    return true;
}

void World::cause_trouble() {
    mischief_pause_ = 50u << env_.choices.choose("how bad", 6);
    server_->start();
    plan_messages();
    plan_mischief();
    Millis trouble = env_.choices.long_tailed("trouble", 10'000, 90'000);
    if (env_.faults.strikes(Fault::silence, 1, 2)) trouble += Millis{120'000};
    run_until(env_.now() + trouble);
}

void World::come_to_rest() {
    calm_ = true;
    env_.note("faults stop");
    env_.faults.heal();
    network_.heal();
    server_->heal();
    for (auto& browser : browsers_) {
        browser->thaw();
        browser->answer_all();
    }
    for (auto& guest : guests_) guest->stay_near();
    const Instant deadline = env_.now() + rest_deadline;
    while (!is_at_rest() && env_.now() < deadline) {
        if (!run_until(env_.now() + Millis{500})) return;
        for (auto& browser : stock_) browser->reload_if_replaced();
    }
    if (!is_at_rest()) {
        std::string who = server_->is_idle() ? "" : "the server is busy; ";
        for (const auto& browser : browsers_) {
            if (!browser->is_at_rest()) who += browser->describe() + "; ";
        }
        for (const auto& browser : stock_) {
            if (!browser->is_at_rest()) who += browser->describe() + "; ";
        }
        for (const auto& guest : guests_) {
            if (!guest->is_at_rest()) who += guest->describe() + "; ";
        }
        env_.witness.report(Breach::stuck, who);
    }
    run_until(env_.now() + Millis{2'000});
}

void World::everybody_leaves() {
    if (!env_.witness.violations().empty()) return;
    env_.witness.check_outcome();
    env_.witness.examine_disk(server_->disk());
    for (auto& browser : browsers_) browser->close();
    for (auto& browser : stock_) browser->close();
    for (auto& guest : guests_) guest->close();
    if (run_until(env_.now() + Millis{60'000})) server_->check_empty();
}

bool World::is_at_rest() const {
    if (!server_->is_idle()) return false;
    for (const auto& browser : browsers_) {
        if (!browser->is_at_rest()) return false;
    }
    for (const auto& browser : stock_) {
        if (!browser->is_at_rest()) return false;
    }
    for (const auto& guest : guests_) {
        if (!guest->is_at_rest()) return false;
    }
    return true;
}

Outcome World::outcome() const {
    Outcome outcome;
    outcome.trace_hash = env_.trace.hash();
    outcome.events = env_.heap.events();
    outcome.messages = env_.witness.message_count();
    outcome.crashes = server_->crashes();
    outcome.simulated = env_.heap.elapsed();
    outcome.faults = env_.faults.counts();
    outcome.violations = env_.witness.violations();
    outcome.trace = env_.trace.lines();
    for (const auto& taken : env_.choices.taken()) outcome.choices.push_back(taken.value);
    return outcome;
}

}  // namespace oncewire::sim
