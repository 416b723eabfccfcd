// The files of the append-only log and the manifest that says which of them count.
//
//   <dir>/<appenddirname>/<appendfilename>.manifest
//   <dir>/<appenddirname>/<appendfilename>.<n>.base.rdb | .base.aof | .incr.aof
//
// Invariants, each true at every instant and so after any crash:
// 1. What a manifest on disk names is on disk as well: a base whole and synced, an increment at
//    least with its first line, all under their names. So commit() is called only when the files
//    and their names were synced.
// 2. Only the last increment of a manifest may end torn: the one before it was synced to its end
//    before the manifest that names its successor was put in place.
// 3. A base and an increment behind it never overlap and never miss a write between them.
// 4. A file is deleted only if no manifest that might come back names it as part of the log: the
//    one that does not was durable before. So deleting comes after a commit() that succeeded.
// 5. A file that no manifest names holds nothing that was promised: drafts, a base not yet
//    taken, an increment that nobody has written to. The next start deletes those.
//
// A manifest is replaced in two steps. draft() writes it under a temporary name and syncs it: if
// that fails nothing has changed. commit() renames it into place and syncs the directory: if that
// fails either manifest may be the one that the next start finds, so both must be right, and
// nothing may be built on the new one.
#pragma once

#include "base/error.h"
#include "kv/config.h"
#include "kv/propagate/aof_manifest.h"
#include "os/disk.h"
#include "os/sync.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace seatrial::kv {

// Unlocks at the end of its scope.
class UnlockLater {
 public:
  explicit UnlockLater(os::Mutex& mutex) : mutex_(mutex) {}
  ~UnlockLater() { mutex_.unlock(); }
  UnlockLater(const UnlockLater&) = delete;
  UnlockLater& operator=(const UnlockLater&) = delete;

 private:
  os::Mutex& mutex_;
};

class AofFiles {
 public:
  AofFiles(os::Disk& disk, os::Fibers& fibers, const Config& config);

  const std::string& directory() const { return directory_; }
  const std::string& manifest_path() const { return manifest_path_; }
  std::string path(std::string_view name) const;
  // Where a child writes a new base, before it counts.
  static std::string rewrite_path(std::string_view directory, int64_t child);

  // What the manifest says; empty: there is none yet.
  const Manifest& manifest() const { return manifest_; }
  // At the start, once it was read.
  void set_manifest(Manifest manifest);
  // Files with these names are there although the manifest does not name them: theirs are taken.
  void avoid(const LogFileName& name);

  // A name that no file has had yet.
  ManifestFile next_base(bool rdb);
  ManifestFile next_increment();

  // Makes the directory, and its name durable.
  base::Result<void> make_directory();
  // A new increment that holds its first line, synced; its name is not durable yet.
  base::Result<std::unique_ptr<os::File>> create_increment(const ManifestFile& file);
  base::Result<void> sync_names() { return disk_.sync_directory(directory_); }

  // See above. commit() makes `manifest` the current one unless its rename fails.
  base::Result<void> draft(const Manifest& manifest);
  base::Result<void> commit(Manifest manifest);
  base::Result<void> publish(Manifest manifest);

  // Deletes what the manifest calls history, then that part of the manifest. What cannot be
  // deleted stays there for the next time. The manifest in place must be durable.
  base::Result<void> delete_history();

  // Held by whoever is changing the manifest, from reading it to commit().
  os::Mutex& changing() { return changing_; }

 private:
  os::Disk& disk_;
  std::string log_name_;
  std::string parent_;
  std::string directory_;
  std::string manifest_path_;
  std::string draft_path_;
  Manifest manifest_;
  // The greatest sequence numbers ever given.
  uint64_t base_sequence_ = 0;
  uint64_t increment_sequence_ = 0;
  os::Mutex changing_;
};

}  // namespace seatrial::kv
