#include "sim/machine/disk.h"

#include "sim/machine/process.h"
#include "sim/world.h"

#include <fmt/format.h>

#include <algorithm>

namespace seatrial::sim {

using base::Errc;
using base::fail;

namespace {

// Of renames to a new name on a full disk: where its directory needs another block.
constexpr double kRenameNeedsRoom = 0.25;

std::unexpected<base::Error> io_error(std::string_view path, std::string_view call) {
  return fail(Errc::kIo, fmt::format("{}: {}: input/output error", path, call));
}

std::unexpected<base::Error> no_space(std::string_view path) {
  return fail(Errc::kNoSpace, fmt::format("{}: no space left on disk", path));
}

}  // namespace

class SimFile : public os::File {
 public:
  SimFile(SimDisk& disk, SimDisk::Path& path, std::shared_ptr<Inode> inode, bool writable)
      : disk_(disk), path_(path), inode_(std::move(inode)), writable_(writable) {
    ++inode_->open;
  }
  ~SimFile() override { --inode_->open; }

  Result<size_t> pread(uint64_t offset, base::MutableBytes into) override {
    TRY(disk_.begin(path_, SimDisk::Call::kOther, into.size()));
    if (disk_.read_fails(path_)) return io_error(path_.name, "read");
    size_t count = inode_->file.read(offset, into);
    if (count == 0) return 0;
    if (path_.random.chance(disk_.weather().short_read_chance)) {
      count = 1 + path_.random.below(count);
      disk_.count("disk.short_read");
    }
    flip_if_due(into.first(count), offset);
    misdirect_if_due(into.first(count), offset);
    return count;
  }

  Result<size_t> pwrite(uint64_t offset, base::Bytes from) override {
    return write(from, [&] { return offset; });
  }

  Result<size_t> append(base::Bytes from) override {
    return write(from, [&] { return inode_->file.size(); });
  }

  Result<void> truncate(uint64_t size) override {
    TRY(writable());
    TRY(disk_.begin(path_, SimDisk::Call::kOther));
    inode_->file.truncate(size);
    disk_.note(path_, "truncate", size);
    return {};
  }

  Result<uint64_t> size() override {
    TRY(disk_.begin(path_, SimDisk::Call::kOther));
    return inode_->file.size();
  }

  Result<void> sync_data() override {
    TRY(writable());
    // The kernel takes one sync of a file after the other.
    while (inode_->file.syncing()) TRY(disk_.begin(path_, SimDisk::Call::kOther));
    if (!disk_.process_.may_act()) return disk_.begin(path_, SimDisk::Call::kSync);
    inode_->file.begin_sync();
    struct Abandon {
      FileData& file;
      ~Abandon() {
        if (file.syncing()) file.abandon_sync();
      }
    } abandon{inode_->file};
    const uint64_t bytes = inode_->file.unsynced_sectors() * kSectorBytes;
    TRY(disk_.begin(path_, SimDisk::Call::kSync, bytes));
    if (disk_.sync_fails(path_)) {
      inode_->file.fail_sync(path_.random);
      disk_.note(path_, "sync fails");
      return io_error(path_.name, "sync");
    }
    finish_sync();
    return {};
  }

 private:
  Result<void> writable() const {
    if (writable_) return {};
    return fail(Errc::kReadOnly, fmt::format("{}: open for reading only", path_.name));
  }

