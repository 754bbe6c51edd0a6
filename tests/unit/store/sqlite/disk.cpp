#include "tests/unit/store/sqlite/disk.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "shared/base/verify.hpp"

namespace oncewire::test {
namespace {

constexpr std::uint64_t sector_bytes = 512;
/// The one that the store asks for; ours is found first.
constexpr const char* vfs_name = "unix-excl";

}  // namespace

/// What SQLite holds of an open file; it allocates and zeroes the memory.
struct DiskFile {
    sqlite3_file base;
    SqliteDisk* disk;
    SqliteDisk::Content* content;

    using Operation = SqliteDisk::Operation;
    static DiskFile& of(sqlite3_file* file) { return *reinterpret_cast<DiskFile*>(file); }

    static int close(sqlite3_file* file) {
        DiskFile& self = of(file);
        self.content->locks.erase(file);
        return SQLITE_OK;
    }

    static int read(sqlite3_file* file, void* to, int count, sqlite3_int64 at) {
        DiskFile& self = of(file);
        if (self.disk->fails(Operation::read)) return SQLITE_IOERR_READ;
        const std::string& bytes = self.content->bytes;
        const auto begin = std::min(static_cast<std::size_t>(at), bytes.size());
        const auto there = std::min(static_cast<std::size_t>(count), bytes.size() - begin);
        std::memset(to, 0, static_cast<std::size_t>(count));
        std::memcpy(to, bytes.data() + begin, there);
        return there == static_cast<std::size_t>(count) ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
    }

    static int write(sqlite3_file* file, const void* from, int count, sqlite3_int64 at) {
        DiskFile& self = of(file);
        if (self.disk->fails(Operation::write)) {
            return self.disk->fault_.full ? SQLITE_FULL : SQLITE_IOERR_WRITE;
        }
        self.disk->write(*self.content, static_cast<std::uint64_t>(at),
                         static_cast<const char*>(from), static_cast<std::uint64_t>(count));
        return SQLITE_OK;
    }

    static int truncate(sqlite3_file* file, sqlite3_int64 size) {
        DiskFile& self = of(file);
        if (self.disk->fails(Operation::truncate)) return SQLITE_IOERR_TRUNCATE;
        self.content->bytes.resize(static_cast<std::size_t>(size));
        return SQLITE_OK;
    }

    static int sync(sqlite3_file* file, int) {
        DiskFile& self = of(file);
        if (self.disk->fails(Operation::sync)) {
            self.content->unsynced.clear();  // marked clean all the same
            return SQLITE_IOERR_FSYNC;
        }
        self.disk->sync(*self.content);
        return SQLITE_OK;
    }

    static int size(sqlite3_file* file, sqlite3_int64* size) {
        *size = static_cast<sqlite3_int64>(of(file).content->bytes.size());
        return SQLITE_OK;
    }

    /// The highest lock of anybody else.
    static int others(sqlite3_file* file) {
        int highest = SQLITE_LOCK_NONE;
        for (const auto& [who, level] : of(file).content->locks)
            if (who != file) highest = std::max(highest, level);
        return highest;
    }

    static int lock(sqlite3_file* file, int level) {
        const int bearable = level == SQLITE_LOCK_SHARED     ? SQLITE_LOCK_RESERVED
                             : level == SQLITE_LOCK_RESERVED ? SQLITE_LOCK_SHARED
                                                             : SQLITE_LOCK_NONE;
        if (others(file) > bearable) return SQLITE_BUSY;
        int& own = of(file).content->locks[file];
        own = std::max(own, level);
        return SQLITE_OK;
    }

    static int unlock(sqlite3_file* file, int level) {
        auto& locks = of(file).content->locks;
        if (level == SQLITE_LOCK_NONE) {
            locks.erase(file);
        } else {
            locks[file] = level;
        }
        return SQLITE_OK;
    }

    static int is_reserved(sqlite3_file* file, int* result) {
        *result = others(file) >= SQLITE_LOCK_RESERVED;
        return SQLITE_OK;
    }

