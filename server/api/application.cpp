#include "server/api/application.hpp"

#include <algorithm>
#include <iterator>

#include "server/api/context.hpp"

namespace oncewire::api {

/// The main namespace is always there.
Application::Application() : context_(std::make_unique<Context>()) { context_->open("/"); }

Application::~Application() = default;

Namespace Application::main() const { return {*context_, context_->open("/")}; }

Namespace Application::of(std::string_view name) { return {*context_, context_->open(name)}; }

Namespace Application::of(Pattern pattern) {
    return open_dynamic([pattern = std::move(pattern)](std::string_view name, const Json&) {
        return pattern.matches(name);
    });
}

Namespace Application::open_dynamic(NamespacePredicate predicate) {
    return {*context_, context_->open_dynamic(std::move(predicate))};
}

void Application::set_new_namespace_handler(std::function<void(Namespace)> handler) {
    context_->on_new_namespace = std::move(handler);
}

void Application::cleanup_empty_child_namespaces(bool on) { context_->cleanup_empty_children = on; }

BroadcastOperator Application::everybody() const { return main().everybody(); }

void Application::set_error_handler(std::function<void(Socket, const Error&)> handler) {
    context_->on_error = std::move(handler);
}

void Application::set_admission(std::function<void(const hub::Request&, Decision)> hook) {
    context_->allow_request = std::move(hook);
}

void Application::set_http_handler(std::function<void(const HttpRequest&, HttpReply)> handler) {
    context_->on_http = std::move(handler);
}

bool Application::takes_http() const { return context_->on_http != nullptr; }

void Application::handle_http(const HttpRequest& request, HttpReply reply) {
    context_->on_http(request, std::move(reply));
}

bool Application::asks_admission() const { return context_->allow_request != nullptr; }

void Application::ask_admission(const hub::Request& request, Decision::Decide decide) {
    context_->allow_request(request, Decision(std::move(decide)));
}

void Application::set_durable_handler(std::string_view event, sequencer::DurableHandler handler) {
    durable_.insert_or_assign(std::string(event), std::move(handler));
}

void Application::on_lookup(std::string_view event, sequencer::DurableHandler handler) {
    set_durable_handler(event, std::move(handler));
    lookups_.emplace(event);
}

void Application::set_answer_handler(std::string_view event, sequencer::AnswerHandler handler) {
    answers_.insert_or_assign(std::string(event), std::move(handler));
}

void Application::schema(std::string_view component, std::vector<std::string> statements) {
    auto part = std::find_if(schema_.begin(), schema_.end(),
                             [&](const auto& known) { return known.component == component; });
    if (part == schema_.end()) part = schema_.insert(schema_.end(), {std::string(component), {}});
    std::move(statements.begin(), statements.end(), std::back_inserter(part->statements));
}

void Application::set_task_handler(std::string_view name,
                                   std::function<void(const DeferredTask&, EndTask)> handler) {
    context_->tasks.insert_or_assign(std::string(name), std::move(handler));
}

std::vector<std::string> Application::durable_event_names() const {
    std::vector<std::string> names;
    for (const auto& [name, handler] : durable_) names.push_back(name);
    return names;
}

void Application::call_after(Millis time, std::function<void()> call) {
    context_->call_after(time, std::move(call));
}

std::size_t Application::waiting_calls() const { return context_->waiting_calls(); }

UnixMillis Application::wall_clock() const {
    return context_->wall_clock ? context_->wall_clock() : UnixMillis{};
}

std::uint16_t Application::core() const {
    return context_->hub ? context_->hub->server().core() : 0;
}

std::uint16_t Application::core_count() const {
    return context_->hub ? context_->hub->server().core_count() : 1;
}

void Application::set_wall_clock(std::function<UnixMillis()> clock) {
    context_->wall_clock = std::move(clock);
}

void Application::attach(hub::Hub& hub, Instant now) {
    context_->hub = &hub;
    context_->now = now;
}

bool Application::handle(hub::Hub& hub, const hub::HubOutput& output, Instant now) {
    attach(hub, now);
    return std::visit(
        [this](const auto& one) {
            constexpr bool is_ours = requires { context_->handle(one); };
            if constexpr (is_ours) context_->handle(one);
            return is_ours;
        },
        output);
}

}  // namespace oncewire::api
