// Which writes must wait for which: what real time says about a cell's values as a whole.
//
// Where one operation alone can have written a value, the write and the reads of it stand together
// in every linearization, and no other change of that cell stands between them: a block. A change
// whose value nobody asks for is a block of its own. If a member of block A returned before a
// member of block B was called, all of A comes before B (the zones of Gibbons and Korach 1997,
// used as a pruning rule). So B's write may only be placed when A is complete. With it a search
// over one cell of unique values hardly ever takes a step back.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

namespace seatrial::checkers {

class Blocks {
 public:
  static constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();

  // A block without members, among those of `cell`.
  uint32_t add(uint32_t cell);
  // Positions as in a Step; ret == kNeverAt: it need not happen.
  void include(uint32_t block, uint32_t call, uint32_t ret);
  // No block is added after this; counting begins with no member placed.
  void seal();

  void place(uint32_t block) { change(block, -1); }
  void take_back(uint32_t block) { change(block, +1); }
  // Whether a block that comes before `block` is not complete. Members of `except` do not count:
  // a step that ends one block and begins another is the last of the one.
  bool must_wait(uint32_t block, uint32_t except = kNone) const;
  uint64_t bytes() const { return blocks_.capacity() * sizeof(Block); }

 private:
  struct Block {
    uint32_t cell = 0;
    uint32_t first_return = std::numeric_limits<uint32_t>::max();
    uint32_t last_call = 0;
    int32_t left = 0;    // Members not placed.
    uint32_t place = 0;  // In its cell's order of first returns.
  };
  struct Cell {
    std::vector<uint32_t> order;  // Blocks by first return.
    uint32_t first_left = 0;      // No block before this one has members left.
  };

  void change(uint32_t block, int32_t by);

  std::vector<Block> blocks_;
  std::vector<Cell> cells_;
};

}  // namespace seatrial::checkers
