// The end of the replication stream in memory: for replicas that come back after a short absence,
// and, at the same time, the output buffer of all that are here. The bytes stand in blocks that
// are written once and never move; each replica holds a place in them, and a block goes when it
// is older than the backlog has to reach back and nobody stands in it or before it.
//
// Invariants: blocks follow each other without a gap and end at end(); every byte from begin() on
// and every byte behind a cursor is there.
#pragma once

#include "base/bytes.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

namespace seatrial::kv {

class Backlog {
 public:
  // A reader's place. What lies behind it stays until it moves on or goes, also where the backlog
  // itself has been given up for another.
  class Cursor {
   public:
    // `position` must be held.
    Cursor(std::shared_ptr<Backlog> backlog, uint64_t position);
    ~Cursor();
    Cursor(const Cursor&) = delete;
    Cursor& operator=(const Cursor&) = delete;

    uint64_t position() const { return position_; }
    uint64_t left() const { return backlog_->end() - position_; }
    // Some of the bytes here, not all: empty only at the end. They stay where they are until the
    // cursor moves.
    base::Bytes bytes() const { return backlog_->at(position_); }
    void advance(uint64_t count);

   private:
    std::shared_ptr<Backlog> backlog_;
    uint64_t position_;
  };

  // Empty, with its next byte at `offset` of the stream; reaches back `bytes_max` for those who
  // come. `block_bytes`: of memory taken at once, more for a backlog of many of them.
  Backlog(uint64_t offset, uint64_t bytes_max, uint64_t block_bytes)
      : block_bytes_(block_bytes), bytes_max_(bytes_max), begin_(offset), end_(offset) {}
  Backlog(const Backlog&) = delete;
  Backlog& operator=(const Backlog&) = delete;

  void append(base::Bytes bytes);
  void set_bytes_max(uint64_t bytes_max);

  uint64_t begin() const { return begin_; }
  uint64_t end() const { return end_; }
  // Whoever has the first `position` bytes of the stream can be given the rest.
  bool reaches(uint64_t position) const { return position >= begin_ && position <= end_; }
  uint64_t bytes_held() const { return held_; }

 private:
  struct Block {
    uint64_t begin;
    size_t capacity;
    size_t size = 0;
    std::unique_ptr<char[]> bytes;
    uint64_t end() const { return begin + size; }
  };

  base::Bytes at(uint64_t position) const;
  void add_block(size_t wanted);
  void trim();

  uint64_t block_bytes_;
  uint64_t bytes_max_;
  uint64_t begin_;
  uint64_t end_;
  uint64_t held_ = 0;  // Memory of the blocks.
  std::deque<Block> blocks_;
  std::vector<const Cursor*> cursors_;
};

}  // namespace seatrial::kv
