// One file's bytes and length: as programs see them (the page cache), and what would survive a
// power loss now. The model and its promises stand at the head of sim/machine/disk.h.
#pragma once

#include "base/bytes.h"
#include "base/random.h"
#include "sim/weather.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace seatrial::sim {

inline constexpr uint64_t kSectorBytes = 512;

class FileData {
 public:
  size_t read(uint64_t offset, base::MutableBytes into) const;
  void write(uint64_t offset, base::Bytes from);
  void truncate(uint64_t size);
  uint64_t size() const { return bytes_.size(); }

  // A sync in two halves, since writes may come between: what begin_sync() saw is durable after
  // finish_sync(). One at a time.
  void begin_sync();
  void finish_sync();
  // Instead of finish_sync(): whoever asked is gone, or was lied to; nothing is promised.
  void abandon_sync();
  bool syncing() const { return syncing_; }
  // Instead of finish_sync(): the device said no.
  void fail_sync(base::RandomStream& random);

  // Before finish_sync(): the device will not write one of the sectors, or will write it in the
  // place of another of this file's, and says nothing. What stands on the medium is read at once,
  // as if the page had left the cache. False: there is no such sector.
  bool lose_a_write(base::RandomStream& random);
  bool misdirect_a_write(base::RandomStream& random);
  // One bit of a durable sector flips, on the medium and for readers. False: there is none.
  bool rot(base::RandomStream& random);

  void lose_power(base::RandomStream& random, const DiskWeather& weather);
  // Bytes and length as they are durable now, with nothing pending.
  FileData durable_copy() const;
  uint64_t unsynced_sectors() const { return shadows_.size(); }

 private:
  // What is known of a sector whose durable contents are older than those in bytes_.
  struct Shadow {
    std::string durable;                // Shorter than a sector where the durable file ends in it.
    std::optional<std::string> synced;  // As a sync in progress saw it, if it changed since.
    std::optional<std::string>
        between;                   // As it once was, after `durable`: it may have been written.
    bool in_sync = false;          // Covered by the sync in progress.
    bool between_in_sync = false;  // `between` is older than what that sync covers.
    bool lost = false;             // A failed sync dropped it; the kernel thinks it clean.
  };

  void about_to_change(uint64_t sector, bool overwritten);
  std::string sector_bytes(uint64_t sector) const;
  void put_sector(uint64_t sector, std::string contents);
  std::optional<uint64_t> pick_in_sync(base::RandomStream& random) const;
  std::string survivor(const Shadow& shadow, std::string newest, base::RandomStream& random,
                       const DiskWeather& weather) const;
  uint64_t surviving_size(base::RandomStream& random) const;

  std::string bytes_;
  std::map<uint64_t, Shadow> shadows_;
  uint64_t durable_size_ = 0;
  uint64_t syncing_size_ = 0;
  uint64_t overwrites_ = 0;
  bool size_dirty_ = false;    // Beside what the sync in progress covers.
  bool size_in_sync_ = false;  // The sync in progress covers a length that is not durable.
  bool syncing_ = false;
};

}  // namespace seatrial::sim
