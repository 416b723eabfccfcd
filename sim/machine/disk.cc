#include "sim/machine/disk.h"

#include "sim/machine/process.h"
#include "sim/world.h"

#include <fmt/format.h>

#include <algorithm>

namespace seatrial::sim {

using base::Errc;
using base::fail;

namespace {

// Of errors that are due to this process, or to the first of its node: one fewer.
bool take_due(uint32_t& own, uint32_t& of_node) {
  uint32_t& due = own > 0 ? own : of_node;
  if (due == 0) return false;
  --due;
  return true;
}

}  // namespace

class SimFile : public os::File {
 public:
  SimFile(SimDisk& disk, std::shared_ptr<Inode> inode, std::string path, bool writable)
      : disk_(disk), inode_(std::move(inode)), path_(std::move(path)), writable_(writable) {}

  Result<size_t> pread(uint64_t offset, base::MutableBytes into) override {
    TRY(disk_.begin(SimDisk::Call::kOther));
    return inode_->file.read(offset, into);
  }

  Result<size_t> pwrite(uint64_t offset, base::Bytes from) override {
    return write(from, [&] { return offset; });
  }

  Result<size_t> append(base::Bytes from) override {
    return write(from, [&] { return inode_->file.size(); });
  }

  Result<void> truncate(uint64_t size) override {
    TRY(writable());
    TRY(disk_.begin(SimDisk::Call::kOther));
    inode_->file.truncate(size);
    disk_.note("truncate", fmt::format("{} to {}", path_, size));
    return {};
  }

  Result<uint64_t> size() override {
    TRY(disk_.begin(SimDisk::Call::kOther));
    return inode_->file.size();
  }

  Result<void> sync_data() override {
    TRY(writable());
    // The kernel takes one sync of a file after the other.
    while (inode_->file.syncing()) TRY(disk_.begin(SimDisk::Call::kOther));
    if (!disk_.process_.may_act()) return disk_.begin(SimDisk::Call::kSync);
    inode_->file.begin_sync();
    struct Abandon {
      FileData& file;
      ~Abandon() {
        if (file.syncing()) file.abandon_sync();
      }
    } abandon{inode_->file};
    TRY(disk_.begin(SimDisk::Call::kSync));
    if (disk_.sync_fails()) {
      inode_->file.fail_sync(disk_.random_);
      disk_.note("sync fails", path_);
      return fail(Errc::kIo, fmt::format("{}: sync: input/output error", path_));
    }
    inode_->file.finish_sync();
    disk_.note("sync", path_);
    return {};
  }

 private:
  Result<void> writable() const {
    if (!writable_) return fail(Errc::kReadOnly, fmt::format("{}: open for reading only", path_));
    return {};
  }

  // Bytes that are there already need none.
  size_t room(uint64_t at, size_t bytes) const {
    const uint64_t size = inode_->file.size();
    const uint64_t within = at >= size ? 0 : std::min<uint64_t>(bytes, size - at);
    const uint64_t gap = at > size ? at - size : 0;
    const uint64_t fits = disk_.files().room(gap + bytes - within);
    return fits < gap ? 0 : within + fits - gap;
  }

  template <typename Offset>
  Result<size_t> write(base::Bytes from, Offset offset) {
    TRY(writable());
    disk_.process_.node().writes.wake_all();
    TRY(disk_.begin(SimDisk::Call::kOther));
    if (from.empty()) return 0;
    size_t count = room(offset(), from.size());
    if (count == 0) {
      disk_.process_.world().count("disk.no_space");
      return fail(Errc::kNoSpace, fmt::format("{}: no space left on disk", path_));
    }
    const DiskWeather& weather = disk_.weather();
    if (disk_.random_.chance(weather.short_write_chance)) {
      count = 1 + disk_.random_.below(count);
      disk_.process_.world().count("disk.short_write");
    }
    const bool error = disk_.write_fails();
    if (error) count = disk_.random_.below(count + 1);
    const uint64_t at = offset();
    inode_->file.write(at, from.substr(0, count));
    disk_.process_.world().trace().event(
        disk_.process_.world().now_virtual(), disk_.process_.node().name(), TraceKind::kDisk, at,
        Trace::digest(from.substr(0, count)),
        [&] { return fmt::format("write {} [{}, {})", path_, at, at + count); });
    if (error) {
      return fail(Errc::kIo, fmt::format("{}: write: input/output error", path_));
    }
    return count;
  }