    static int map_shared(sqlite3_file* file, int region, int size, int, void volatile** memory) {
        auto& content = *of(file).content;
        content.sharers.insert(file);
        while (content.shared_memory.size() <= static_cast<std::size_t>(region))
            content.shared_memory.emplace_back(static_cast<std::size_t>(size), '\0');
        *memory = content.shared_memory[static_cast<std::size_t>(region)].data();
        return SQLITE_OK;
    }

    static int lock_shared(sqlite3_file* file, int first, int count, int flags) {
        auto& slots = of(file).content->slots;
        const bool is_exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
        const bool unlocks = (flags & SQLITE_SHM_UNLOCK) != 0;
        const auto begin = slots.begin() + first;
        const auto is_taken = [&](const auto& slot) {
            if (slot.exclusive && slot.exclusive != file) return true;
            const auto own = slot.shared.count(file);
            return is_exclusive && slot.shared.size() > own;
        };
        if (!unlocks && std::any_of(begin, begin + count, is_taken)) return SQLITE_BUSY;
        std::for_each(begin, begin + count, [&](auto& slot) {
            if (unlocks) {
                slot.shared.erase(file);
                if (slot.exclusive == file) slot.exclusive = nullptr;
            } else if (is_exclusive) {
                slot.exclusive = file;
            } else {
                slot.shared.insert(file);
            }
        });
        return SQLITE_OK;
    }

    static void order_shared(sqlite3_file*) {}

    static int unmap_shared(sqlite3_file* file, int) {
        auto& content = *of(file).content;
        content.sharers.erase(file);
        if (content.sharers.empty()) content.shared_memory.clear();
        return SQLITE_OK;
    }

    static int control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
    static int sector_size(sqlite3_file*) { return 4096; }
    /// As Linux file systems are taken to be.
    static int characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

    static const sqlite3_io_methods* methods() {
        static const sqlite3_io_methods table = {2,
                                                 close,
                                                 read,
                                                 write,
                                                 truncate,
                                                 sync,
                                                 size,
                                                 lock,
                                                 unlock,
                                                 is_reserved,
                                                 control,
                                                 sector_size,
                                                 characteristics,
                                                 map_shared,
                                                 lock_shared,
                                                 order_shared,
                                                 unmap_shared,
                                                 nullptr,
                                                 nullptr};
        return &table;
    }
};

struct DiskVfs {
    using Operation = SqliteDisk::Operation;
    static SqliteDisk& of(sqlite3_vfs* vfs) { return *static_cast<SqliteDisk*>(vfs->pAppData); }

    static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out) {
        SqliteDisk& disk = of(vfs);
        if (disk.fails(Operation::open)) return SQLITE_CANTOPEN;
        VERIFY(name != nullptr);  // nothing of ours needs a temporary file
        SqliteDisk::Content& content = disk.files_[name];
        content.exists = true;
        DiskFile& self = DiskFile::of(file);
        self.disk = &disk;
        self.content = &content;
        self.base.pMethods = DiskFile::methods();
        const int mode = SQLITE_OPEN_READONLY | SQLITE_OPEN_READWRITE;
        if (out) *out = disk.read_only ? (flags & ~mode) | SQLITE_OPEN_READONLY : flags;
        return SQLITE_OK;
    }

    static int remove(sqlite3_vfs* vfs, const char* name, int) {
        SqliteDisk& disk = of(vfs);
        if (disk.fails(Operation::remove)) return SQLITE_IOERR_DELETE;
        SqliteDisk::Content& content = disk.files_[name];
        if (!content.exists) return SQLITE_IOERR_DELETE_NOENT;
        if (content.removal_synced) content.removed = content.synced;
        std::string removed = std::move(content.removed);
        content = {};
        content.removed = std::move(removed);
        content.removal_synced = false;
        return SQLITE_OK;
    }

    static int access(sqlite3_vfs* vfs, const char* name, int, int* result) {
        const auto& files = of(vfs).files_;
        const auto found = files.find(name);
        *result = found != files.end() && found->second.exists;
        return SQLITE_OK;
    }

    static int full_path(sqlite3_vfs*, const char* name, int size, char* out) {
        sqlite3_snprintf(size, out, "%s", name);
        return SQLITE_OK;
    }

