#include "kv/rdb_file.h"

#include "kv/rdb/sink.h"
#include "kv/rdb/source.h"
#include "os/mark.h"

#include <fmt/format.h>

#include <algorithm>

namespace seatrial::kv {
namespace {

constexpr std::string_view kPrefix = "temp-";
constexpr std::string_view kSuffix = ".rdb";

base::Result<void> write_and_sync(os::Disk& disk, const std::string& path, const Keyspace& keyspace,
                                  const rdb::Info& info, const rdb::WriteOptions& options) {
  auto file = TRY(disk.open(path, os::kCreateNew));
  rdb::FileSink sink(*file);
  TRY(rdb::write(keyspace, info, sink, options));
  return file->sync_data();
}

base::Result<rdb::Info> read_and_sync(os::File& file, Keyspace& into,
                                      const rdb::ReadOptions& options) {
  const auto source = std::make_unique<rdb::FileSource>(file);
  rdb::Info info = TRY(rdb::read(*source, into, options));
  if (!TRY(source->at_end())) {
    return base::fail(base::Errc::kInvalidData,
                      fmt::format("at offset {}: expected the end of the file", source->offset()));
  }
  TRY(file.sync_data());
  return info;
}

}  // namespace

bool is_temporary_rdb(std::string_view name) {
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return false;
  if (name.size() <= kPrefix.size() + kSuffix.size()) return false;
  name.remove_prefix(kPrefix.size());
  name.remove_suffix(kSuffix.size());
  if (name.starts_with("sync-") || name.starts_with("recv-")) return true;
  return std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
}

std::string temporary_rdb_path(std::string_view directory, os::Pid writer) {
  return fmt::format("{}/{}{}{}", directory, kPrefix, writer, kSuffix);
}

base::Result<void> write_temporary_rdb(os::Os& os, std::string_view directory,
                                       const Keyspace& keyspace, const rdb::Info& info,
                                       const rdb::WriteOptions& options) {
  const os::Pid writer = os.process.pid();
  const std::string path = temporary_rdb_path(directory, writer);
  if (auto removed = os.disk.unlink(path); removed) {
    MARK("rdb: a dead writer's file was in the way");
  } else if (removed.error() != base::Errc::kNotFound) {
    return base::fail(removed.error().in(path));
  }
  auto written = write_and_sync(os.disk, path, keyspace, info, options);
  if (written) return {};
  remove_temporary_rdb(os, directory, writer);
  return base::fail(written.error().in(path));
}

base::Result<void> publish_rdb(os::Os& os, std::string_view directory, os::Pid writer,
                               std::string_view name) {
  const std::string from = temporary_rdb_path(directory, writer);
  const std::string to = fmt::format("{}/{}", directory, name);
  if (auto renamed = os.disk.rename(from, to); !renamed) {
    return base::fail(renamed.error().in(fmt::format("{}: rename to {}", from, name)));
  }
  if (auto synced = os.disk.sync_directory(directory); !synced) {
    MARK("rdb: the name is not known to be durable");
    return base::fail(synced.error().in(fmt::format("{}: sync of its directory", to)));
  }
  return {};
}

void remove_temporary_rdb(os::Os& os, std::string_view directory, os::Pid writer) {
  const std::string path = temporary_rdb_path(directory, writer);
  auto removed = os.disk.unlink(path);
  if (removed || removed.error() == base::Errc::kNotFound) return;
  os.log.warn("{}: cannot be removed: {}", path, removed.error().message());
}

base::Result<void> remove_left_over_rdbs(os::Os& os, std::string_view directory) {
  for (const os::DirectoryEntry& entry : TRY(os.disk.list(directory))) {
    if (entry.kind != os::EntryKind::kFile || !is_temporary_rdb(entry.name)) continue;
    MARK("rdb: a dead writer's file removed");
    const std::string path = fmt::format("{}/{}", directory, entry.name);
    os.log.info("{}: left over from a snapshot that did not come to its end, removed", path);
    auto removed = os.disk.unlink(path);
    if (!removed && removed.error() != base::Errc::kNotFound) {
      return base::fail(removed.error().in(path));
    }
  }
  return {};
}

base::Result<rdb::Info> load_rdb_file(os::Os& os, const std::string& path, Keyspace& into,
                                      const rdb::ReadOptions& options) {
  // For writing, as a sync asks for it.
  auto file = os.disk.open(path, os::kReadWrite);
  if (!file && file.error() == base::Errc::kNotFound) return base::fail(file.error());
  if (!file) return base::fail(file.error().in(fmt::format("{}: cannot be opened", path)));
  auto info = read_and_sync(**file, into, options);
  if (!info) return base::fail(info.error().in(path));
  return info;
}

}  // namespace seatrial::kv
