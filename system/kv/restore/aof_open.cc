#include "kv/restore/aof_open.h"

#include "kv/propagate/aof_format.h"
#include "os/mark.h"

#include <fmt/format.h>

#include <vector>

namespace seatrial::kv {
namespace {

constexpr uint64_t kManifestBytesMax = 1024 * 1024;

struct Paths {
  std::string directory;
  std::string manifest;
  std::string manifest_draft;

  explicit Paths(const Config& config)
      : directory(fmt::format("{}/{}", config.dir, config.appenddirname)),
        manifest(fmt::format("{}/{}.manifest", directory, config.appendfilename)),
        manifest_draft(fmt::format("{}/temp_{}.manifest", directory, config.appendfilename)) {}
};

base::Result<void> make_log_directory(os::Disk& disk, const Config& config,
                                      const std::string& directory) {
  auto made = disk.make_directory(directory);
  if (!made && made.error() != base::Errc::kExists) {
    return base::fail(made.error().in(fmt::format("cannot create {}", directory)));
  }
  // Also when it was there: a crash may have come before this sync.
  return disk.sync_directory(config.dir);
}

// A file without a manifest that names it: left over from a start that did not come to its end,
// and then it holds one line of ours at most.
base::Result<void> check_left_over(os::Disk& disk, const std::string& path,
                                   const std::string& manifest) {
  auto file = disk.open(path, os::kReadOnly);
  if (!file) {
    if (file.error() == base::Errc::kNotFound) return {};
    return base::fail(file.error());
  }
  const uint64_t size = TRY((*file)->size());
  if (size <= kAnnotationBytesMax) {
    MARK("aof: creation begun again");
    return {};
  }
  return base::fail(base::Errc::kInvalidData,
                    fmt::format("{} holds {} bytes, but the manifest {} is missing: restore the "
                                "manifest, or move the file away to start empty",
                                path, size, manifest));
}

base::Result<OpenedAof> create(os::Os& os, const Config& config, const Paths& paths) {
  TRY(make_log_directory(os.disk, config, paths.directory));
  const std::string name = config.appendfilename + ".1.incr.aof";
  OpenedAof opened;
  opened.path = fmt::format("{}/{}", paths.directory, name);
  TRY(check_left_over(os.disk, opened.path, paths.manifest));
  opened.file = TRY(os.disk.open(opened.path, os::kReplace));
  const std::string line = make_annotation({}, 0, 0);
  TRY(os::pwrite_all(*opened.file, 0, line));
  TRY(opened.file->sync_data());
  // Its name must be durable before a manifest can be that names it.
  TRY(os.disk.sync_directory(paths.directory));
  auto draft = TRY(os.disk.open(paths.manifest_draft, os::kReplace));
  TRY(os::pwrite_all(*draft, 0, format_manifest({{name, 1, 'i'}})));
  TRY(draft->sync_data());
  TRY(os.disk.rename(paths.manifest_draft, paths.manifest));
  TRY(os.disk.sync_directory(paths.directory));
  opened.bytes = line.size();
  return opened;
}

base::Result<OpenedAof> load(os::Os& os, const Config& config, const Paths& paths,
                             std::string_view manifest, const ReplayCommand& execute) {
  std::vector<ManifestFile> files = TRY(parse_manifest(manifest, paths.manifest));
  std::erase_if(files, [](const ManifestFile& file) { return file.type == 'h'; });
  if (files.empty() || files.back().type != 'i') {
    return base::fail(base::Errc::kInvalidData,
                      paths.manifest + ": names no file of type i, which is the one to write to");
  }
  OpenedAof opened;
  for (const ManifestFile& entry : files) {
    const bool last = &entry == &files.back();
    opened.path = fmt::format("{}/{}", paths.directory, entry.name);
    auto file = os.disk.open(opened.path, os::kReadWrite);
    if (!file) {
      return base::fail(file.error().in(
          fmt::format("{}: {} is named by the manifest", paths.manifest, opened.path)));
    }
    opened.file = std::move(*file);
    const ReplayOptions options{.cut_truncated = config.aof_load_truncated, .last_file = last};
    const Replayed replayed = TRY(replay_aof(*opened.file, opened.path, options, os.log, execute));
    opened.bytes = replayed.bytes;
    opened.commands += replayed.commands;
  }
  // The names may have been seen, but not synced, before the last crash.
  TRY(os.disk.sync_directory(paths.directory));
  TRY(os.disk.sync_directory(config.dir));
  return opened;
}

}  // namespace

base::Result<OpenedAof> open_aof(os::Os& os, const Config& config, const ReplayCommand& execute) {
  const Paths paths(config);
  const auto manifest = os::read_file(os.disk, paths.manifest, kManifestBytesMax);
  if (manifest) return load(os, config, paths, *manifest, execute);
  if (manifest.error() != base::Errc::kNotFound) {
    return base::fail(manifest.error().in(paths.manifest));
  }
  auto created = create(os, config, paths);
  if (!created) return base::fail(created.error().in("cannot make the append-only file"));
  return created;
}

}  // namespace seatrial::kv
