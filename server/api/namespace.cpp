#include "server/api/namespace.hpp"

#include "server/api/context.hpp"

namespace oncewire::api {

const std::string& Namespace::name() const { return state_->name; }

void Namespace::add_connection_handler(std::function<void(Socket)> handler) const {
    append(state_->on_connection, std::move(handler));
}

BroadcastOperator Namespace::everybody() const {
    return {context_, state_->predicate ? state_->family() : state_->name};
}

std::vector<Socket> Namespace::sockets() const {
    std::vector<Socket> all;
    if (!context_->hub) return all;
    const std::string name = state_->predicate ? state_->family() : state_->name;
    for (const auto id : context_->hub->server().sockets({name, {}, {}})) {
        all.push_back(context_->socket(id));
    }
    return all;
}

void Namespace::add_middleware(Middleware middleware) const {
    append(state_->middlewares, std::move(middleware));
}

const Namespace& Namespace::listen(std::string_view event, EventHandler handler) const {
    state_->listeners.add(context_->new_listener(), event, std::move(handler), false);
    return *this;
}

const Namespace& Namespace::listen_server_side(std::string_view event, EventHandler handler) const {
    state_->server_side.add(context_->new_listener(), event, std::move(handler), false);
    return *this;
}

void Namespace::send_server_side(const Arguments& data) const {
    if (context_->hub) context_->hub->server().server_side_emit(state_->name, data.data);
}

Request<ServerSideAcks> Namespace::ask_server_side(Arguments data) const {
    return Request<ServerSideAcks>(
        [self = *this, data = std::move(data)](Request<ServerSideAcks>::Done done) {
            if (!self.context_->hub) return;
            self.context_->ask_server_side(self.state_->name, data, std::move(done));
        });
}

/// Greedy with one step back per star, so the time is bounded by the product of both lengths.
bool Pattern::matches(std::string_view name) const {
    // reached[i]: the first i characters of the name fit what was read of the pattern.
    std::vector<bool> reached(name.size() + 1, false);
    reached[0] = true;
    for (const char wanted : text) {
        std::vector<bool> next(name.size() + 1, false);
        for (std::size_t i = 0; i < name.size(); ++i) {
            const bool is_digit = name[i] >= '0' && name[i] <= '9';
            const bool fits = wanted == '*'   ? name[i] != '/'
                              : wanted == '#' ? is_digit
                                              : name[i] == wanted;
            const bool repeats = (wanted == '*' || wanted == '#') && next[i];
            if (fits && (reached[i] || repeats)) next[i + 1] = true;
        }
        reached.swap(next);
    }
    return reached[name.size()];
}

}  // namespace oncewire::api
