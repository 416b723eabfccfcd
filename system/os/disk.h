// Files whose bytes and names become durable only by their own sync.
//
// What survives what:
// - The end of the process (SIGKILL included): everything that a write, rename or unlink returned
//   success for. It is in the page cache, which belongs to the machine.
// - Power loss: of a file's bytes and length, what stood when its last successful sync began. Of
//   each later write any 512-byte sector, each by itself, may be new, old or torn between the
//   two, and the length may be the old or a newer one with zeros in the gap. A name (created,
//   renamed, removed) is durable once its directory was synced; before, either state may survive,
//   also in another order than the calls'. sync_data() of a new file does not make its name
//   durable.
// - A failed sync: unknown. The bytes can still be read here, and the next sync may succeed
//   without ever writing them. Whoever gets the error must not build on those bytes: write them
//   again (or elsewhere), sync, and only then promise.
//
// All calls on paths and files park the fiber; none blocks other fibers. Once begun a call is seen
// to its end: it has no deadline, and cancel() neither ends it nor keeps a cancelled fiber from
// making it, so that a fiber on its way out can still finish its files. Calls on one file from
// several fibers are allowed and take effect in some order; a File outlives the calls on it. Paths
// are absolute or relative to the node's working directory, with '/' between names. Faults: kIo
// anywhere, kNoSpace and short writes in writing calls, stalls anywhere.
#pragma once

#include "base/bytes.h"
#include "base/error.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace seatrial::os {

using base::Bytes;
using base::MutableBytes;
using base::Result;

struct OpenOptions {
  bool write = false;      // Without it: reading only.
  bool create = false;     // Make the file if it is not there.
  bool exclusive = false;  // With create: kExists if it is there.
  bool truncate = false;   // Length 0 at once.
};

inline constexpr OpenOptions kReadOnly{};
inline constexpr OpenOptions kReadWrite{.write = true};
inline constexpr OpenOptions kOpenOrCreate{.write = true, .create = true};
inline constexpr OpenOptions kCreateNew{.write = true, .create = true, .exclusive = true};
inline constexpr OpenOptions kReplace{.write = true, .create = true, .truncate = true};

// The writing calls, sync_data() included, fail with kReadOnly on a file opened for reading only.
class File {
 public:
  // Closes, and syncs nothing.
  virtual ~File() = default;

  // Reads at `offset`; returns the number of bytes, 0 at or past the end; may be short.
  virtual Result<size_t> pread(uint64_t offset, MutableBytes into) = 0;
  // Writes at `offset`, growing the file if need be; may be short (at least one byte unless
  // `from` is empty). kNoSpace when not even one fits.
  virtual Result<size_t> pwrite(uint64_t offset, Bytes from) = 0;
  // Writes at the end as it is at that instant; otherwise as pwrite.
  virtual Result<size_t> append(Bytes from) = 0;
  virtual Result<void> truncate(uint64_t size) = 0;
  virtual Result<uint64_t> size() = 0;
  // Makes the bytes and the length durable. kIo: see the head of this file.
  virtual Result<void> sync_data() = 0;
};

enum class EntryKind : unsigned char { kFile, kDirectory };

struct DirectoryEntry {
  std::string name;
  EntryKind kind;
  friend bool operator==(const DirectoryEntry&, const DirectoryEntry&) = default;
};

class Disk {
 public:
  virtual ~Disk() = default;

  // Errors: kNotFound, kExists, kIsDirectory, kPermission, kNoSpace, kExhausted, kIo.
  virtual Result<std::unique_ptr<File>> open(std::string_view path, OpenOptions options) = 0;
  // Atomically replaces `to` in the sight of running processes; durable with the directory.
  virtual Result<void> rename(std::string_view from, std::string_view to) = 0;
  virtual Result<void> unlink(std::string_view path) = 0;
  // kExists if it is there; kNotFound if its parent is not.
  virtual Result<void> make_directory(std::string_view path) = 0;
  virtual Result<void> remove_directory(std::string_view path) = 0;
  // Sorted by name.
  virtual Result<std::vector<DirectoryEntry>> list(std::string_view path) = 0;
  // Makes the names in this directory durable, as they stand when the call begins.
  virtual Result<void> sync_directory(std::string_view path) = 0;
};

// The loops that everybody needs; each stops at the first error.
Result<void> append_all(File& file, Bytes from);
Result<void> pwrite_all(File& file, uint64_t offset, Bytes from);
// Up to `into.size()` bytes; fewer only at the end of the file.
Result<size_t> pread_full(File& file, uint64_t offset, MutableBytes into);
// The whole file; kExhausted when it is larger than `bytes_max`.
Result<std::string> read_file(Disk& disk, std::string_view path, uint64_t bytes_max);
Result<bool> exists(Disk& disk, std::string_view path);
// "a/b/c" -> "a/b"; "c" -> "."; "/c" -> "/".
std::string_view directory_of(std::string_view path);

}  // namespace seatrial::os
