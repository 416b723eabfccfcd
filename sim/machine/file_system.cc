#include "sim/machine/file_system.h"

#include "base/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace seatrial::sim {

using base::Errc;
using base::fail;

FileSystem::FileSystem(uint64_t capacity) : capacity_bytes(capacity) {
  root_ = std::make_shared<Inode>();
  root_->kind = os::EntryKind::kDirectory;
}

namespace {

std::unexpected<base::Error> no_such(std::string_view path) {
  return fail(Errc::kNotFound, fmt::format("{}: no such file or directory", path));
}

std::unexpected<base::Error> no_space(std::string_view path) {
  return fail(Errc::kNoSpace, fmt::format("{}: no space left on disk", path));
}

// The next name of a path, without its slashes; empty at the end.
std::string_view take_name(std::string_view& path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  const std::string_view name = path.substr(0, path.find('/'));
  path.remove_prefix(name.size());
  return name;
}

}  // namespace

Result<std::shared_ptr<Inode>> FileSystem::walk(std::string_view path,
                                                std::vector<const Inode*>* way) const {
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
    if (way != nullptr) way->push_back(at.get());
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
  Place place{.directory = nullptr, .name = std::string(name), .way = {}};
  place.directory =
      TRY(walk(slash == std::string_view::npos ? "" : path.substr(0, slash), &place.way));
  if (place.directory->kind != os::EntryKind::kDirectory) {
    return fail(Errc::kNotDirectory, fmt::format("{}: its parent is a file", path));
  }
  return place;
}

void FileSystem::NameChange::apply() const {
  if (from) from->durable_names.erase(from_name);
  if (inode) {
    directory->durable_names[name] = inode;
  } else {
    directory->durable_names.erase(name);
  }
}

bool FileSystem::NameChange::touches(const Inode* in, std::string_view called) const {
  return (directory.get() == in && name == called) || (from.get() == in && from_name == called);
}

// What keeps every survivor such as programs could have seen it, and loses no file that nobody
// removed: see the promises in disk.h.
void FileSystem::add_needs(NameChange& change, const std::vector<const Inode*>& ways) const {
  const auto latest = [&](auto&& is_it) {
    auto found = std::find_if(pending_.rbegin(), pending_.rend(), is_it);
    if (found != pending_.rend()) change.needs.push_back(found->number);
  };
  // Operations on one name keep their order.
  latest([&](const auto& c) { return c.touches(change.directory.get(), change.name); });
  if (change.from) {
    latest([&](const auto& c) { return c.touches(change.from.get(), change.from_name); });
  }
  // A rename finds both its directories where it found them.
  for (const Inode* directory : ways) {
    latest([&](const auto& c) { return c.inode.get() == directory; });
  }
  // A directory goes only with all that made it empty.
  const auto old = change.directory->names.find(change.name);
  if (old == change.directory->names.end()) return;
  if (old->second->kind != os::EntryKind::kDirectory) return;
  for (const NameChange& before : pending_) {
    if (before.directory == old->second || before.from == old->second) {
      change.needs.push_back(before.number);
    }
  }
}

void FileSystem::change(NameChange change, const std::vector<const Inode*>& ways) {
  add_needs(change, ways);
  auto old = change.directory->names.find(change.name);
  if (old != change.directory->names.end() && old->second->open > 0) {
    std::erase_if(nameless_, [](const auto& nameless) { return nameless.expired(); });
    nameless_.push_back(old->second);
  }
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
  if (full()) return no_space(path);
  auto inode = std::make_shared<Inode>();
  change({place.directory, place.name, inode, nullptr, {}, 0, {}});
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
  std::vector<const Inode*> ways = std::move(source.way);
  ways.insert(ways.end(), target.way.begin(), target.way.end());
  change({target.directory, target.name, inode, source.directory, source.name, 0, {}}, ways);
  return {};
}

Result<void> FileSystem::unlink(std::string_view path) {
  Place place = TRY(place_of(path));
  auto it = place.directory->names.find(place.name);
  if (it == place.directory->names.end()) return no_such(path);
  if (it->second->kind == os::EntryKind::kDirectory) {
    return fail(Errc::kIsDirectory, fmt::format("{}: is a directory", path));
  }
  change({place.directory, place.name, nullptr, nullptr, {}, 0, {}});
  return {};
}

