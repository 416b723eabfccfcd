#include "sim/machine/file_data.h"

#include "base/check.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

namespace seatrial::sim {

namespace {

// std::erase_if shows a map's values as const; these predicates also settle what stays.
template <typename Map, typename Settle>
void settle_and_erase(Map& map, Settle settle) {
  for (auto it = map.begin(); it != map.end();) it = settle(it->second) ? map.erase(it) : ++it;
}

std::string whole_sector(std::string bytes) {
  bytes.resize(kSectorBytes);
  return bytes;
}

// Nothing that was not being written turns to garbage: only from the first byte of [from, to) in
// which the two differ to the last.
void spoil(std::string& sector, const std::string& before, const std::string& after, uint64_t from,
           uint64_t to, base::RandomStream& random) {
  while (from < to && before[from] == after[from]) ++from;
  while (from < to && before[to - 1] == after[to - 1]) --to;
  for (uint64_t i = from; i < to; ++i) sector[i] = static_cast<char>(random.below(256));
}

}  // namespace

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

// As far as the file reaches.
void FileData::put_sector(uint64_t sector, std::string contents) {
  const uint64_t begin = sector * kSectorBytes;
  if (begin >= bytes_.size()) return;
  contents.resize(std::min<uint64_t>(kSectorBytes, bytes_.size() - begin));
  bytes_.replace(begin, contents.size(), contents);
}

// Keeps what is durable of a sector before its first change since then, and later on one of the
// versions that are written over: the system may have written any of them by itself.
void FileData::about_to_change(uint64_t sector, bool overwritten) {
  auto [it, fresh] = shadows_.try_emplace(sector);
  Shadow& shadow = it->second;
  if (fresh) {
    shadow.durable = sector_bytes(sector);
    return;
  }
  if (shadow.in_sync && !shadow.synced) {
    shadow.synced = sector_bytes(sector);
  } else if (overwritten && !shadow.lost && base::mix64(++overwrites_) % 2 == 0) {
    shadow.between = sector_bytes(sector);
    shadow.between_in_sync = false;
  }
  shadow.lost = false;
}

void FileData::write(uint64_t offset, base::Bytes from) {
  if (from.empty()) return;
  const uint64_t end = offset + from.size();
  const uint64_t first = std::min<uint64_t>(offset, bytes_.size()) / kSectorBytes;
  for (uint64_t sector = first; sector <= (end - 1) / kSectorBytes; ++sector) {
    about_to_change(sector, offset < bytes_.size());
  }
  if (end > bytes_.size()) bytes_.resize(end);
  // Writing beyond the durable length, or up to the end, also again, is what makes the length part
  // of the next sync: a failed one may have lost it, and one in progress may cover another.
  if (end > durable_size_ || end == bytes_.size()) size_dirty_ = true;
  std::memcpy(bytes_.data() + offset, from.data(), from.size());
}

void FileData::truncate(uint64_t size) {
  if (size == bytes_.size()) return;
  const uint64_t low = std::min<uint64_t>(size, bytes_.size());
  const uint64_t high = std::max<uint64_t>(size, bytes_.size());
  for (uint64_t sector = low / kSectorBytes; sector * kSectorBytes < high; ++sector) {
    about_to_change(sector, low < bytes_.size());
  }
  bytes_.resize(size);
  size_dirty_ = true;
}

void FileData::begin_sync() {
  CHECK(!syncing_);
  syncing_ = true;
  syncing_size_ = bytes_.size();
  size_in_sync_ = std::exchange(size_dirty_, false);
  for (auto& [sector, shadow] : shadows_) {
    shadow.in_sync = !shadow.lost;
    shadow.between_in_sync = shadow.in_sync;
    shadow.synced.reset();
  }
}

void FileData::finish_sync() {
  CHECK(syncing_);
  syncing_ = false;
  if (std::exchange(size_in_sync_, false)) durable_size_ = syncing_size_;
  settle_and_erase(shadows_, [](Shadow& shadow) {
    if (!shadow.in_sync) return false;
    shadow.in_sync = false;
    if (!shadow.synced) return true;
    shadow.durable = *std::exchange(shadow.synced, std::nullopt);
    if (shadow.between_in_sync) shadow.between.reset();
    return false;
  });
}

void FileData::abandon_sync() {
  syncing_ = false;
  if (std::exchange(size_in_sync_, false)) size_dirty_ = true;
  for (auto& [sector, shadow] : shadows_) {
    shadow.in_sync = false;
    shadow.synced.reset();
  }
}

void FileData::fail_sync(base::RandomStream& random) {
  CHECK(syncing_);
  syncing_ = false;
  const bool size_written = random.chance(0.5);
  // Either way the kernel takes the length for written, unless it changed meanwhile.
  if (std::exchange(size_in_sync_, false) && size_written) durable_size_ = syncing_size_;
  settle_and_erase(shadows_, [&](Shadow& shadow) {
    if (!shadow.in_sync) return false;
    shadow.in_sync = false;
    const bool written = random.chance(0.5);
    if (written && !shadow.synced) return true;
    if (written) shadow.durable = *shadow.synced;
    if (!shadow.synced) shadow.lost = true;
    shadow.synced.reset();
    if (shadow.between_in_sync) shadow.between.reset();
    return false;
  });
}

std::optional<uint64_t> FileData::pick_in_sync(base::RandomStream& random) const {
  CHECK(syncing_);
  std::vector<uint64_t> sectors;
  for (const auto& [sector, shadow] : shadows_) {
    if (shadow.in_sync && !shadow.synced && sector * kSectorBytes < bytes_.size()) {
      sectors.push_back(sector);
    }
  }
  if (sectors.empty()) return std::nullopt;
  return sectors[random.below(sectors.size())];
}

bool FileData::lose_a_write(base::RandomStream& random) {
  const auto sector = pick_in_sync(random);
  if (!sector) return false;
  put_sector(*sector, shadows_.at(*sector).durable);
  return true;
}

bool FileData::misdirect_a_write(base::RandomStream& random) {
  const auto sector = pick_in_sync(random);
  const uint64_t sectors =
      (std::min(bytes_.size(), durable_size_) + kSectorBytes - 1) / kSectorBytes;
  if (!sector || sectors < 2) return false;
  // Not over one that is being written as well: that would hide it.
  const uint64_t from = random.below(sectors);
  for (uint64_t i = 0; i < sectors; ++i) {
    const uint64_t victim = (from + i) % sectors;
    if (victim == *sector || shadows_.contains(victim)) continue;
    put_sector(victim, whole_sector(sector_bytes(*sector)));
    put_sector(*sector, shadows_.at(*sector).durable);
    return true;
  }
  return false;
}

bool FileData::rot(base::RandomStream& random) {
  const uint64_t durable = std::min<uint64_t>(bytes_.size(), durable_size_);
  if (durable == 0) return false;
  uint64_t byte = random.below(durable);
  const auto bit = static_cast<char>(1U << random.below(8));
  // From there on, the first that is as it stands on the medium.
  for (uint64_t tried = 0; tried < durable; tried += kSectorBytes) {
    if (!shadows_.contains(byte / kSectorBytes)) {
      bytes_[byte] = static_cast<char>(bytes_[byte] ^ bit);
      return true;
    }
    byte = (byte + kSectorBytes) % durable;
  }
  return false;
}

// Without a sync: often the newest length, the durable one, or any between.
uint64_t FileData::surviving_size(base::RandomStream& random) const {
  const double lot = random.unit();
  const uint64_t low = std::min<uint64_t>(durable_size_, bytes_.size());
  const uint64_t high = std::max<uint64_t>(durable_size_, bytes_.size());
  const uint64_t between = low + random.below(high - low + 1);
  if (!size_dirty_ && !size_in_sync_) return durable_size_;
  return lot < 0.5 ? bytes_.size() : lot < 0.75 ? durable_size_ : between;
}

// What stands on the medium in place of a sector whose contents in the cache are `newest`.
std::string FileData::survivor(const Shadow& shadow, std::string newest, base::RandomStream& random,
                               const DiskWeather& weather) const {
  const double lot = random.unit();
  const uint64_t version = random.below(4);
  const uint64_t cut = 1 + random.below(kSectorBytes - 1);
  const bool head_is_old = random.chance(0.5);
  std::string old = whole_sector(shadow.durable);
  if (shadow.lost || lot >= weather.sector_kept + weather.sector_torn) return old;
  if (version == 0 && shadow.between) newest = whole_sector(*shadow.between);
  if (version == 1 && shadow.synced) newest = whole_sector(*shadow.synced);
  if (lot < weather.sector_kept) return newest;
  const uint64_t old_from = head_is_old ? 0 : cut;
  const uint64_t old_to = head_is_old ? cut : kSectorBytes;
  std::string torn = newest;
  torn.replace(old_from, old_to - old_from, old, old_from, old_to - old_from);
  if (weather.garbage_chance > 0 && random.chance(weather.garbage_chance)) {
    spoil(torn, old, newest, old_from, old_to, random);
  }
  return torn;
}

void FileData::lose_power(base::RandomStream& random, const DiskWeather& weather) {
  const uint64_t size = surviving_size(random);
  const std::string seen = bytes_;
  bytes_.resize(std::max({size, static_cast<uint64_t>(bytes_.size()), durable_size_}));
  for (const auto& [sector, shadow] : shadows_) {
    std::string newest;
    if (sector * kSectorBytes < seen.size()) {
      newest = seen.substr(sector * kSectorBytes, kSectorBytes);
    }
    put_sector(sector, survivor(shadow, whole_sector(std::move(newest)), random, weather));
  }
  bytes_.resize(size);
  durable_size_ = size;
  shadows_.clear();
  size_dirty_ = size_in_sync_ = syncing_ = false;
}

FileData FileData::durable_copy() const {
  FileData copy;
  copy.bytes_ = bytes_;
  copy.bytes_.resize(std::max<uint64_t>(durable_size_, bytes_.size()));
  for (const auto& [sector, shadow] : shadows_) {
    copy.put_sector(sector, whole_sector(shadow.durable));
  }
  copy.bytes_.resize(durable_size_);
  copy.durable_size_ = durable_size_;
  return copy;
}

}  // namespace seatrial::sim
