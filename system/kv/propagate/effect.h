// Step 6: what one execution changed, as commands that repeat it exactly on the same data. One
// request, or one whole EXEC, gathers its effects here; then they go to the log as one unit.
#pragma once

#include "resp/request.h"
#include "resp/writer.h"

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

namespace seatrial::kv {

struct Effect {
  int database;
  size_t begin;  // Of its bytes in the unit's.
  size_t end;
};

class Effects {
 public:
  void record(int database, resp::Args words) { put(database, words); }
  void record(int database, std::initializer_list<std::string_view> words) {
    put(database, std::span(words.begin(), words.size()));
  }

  bool empty() const { return list_.empty(); }
  std::span<const Effect> list() const { return list_; }
  base::Bytes bytes(const Effect& effect) const {
    return bytes_.bytes().substr(effect.begin, effect.end - effect.begin);
  }
  void clear() {
    list_.clear();
    bytes_.clear();
    bytes_.shrink_to(kKeptBytes);
  }

  // Whether anybody takes them. If not, they are counted and dropped.
  void set_wanted(bool wanted) { wanted_ = wanted; }
  // Since the start.
  uint64_t count() const { return count_; }

 private:
  static constexpr size_t kKeptBytes = 64 * 1024;

  void put(int database, resp::Args words) {
    ++count_;
    if (!wanted_) return;
    const size_t begin = bytes_.size();
    bytes_.request(words);
    list_.push_back({database, begin, bytes_.size()});
  }

  std::vector<Effect> list_;
  resp::Writer bytes_;
  uint64_t count_ = 0;
  bool wanted_ = false;
};

}  // namespace seatrial::kv
