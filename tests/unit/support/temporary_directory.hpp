#pragma once

#include <chrono>
#include <filesystem>
#include <string>

namespace oncewire::test {

/// A directory that is removed with everything in it.
class TemporaryDirectory {
  public:
    TemporaryDirectory() {
        auto number = std::chrono::steady_clock::now().time_since_epoch().count();
        do {
            path_ = std::filesystem::temp_directory_path() /
                    ("oncewire-store-" + std::to_string(number++));
        } while (!std::filesystem::create_directory(path_));
    }
    ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    std::string file(const std::string& name) const { return (path_ / name).string(); }

  private:
    std::filesystem::path path_;
};

}  // namespace oncewire::test
