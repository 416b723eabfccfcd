// One machine's file system: names, as programs see them and as they would survive a power loss
// now, and the files they mean (file_data.h). Pure state: no time, no fibers; disk.cc puts latency
// and errors in front. The model and its promises stand at the head of sim/machine/disk.h.
#pragma once

#include "base/random.h"
#include "os/disk.h"
#include "sim/machine/file_data.h"
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

struct Inode {
  os::EntryKind kind = os::EntryKind::kFile;
  uint32_t open = 0;  // By so many; its bytes take up room as long, even without a name.
  FileData file;
  std::map<std::string, std::shared_ptr<Inode>, std::less<>> names;          // As seen.
  std::map<std::string, std::shared_ptr<Inode>, std::less<>> durable_names;  // As would survive.
};

class FileSystem {
 public:
  explicit FileSystem(uint64_t capacity_bytes = UINT64_MAX);
  FileSystem(FileSystem&&) = default;
  FileSystem& operator=(FileSystem&&) = default;

  // A file or a directory that would be made is refused with kNoSpace while the disk is full.
  Result<std::shared_ptr<Inode>> open(std::string_view path, os::OpenOptions options);
  Result<void> rename(std::string_view from, std::string_view to);
  Result<void> unlink(std::string_view path);
  Result<void> make_directory(std::string_view path);
  Result<void> remove_directory(std::string_view path);
  Result<std::vector<os::DirectoryEntry>> list(std::string_view path) const;
  Result<std::shared_ptr<Inode>> directory(std::string_view path) const;
  bool has(std::string_view path) const { return walk(path).has_value(); }
  // How many operations on names there were so far.
  uint64_t changes() const { return next_change_; }
  // Makes the operations on this directory's names durable: the first `seen` of all there were,
  // since others may have come after the sync began.
  void sync_directory(const std::shared_ptr<Inode>& directory, uint64_t seen);
  // The same, and the device said no: some of them are durable, a later sync covers the others.
  void fail_sync_directory(const std::shared_ptr<Inode>& directory, uint64_t seen,
                           base::RandomStream& random);

  // How many of `bytes` still fit. Counts what programs see, and files without a name that
  // somebody has open.
  uint64_t room(uint64_t bytes) const;
  bool full() const { return room(1) == 0; }
  uint64_t used_bytes() const;
  uint64_t capacity_bytes = UINT64_MAX;
  // One bit of one durable file flips on the medium. False: there is none with a byte.
  bool rot(base::RandomStream& random);

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
    uint64_t number = 0;          // Of all operations on names.
    std::vector<uint64_t> needs;  // Those without which it does not survive.
    void apply() const;
    bool touches(const Inode* in, std::string_view called) const;
  };
  struct Place {
    std::shared_ptr<Inode> directory;
    std::string name;
    std::vector<const Inode*> way;  // The directories from the root to it.
  };

  Result<std::shared_ptr<Inode>> walk(std::string_view path,
                                      std::vector<const Inode*>* way = nullptr) const;
  Result<Place> place_of(std::string_view path) const;
  // `ways`: to both ends of a rename.
  void change(NameChange change, const std::vector<const Inode*>& ways = {});
  void add_needs(NameChange& change, const std::vector<const Inode*>& ways) const;
  void choose_needed(std::vector<bool>& chosen) const;
  std::vector<bool> waiting_for(const Inode* directory, uint64_t seen) const;
  void make_durable(const std::vector<bool>& chosen);
  static void forget_volatile(Inode& inode, uint64_t seed, const DiskWeather& weather);
  static uint64_t used_bytes(const Inode& inode);
  static std::shared_ptr<Inode> durable_copy(const Inode& inode);
  static bool holds(const Inode& inode, const Inode& directory);

  std::shared_ptr<Inode> root_;
  std::vector<NameChange> pending_;             // Oldest first.
  std::vector<std::weak_ptr<Inode>> nameless_;  // Lost their last name while they were open.
  uint64_t next_change_ = 0;
};

}  // namespace seatrial::sim
