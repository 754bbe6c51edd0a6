#include "server/api/socket.hpp"

#include <algorithm>

#include "server/api/context.hpp"

namespace oncewire::api {
namespace {

/// None once it is in.
SocketState::Entrance* entrance_of(const Context* context, hub::SocketId socket) {
    const SocketState* state = context ? context->find(socket) : nullptr;
    return state ? state->entrance.get() : nullptr;
}

int hex_digit(char digit) {
    if (digit >= '0' && digit <= '9') return digit - '0';
    const char lower = static_cast<char>(digit | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// [WHATWG URL, application/x-www-form-urlencoded] What is no escape stays as it is.
std::string decode_query(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool escape = text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
                            hex_digit(text[i + 2]) >= 0;
        if (escape) {
            out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
            i += 2;
        } else {
            out += text[i] == '+' ? ' ' : text[i];
        }
    }
    return out;
}

std::vector<std::pair<std::string, std::string>> query_of(std::string_view url) {
    std::vector<std::pair<std::string, std::string>> query;
    const auto start = url.find('?');
    std::string_view rest = start == url.npos ? "" : url.substr(start + 1);
    while (!rest.empty()) {
        const auto end = std::min(rest.find('&'), rest.size());
        const auto part = rest.substr(0, end);
        const auto equals = std::min(part.find('='), part.size());
        const auto value = equals < part.size() ? part.substr(equals + 1) : std::string_view();
        if (!part.empty())
            query.emplace_back(decode_query(part.substr(0, equals)), decode_query(value));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return query;
}

std::string two_digits(std::int64_t number) {
    return {static_cast<char>('0' + number / 10), static_cast<char>('0' + number % 10)};
}

/// [ECMA262 21.4.4.41] Date.prototype.toString() where it is UTC. Of the proleptic Gregorian calendar,
/// with years that begin in March, so that leap days come last.
std::string date_text(std::int64_t milliseconds) {
    constexpr const char* week_days[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
    constexpr const char* months[] = {"Mar", "Apr", "May", "Jun", "Jul", "Aug",
                                      "Sep", "Oct", "Nov", "Dec", "Jan", "Feb"};
    constexpr std::int64_t days_to_1970 = 719'468, days_of_400_years = 146'097;
    const std::int64_t seconds = milliseconds / 1000, second = seconds % 86'400;
    const std::int64_t day = seconds / 86'400;
    const std::int64_t era = (day + days_to_1970) / days_of_400_years;
    const std::int64_t of_era = (day + days_to_1970) % days_of_400_years;
    const std::int64_t year = (of_era - of_era / 1460 + of_era / 36'524 - of_era / 146'096) / 365;
    const std::int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    const std::int64_t month = (5 * of_year + 2) / 153;
    const std::int64_t of_month = of_year - (153 * month + 2) / 5 + 1;
    const std::int64_t shown_year = year + era * 400 + (month >= 10 ? 1 : 0);
    return std::string(week_days[day % 7]) + ' ' + months[month] + ' ' + two_digits(of_month) +
           ' ' + std::to_string(shown_year) + ' ' + two_digits(second / 3600) + ':' +
           two_digits(second / 60 % 60) + ':' + two_digits(second % 60) +
           " GMT+0000 (Coordinated Universal Time)";
}

std::string lower_case(std::string text) {
    for (char& letter : text) {
        if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter | 0x20);
    }
    return text;
}

Json to_object(const std::vector<std::pair<std::string, std::string>>& pairs) {
    Json object = Json::object();
    for (const auto& [name, value] : pairs) object[name] = value;
    return object;
}

}  // namespace

std::string Handshake::query_value(std::string_view name) const {
    const auto last = std::find_if(query.rbegin(), query.rend(),
                                   [&](const auto& pair) { return pair.first == name; });
    return last == query.rend() ? std::string() : last->second;
}

std::string query_value(std::string_view url, std::string_view name) {
    std::string last;
    for (auto& [key, value] : query_of(url)) {
        if (key == name) last = std::move(value);
    }
    return last;
}

void to_json(Json& json, const Handshake& handshake) {
    json = {{"headers", to_object(handshake.headers)},
            {"time", handshake.time},
            {"address", handshake.address},
            {"xdomain", handshake.xdomain},
            {"secure", handshake.secure},
            {"issued", handshake.issued},
            {"url", handshake.url},
            {"query", to_object(handshake.query)},
            {"auth", handshake.auth}};
}

// ---- flags --------------------------------------------------------------------------------------

SocketOperator SocketOperator::volatile_() const {
    SocketOperator copy = *this;
    copy.volatile_flag_ = true;
    return copy;
}

SocketOperator SocketOperator::timeout(Millis time) const {
    SocketOperator copy = *this;
    copy.timeout_ = time;
    return copy;
}

BroadcastOperator SocketOperator::broadcast() const {
    const SocketState* state = context_ ? context_->find(id_) : nullptr;
    if (!state) return {context_, ""};
    auto all = BroadcastOperator(context_, state->nsp->name).except(state->sid);
    if (volatile_flag_) all = all.volatile_();
    return timeout_ ? all.timeout(*timeout_) : all;
}

void SocketOperator::send(std::string_view event, Arguments data) const {
    const SocketState* state = context_ ? context_->find(id_) : nullptr;
    if (!state || !context_->check_event_name(id_, event)) return;
    if (volatile_flag_) {
        const mail::Target self{state->nsp->name, {state->sid}, {}};
        context_->hub->server().broadcast_local(
            {self, std::move(data.data), std::move(data.attachments), true});
        return;
    }
    context_->hub->sockets().emit(id_, data.data, data.attachments);
    context_->tell_outgoing(id_, data.data, data.attachments);
}

Request<AckResult> SocketOperator::ask(Arguments data) const {
    return Request<AckResult>(
        [self = *this, data = std::move(data)](Request<AckResult>::Done done) {
            if (!self.context_ || !self.context_->hub) return;
            self.context_->ask_socket(self.id_, data, self.timeout_, std::move(done));
        });
}

Request<SubmitResult> Socket::ask_store(Arguments data) const {
    return Request<SubmitResult>(
        [self = *this, data = std::move(data)](Request<SubmitResult>::Done done) {
            if (self.context_) self.context_->submit(self.number_, data, std::move(done));
        });
}

// ---- who it is ----------------------------------------------------------------------------------

std::string_view Socket::id() const {
    const SocketState* state = context_ ? context_->find(number_) : nullptr;
    return state ? std::string_view(state->sid) : std::string_view();
}

std::string Socket::producer() const {
    return context_ && context_->hub ? context_->hub->sockets().producer_of(number_).text
                                     : std::string();
}

std::string_view Socket::nsp() const {
    const SocketState* state = context_ ? context_->find(number_) : nullptr;
    return state ? std::string_view(state->nsp->name) : std::string_view();
}

/// The hub is asked, too: it knows first.
bool Socket::connected() const {
    const SocketState* state = context_ ? context_->find(number_) : nullptr;
    return state && state->phase == SocketState::Phase::connected &&
           !context_->hub->sockets().sid_of(number_).empty();
}

bool Socket::recovered() const {
    const SocketState* state = context_ ? context_->find(number_) : nullptr;
    return state && state->recovered;
}

std::optional<hub::Request> Socket::request() const {
    if (!context_ || !context_->hub) return std::nullopt;
    return context_->hub->sockets().request_of(number_);
}

Handshake Socket::handshake() const {
    Handshake handshake;
    if (const SocketState* state = context_ ? context_->find(number_) : nullptr) {
        const std::string_view auth = state->entrance ? state->entrance->auth : std::string_view();
        handshake.auth = decode_json(auth, {}).value_or(Json::object());
        handshake.issued = state->issued;
        handshake.time = date_text(state->issued);
    }
    const auto first = request();
    if (!first) return handshake;
    handshake.address = first->address;
    handshake.network = first->network;
    handshake.url = first->url;
    handshake.secure = first->secure;
    handshake.query = query_of(first->url);
    for (const auto& [name, value] : first->headers) {
        handshake.headers.emplace_back(lower_case(name), value);
        handshake.xdomain = handshake.xdomain || handshake.headers.back().first == "origin";
    }
    return handshake;
}

Json& Socket::data() const {
    static thread_local Json nobody;
    if (SocketState* state = context_ ? context_->find(number_) : nullptr) return state->data;
    nobody = nullptr;
    return nobody;
}

std::vector<std::string> Socket::rooms() const {
    const SocketState* state = context_ ? context_->find(number_) : nullptr;
    if (!state) return {};
    if (state->phase != SocketState::Phase::gone) return context_->hub->sockets().rooms_of(number_);
    return state->rooms_left ? *state->rooms_left : std::vector<std::string>();
}

// ---- hearing ------------------------------------------------------------------------------------

ListenerId Socket::listen(std::string_view event, EventHandler handler, bool once) const {
    SocketState* state = context_ ? context_->find(number_) : nullptr;
    if (!state) return 0;
    const ListenerId id = context_->new_listener();
    state->listeners.add(id, event, std::move(handler), once);
    return id;
}

void Socket::off(ListenerId listener) const {
    if (SocketState* state = context_ ? context_->find(number_) : nullptr)
        state->listeners.remove(listener);
}

void Socket::off(std::string_view event) const {
    if (SocketState* state = context_ ? context_->find(number_) : nullptr)
        state->listeners.remove(event);
}

ListenerId Socket::add_any(AnyHandler handler, bool in_front) const {
    SocketState* state = context_ ? context_->find(number_) : nullptr;
    if (!state) return 0;
    const ListenerId id = context_->new_listener();
    state->more().any.add(id, std::move(handler), in_front);
    return id;
}

void Socket::off_any(ListenerId listener) const {
    if (SocketState* state = context_ ? context_->find(number_) : nullptr)
        state->more().any.remove(listener);
}

void Socket::off_any() const {
    if (SocketState* state = context_ ? context_->find(number_) : nullptr)
        state->more().any.clear();
}

ListenerId Socket::add_any_outgoing(AnyHandler handler, bool in_front) const {
    SocketState* state = context_ ? context_->find(number_) : nullptr;
    if (!state) return 0;
    const ListenerId id = context_->new_listener();
    state->more().any_outgoing.add(id, std::move(handler), in_front);
    context_->outgoing_changed(number_);
    return id;
}

void Socket::off_any_outgoing(ListenerId listener) const {
    SocketState* state = context_ ? context_->find(number_) : nullptr;
    if (!state) return;
    state->more().any_outgoing.remove(listener);
    context_->outgoing_changed(number_);
}

void Socket::off_any_outgoing() const {
    SocketState* state = context_ ? context_->find(number_) : nullptr;
    if (!state) return;
    state->more().any_outgoing.clear();
    context_->outgoing_changed(number_);
}

void Socket::add_middleware(std::function<std::optional<Refusal>(const Event&)> middleware) const {
    if (SocketState* state = context_ ? context_->find(number_) : nullptr)
        append(state->more().middlewares, std::move(middleware));
}

void Socket::set_error_handler(std::function<void(const Error&)> handler) const {
    if (SocketState* state = context_ ? context_->find(number_) : nullptr) {
        state->more().on_error =
            std::make_shared<const std::function<void(const Error&)>>(std::move(handler));
    }
}

// ---- rooms, and the end -------------------------------------------------------------------------

void Socket::join(std::string_view room) const {
    if (context_ && context_->find(number_)) context_->hub->sockets().join(number_, room);
}

void Socket::leave(std::string_view room) const {
    if (context_ && context_->find(number_)) context_->hub->sockets().leave(number_, room);
}

void Socket::introduce(std::string who) const {
    if (context_ && context_->find(number_))
        context_->hub->sockets().introduce(number_, std::move(who));
}

void Socket::replay_after(delivery::Offset offset) const {
    if (auto* entrance = entrance_of(context_, number_)) entrance->replay_after = offset;
}

void Socket::identify(std::string_view user) const {
    if (auto* entrance = entrance_of(context_, number_)) entrance->user = user;
}

void Socket::disconnect(bool close) const {
    if (context_ && context_->find(number_))
        context_->hub->sockets().disconnect(number_, close, context_->now);
}

// ---- middlewares --------------------------------------------------------------------------------

void Next::operator()() const {
    const auto* entrance = entrance_of(context_, socket_);
    if (entrance && entrance->middleware_at == middleware_)
        context_->run_middleware(socket_, middleware_ + 1);
}

void Next::operator()(const Refusal& refusal) const {
    const SocketState* state = context_->find(socket_);
    const bool waits = state && state->phase == SocketState::Phase::asked;
    if (waits && state->entrance->middleware_at == middleware_) context_->refuse(socket_, refusal);
}

}  // namespace oncewire::api
