#include "checkers/models/blocks.h"

#include "base/check.h"

#include <algorithm>

namespace seatrial::checkers {

uint32_t Blocks::add(uint32_t cell) {
  if (cell >= cells_.size()) cells_.resize(cell + 1);
  const auto block = static_cast<uint32_t>(blocks_.size());
  blocks_.push_back({.cell = cell});
  cells_[cell].order.push_back(block);
  return block;
}

void Blocks::include(uint32_t block, uint32_t call, uint32_t ret) {
  Block& b = blocks_[block];
  b.first_return = std::min(b.first_return, ret);
  b.last_call = std::max(b.last_call, call);
  b.left++;
}

void Blocks::seal() {
  for (Cell& cell : cells_) {
    std::ranges::stable_sort(cell.order, {}, [&](uint32_t b) { return blocks_[b].first_return; });
    for (uint32_t i = 0; i < cell.order.size(); i++) blocks_[cell.order[i]].place = i;
  }
}

void Blocks::change(uint32_t block, int32_t by) {
  Block& b = blocks_[block];
  b.left += by;
  CHECK(b.left >= 0);
  Cell& cell = cells_[b.cell];
  if (b.left > 0) {
    cell.first_left = std::min(cell.first_left, b.place);
    return;
  }
  while (cell.first_left < cell.order.size() && blocks_[cell.order[cell.first_left]].left == 0) {
    cell.first_left++;
  }
}

bool Blocks::must_wait(uint32_t block, uint32_t except) const {
  const Block& b = blocks_[block];
  const Cell& cell = cells_[b.cell];
  for (uint32_t i = cell.first_left; i < cell.order.size(); i++) {
    const Block& other = blocks_[cell.order[i]];
    if (other.first_return >= b.last_call) return false;
    if (other.left > 0 && cell.order[i] != block && cell.order[i] != except) return true;
  }
  return false;
}

}  // namespace seatrial::checkers
