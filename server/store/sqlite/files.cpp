#include "server/store/sqlite/files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <system_error>

#include "shared/delivery/producer.hpp"

namespace oncewire::store::sqlite {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t slot_bytes = 128;
constexpr std::size_t digest_digits = 16;

fs::path directory_of(const std::string& path) {
    const fs::path directory = fs::path(path).parent_path();
    return directory.empty() ? fs::path(".") : directory;
}

/// "digest epoch offset" and spaces, one line.
std::string slot_of(const LogHead& head) {
    const std::string body = head.epoch.text + ' ' + std::to_string(head.offset) + ' ';
    std::string slot = delivery::format_digest(delivery::digest(body, 0)) + ' ' + body;
    slot.resize(slot_bytes - 1, ' ');
    return slot + '\n';
}

std::optional<LogHead> parse_slot(std::string slot) {
    if (slot.size() != slot_bytes) return std::nullopt;
    const auto digest = delivery::parse_digest(slot.substr(0, digest_digits));
    slot.erase(0, digest_digits + 1);
    const auto epoch_end = slot.find(' ');
    const auto body_end = epoch_end == slot.npos ? slot.npos : slot.find(' ', epoch_end + 1);
    if (!digest || body_end == slot.npos) return std::nullopt;
    const std::string body = slot.substr(0, body_end + 1);
    if (delivery::digest(body, 0) != *digest) return std::nullopt;
    LogHead head{delivery::Epoch{body.substr(0, epoch_end)}, 0};
    for (std::size_t i = epoch_end + 1; i < body_end; ++i) {
        head.offset = head.offset * 10 + static_cast<delivery::Offset>(body[i] - '0');
    }
    return head;
}

/// Another one after each start of the machine (random(4)); empty where the kernel does not tell.
std::string boot_id() {
    std::string id;
    std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), id);
    return id;
}

void flush_directory_of(const std::string& path) { flush_file(directory_of(path)); }

Failure failure_for(int number) {
    return {number == ENOSPC ? StoreError::full : StoreError::io,
            std::error_code(number, std::generic_category()).message()};
}

/// Whether a file can be made there.
Result<void, Failure> look_at_directory(const std::string& path) {
    const fs::path directory = directory_of(path);
    std::error_code ignored;
    if (fs::is_directory(directory, ignored)) return {};
    return Err{Failure{StoreError::io, "the directory '" + directory.string() + "' is missing"}};
}

/// Where the file system cannot rename without replacing, a second name does: it is never given where one
/// is.
bool rename_to_new(const char* from, const char* to) {
    if (::renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) return true;
    if (errno != EINVAL && errno != ENOSYS) return false;
    return ::link(from, to) == 0 && ::unlink(from) == 0;
}

bool write_zeros(int file, std::uint64_t bytes) {
    return ::posix_fallocate(file, 0, static_cast<off_t>(bytes)) == 0;
}

}  // namespace

Result<void, Failure> make_file(const std::string& path) {
    std::error_code ignored;
    if (path.empty()) return Err{Failure{StoreError::io, "its name is empty"}};
    if (auto there = look_at_directory(path); !there) return there;
    if (fs::is_directory(path, ignored)) {
        return Err{Failure{StoreError::io, "it is a directory"}};
    }
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file >= 0) ::close(file);
    if (file >= 0 || errno == EEXIST) return {};
    return Err{failure_for(errno)};
}

Result<std::string, Failure> make_file_beside(const std::string& path) {
    if (const auto there = look_at_directory(path); !there) return Err{there.error()};
    std::string name = path + "-XXXXXX";
    const int file = ::mkostemp(name.data(), O_CLOEXEC);
    if (file < 0) return Err{failure_for(errno)};
    ::close(file);
    return name;
}

std::uint64_t free_bytes_beside(const std::string& path) {
    std::error_code unknown;
    const fs::space_info space = fs::space(directory_of(path), unknown);
    return unknown ? std::numeric_limits<std::uint64_t>::max() : space.available;
}

Result<void, Failure> name_file(const std::string& from, const std::string& to) {
    if (!rename_to_new(from.c_str(), to.c_str())) return Err{failure_for(errno)};
    flush_directory_of(to);
    return {};
}

void remove_file(const std::string& path) { ::unlink(path.c_str()); }

bool exists(const std::string& path) {
    std::error_code unknown;
    return fs::exists(path, unknown);
}

// ---- HeadMark -----------------------------------------------------------------------------------

HeadMark::HeadMark(const std::string& path, Use use) {
    const int flags = use == Use::write ? O_RDWR | O_CREAT : O_RDONLY;
    file_ = ::open((path + "-head").c_str(), flags | O_CLOEXEC, 0600);
}

HeadMark::~HeadMark() {
    if (file_ >= 0) ::close(file_);
}

std::optional<LogHead> HeadMark::read() const {
    std::optional<LogHead> newest;
    for (const std::size_t at : {std::size_t{0}, slot_bytes}) {
        std::string slot(slot_bytes, '\0');
        if (::pread(file_, slot.data(), slot_bytes, static_cast<off_t>(at)) !=
            static_cast<ssize_t>(slot_bytes)) {
            continue;
        }
        const auto head = parse_slot(slot);
        // Both slots of another epoch than the newest are written over before anything is compared.
        if (head && (!newest || head->offset > newest->offset)) newest = head;
    }
    return newest;
}

void HeadMark::write(const LogHead& head) {
    if (file_ < 0) return;
    const std::string slot = slot_of(head);
    const auto at = static_cast<off_t>(second_slot_ ? slot_bytes : 0);
    second_slot_ = !second_slot_;
    [[maybe_unused]] const auto written = ::pwrite(file_, slot.data(), slot.size(), at);
}

// ---- UnflushedMark ------------------------------------------------------------------------------

bool UnflushedMark::is_of_earlier_boot() const {
    std::string boot;
    std::ifstream file(path_);
    return file && !(std::getline(file, boot) && boot == boot_id());
}

bool UnflushedMark::set() const {
    std::ofstream(path_) << boot_id() << '\n';
    if (!flush_file(path_)) return false;
    flush_directory_of(path_);
    return true;
}

bool flush_file(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    const bool flushed = ::fsync(file) == 0;
    ::close(file);
    return flushed;
}

// ---- Ballast ------------------------------------------------------------------------------------

Ballast::Ballast(std::string database, std::uint64_t bytes)
    : path_(std::move(database) + "-ballast"), bytes_(bytes) {
    std::error_code missing;
    is_there_ = fs::file_size(path_, missing) >= bytes_ && !missing;
}

void Ballast::drop() {
    remove_file(path_);
    is_there_ = false;
}

void Ballast::restore() {
    if (is_there_ || free_bytes_beside(path_) / 4 < bytes_) return;
    const int file = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) return;
    is_there_ = write_zeros(file, bytes_);
    ::close(file);
    if (!is_there_) drop();
}

}  // namespace oncewire::store::sqlite
