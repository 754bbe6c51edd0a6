#pragma once

#include <csignal>

namespace oncewire::api {

/// What ends a program on the public API.
inline sigset_t stop_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    return signals;
}

/// While it lives, threads that start do not take the signals that stop the program.
class SignalsBlocked {
  public:
    SignalsBlocked() {
        const sigset_t signals = stop_signals();
        pthread_sigmask(SIG_BLOCK, &signals, &before_);
    }
    ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

  private:
    sigset_t before_;
};

}  // namespace oncewire::api
