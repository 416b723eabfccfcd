// A process's way to its node's disk: each call takes time, and may stall, fall short or fail.
//
// The model: what a power loss leaves, after what file systems permit without a sync.
// - Three things become durable apart, each by its own sync: a file's bytes and its length, both
//   with sync_data(); and names, with the sync of their directory.
// - Bytes. A 512-byte sector written since its last sync is, by itself, dropped (the durable one
//   stands), kept (any version of it that programs could have read since, mostly the last: the
//   system writes back when it likes), or torn: up to any byte the one, from there on the other.
// - Length. The old one, the new one or one between; where it survives and a sector does not,
//   zeros are read.
// - Names. Each create, rename, unlink, mkdir and rmdir since the sync of its directory survives
//   or not, by itself, so that a later one may stand without an earlier one of another name.
// - A sync covers what was there as it began. A sync that is never finished promises nothing.
// - A failed sync of a file: each sector that it covered has reached the medium or not, and so has
//   the length; all count as clean. Reads go on returning the new bytes until the power fails, and
//   no later sync writes a lost sector until somebody writes it again. A failed sync of a
//   directory: some of its names are durable, and a later sync covers the others (names are
//   journalled).
// - A full disk takes no byte, no new file and no new directory, and now and then no new name. An
//   unlinked file takes up room as long as somebody has it open.
//
// Programs may rely on this, and on nothing more:
// - What was durable and not written again stays, sector by sector: a torn write spoils none of
//   its neighbours. (Taken away by faults that a scenario must name: disk.bit_rot, disk.lost_write,
//   disk.misdirected_write, disk.lying_sync; disk.garbage spoils what was being written, only.)
// - A rename takes the old name away, sets the new one and replaces its target in one step, in
//   both directories; a sync of either makes it durable. A file never has two names.
// - Operations on one and the same name survive in their order, a later one only with the earlier.
// - A rename survives only with what put its two directories where they are; the removal of a
//   directory only with what emptied it. So no file is lost but by an unlink of it, or a rename
//   over it, and no directory ends up within itself. (ext4 and XFS keep more: one journal, all in
//   order. Programs that need that are not portable to btrfs or to a network file system, and are
//   caught here.)
#pragma once

#include "os/disk.h"
#include "sim/event_queue.h"
#include "sim/machine/file_system.h"

#include <map>
#include <memory>
#include <string>

namespace seatrial::sim {

class SimProcess;

class SimDisk : public os::Disk {
 public:
  explicit SimDisk(SimProcess& process);
  ~SimDisk() override;
  Result<std::unique_ptr<os::File>> open(std::string_view path, os::OpenOptions options) override;
  Result<void> rename(std::string_view from, std::string_view to) override;
  Result<void> unlink(std::string_view path) override;
  Result<void> make_directory(std::string_view path) override;
  Result<void> remove_directory(std::string_view path) override;
  Result<std::vector<os::DirectoryEntry>> list(std::string_view path) override;
  Result<void> sync_directory(std::string_view path) override;

 private:
  friend class SimFile;
  enum class Call : unsigned char { kOther, kSync };

  // A path's own luck, so that calls on one file shift nothing for another's; and its mark in the
  // trace.
  struct Path {
    std::string name;
    base::RandomStream random;
    uint64_t key;
  };
  Path& path(std::string_view name);

  // Parks for as long as the call takes, whatever cancel() asks; kCancelled if the process ended
  // meanwhile. `bytes`: those that it moves, where the disk is throttled.
  Result<void> begin(Path& path, Call call, uint64_t bytes = 0);
  // The same for a call on names, which may also fail.
  Result<void> begin_names(Path& path);
  void wait_out_trouble(bool sync);
  VirtualTime queue(uint64_t bytes);
  // Whether this call is to fail: by chance, or because a fault is due.
  bool strikes(Path& path, double chance, uint32_t& due, std::string_view kind);
  bool sync_fails(Path& path);
  bool write_fails(Path& path);
  bool read_fails(Path& path);
  FileSystem& files();
  const DiskWeather& weather();
  void count(std::string_view kind);
  // An event: which call took effect, on what, and one number that tells more.
  void note(const Path& path, std::string_view what, uint64_t number = 0);

  SimProcess& process_;
  uint64_t node_key_;
  std::map<std::string, std::unique_ptr<Path>, std::less<>> paths_;
};

}  // namespace seatrial::sim
