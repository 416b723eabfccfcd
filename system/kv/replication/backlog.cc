#include "kv/replication/backlog.h"

#include "base/check.h"
#include "os/mark.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace seatrial::kv {

Backlog::Cursor::Cursor(std::shared_ptr<Backlog> backlog, uint64_t position)
    : backlog_(std::move(backlog)), position_(position) {
  CHECK(position <= backlog_->end_);
  CHECK(position == backlog_->end_ ||
        (!backlog_->blocks_.empty() && position >= backlog_->blocks_.front().begin));
  backlog_->cursors_.push_back(this);
}

Backlog::Cursor::~Cursor() {
  std::erase(backlog_->cursors_, this);
  backlog_->trim();
}

void Backlog::Cursor::advance(uint64_t count) {
  CHECK(count <= left());
  position_ += count;
  backlog_->trim();
}

void Backlog::append(base::Bytes bytes) {
  while (!bytes.empty()) {
    if (blocks_.empty() || blocks_.back().size == blocks_.back().capacity) add_block(bytes.size());
    Block& block = blocks_.back();
    const size_t count = std::min(bytes.size(), block.capacity - block.size);
    std::memcpy(block.bytes.get() + block.size, bytes.data(), count);
    block.size += count;
    end_ += count;
    bytes.remove_prefix(count);
  }
  if (end_ - begin_ > bytes_max_) begin_ = end_ - bytes_max_;
  trim();
}

void Backlog::add_block(size_t wanted) {
  const uint64_t capacity_max = std::max(block_bytes_, bytes_max_ / 16);
  const auto capacity =
      static_cast<size_t>(std::clamp<uint64_t>(wanted, block_bytes_, capacity_max));
  blocks_.push_back({end_, capacity, 0, std::make_unique_for_overwrite<char[]>(capacity)});
  held_ += capacity;
}

void Backlog::set_bytes_max(uint64_t bytes_max) {
  bytes_max_ = bytes_max;
  if (end_ - begin_ > bytes_max_) begin_ = end_ - bytes_max_;
  trim();
}

void Backlog::trim() {
  uint64_t needed = begin_;
  for (const Cursor* const cursor : cursors_) needed = std::min(needed, cursor->position());
  // The last block goes on being filled.
  while (blocks_.size() > 1 && blocks_.front().end() <= needed) {
    MARK("backlog: block given back");
    held_ -= blocks_.front().capacity;
    blocks_.pop_front();
  }
}

base::Bytes Backlog::at(uint64_t position) const {
  if (position == end_) return {};
  auto block = std::ranges::upper_bound(blocks_, position, {}, &Block::begin);
  CHECK(block != blocks_.begin());
  --block;
  CHECK(position < block->end());
  const auto skip = static_cast<size_t>(position - block->begin);
  return {block->bytes.get() + skip, block->size - skip};
}

}  // namespace seatrial::kv
