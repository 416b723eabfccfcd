#include "kv/restore/aof_open.h"

#include "kv/propagate/aof_base.h"
#include "kv/propagate/aof_format.h"
#include "kv/rdb/reader.h"
#include "os/mark.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace seatrial::kv {
namespace {

constexpr uint64_t kManifestBytesMax = 1024 * 1024;
// An RDB of no data, or our first line.
constexpr uint64_t kEmptyBaseBytesMax = 256;

class Opening {
 public:
  Opening(os::Os& os, const Config& config, AofFiles& files, Keyspace& keyspace,
          const ReplayCommand& execute)
      : os_(os), config_(config), files_(files), keyspace_(keyspace), execute_(execute) {}

  base::Result<OpenedAof> run();

 private:
  std::string single_file() const {
    return fmt::format("{}/{}", config_.dir, config_.appendfilename);
  }
  // Takes over a single file of Redis before 7.
  base::Result<void> upgrade();

  base::Result<void> create();
  // A file without a manifest that names it: left over from a start that did not come to its end,
  // and then it holds next to nothing.
  base::Result<void> check_left_over();

  base::Result<void> load();
  base::Result<void> load_file(const ManifestFile& file, bool base, bool last);
  base::Result<uint64_t> read_snapshot(os::File& file);
  base::Result<void> add_increment();

  base::Result<void> clean_up();
  base::Result<void> clean_up(const std::string& name);
  base::Result<uint64_t> size_of(const std::string& path);

