#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "server/store/sqlite/database.hpp"
#include "server/store/store.hpp"
#include "shared/base/result.hpp"

/// What lies beside the database in its directory, and the space that is left there.
namespace oncewire::store::sqlite {

/// Makes `path` an empty file (mode 0600) unless there is one: SQLite would let everybody read it.
/// Makes no directories.
Result<void, Failure> make_file(const std::string& path);
/// What an unprivileged process may still write where `path` is; very much if that cannot be told.
std::uint64_t free_bytes_beside(const std::string& path);
/// Makes an empty file (mode 0600) of a name that no file had, `path` and something behind it, and
/// returns the name.
Result<std::string, Failure> make_file_beside(const std::string& path);
/// Gives a file its final name, durably, unless there is a file of that name already: then, or if it
/// cannot be done, it keeps the old one.
Result<void, Failure> name_file(const std::string& from, const std::string& to);
void remove_file(const std::string& path);
bool exists(const std::string& path);

/// How far the log had got, in a file of its own (`DATABASE-head`), so that a database that lost its end
/// is noticed: a write-ahead log that is missing or damaged at its beginning is nothing to SQLite, which
/// opens what is left, shorter.
///
/// Written after each commit and never fsynced, which costs about a microsecond: after a crash of the
/// process it is exact, after power loss it may be behind, and never ahead. Two slots, written in turn,
/// so that a torn write spoils the newer one only.
class HeadMark {
  public:
    enum class Use : std::uint8_t { write, inspect };

    /// Of the database `path`. Without access to the file it marks nothing.
    explicit HeadMark(const std::string& path, Use use = Use::write);
    ~HeadMark();
    HeadMark(const HeadMark&) = delete;
    HeadMark& operator=(const HeadMark&) = delete;

    /// None: never written, or not readable.
    std::optional<LogHead> read() const;
    void write(const LogHead& head);

  private:
    int file_ = -1;
    bool second_slot_ = false;
};

/// That commits were not fsynced, in a file of its own (`DATABASE-unflushed`), which names the start of the
/// machine they were made under: if it was started again since, power loss may have taken some of them.
/// There from open to an orderly end under Durability::process.
class UnflushedMark {
  public:
    explicit UnflushedMark(const std::string& database) : path_(database + "-unflushed") {}

    /// The machine was started again since set().
    bool is_of_earlier_boot() const;
    /// Durably. False: it could not be written.
    bool set() const;
    void clear() const { remove_file(path_); }

  private:
    std::string path_;
};

/// fsync of a file by its name, whoever wrote to it. False: failed, or there is no such file.
bool flush_file(const std::string& path);

/// Space kept back in a file (`DATABASE-ballast`) for the day the disk is full: then even deleting and
/// emptying the write-ahead log need some. Dropped when space runs out, and made again when there is
/// plenty.
class Ballast {
  public:
    Ballast(std::string database, std::uint64_t bytes);

    void drop();
    /// Makes it unless it is there, if four times its size is free. Blocks while it is written.
    void restore();
    bool is_there() const { return is_there_; }

  private:
    std::string path_;
    std::uint64_t bytes_;
    bool is_there_ = false;
};

}  // namespace oncewire::store::sqlite
