#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>

#include "shared/base/prng.hpp"

struct sqlite3_vfs;

namespace oncewire::test {

/// A disk in memory on which every SQLite database of this process lives while this exists. Fails when
/// told to, and forgets at power loss what was not fsynced. Follows Linux where it is unkind: after a
/// failed fsync the bytes can still be read, but a later fsync does not write them.
class SqliteDisk {
  public:
    SqliteDisk();
    ~SqliteDisk();
    SqliteDisk(const SqliteDisk&) = delete;
    SqliteDisk& operator=(const SqliteDisk&) = delete;

    enum class Operation : std::uint8_t { open, read, write, truncate, sync, remove };
    struct Fault {
        std::uint64_t countdown = 0;  ///< the operation this many ahead fails; 1 is the next
        bool only_syncs = false;      ///< counts, and fails, fsyncs alone
        bool and_all_after = false;   ///< until heal(); without only_syncs: the machine dies
        bool full = false;            ///< writes fail with SQLITE_FULL, not SQLITE_IOERR
    };
    void fail(Fault fault) { fault_ = fault, fired_ = false; }
    void heal() { fault_ = {}; }
    bool fired() const { return fired_; }

    /// All databases must be closed. Each sector that was not fsynced is kept or lost by chance.
    void lose_power(Prng& prng);
    /// Flips one byte of every file.
    void damage(std::uint64_t position);
    /// All files, and back again under whoever has them open.
    std::map<std::string, std::string> copy_files() const;
    void replace_files(const std::map<std::string, std::string>& copy);

    bool read_only = false;

  private:
    friend struct DiskFile;
    friend struct DiskVfs;

    struct Content {
        std::string bytes;                 // what is read
        std::string synced;                // what power loss leaves at least
        std::set<std::uint64_t> unsynced;  // sectors written since
        bool exists = false;
        std::string removed;  // what comes back if the removal is lost
        bool removal_synced = true;
        std::map<const void*, int> locks;  // by who is open
        // What connections share in memory, as long as one of them does: regions, and who holds which slot.
        struct Slot {
            std::set<const void*> shared;
            const void* exclusive = nullptr;
        };
        std::set<const void*> sharers;
        std::deque<std::string> shared_memory;
        std::array<Slot, 8> slots;
    };
    bool fails(Operation operation);
    void write(Content& file, std::uint64_t at, const char* bytes, std::uint64_t count);
    void sync(Content& file);

    std::map<std::string, Content> files_;
    Fault fault_;
    bool fired_ = false;
    sqlite3_vfs* vfs_ = nullptr;
};

}  // namespace oncewire::test