  os::Os& os_;
  const Config& config_;
  AofFiles& files_;
  Keyspace& keyspace_;
  const ReplayCommand& execute_;
  OpenedAof opened_;
};

base::Result<OpenedAof> Opening::run() {
  TRY(read_aof_manifest(os_, config_, files_));
  TRY(upgrade());
  const bool any = files_.manifest().base || !files_.manifest().increments.empty();
  if (any) {
    TRY(load());
  } else if (auto created = create(); !created) {
    return base::fail(created.error().in("cannot make the append-only file"));
  }
  if (auto cleaned = clean_up(); !cleaned) {
    os_.log.warn("{}: what is left over stays: {}", files_.directory(), cleaned.error().message());
  }
  return std::move(opened_);
}

base::Result<void> Opening::upgrade() {
  if (!TRY(os::exists(os_.disk, single_file()))) return {};
  const Manifest& manifest = files_.manifest();
  const std::string inside = files_.path(config_.appendfilename);
  if (manifest.empty()) {
    MARK("aof: single file taken over");
    os_.log.info("{} becomes the base of the log in {}", single_file(), files_.directory());
    TRY(files_.make_directory());
    TRY(check_left_over());
    TRY(files_.publish({.base = ManifestFile{config_.appendfilename, 1}}));
  } else if (!manifest.base || manifest.base->name != config_.appendfilename ||
             !manifest.increments.empty() || TRY(os::exists(os_.disk, inside))) {
    return {};  // It is not of this log.
  }
  TRY(os_.disk.rename(single_file(), inside));
  TRY(files_.sync_names());
  return os_.disk.sync_directory(config_.dir);
}

base::Result<void> Opening::create() {
  TRY(files_.make_directory());
  TRY(check_left_over());
  const ManifestFile base = files_.next_base(config_.aof_use_rdb_preamble);
  const std::string path = files_.path(base.name);
  TRY(write_base(os_.disk, path, keyspace_, {}, {.rdb = config_.aof_use_rdb_preamble}));
  const ManifestFile increment = files_.next_increment();
  opened_.file = TRY(files_.create_increment(increment));
  // Their names must be durable before a manifest can be that names them.
  TRY(files_.sync_names());
  // It may name history, of a log that was never finished.
  Manifest manifest = files_.manifest();
  manifest.base = base;
  manifest.increments = {increment};
  TRY(files_.publish(std::move(manifest)));
  opened_.path = files_.path(increment.name);
  opened_.bytes = TRY(opened_.file->size());
  opened_.base_bytes = opened_.earlier_bytes = TRY(size_of(path));
  return {};
}

base::Result<void> Opening::check_left_over() {
  for (const os::DirectoryEntry& entry : TRY(os_.disk.list(files_.directory()))) {
    const auto name = parse_log_file_name(config_.appendfilename, entry.name);
    if (!name || files_.manifest().names(entry.name)) continue;
    const uint64_t size = TRY(size_of(files_.path(entry.name)));
    const bool increment = name->kind == LogFileKind::kIncrement;
    if (size <= (increment ? kAnnotationBytesMax : kEmptyBaseBytesMax)) {
      MARK("aof: creation begun again");
      continue;
    }
    return base::fail(base::Errc::kInvalidData,
                      fmt::format("{} holds {} bytes, but the manifest {} is missing: restore the "
                                  "manifest, or move the file away to start empty",
                                  files_.path(entry.name), size, files_.manifest_path()));
  }
  return {};
}

base::Result<void> Opening::load() {
  const Manifest manifest = files_.manifest();
  if (manifest.base) {
    TRY(load_file(*manifest.base, true, manifest.increments.empty()));
    opened_.base_bytes = opened_.bytes;
  }
  for (const ManifestFile& file : manifest.increments) {
    opened_.earlier_bytes += opened_.bytes;
    TRY(load_file(file, false, &file == &manifest.increments.back()));
  }
  if (manifest.increments.empty()) TRY(add_increment());
  return {};
}

base::Result<void> Opening::load_file(const ManifestFile& entry, bool base, bool last) {
  opened_.path = files_.path(entry.name);
  auto file = os_.disk.open(opened_.path, os::kReadWrite);
  if (!file) {
    return base::fail(file.error().in(
        fmt::format("{}: {} is named by the manifest", files_.manifest_path(), opened_.path)));
  }
  opened_.file = std::move(*file);
  ReplayOptions options{
      .cut_truncated = config_.aof_load_truncated, .last_file = last, .base = base};
  const bool first = opened_.commands == 0 && opened_.snapshot_keys == 0;
  if (first) options.read_snapshot = [this](os::File& from) { return read_snapshot(from); };
  const Replayed replayed =
      TRY(replay_aof(*opened_.file, opened_.path, options, os_.log, execute_));
  opened_.bytes = replayed.bytes;
  opened_.closed = replayed.closed;
  opened_.commands += replayed.commands;
  return {};
}

base::Result<uint64_t> Opening::read_snapshot(os::File& file) {
  rdb::FileSource source(file);
  // What has expired is kept: the log's commands may still touch it, and tell of its end.
  auto info = rdb::read(source, keyspace_);
  if (!info) return base::fail(info.error().in(opened_.path));
  opened_.snapshot_keys += info->keys;
  return source.offset();
}

// There is a base only: Redis wrote it while its log was off, or it was a single file.
base::Result<void> Opening::add_increment() {
  MARK("aof: first increment behind a base");
  opened_.closed = false;
  opened_.earlier_bytes = opened_.bytes;
  Manifest manifest = files_.manifest();
  manifest.increments.push_back(files_.next_increment());
  const ManifestFile& increment = manifest.increments.back();
  opened_.file = TRY(files_.create_increment(increment));
  opened_.path = files_.path(increment.name);
  opened_.bytes = TRY(opened_.file->size());
  TRY(files_.sync_names());
  return files_.publish(std::move(manifest));
}

base::Result<void> Opening::clean_up() {
  TRY(files_.delete_history());
  for (const os::DirectoryEntry& entry : TRY(os_.disk.list(files_.directory()))) {
    if (!files_.manifest().names(entry.name)) TRY(clean_up(entry.name));
  }
  return {};
}

base::Result<void> Opening::clean_up(const std::string& name) {
  const std::string path = files_.path(name);
  const std::string_view log = config_.appendfilename;
  const bool draft = (name.starts_with("temp-rewriteaof-") && name.ends_with(".aof")) ||
                     name == fmt::format("temp_{}.manifest", log) ||
                     name == fmt::format("temp-{}.incr", log);
  const auto known = parse_log_file_name(log, name);
  if (!draft && !known) return {};
  bool useless = draft;
  if (known) {
    // A base that was not taken yet: all that is in it is in the log as well.
    const uint64_t taken = files_.manifest().base ? files_.manifest().base->sequence : 0;
    const bool increment = known->kind == LogFileKind::kIncrement;
    useless = TRY(size_of(path)) <= (increment ? kAnnotationBytesMax : kEmptyBaseBytesMax) ||
              (!increment && known->sequence > taken);
  }
  if (!useless) {
    os_.log.warn("{}: the manifest does not name it; it is not loaded", path);
    return {};
  }
  MARK("aof: left-over file deleted");
  os_.log.info("{}: deleted, a crash has left it over", path);
  return os_.disk.unlink(path);
}

base::Result<uint64_t> Opening::size_of(const std::string& path) {
  const auto file = TRY(os_.disk.open(path, os::kReadOnly));
  return file->size();
}

}  // namespace

base::Result<void> read_aof_manifest(os::Os& os, const Config& config, AofFiles& files) {
  const std::string& path = files.manifest_path();
  const auto text = os::read_file(os.disk, path, kManifestBytesMax);
  if (!text && text.error() != base::Errc::kNotFound) return base::fail(text.error().in(path));
  if (text) {
    // Redis's manifest has no checksum, and one wrong bit of it names another file.
    if (TRY(os::read_file(os.disk, path, kManifestBytesMax)) != *text) {
      MARK("aof: manifest read in two ways");
      return base::fail(base::Errc::kIo, path + ": two reads of it do not agree");
    }
    files.set_manifest(TRY(parse_manifest(*text, path)));
    // The names may have been seen, but not synced, before the last crash.
    TRY(files.sync_names());
    TRY(os.disk.sync_directory(config.dir));
  }
  const auto entries = os.disk.list(files.directory());
  if (!entries && entries.error() == base::Errc::kNotFound) return {};
  for (const os::DirectoryEntry& entry : TRY(entries)) {
    const auto name = parse_log_file_name(config.appendfilename, entry.name);
    if (name) files.avoid(*name);
  }
  return {};
}

base::Result<OpenedAof> open_aof(os::Os& os, const Config& config, AofFiles& files,
                                 Keyspace& keyspace, const ReplayCommand& execute) {
  Opening opening(os, config, files, keyspace, execute);
  return opening.run();
}

}  // namespace seatrial::kv
