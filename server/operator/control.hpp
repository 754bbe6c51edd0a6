#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "shared/base/result.hpp"

namespace oncewire::ops {

/// The door for operators of a running server: a Unix socket beside the database, which only its user may
/// open. One line in, "verb argument"; text out, the first line "ok" or "error SENTENCE".
///
/// A thread of its own answers one caller after the other, so a long answer holds up the next operator
/// and nobody else.
class Control {
  public:
    /// What a verb does, on the control's thread; may block. The text of the answer, or a sentence.
    using Verb = std::function<Result<std::string, std::string>(const std::string& argument)>;

    Control(std::string path, std::map<std::string, Verb> verbs);
    ~Control();
    Control(const Control&) = delete;
    Control& operator=(const Control&) = delete;

    /// A socket that is there already is taken away: whoever holds the database's lock owns its name.
    /// Error: a sentence.
    Result<void, std::string> start();
    /// Waits for the answer that is being given. Blocks.
    void stop();

    /// The path for a database; empty if it has none or it would be too long for a socket.
    static std::string path_for(const std::string& database);
    /// None: nobody is there. Blocks until the answer is complete.
    static std::optional<Result<std::string, std::string>> ask(const std::string& path,
                                                               const std::string& line);

  private:
    class Door;
    void run();
    std::string answer(const std::string& line) const;

    std::string path_;
    std::map<std::string, Verb> verbs_;
    std::unique_ptr<Door> door_;
    std::thread thread_;
};

}  // namespace oncewire::ops
