// Work that durable handlers left for later.
#include "server/api/context.hpp"

namespace oncewire::api {

/// A name nobody listens to waits for a version of the application that does.
void Context::handle(const hub::TaskArrived& arrived) {
    const DeferredTask task = arrived.task;
    const EndTask end = [this, id = task.id](bool is_done) { hub->server().end_task(id, is_done); };
    const auto handler = tasks.find(task.name);
    if (handler == tasks.end()) return end(false);
    handler->second(task, end);
}

}  // namespace oncewire::api
