#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/unit/support/store_user.hpp"

namespace oncewire::test {

/// More entries, and more bytes, than any of these tests stores.
constexpr std::uint32_t many = 1'000;
constexpr std::uint64_t large = 1'000'000;

/// A machine with a store on it, so that the same tests run on each kind.
class StoreMachine {
  public:
    virtual ~StoreMachine() = default;
    virtual StoreUser& store() = 0;
    /// The process dies and starts again.
    virtual void restart() = 0;
};

/// What every store promises, as sections of the calling test. The machine's database is new, and of
/// epoch "first".
void check_store_contract(StoreMachine& machine);
/// The part of it that is about recovery. (The parts have files of their own; the first function calls them.)
void check_sessions_contract(StoreMachine& machine);
/// The part of it that is about what clients are asked.
void check_questions_contract(StoreMachine& machine);
/// The part of it that is about producers and what they were told.
void check_producers_contract(StoreMachine& machine);

/// Returns LogEntry::before.
Result<delivery::Offset, store::StoreError> append(StoreUser& store, const std::string& room,
                                                   const std::string& data);
/// A batch of its own for each. Nobody has one open on a store that is given as such.
void commit_one(StoreUser& store, const std::string& room, const std::string& data);
void commit_one(store::Store& store, const std::string& room, const std::string& data);

std::vector<store::LogEntry> read_all(StoreUser& store, const std::vector<std::string>& rooms);
std::vector<store::LogEntry> read_all(store::Store& store, const std::vector<std::string>& rooms);
/// Why the store writes nothing now.
store::StoreError error_writing(store::Store& store);
store::ProducerRow producer(const std::string& name, std::uint64_t last = 0);

}  // namespace oncewire::test
