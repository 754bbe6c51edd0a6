#include "server/core/wake_up.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <utility>

#include "shared/base/verify.hpp"

namespace oncewire::core {

WakeUp::WakeUp(net::Loop& loop, std::function<void()> on_wake)
    : loop_(loop),
      on_wake_(std::move(on_wake)),
      descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    // Before anybody connects. Edge-triggered: each wake() is told once, and nothing has to be read.
    VERIFY(descriptor_ >= 0 && loop_.watch(descriptor_, EPOLLIN | EPOLLET, *this));
}

WakeUp::~WakeUp() {
    loop_.forget(descriptor_);
    close(descriptor_);
}

void WakeUp::wake() {
    const std::uint64_t one = 1;
    // Would block after 2^64 - 2 of them.
    [[maybe_unused]] const auto written = write(descriptor_, &one, sizeof one);
}

void WakeUp::post(std::function<void()> task) {
    {
        const std::lock_guard lock(mutex_);
        tasks_.push_back(std::move(task));
    }
    wake();
}

/// Tasks are the loop's: if one throws, the others are done all the same.
void WakeUp::handle_ready(int, std::uint32_t) {
    std::vector<std::function<void()>> tasks;
    {
        const std::lock_guard lock(mutex_);
        tasks.swap(tasks_);
    }
    for (auto& task : tasks) loop_.later(std::move(task));
    on_wake_();
}

}  // namespace oncewire::core
