#pragma once

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "server/net/gate/current.hpp"

namespace oncewire::net {

/// Origins besides the server's own that browsers may connect from, and whose pages may show ours in a
/// frame: "https://example.org". "*" lets every page in: only where nothing depends on who the visitor is.
///
/// A session that was let in before stays.
class OriginList : public Current<std::vector<std::string>> {
  public:
    using Origins = std::vector<std::string>;

    // Implicit: wherever a list is expected, one can be written down.
    OriginList(Origins origins = {}) : Current(std::move(origins)) {}
    OriginList(std::initializer_list<std::string> origins) : OriginList(Origins(origins)) {}
};

}  // namespace oncewire::net
