#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "server/net/loop.hpp"

namespace oncewire::core {

/// How other threads reach one that waits in its loop.
class WakeUp final : private net::Watcher {
  public:
    /// `on_wake`: called on the loop's thread, after each wake() or post(), but not once for each. It only
    /// takes note; see net::Watcher.
    WakeUp(net::Loop& loop, std::function<void()> on_wake);
    ~WakeUp() override;
    WakeUp(const WakeUp&) = delete;
    WakeUp& operator=(const WakeUp&) = delete;

    // ---- any thread -----------------------------------------------------------------------------

    void wake();
    /// Does this on the loop's thread. What was posted before is done before.
    void post(std::function<void()> task);

  private:
    void handle_ready(int descriptor, std::uint32_t events) override;
    bool takes_note() const override { return true; }

    net::Loop& loop_;
    std::function<void()> on_wake_;
    int descriptor_;  // of an eventfd(2)
    std::mutex mutex_;
    std::vector<std::function<void()>> tasks_;
};

}  // namespace oncewire::core
