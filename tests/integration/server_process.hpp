#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shared/base/time.hpp"

namespace integration {

/// The real server as a child process.
class ServerProcess {
  public:
    struct Options {
        std::vector<std::string> flags = {"--port", "0", "--db", ":memory:"};
        std::optional<std::uint64_t> descriptors_max = {};  ///< its limit, hard and soft
    };

    ServerProcess() : ServerProcess(Options{}) {}
    /// Returns when it listens or has ended.
    explicit ServerProcess(Options options);
    /// Kills it.
    ~ServerProcess();
    ServerProcess(const ServerProcess&) = delete;

    std::uint16_t port() const { return port_; }
    pid_t pid() const { return pid_; }
    /// All of its standard output and error so far; complete once it has ended.
    const std::string& output();
    const std::string& errors();

    void signal(int number) const;
    /// Waits for its end; its exit status, or none if a signal ended it or `limit` passed.
    std::optional<int> wait(oncewire::Millis limit = oncewire::Millis(60'000));
    bool is_running();
    /// Waits until every thread of it waits for something, as none does that asks again and again.
    bool falls_asleep(oncewire::Millis limit = oncewire::Millis(60'000));
    /// Memory held now.
    std::uint64_t resident_bytes() const;

  private:
    void read_pipes(oncewire::Millis limit);

    pid_t pid_ = -1;
    int output_pipe_ = -1;
    int error_pipe_ = -1;
    std::uint16_t port_ = 0;
    std::string output_;
    std::string errors_;
    std::optional<int> status_;
};

/// A directory that is removed with everything in it.
class TemporaryDirectory {
  public:
    TemporaryDirectory();
    ~TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    std::string path(const std::string& name) const { return path_ + "/" + name; }

  private:
    std::string path_;
};

}  // namespace integration