  SimDisk& disk_;
  std::shared_ptr<Inode> inode_;
  std::string path_;
  bool writable_;
};

SimDisk::SimDisk(SimProcess& process) : process_(process), random_(process.stream("disk")) {}

FileSystem& SimDisk::files() { return process_.node().files(); }
DiskWeather& SimDisk::weather() { return process_.world().weather().disk; }

void SimDisk::note(std::string_view what, std::string_view path) {
  process_.world().note(process_.node().name(), TraceKind::kDisk, fmt::format("{} {}", what, path));
}

bool SimDisk::sync_fails() {
  const bool by_chance = random_.chance(weather().sync_error_chance);
  if (!take_due(process_.sync_errors_due, process_.node().sync_errors_due) && !by_chance) {
    return false;
  }
  process_.world().count("disk.sync_error");
  return true;
}

bool SimDisk::write_fails() {
  const bool by_chance = random_.chance(weather().write_error_chance);
  if (!take_due(process_.write_errors_due, process_.node().write_errors_due) && !by_chance) {
    return false;
  }
  process_.world().count("disk.write_error");
  return true;
}

Result<void> SimDisk::begin(Call call) {
  if (!process_.may_act()) {
    process_.fibers().park_uncancelled();
    return fail(Errc::kCancelled);
  }
  const DiskWeather& w = weather();
  const bool sync = call == Call::kSync;
  const VirtualTime low = sync ? w.sync_min : w.call_min;
  const VirtualTime high = sync ? w.sync_max : w.call_max;
  VirtualTime takes{random_.between(low.count(), std::max(low, high).count())};
  if (random_.chance(w.stall_chance)) {
    takes = VirtualTime(random_.between(0, w.stall_max.count()));
    process_.world().count("disk.stall");
  }
  if (sync) process_.node().syncs.wake_all();
  ++process_.disk_calls;
  process_.disk_call_begun = process_.world().now_virtual();
  if (!process_.node().disk_steps.empty()) {
    // Whoever waits for this very call must come before it takes effect.
    takes = std::max(takes, VirtualTime(1us));
    process_.node().disk_steps.wake_all();
  }
  process_.spend(takes);
  wait_out_stall(sync);
  if (!process_.may_act()) return fail(Errc::kCancelled);
  return {};
}

// Looks again and again: the end of a storm ends a stall before its time.
void SimDisk::wait_out_stall(bool sync) {
  constexpr VirtualTime kLook = 50ms;
  const Node& node = process_.node();
  while (process_.may_act()) {
    const VirtualTime until = sync ? std::max(node.disk_stalled_until, node.syncs_stalled_until)
                                   : node.disk_stalled_until;
    const VirtualTime left = until - process_.world().now_virtual();
    if (left <= VirtualTime(0)) return;
    process_.spend(std::min(left, kLook));
  }
}

Result<std::unique_ptr<os::File>> SimDisk::open(std::string_view path, os::OpenOptions options) {
  TRY(begin(Call::kOther));
  auto inode = TRY(files().open(path, options));
  note(options.create ? "open or create" : "open", path);
  return std::make_unique<SimFile>(*this, std::move(inode), std::string(path), options.write);
}

Result<void> SimDisk::rename(std::string_view from, std::string_view to) {
  TRY(begin(Call::kOther));
  TRY(files().rename(from, to));
  note("rename", fmt::format("{} to {}", from, to));
  process_.node().renames.wake_all();
  return {};
}

Result<void> SimDisk::unlink(std::string_view path) {
  TRY(begin(Call::kOther));
  TRY(files().unlink(path));
  note("unlink", path);
  return {};
}

Result<void> SimDisk::make_directory(std::string_view path) {
  TRY(begin(Call::kOther));
  TRY(files().make_directory(path));
  note("make directory", path);
  return {};
}

Result<void> SimDisk::remove_directory(std::string_view path) {
  TRY(begin(Call::kOther));
  TRY(files().remove_directory(path));
  note("remove directory", path);
  return {};
}

Result<std::vector<os::DirectoryEntry>> SimDisk::list(std::string_view path) {
  TRY(begin(Call::kOther));
  return files().list(path);
}

Result<void> SimDisk::sync_directory(std::string_view path) {
  if (!process_.may_act()) return begin(Call::kSync);
  auto directory = TRY(files().directory(path));
  const uint64_t seen = files().changes();
  TRY(begin(Call::kSync));
  if (sync_fails()) {
    note("sync of directory fails", path);
    return fail(Errc::kIo, fmt::format("{}: sync: input/output error", path));
  }
  files().sync_directory(directory, seen);
  note("sync directory", path);
  return {};
}

}  // namespace seatrial::sim
