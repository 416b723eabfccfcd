#include "kv/propagate/aof_files.h"

#include "base/check.h"
#include "kv/propagate/aof_format.h"
#include "os/mark.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace seatrial::kv {

AofFiles::AofFiles(os::Disk& disk, os::Fibers& fibers, const Config& config)
    : disk_(disk),
      log_name_(config.appendfilename),
      parent_(config.dir),
      directory_(fmt::format("{}/{}", config.dir, config.appenddirname)),
      manifest_path_(path(log_name_ + ".manifest")),
      draft_path_(path(fmt::format("temp_{}.manifest", log_name_))),
      changing_(fibers) {}

std::string AofFiles::path(std::string_view name) const {
  return fmt::format("{}/{}", directory_, name);
}

std::string AofFiles::rewrite_path(std::string_view directory, int64_t child) {
  return fmt::format("{}/temp-rewriteaof-bg-{}.aof", directory, child);
}

void AofFiles::set_manifest(Manifest manifest) {
  manifest_ = std::move(manifest);
  for (const ManifestFile& file : manifest_.increments) {
    avoid({LogFileKind::kIncrement, file.sequence});
  }
  if (manifest_.base) avoid({LogFileKind::kBaseRdb, manifest_.base->sequence});
  for (const ManifestFile& file : manifest_.history) {
    if (const auto name = parse_log_file_name(log_name_, file.name)) avoid(*name);
  }
}

void AofFiles::avoid(const LogFileName& name) {
  uint64_t& greatest = name.kind == LogFileKind::kIncrement ? increment_sequence_ : base_sequence_;
  greatest = std::max(greatest, name.sequence);
}

ManifestFile AofFiles::next_base(bool rdb) {
  ++base_sequence_;
  const LogFileKind kind = rdb ? LogFileKind::kBaseRdb : LogFileKind::kBaseAof;
  return {log_file_name(log_name_, {kind, base_sequence_}), base_sequence_};
}

ManifestFile AofFiles::next_increment() {
  ++increment_sequence_;
  return {log_file_name(log_name_, {LogFileKind::kIncrement, increment_sequence_}),
          increment_sequence_};
}

base::Result<void> AofFiles::make_directory() {
  auto made = disk_.make_directory(directory_);
  if (!made && made.error() != base::Errc::kExists) {
    return base::fail(made.error().in(fmt::format("cannot create {}", directory_)));
  }
  // Also when it was there: a crash may have come before this sync.
  return disk_.sync_directory(parent_);
}

base::Result<std::unique_ptr<os::File>> AofFiles::create_increment(const ManifestFile& file) {
  CHECK(!manifest_.names(file.name));
  auto created = TRY(disk_.open(path(file.name), os::kReplace));
  TRY(os::pwrite_all(*created, 0, make_annotation({}, 0, 0)));
  TRY(created->sync_data());
  return created;
}

base::Result<void> AofFiles::draft(const Manifest& manifest) {
  auto file = TRY(disk_.open(draft_path_, os::kReplace));
  TRY(os::pwrite_all(*file, 0, format_manifest(manifest)));
  return file->sync_data();
}

base::Result<void> AofFiles::commit(Manifest manifest) {
  TRY(disk_.rename(draft_path_, manifest_path_));
  manifest_ = std::move(manifest);
  return sync_names();
}

base::Result<void> AofFiles::publish(Manifest manifest) {
  TRY(draft(manifest));
  return commit(std::move(manifest));
}

base::Result<void> AofFiles::delete_history() {
  if (manifest_.history.empty()) return {};
  Manifest rest = manifest_;
  rest.history.clear();
  base::Result<void> result;
  for (const ManifestFile& file : manifest_.history) {
    auto gone = disk_.unlink(path(file.name));
    if (gone || gone.error() == base::Errc::kNotFound) continue;
    MARK("aof: a file of the past stays");
    rest.history.push_back(file);
    result = base::fail(gone.error().in(path(file.name)));
  }
  // Else a power loss could bring a file back that nobody names any more.
  TRY(sync_names());
  TRY(publish(std::move(rest)));
  return result;
}

}  // namespace seatrial::kv
