#pragma once

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "server/store/memory/memory_store.hpp"
#include "tests/sim/fingerprint.hpp"

namespace oncewire::sim {

/// The states that the small worlds of one space have been in.
class KnownStates {
  public:
    /// False: a world was in it before, and all that can follow is lived through already, or is about to be.
    bool add(const Fingerprint& state) { return states_.insert(state).second; }
    std::uint64_t count() const { return states_.size(); }

    /// What came of a state and a choice. False: something else came of the same ones before, so the
    /// state leaves out something that matters.
    bool add(const Fingerprint& cause, const Fingerprint& effect) {
        return effects_.try_emplace(cause, effect).first->second == effect;
    }

    /// The same number for the same contents: what a server begins with.
    std::uint64_t number_of(const store::MemoryDisk& disk) {
        const auto found = std::find(disks_.begin(), disks_.end(), disk);
        if (found != disks_.end()) return static_cast<std::uint64_t>(found - disks_.begin());
        disks_.push_back(disk);
        return disks_.size() - 1;
    }

  private:
    std::unordered_set<Fingerprint, Fingerprint::Hash> states_;
    std::unordered_map<Fingerprint, Fingerprint, Fingerprint::Hash> effects_;
    std::vector<store::MemoryDisk> disks_;
};

}  // namespace oncewire::sim
