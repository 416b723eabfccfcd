// Where a server's data stands: the replication id of its history, and how many bytes of that
// history's stream are in the data. Equal id and offset mean equal data.
//
// A history that takes another way (a promoted replica) gets a new id and keeps the old one with
// the offset where they part: up to there its data is that of the old history as well, so who
// followed the old one may go on here without a full synchronisation.
#pragma once

#include "base/random.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace seatrial::kv {

inline constexpr size_t kReplicationIdDigits = 40;

// 40 hexadecimal digits that nobody else has.
std::string make_replication_id(base::RandomStream& random);
bool is_replication_id(std::string_view text);

class History {
 public:
  explicit History(std::string id) : id_(std::move(id)) {}

  const std::string& id() const { return id_; }
  uint64_t offset() const { return offset_; }
  void advance(uint64_t bytes) { offset_ += bytes; }

  // All data is replaced by that of `offset` of the history `id`; nothing is known of others.
  void begin(std::string id, uint64_t offset);
  // What follows is the history `id`; what came before stays known under the id that it had.
  void branch(std::string id);
  // Nobody can follow the previous id here any more.
  void forget_previous();

  // Whether the first `offset` bytes of the history `id` are those of this one.
  bool agrees(std::string_view id, uint64_t offset) const {
    if (id == id_) return offset <= offset_;
    return has_previous() && id == previous_id_ && offset <= previous_offset_;
  }

  bool has_previous() const { return !previous_id_.empty(); }
  // As INFO shows it: zeros where there is none.
  std::string previous_id() const;
  // The first byte, counted from 1, that is no longer common; -1: there is no previous id.
  int64_t second_offset() const;

 private:
  std::string id_;
  uint64_t offset_ = 0;
  std::string previous_id_;
  uint64_t previous_offset_ = 0;
};

}  // namespace seatrial::kv
