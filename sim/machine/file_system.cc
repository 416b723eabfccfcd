#include "sim/machine/file_system.h"

#include "base/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <set>

namespace seatrial::sim {

using base::Errc;
using base::fail;

namespace {

// std::erase_if shows a map's values as const; these predicates also settle what stays.
template <typename Map, typename Settle>
void settle_and_erase(Map& map, Settle settle) {
  for (auto it = map.begin(); it != map.end();) it = settle(it->second) ? map.erase(it) : ++it;
}

}  // namespace

// ---- FileData

size_t FileData::read(uint64_t offset, base::MutableBytes into) const {
  if (offset >= bytes_.size()) return 0;
  const size_t count = std::min<uint64_t>(into.size(), bytes_.size() - offset);
  std::memcpy(into.data(), bytes_.data() + offset, count);
  return count;
}

std::string FileData::sector_bytes(uint64_t sector) const {
  const uint64_t begin = sector * kSectorBytes;
  if (begin >= bytes_.size()) return {};
  return bytes_.substr(begin, kSectorBytes);
}

// Keeps what is durable of a sector before its first change since then.
void FileData::about_to_change(uint64_t sector) {
  auto [it, fresh] = shadows_.try_emplace(sector);
  Shadow& shadow = it->second;
  if (fresh) {
    shadow.durable = sector_bytes(sector);
    return;
  }
  if (shadow.in_sync && !shadow.synced) shadow.synced = sector_bytes(sector);
  shadow.lost = false;
}

void FileData::write(uint64_t offset, base::Bytes from) {
  if (from.empty()) return;
  const uint64_t end = offset + from.size();
  const uint64_t first = std::min<uint64_t>(offset, bytes_.size()) / kSectorBytes;
  for (uint64_t sector = first; sector <= (end - 1) / kSectorBytes; ++sector) {
    about_to_change(sector);
  }
  if (end > bytes_.size()) bytes_.resize(end);
  // Writing beyond the durable length, or up to the end, also again, is what makes the length part
  // of the next sync: a failed one may have lost it.
  if (end > durable_size_ || (end == bytes_.size() && durable_size_ != end)) size_dirty_ = true;
  std::memcpy(bytes_.data() + offset, from.data(), from.size());
}

void FileData::truncate(uint64_t size) {
  if (size == bytes_.size()) return;
  const uint64_t low = std::min<uint64_t>(size, bytes_.size());
  const uint64_t high = std::max<uint64_t>(size, bytes_.size());
  for (uint64_t sector = low / kSectorBytes; sector * kSectorBytes < high; ++sector) {
    about_to_change(sector);
  }
  bytes_.resize(size);
  size_dirty_ = true;
}

void FileData::begin_sync() {
  CHECK(!syncing_);
  syncing_ = true;
  syncing_size_ = bytes_.size();
  for (auto& [sector, shadow] : shadows_) {
    shadow.in_sync = !shadow.lost;
    shadow.synced.reset();
  }
}

void FileData::finish_sync() {
  CHECK(syncing_);
  syncing_ = false;
  if (size_dirty_) {
    durable_size_ = syncing_size_;
    size_dirty_ = bytes_.size() != syncing_size_;
  }
  settle_and_erase(shadows_, [](Shadow& shadow) {
    if (!shadow.in_sync) return false;
    shadow.in_sync = false;
    if (!shadow.synced) return true;
    shadow.durable = *std::exchange(shadow.synced, std::nullopt);
    return false;
  });
}

void FileData::abandon_sync() {
  syncing_ = false;
  for (auto& [sector, shadow] : shadows_) {
    shadow.in_sync = false;
    shadow.synced.reset();
  }
}

void FileData::fail_sync(base::RandomStream& random) {
  CHECK(syncing_);
  syncing_ = false;
  const bool size_written = random.chance(0.5);
  if (size_dirty_) {
    if (size_written) durable_size_ = syncing_size_;
    // Either way the kernel takes the length for written, unless it changed meanwhile.
    size_dirty_ = bytes_.size() != syncing_size_;
  }
  settle_and_erase(shadows_, [&](Shadow& shadow) {
    if (!shadow.in_sync) return false;
    shadow.in_sync = false;
    const bool written = random.chance(0.5);
    if (written && !shadow.synced) return true;
    if (written) shadow.durable = *shadow.synced;
    if (!shadow.synced) shadow.lost = true;
    shadow.synced.reset();
    return false;
  });
}

void FileData::lose_power(base::RandomStream& random, const DiskWeather& weather) {
  const uint64_t seen_size = bytes_.size();
  uint64_t size = durable_size_;
  if (size_dirty_) {
    const double lot = random.unit();
    const uint64_t low = std::min(durable_size_, seen_size);
    const uint64_t high = std::max(durable_size_, seen_size);
    if (lot < 0.5) size = seen_size;
    if (lot >= 0.75) size = low + random.below(high - low + 1);
  }
  std::string survivor = bytes_;
  survivor.resize(std::max({size, seen_size, durable_size_}));
  for (const auto& [sector, shadow] : shadows_) {
    std::string old_bytes = shadow.durable;
    old_bytes.resize(kSectorBytes);
    const uint64_t begin = sector * kSectorBytes;
    const double lot = random.unit();
    const uint64_t cut = 1 + random.below(kSectorBytes - 1);
    const bool head_is_old = random.chance(0.5);
    uint64_t old_from = 0;
    uint64_t old_to = kSectorBytes;  // Dropped, unless the lot says better.
    if (!shadow.lost && lot < weather.sector_kept) {
      old_to = 0;
    } else if (!shadow.lost && lot < weather.sector_kept + weather.sector_torn) {
      (head_is_old ? old_to : old_from) = cut;
    }
    for (uint64_t i = old_from; i < old_to && begin + i < survivor.size(); ++i) {
      survivor[begin + i] = old_bytes[i];
    }
  }
  survivor.resize(size);
  bytes_ = std::move(survivor);
  durable_size_ = size;
  shadows_.clear();
  size_dirty_ = false;
  syncing_ = false;
}

FileData FileData::durable_copy() const {
  FileData copy;
  copy.bytes_ = bytes_;
  copy.bytes_.resize(std::max<uint64_t>(durable_size_, bytes_.size()));
  for (const auto& [sector, shadow] : shadows_) {
    std::string durable = shadow.durable;
    durable.resize(kSectorBytes);
    const uint64_t begin = sector * kSectorBytes;
    if (begin >= copy.bytes_.size()) continue;
    copy.bytes_.replace(begin, std::min(kSectorBytes, copy.bytes_.size() - begin), durable, 0,
                        std::min(kSectorBytes, copy.bytes_.size() - begin));
  }
  copy.bytes_.resize(durable_size_);
  copy.durable_size_ = durable_size_;
  return copy;
}

// ---- FileSystem

FileSystem::FileSystem(uint64_t capacity) : capacity_bytes(capacity) {
  root_ = std::make_shared<Inode>();
  root_->kind = os::EntryKind::kDirectory;
}

namespace {

std::unexpected<base::Error> no_such(std::string_view path) {
  return fail(Errc::kNotFound, fmt::format("{}: no such file or directory", path));
}

// The next name of a path, without its slashes; empty at the end.
std::string_view take_name(std::string_view& path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  const std::string_view name = path.substr(0, path.find('/'));
  path.remove_prefix(name.size());
  return name;
}

}  // namespace

Result<std::shared_ptr<Inode>> FileSystem::walk(std::string_view path) const {
  std::shared_ptr<Inode> at = root_;
  std::string_view rest = path;
  for (std::string_view name = take_name(rest); !name.empty(); name = take_name(rest)) {
    if (at->kind != os::EntryKind::kDirectory) {
      return fail(Errc::kNotDirectory, fmt::format("{}: not a directory on the way", path));
    }
    if (name == ".") continue;
    auto it = at->names.find(name);
    if (it == at->names.end()) return no_such(path);
    at = it->second;
  }
  return at;
}

Result<FileSystem::Place> FileSystem::place_of(std::string_view path) const {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  const size_t slash = path.rfind('/');
  const std::string_view name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  if (name.empty() || name == "." || name == "..") {
    return fail(Errc::kInvalidArgument, fmt::format("{}: not a name", path));
  }
  auto directory = TRY(walk(slash == std::string_view::npos ? "" : path.substr(0, slash)));
  if (directory->kind != os::EntryKind::kDirectory) {
    return fail(Errc::kNotDirectory, fmt::format("{}: its parent is a file", path));
  }
  return Place{std::move(directory), std::string(name)};
}

void FileSystem::NameChange::apply() const {
  if (from) from->durable_names.erase(from_name);
  if (inode) {
    directory->durable_names[name] = inode;
  } else {
    directory->durable_names.erase(name);
  }
}

void FileSystem::change(NameChange change) {
  if (change.from) change.from->names.erase(change.from_name);
  if (change.inode) {
    change.directory->names[change.name] = change.inode;
  } else {
    change.directory->names.erase(change.name);
  }
  change.number = next_change_++;
  pending_.push_back(std::move(change));
}

Result<std::shared_ptr<Inode>> FileSystem::open(std::string_view path, os::OpenOptions options) {
  Place place = TRY(place_of(path));
  auto it = place.directory->names.find(place.name);
  if (it != place.directory->names.end()) {
    std::shared_ptr<Inode> inode = it->second;
    if (inode->kind == os::EntryKind::kDirectory) {
      return fail(Errc::kIsDirectory, fmt::format("{}: is a directory", path));
    }
    if (options.create && options.exclusive) {
      return fail(Errc::kExists, fmt::format("{}: already exists", path));
    }
    if (options.truncate) inode->file.truncate(0);
    return inode;
  }
  if (!options.create) return no_such(path);
  auto inode = std::make_shared<Inode>();
  change({place.directory, place.name, inode, nullptr, {}});
  return inode;
}

// Whether `directory` is `inode` or lies somewhere below it.
bool FileSystem::holds(const Inode& inode, const Inode& directory) {
  if (&inode == &directory) return true;
  return std::ranges::any_of(inode.names,
                             [&](const auto& entry) { return holds(*entry.second, directory); });
}

Result<void> FileSystem::rename(std::string_view from, std::string_view to) {
  Place source = TRY(place_of(from));
  auto it = source.directory->names.find(source.name);
  if (it == source.directory->names.end()) return no_such(from);
  std::shared_ptr<Inode> inode = it->second;
  Place target = TRY(place_of(to));
  if (holds(*inode, *target.directory)) {
    return fail(Errc::kInvalidArgument, fmt::format("{}: inside {} itself", to, from));
  }
  if (auto old = target.directory->names.find(target.name); old != target.directory->names.end()) {
    if (old->second == inode) return {};
    if (old->second->kind != inode->kind) {
      return old->second->kind == os::EntryKind::kDirectory
                 ? fail(Errc::kIsDirectory, fmt::format("{}: is a directory", to))
                 : fail(Errc::kNotDirectory, fmt::format("{}: not a directory", to));
    }
    if (!old->second->names.empty()) {
      return fail(Errc::kNotEmpty, fmt::format("{}: directory not empty", to));
    }
  }
  change({target.directory, target.name, inode, source.directory, source.name});
  return {};
}

Result<void> FileSystem::unlink(std::string_view path) {
  Place place = TRY(place_of(path));
  auto it = place.directory->names.find(place.name);
  if (it == place.directory->names.end()) return no_such(path);
  if (it->second->kind == os::EntryKind::kDirectory) {
    return fail(Errc::kIsDirectory, fmt::format("{}: is a directory", path));
  }
  change({place.directory, place.name, nullptr, nullptr, {}});
  return {};
}

Result<void> FileSystem::make_directory(std::string_view path) {
  Place place = TRY(place_of(path));
  if (place.directory->names.contains(place.name)) {
    return fail(Errc::kExists, fmt::format("{}: already exists", path));
  }
  auto inode = std::make_shared<Inode>();
  inode->kind = os::EntryKind::kDirectory;
  change({place.directory, place.name, inode, nullptr, {}});
  return {};
}

Result<void> FileSystem::remove_directory(std::string_view path) {
  Place place = TRY(place_of(path));
  auto it = place.directory->names.find(place.name);
  if (it == place.directory->names.end()) return no_such(path);
  if (it->second->kind != os::EntryKind::kDirectory) {
    return fail(Errc::kNotDirectory, fmt::format("{}: not a directory", path));
  }
  if (!it->second->names.empty()) {
    return fail(Errc::kNotEmpty, fmt::format("{}: directory not empty", path));
  }
  change({place.directory, place.name, nullptr, nullptr, {}});
  return {};
}

Result<std::vector<os::DirectoryEntry>> FileSystem::list(std::string_view path) const {
  const auto inode = TRY(directory(path));
  std::vector<os::DirectoryEntry> entries;
  for (const auto& [name, entry] : inode->names) entries.push_back({name, entry->kind});
  return entries;
}

Result<std::shared_ptr<Inode>> FileSystem::directory(std::string_view path) const {
  auto inode = TRY(walk(path));
  if (inode->kind != os::EntryKind::kDirectory) {
    return fail(Errc::kNotDirectory, fmt::format("{}: not a directory", path));
  }
  return inode;
}

void FileSystem::sync_directory(const std::shared_ptr<Inode>& directory, uint64_t seen) {
  // A rename becomes durable in both its directories at once, and so must what came before it on
  // either name: otherwise an older change would be applied over a newer one later.
  std::set<std::pair<const Inode*, std::string_view>> names;
  std::vector<bool> chosen(pending_.size());
  for (size_t i = pending_.size(); i-- > 0;) {
    const NameChange& change = pending_[i];
    if (change.number >= seen) continue;
    const std::pair<const Inode*, std::string_view> to{change.directory.get(), change.name};
    const std::pair<const Inode*, std::string_view> from{change.from.get(), change.from_name};
    chosen[i] = change.directory == directory || change.from == directory || names.contains(to) ||
                names.contains(from);
    if (!chosen[i]) continue;
    names.insert(to);
    if (change.from) names.insert(from);
  }
  for (size_t i = 0; i < pending_.size(); ++i) {
    if (chosen[i]) pending_[i].apply();
  }
  names.clear();
  size_t i = 0;
  std::erase_if(pending_, [&](const NameChange&) { return chosen[i++]; });
}

uint64_t FileSystem::used_bytes(const Inode& inode) {
  uint64_t total = inode.file.size();
  for (const auto& [name, entry] : inode.names) total += used_bytes(*entry);
  return total;
}

uint64_t FileSystem::room(uint64_t bytes) const {
  if (capacity_bytes == UINT64_MAX) return bytes;
  const uint64_t used = used_bytes(*root_);
  return used >= capacity_bytes ? 0 : std::min(bytes, capacity_bytes - used);
}

void FileSystem::forget_volatile(Inode& inode, base::RandomStream& random,
                                 const DiskWeather& weather) {
  if (inode.kind == os::EntryKind::kFile) {
    inode.file.lose_power(random, weather);
    return;
  }
  inode.names = inode.durable_names;
  for (auto& [name, entry] : inode.names) forget_volatile(*entry, random, weather);
}

std::shared_ptr<Inode> FileSystem::durable_copy(const Inode& inode) {
  auto copy = std::make_shared<Inode>();
  copy->kind = inode.kind;
  copy->file = inode.file.durable_copy();
  for (const auto& [name, entry] : inode.durable_names) copy->names[name] = durable_copy(*entry);
  copy->durable_names = copy->names;
  return copy;
}

FileSystem FileSystem::copy() const {
  FileSystem image(capacity_bytes);
  image.root_ = durable_copy(*root_);
  return image;
}

void FileSystem::lose_power(base::RandomStream& random, const DiskWeather& weather) {
  std::vector<bool> kept(pending_.size());
  for (size_t i = 0; i < pending_.size(); ++i) kept[i] = random.chance(weather.name_kept);
  // A file never has two names: a rename survives only with what had put the file where it was.
  for (size_t i = pending_.size(); i-- > 0;) {
    const NameChange& rename = pending_[i];
    if (!kept[i] || !rename.from) continue;
    for (size_t j = i; j-- > 0;) {
      const NameChange& before = pending_[j];
      if (before.directory != rename.from || before.name != rename.from_name) continue;
      if (before.inode == rename.inode) kept[j] = true;
      break;
    }
  }
  for (size_t i = 0; i < pending_.size(); ++i) {
    if (kept[i]) pending_[i].apply();
  }
  pending_.clear();
  forget_volatile(*root_, random, weather);
}

}  // namespace seatrial::sim
