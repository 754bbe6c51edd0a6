#pragma once

#include <deque>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "server/net/gate/static_files.hpp"
#include "shared/base/result.hpp"

namespace oncewire::net {

/// The files of some folders, read once: so no path of a request ever reaches the file system, and what
/// appears there later is not served.
///
/// Names that begin with a dot are left out, and so is whatever is neither file nor folder. A file's type
/// is told by its name; `index.html` stands for its folder, too.
class FolderFiles {
  public:
    struct Folder {
        std::string url;        ///< begins and ends with a slash
        std::string directory;  ///< may be relative to where the program runs
    };
    FolderFiles() = default;
    FolderFiles(FolderFiles&&) = default;
    FolderFiles& operator=(FolderFiles&&) = default;

    /// The error is a sentence.
    static Result<FolderFiles, std::string> load(const std::vector<Folder>& folders);

    /// Sorted by path. Valid as long as this, also when it has been moved.
    std::span<const StaticFile> files() const { return files_; }

  private:
    void add(std::string url, std::string bytes);
    const std::string& keep(std::string text) { return texts_.emplace_back(std::move(text)); }

    std::deque<std::string> texts_;  // what the files refer to; addresses stay
    std::vector<StaticFile> files_;
};

}  // namespace oncewire::net
