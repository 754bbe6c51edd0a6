#include "tests/integration/server_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace integration {

using oncewire::Millis;
using Steady = std::chrono::steady_clock;

namespace {

void limit_descriptors(std::uint64_t count) {
    const rlimit limit{count, count};
    setrlimit(RLIMIT_NOFILE, &limit);
}

/// Appends what is there; false at the end of the stream.
bool read_some(int pipe, std::string& text) {
    char piece[4096];
    const ssize_t count = read(pipe, piece, sizeof piece);
    if (count > 0) text.append(piece, static_cast<std::size_t>(count));
    return count > 0;
}

bool is_asleep(pid_t pid) {
    for (const auto& thread :
         std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task")) {
        std::ifstream file(thread.path() / "stat");
        const std::string text((std::istreambuf_iterator<char>(file)), {});
        const auto name_end = text.rfind(") ");  // the name may hold blanks
        if (name_end == text.npos || text[name_end + 2] != 'S') return false;
    }
    return true;
}

}  // namespace

ServerProcess::ServerProcess(Options options) {
    int output[2], errors[2];
    if (pipe2(output, O_CLOEXEC) != 0 || pipe2(errors, O_CLOEXEC) != 0) std::abort();
    std::vector<char*> arguments = {const_cast<char*>(ONCEWIRE_SERVER)};
    for (std::string& flag : options.flags) arguments.push_back(flag.data());
    arguments.push_back(nullptr);
    pid_ = fork();
    if (pid_ == 0) {
        dup2(output[1], STDOUT_FILENO);
        dup2(errors[1], STDERR_FILENO);
        if (options.descriptors_max) limit_descriptors(*options.descriptors_max);
        execv(ONCEWIRE_SERVER, arguments.data());
        _exit(127);
    }
    close(output[1]);
    close(errors[1]);
    output_pipe_ = output[0];
    error_pipe_ = errors[0];
    while (output_.find('\n') == std::string::npos && read_some(output_pipe_, output_)) {
    }
    const std::size_t colon = output_.rfind(':');
    if (output_.starts_with("listening on ") && colon != std::string::npos) {
        port_ = static_cast<std::uint16_t>(std::stoul(output_.substr(colon + 1)));
    }
}

ServerProcess::~ServerProcess() {
    if (is_running()) {
        signal(SIGKILL);
        wait();
    }
    close(output_pipe_);
    close(error_pipe_);
}

const std::string& ServerProcess::output() {
    read_pipes(Millis(0));
    return output_;
}
const std::string& ServerProcess::errors() {
    read_pipes(Millis(0));
    return errors_;
}

void ServerProcess::read_pipes(Millis limit) {
    pollfd pipes[] = {{output_pipe_, POLLIN, 0}, {error_pipe_, POLLIN, 0}};
    while (poll(pipes, 2, static_cast<int>(limit.count())) > 0) {
        if ((pipes[0].revents != 0) && !read_some(output_pipe_, output_)) pipes[0].fd = -1;
        if ((pipes[1].revents != 0) && !read_some(error_pipe_, errors_)) pipes[1].fd = -1;
        if (pipes[0].fd < 0 && pipes[1].fd < 0) return;
    }
}

void ServerProcess::signal(int number) const { kill(pid_, number); }

std::optional<int> ServerProcess::wait(Millis limit) {
    const auto deadline = Steady::now() + limit;
    while (is_running() && Steady::now() < deadline) read_pipes(Millis(20));
    read_pipes(Millis(0));
    if (!status_ || !WIFEXITED(*status_)) return std::nullopt;
    return WEXITSTATUS(*status_);
}

bool ServerProcess::is_running() {
    int status = 0;
    if (!status_ && waitpid(pid_, &status, WNOHANG) == pid_) status_ = status;
    return !status_;
}

bool ServerProcess::falls_asleep(Millis limit) {
    const auto deadline = Steady::now() + limit;
    while (!is_asleep(pid_)) {
        if (!is_running() || Steady::now() > deadline) return false;
        read_pipes(Millis(1));
    }
    return true;
}

std::uint64_t ServerProcess::resident_bytes() const {
    std::ifstream file("/proc/" + std::to_string(pid_) + "/statm");
    std::uint64_t total = 0, resident = 0;
    file >> total >> resident;
    return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

TemporaryDirectory::TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "oncewire-XXXXXX").string();
    if (!mkdtemp(name.data())) std::abort();
    path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

}  // namespace integration
