#pragma once

#include "server/store/engine.hpp"

namespace oncewire::store {

/// Databases in one SQLite file each, as SqliteStore and check_database() have them.
class SqliteEngine final : public Engine {
  public:
    Result<std::unique_ptr<OperatedStore>, OpenError> open(const std::string& path,
                                                           const delivery::Epoch& epoch_if_new,
                                                           const Options& options) const override;
    bool exists(const std::string& path) const override;
    Result<CheckReport, OpenError> check(const std::string& path) const override;
    std::optional<OpenError> refuse_copy_name(const std::string& to) const override;
};

}  // namespace oncewire::store