Result<void> FileSystem::make_directory(std::string_view path) {
  Place place = TRY(place_of(path));
  if (place.directory->names.contains(place.name)) {
    return fail(Errc::kExists, fmt::format("{}: already exists", path));
  }
  if (full()) return no_space(path);
  auto inode = std::make_shared<Inode>();
  inode->kind = os::EntryKind::kDirectory;
  change({place.directory, place.name, inode, nullptr, {}, 0, {}});
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
  change({place.directory, place.name, nullptr, nullptr, {}, 0, {}});
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

// And what they need, and what that needs.
void FileSystem::choose_needed(std::vector<bool>& chosen) const {
  for (size_t i = pending_.size(); i-- > 0;) {
    if (!chosen[i]) continue;
    for (const uint64_t number : pending_[i].needs) {
      auto it = std::ranges::lower_bound(pending_, number, {}, &NameChange::number);
      if (it != pending_.end() && it->number == number) chosen[it - pending_.begin()] = true;
    }
  }
}

std::vector<bool> FileSystem::waiting_for(const Inode* directory, uint64_t seen) const {
  std::vector<bool> chosen(pending_.size());
  for (size_t i = 0; i < pending_.size(); ++i) {
    const NameChange& change = pending_[i];
    const bool is_in = change.directory.get() == directory || change.from.get() == directory;
    chosen[i] = is_in && change.number < seen;
  }
  return chosen;
}

void FileSystem::make_durable(const std::vector<bool>& chosen) {
  for (size_t i = 0; i < pending_.size(); ++i) {
    if (chosen[i]) pending_[i].apply();
  }
  size_t i = 0;
  std::erase_if(pending_, [&](const NameChange&) { return chosen[i++]; });
}

void FileSystem::sync_directory(const std::shared_ptr<Inode>& directory, uint64_t seen) {
  std::vector<bool> chosen = waiting_for(directory.get(), seen);
  choose_needed(chosen);
  make_durable(chosen);
}

void FileSystem::fail_sync_directory(const std::shared_ptr<Inode>& directory, uint64_t seen,
                                     base::RandomStream& random) {
  std::vector<bool> chosen = waiting_for(directory.get(), seen);
  for (size_t i = 0; i < chosen.size(); ++i) chosen[i] = chosen[i] && random.chance(0.5);
  choose_needed(chosen);
  make_durable(chosen);
}

namespace {

uint64_t used_below(const Inode& inode) {
  uint64_t total = inode.file.size();
  for (const auto& [name, entry] : inode.names) total += used_below(*entry);
  return total;
}

}  // namespace

uint64_t FileSystem::used_bytes() const {
  uint64_t total = used_below(*root_);
  for (const auto& nameless : nameless_) {
    const auto inode = nameless.lock();
    if (inode && inode->open > 0) total += inode->file.size();
  }
  return total;
}

uint64_t FileSystem::room(uint64_t bytes) const {
  if (capacity_bytes == UINT64_MAX) return bytes;
  const uint64_t used = used_bytes();
  return used >= capacity_bytes ? 0 : std::min(bytes, capacity_bytes - used);
}

namespace {

void collect_files(Inode& inode, std::vector<Inode*>& files) {
  if (inode.kind == os::EntryKind::kFile && inode.file.size() > 0) files.push_back(&inode);
  for (auto& [name, entry] : inode.names) collect_files(*entry, files);
}

}  // namespace

bool FileSystem::rot(base::RandomStream& random) {
  std::vector<Inode*> files;
  collect_files(*root_, files);
  const uint64_t first = random.below(std::max<size_t>(files.size(), 1));
  for (size_t i = 0; i < files.size(); ++i) {
    if (files[(first + i) % files.size()]->file.rot(random)) return true;
  }
  return false;
}

// Each file by its path: what becomes of one is another's business.
void FileSystem::forget_volatile(Inode& inode, uint64_t seed, const DiskWeather& weather) {
  if (inode.kind == os::EntryKind::kFile) {
    base::RandomStream random(seed);
    inode.file.lose_power(random, weather);
    return;
  }
  inode.names = inode.durable_names;
  for (auto& [name, entry] : inode.names) {
    forget_volatile(*entry, base::hash_name(name, base::mix64(seed)), weather);
  }
}

void FileSystem::lose_power(base::RandomStream& random, const DiskWeather& weather) {
  const uint64_t seed = random.next();
  std::vector<bool> kept(pending_.size());
  std::map<std::string_view, uint64_t> of_name;
  for (size_t i = 0; i < pending_.size(); ++i) {
    const std::string_view name = pending_[i].name;
    base::RandomStream luck(base::mix64(seed + of_name[name]++), name);
    kept[i] = luck.chance(weather.name_kept);
  }
  of_name.clear();
  choose_needed(kept);
  make_durable(kept);
  pending_.clear();
  nameless_.clear();
  forget_volatile(*root_, seed, weather);
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

}  // namespace seatrial::sim