  void flip_if_due(base::MutableBytes bytes, uint64_t offset) {
    uint32_t& due = trouble().flipped_reads_due;
    if (due == 0) return;
    --due;
    const uint64_t at = path_.random.below(bytes.size());
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << path_.random.below(8)));
    disk_.count("disk.bit_flip");
    disk_.note(path_, "read with a flipped bit", offset + at);
  }

  // Where the file has no other sector it stays due.
  void misdirect_if_due(base::MutableBytes bytes, uint64_t offset) {
    uint32_t& due = trouble().misdirected_reads_due;
    const uint64_t sectors = (inode_->file.size() + kSectorBytes - 1) / kSectorBytes;
    if (due == 0 || sectors < 2) return;
    --due;
    const uint64_t first = offset / kSectorBytes;
    const uint64_t last = (offset + bytes.size() - 1) / kSectorBytes;
    const uint64_t wanted = first + path_.random.below(last - first + 1);
    const uint64_t given = (wanted + 1 + path_.random.below(sectors - 1)) % sectors;
    // The part of the wanted sector that was asked for; zeros where the given one ends before.
    const uint64_t from = std::max(offset, wanted * kSectorBytes);
    const uint64_t to = std::min(offset + bytes.size(), (wanted + 1) * kSectorBytes);
    const base::MutableBytes part = bytes.subspan(from - offset, to - from);
    std::ranges::fill(part, '\0');
    inode_->file.read(given * kSectorBytes + from % kSectorBytes, part);
    disk_.count("disk.misdirected_read");
    disk_.note(path_, "read of another sector", wanted);
  }

  // The device says that it is done.
  void finish_sync() {
    if (trouble().lies(disk_.process_.world().now_virtual())) [[unlikely]] {
      inode_->file.abandon_sync();
      disk_.count("disk.lying_sync");
      return disk_.note(path_, "sync lies");
    }
    take(trouble().lost_writes_due, "disk.lost_write",
         [&] { return inode_->file.lose_a_write(path_.random); });
    take(trouble().misdirected_writes_due, "disk.misdirected_write",
         [&] { return inode_->file.misdirect_a_write(path_.random); });
    inode_->file.finish_sync();
    disk_.note(path_, "sync");
  }

  // It stays due until it finds what it can strike.
  template <typename Strike>
  void take(uint32_t& due, std::string_view kind, Strike&& strike) {
    if (due == 0 || !strike()) return;
    --due;
    disk_.count(kind);
    disk_.note(path_, kind);
  }

  DiskTrouble& trouble() { return disk_.process_.node().disk_trouble; }

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
    TRY(disk_.begin(path_, SimDisk::Call::kOther));
    if (from.empty()) return 0;
    size_t count = room(offset(), from.size());
    if (count == 0) {
      disk_.count("disk.no_space");
      return no_space(path_.name);
    }
    if (path_.random.chance(disk_.weather().short_write_chance)) {
      count = 1 + path_.random.below(count);
      disk_.count("disk.short_write");
    }
    const bool error = disk_.write_fails(path_);
    if (error) count = path_.random.below(count + 1);
    const uint64_t at = offset();
    inode_->file.write(at, from.substr(0, count));
    World& world = disk_.process_.world();
    world.trace().event(world.now_virtual(), disk_.process_.node().name(), TraceKind::kDisk,
                        path_.key + at, Trace::digest(from.substr(0, count)), [&] {
                          return fmt::format("write {} [{}, {})", path_.name, at, at + count);
                        });
    if (error) return io_error(path_.name, "write");
    return count;
  }

  SimDisk& disk_;
  SimDisk::Path& path_;
  std::shared_ptr<Inode> inode_;
  bool writable_;
};

SimDisk::SimDisk(SimProcess& process)
    : process_(process), node_key_(base::mix64(base::hash_name(process.node().name()))) {}

SimDisk::~SimDisk() = default;

SimDisk::Path& SimDisk::path(std::string_view name) {
  auto it = paths_.find(name);
  if (it == paths_.end()) {
    auto made = std::make_unique<Path>(Path{std::string(name),
                                            process_.stream(fmt::format("disk {}", name)),
                                            base::hash_name(name, node_key_)});
    it = paths_.emplace(std::string(name), std::move(made)).first;
  }
  return *it->second;
}

FileSystem& SimDisk::files() { return process_.node().files(); }
const DiskWeather& SimDisk::weather() { return process_.world().weather().disk; }
void SimDisk::count(std::string_view kind) { process_.world().count(kind); }

void SimDisk::note(const Path& path, std::string_view what, uint64_t number) {
  World& world = process_.world();
  world.trace().event(world.now_virtual(), process_.node().name(), TraceKind::kDisk, path.key,
                      base::hash_name(what, number), [&] {
                        return number == 0 ? fmt::format("{} {}", what, path.name)
                                           : fmt::format("{} {} {}", what, path.name, number);
                      });
}

bool SimDisk::strikes(Path& path, double chance, uint32_t& due, std::string_view kind) {
  const bool by_chance = path.random.chance(chance);
  if (due > 0) {
    --due;
  } else if (!by_chance) {
    return false;
  }
  count(kind);
  return true;
}

// Errors due to this process come before those due to the first of its node.
bool SimDisk::sync_fails(Path& path) {
  uint32_t& due =
      process_.sync_errors_due > 0 ? process_.sync_errors_due : process_.node().sync_errors_due;
  return strikes(path, weather().sync_error_chance, due, "disk.sync_error");
}

bool SimDisk::write_fails(Path& path) {
  uint32_t& due =
      process_.write_errors_due > 0 ? process_.write_errors_due : process_.node().write_errors_due;
  return strikes(path, weather().write_error_chance, due, "disk.write_error");
}

bool SimDisk::read_fails(Path& path) {
  return strikes(path, weather().read_error_chance, process_.node().disk_trouble.read_errors_due,
                 "disk.read_error");
}

