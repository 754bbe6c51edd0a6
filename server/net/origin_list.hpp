#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace oncewire::net {

/// Origins besides the server's own that browsers may connect from, and whose pages may show ours in a
/// frame: "https://example.org". "*" lets every page in: only where nothing depends on who the visitor is.
///
/// Copies are one list: replacing it on one reaches all of them, on any thread. A session that was let in
/// before stays.
class OriginList {
  public:
    using Origins = std::vector<std::string>;

    // Implicit: wherever a list is expected, one can be written down.
    OriginList(Origins origins = {}) { replace(std::move(origins)); }
    OriginList(std::initializer_list<std::string> origins) : OriginList(Origins(origins)) {}

    /// As it is at the moment; never null.
    std::shared_ptr<const Origins> now() const { return std::atomic_load(&shared_->origins); }
    void replace(Origins origins) {
        std::atomic_store(&shared_->origins, std::make_shared<const Origins>(std::move(origins)));
    }

  private:
    struct Shared {
        std::shared_ptr<const Origins> origins;
    };
    std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

}  // namespace oncewire::net
