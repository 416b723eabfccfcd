// One machine's file system: what programs see (the page cache) and what would survive a power
// loss now. Pure state: no time, no fibers; sim/machine/disk.cc puts latency and errors in front.
//
// The model, after what ext4 and XFS permit without a sync:
// - File data is durable in 512-byte sectors. A sector written since the last sync is, after power
//   loss, new, old, or torn (one part new, the rest old), each sector by itself.
// - The length is metadata of its own: without a sync the old one, the new one, or one between may
//   survive; where the length survives and a sector does not, zeros are read.
// - Each operation on a directory (create, rename, unlink, mkdir, rmdir) made since its last sync
//   survives or not, each by itself; a rename is atomic, and a file never has two names. Syncing a
//   directory makes all operations on its names durable, in the state at the start of the call.
// - A sync covers what was written before it began; a write during it stays volatile.
// - A failed sync marks pages clean without promising anything: each dirty sector has reached the
//   disk or is lost, and no later sync writes a lost one until somebody writes it again. Until the
//   power fails, reads go on returning the new bytes.
// Programs rely on: 512-byte sectors are not read back as garbage; a rename replaces its target in
// one step; a file's data sync also makes its length durable, and not its name.
#pragma once

#include "base/random.h"
#include "os/disk.h"
#include "sim/weather.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace seatrial::sim {

using base::Result;

inline constexpr uint64_t kSectorBytes = 512;

class FileData {
 public:
  size_t read(uint64_t offset, base::MutableBytes into) const;
  void write(uint64_t offset, base::Bytes from);
  void truncate(uint64_t size);
  uint64_t size() const { return bytes_.size(); }

  // A sync in two halves, since writes may come between: what begin_sync() saw is durable after
  // finish_sync(). One at a time.
  void begin_sync();
  void finish_sync();
  // Instead of finish_sync(): whoever asked is gone; nothing is promised.
  void abandon_sync();
  bool syncing() const { return syncing_; }
  // Instead of finish_sync(): the device said no.
  void fail_sync(base::RandomStream& random);

  void lose_power(base::RandomStream& random, const DiskWeather& weather);
  // Bytes and length as they are durable now, with nothing pending.
  FileData durable_copy() const;
  uint64_t unsynced_sectors() const { return shadows_.size(); }

 private:
  // The durable contents of a sector whose contents in bytes_ are newer.
  struct Shadow {
    std::string durable;                // Shorter than a sector where the durable file ends in it.
    std::optional<std::string> synced;  // As a sync in progress saw it, if it changed since.
    bool in_sync = false;               // Covered by the sync in progress.
    bool lost = false;                  // A failed sync dropped it; the kernel thinks it clean.
  };

  void about_to_change(uint64_t sector);
  std::string sector_bytes(uint64_t sector) const;

  std::string bytes_;
  std::map<uint64_t, Shadow> shadows_;
  uint64_t durable_size_ = 0;
  uint64_t syncing_size_ = 0;
  bool size_dirty_ = false;
  bool syncing_ = false;
};

struct Inode {
  os::EntryKind kind = os::EntryKind::kFile;
  FileData file;
  std::map<std::string, std::shared_ptr<Inode>, std::less<>> names;          // As seen.
  std::map<std::string, std::shared_ptr<Inode>, std::less<>> durable_names;  // As would survive.
};

class FileSystem {
 public:
  explicit FileSystem(uint64_t capacity_bytes = UINT64_MAX);

  Result<std::shared_ptr<Inode>> open(std::string_view path, os::OpenOptions options);
  Result<void> rename(std::string_view from, std::string_view to);
  Result<void> unlink(std::string_view path);
  Result<void> make_directory(std::string_view path);
  Result<void> remove_directory(std::string_view path);
  Result<std::vector<os::DirectoryEntry>> list(std::string_view path) const;
  Result<std::shared_ptr<Inode>> directory(std::string_view path) const;
  // How many operations on names there were so far.
  uint64_t changes() const { return next_change_; }
  // Makes the operations on this directory's names durable: the first `seen` of all there were,
  // since others may have come after the sync began.
  void sync_directory(const std::shared_ptr<Inode>& directory, uint64_t seen);

  // How many of `bytes` still fit. Counts what programs see.
  uint64_t room(uint64_t bytes) const;
  uint64_t used_bytes() const { return used_bytes(*root_); }
  uint64_t capacity_bytes = UINT64_MAX;

  void lose_power(base::RandomStream& random, const DiskWeather& weather);

  // What is durable now, as a file system of its own: an image of the disk. Costs its bytes.
  FileSystem copy() const;
  // The machine gets another disk, in place of this one. The power must be off: files that are open
  // stay those of the old disk.
  void replace(FileSystem other) { *this = std::move(other); }

 private:
  // One not yet durable operation on names: `name` of `directory` now means `inode` (nullptr:
  // nothing), and for a rename `from_name` of `from` means nothing any more.
  struct NameChange {
    std::shared_ptr<Inode> directory;
    std::string name;
    std::shared_ptr<Inode> inode;
    std::shared_ptr<Inode> from;
    std::string from_name;
    uint64_t number = 0;  // Of all operations on names.
    void apply() const;
  };
  struct Place {
    std::shared_ptr<Inode> directory;
    std::string name;
  };

  Result<std::shared_ptr<Inode>> walk(std::string_view path) const;
  Result<Place> place_of(std::string_view path) const;
  void change(NameChange change);
  static void forget_volatile(Inode& inode, base::RandomStream& random, const DiskWeather& weather);
  static uint64_t used_bytes(const Inode& inode);
  static std::shared_ptr<Inode> durable_copy(const Inode& inode);
  static bool holds(const Inode& inode, const Inode& directory);

  std::shared_ptr<Inode> root_;
  std::vector<NameChange> pending_;  // Oldest first.
  uint64_t next_change_ = 0;
};

}  // namespace seatrial::sim