Result<void> SimDisk::begin(Path& path, Call call, uint64_t bytes) {
  if (!process_.may_act()) {
    process_.fibers().park_uncancelled();
    return fail(Errc::kCancelled);
  }
  const DiskWeather& w = weather();
  const bool sync = call == Call::kSync;
  const VirtualTime low = sync ? w.sync_min : w.call_min;
  const VirtualTime high = sync ? w.sync_max : w.call_max;
  VirtualTime takes{path.random.between(low.count(), std::max(low, high).count())};
  if (path.random.chance(w.stall_chance)) {
    takes = VirtualTime(path.random.between(0, w.stall_max.count()));
    count("disk.stall");
  }
  if (process_.node().disk_trouble.throttled()) [[unlikely]] {
    takes += queue(bytes);
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
  wait_out_trouble(sync);
  if (!process_.may_act()) return fail(Errc::kCancelled);
  return {};
}

Result<void> SimDisk::begin_names(Path& path) {
  TRY(begin(path, Call::kOther));
  uint32_t none_due = 0;
  if (!strikes(path, weather().name_error_chance, none_due, "disk.name_error")) return {};
  return io_error(path.name, "directory");
}

// How long a call waits until those before it are through, and for itself.
VirtualTime SimDisk::queue(uint64_t bytes) {
  constexpr uint64_t kSecond = 1'000'000'000;
  DiskTrouble& trouble = process_.node().disk_trouble;
  uint64_t takes = 0;
  if (trouble.calls_per_second > 0) takes += kSecond / trouble.calls_per_second;
  if (trouble.bytes_per_second > 0) takes += bytes * kSecond / trouble.bytes_per_second;
  const VirtualTime now = process_.world().now_virtual();
  trouble.queue_ends = std::max(trouble.queue_ends, now) + VirtualTime(takes);
  return trouble.queue_ends - now;
}

// Looks again and again: the end of a storm ends all trouble before its time.
void SimDisk::wait_out_trouble(bool sync) {
  constexpr VirtualTime kLook = 50ms;
  const Node& node = process_.node();
  while (process_.may_act()) {
    const VirtualTime until = sync ? std::max(node.disk_stalled_until, node.syncs_stalled_until)
                                   : node.disk_stalled_until;
    VirtualTime left = until - process_.world().now_virtual();
    if (process_.incarnation() < node.disk_trouble.dead_below) left = kLook;
    if (left <= VirtualTime(0)) return;
    process_.spend(std::min(left, kLook));
  }
}

Result<std::unique_ptr<os::File>> SimDisk::open(std::string_view name, os::OpenOptions options) {
  Path& at = path(name);
  TRY(begin_names(at));
  auto inode = TRY(files().open(name, options));
  note(at, options.create ? "open or create" : "open");
  return std::make_unique<SimFile>(*this, at, std::move(inode), options.write);
}

Result<void> SimDisk::rename(std::string_view from, std::string_view to) {
  Path& at = path(to);
  TRY(begin_names(at));
  const bool unlucky = at.random.chance(kRenameNeedsRoom);
  if (unlucky && files().full() && !files().has(to)) {
    count("disk.no_space");
    return no_space(to);
  }
  TRY(files().rename(from, to));
  note(at, "rename", path(from).key);
  process_.node().renames.wake_all();
  return {};
}

Result<void> SimDisk::unlink(std::string_view name) {
  Path& at = path(name);
  TRY(begin_names(at));
  TRY(files().unlink(name));
  note(at, "unlink");
  return {};
}

Result<void> SimDisk::make_directory(std::string_view name) {
  Path& at = path(name);
  TRY(begin_names(at));
  TRY(files().make_directory(name));
  note(at, "make directory");
  return {};
}

Result<void> SimDisk::remove_directory(std::string_view name) {
  Path& at = path(name);
  TRY(begin_names(at));
  TRY(files().remove_directory(name));
  note(at, "remove directory");
  return {};
}

Result<std::vector<os::DirectoryEntry>> SimDisk::list(std::string_view name) {
  TRY(begin_names(path(name)));
  return files().list(name);
}

Result<void> SimDisk::sync_directory(std::string_view name) {
  Path& at = path(name);
  if (!process_.may_act()) return begin(at, Call::kSync);
  auto directory = TRY(files().directory(name));
  const uint64_t seen = files().changes();
  TRY(begin(at, Call::kSync));
  if (sync_fails(at)) {
    files().fail_sync_directory(directory, seen, at.random);
    note(at, "sync of directory fails");
    return io_error(name, "sync");
  }
  if (process_.node().disk_trouble.lies(process_.world().now_virtual())) {
    count("disk.lying_sync");
    note(at, "sync of directory lies");
    return {};
  }
  files().sync_directory(directory, seen);
  note(at, "sync directory");
  return {};
}

}  // namespace seatrial::sim