    static int sleep(sqlite3_vfs*, int microseconds) { return microseconds; }
};

SqliteDisk::SqliteDisk() {
    const sqlite3_vfs* system = sqlite3_vfs_find(nullptr);
    VERIFY(std::strcmp(system->zName, vfs_name) != 0);  // one at a time, at the head of the list
    vfs_ = new sqlite3_vfs(*system);
    vfs_->iVersion = 1;
    vfs_->szOsFile = sizeof(DiskFile);
    vfs_->pNext = nullptr;
    vfs_->zName = vfs_name;
    vfs_->pAppData = this;
    vfs_->xOpen = DiskVfs::open;
    vfs_->xDelete = DiskVfs::remove;
    vfs_->xAccess = DiskVfs::access;
    vfs_->xFullPathname = DiskVfs::full_path;
    vfs_->xSleep = DiskVfs::sleep;
    // Chance and time decide what SQLite writes; a failing seed must fail again.
    vfs_->xRandomness = [](sqlite3_vfs*, int count, char* out) {
        std::memset(out, 7, static_cast<std::size_t>(count));
        return count;
    };
    sqlite3_vfs_register(vfs_, 1);
}

SqliteDisk::~SqliteDisk() {
    sqlite3_vfs_unregister(vfs_);
    delete vfs_;
}

void SqliteDisk::lose_power(Prng& prng) {
    for (auto& [name, file] : files_) {
        VERIFY(file.locks.empty());
        std::string left = file.synced;
        if (!file.removal_synced && prng.chance(1, 2)) {
            left = file.removed;
            file.unsynced.clear();
            file.exists = true;
        }
        for (const std::uint64_t sector : file.unsynced) {
            const std::uint64_t at = sector * sector_bytes;
            if (at >= file.bytes.size() || prng.chance(1, 2)) continue;
            const std::string kept = file.bytes.substr(at, sector_bytes);
            left.resize(std::max<std::size_t>(left.size(), at + kept.size()));
            left.replace(at, kept.size(), kept);
        }
        file.bytes = file.synced = left;
        file.unsynced.clear();
        file.removal_synced = true;
    }
}

void SqliteDisk::damage(std::uint64_t position) {
    for (auto& [name, file] : files_) {
        if (position < file.bytes.size())
            file.bytes[position] = static_cast<char>(~file.bytes[position]);
    }
}

std::map<std::string, std::string> SqliteDisk::copy_files() const {
    std::map<std::string, std::string> copy;
    for (const auto& [name, file] : files_) copy[name] = file.bytes;
    return copy;
}

void SqliteDisk::replace_files(const std::map<std::string, std::string>& copy) {
    for (const auto& [name, bytes] : copy) files_[name].bytes = bytes;
}

bool SqliteDisk::fails(Operation operation) {
    if (fault_.only_syncs && operation != Operation::sync) return false;
    if (fired_ && fault_.and_all_after) return true;
    if (fault_.countdown == 0 || --fault_.countdown > 0) return false;
    fired_ = true;
    return true;
}

void SqliteDisk::write(Content& file, std::uint64_t at, const char* bytes, std::uint64_t count) {
    if (file.bytes.size() < at + count) file.bytes.resize(at + count);
    std::memcpy(file.bytes.data() + at, bytes, count);
    for (std::uint64_t sector = at / sector_bytes; sector * sector_bytes < at + count; ++sector) {
        file.unsynced.insert(sector);
    }
}

/// As SQLite's own layer does, the directory is fsynced with the file.
void SqliteDisk::sync(Content& file) {
    file.synced.resize(file.bytes.size());
    for (const std::uint64_t sector : file.unsynced) {
        const std::uint64_t at = sector * sector_bytes;
        if (at >= file.bytes.size()) continue;
        const auto count = std::min<std::size_t>(sector_bytes, file.bytes.size() - at);
        file.synced.replace(at, count, file.bytes, at, count);
    }
    file.unsynced.clear();
    for (auto& [name, each] : files_) each.removal_synced = true;
}

}  // namespace oncewire::test
