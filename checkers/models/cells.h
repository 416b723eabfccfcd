// The sequential specification of one key that holds named cells: a hash (fields), a set (elements:
// 1 where it is in), a sorted set (members with their scores). An operation touches one cell, or
// reads them all at once (hgetall, smembers, zrange).
//
// Where no such reading overlaps, cells are independent, and each is judged alone (Options::only).
// There a reading of all counts as a read of that one cell, which is a necessary condition.
#pragma once

#include "checkers/history.h"
#include "checkers/models/blocks.h"
#include "checkers/search.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace seatrial::checkers {

// What an operation on one cell found and left there; absent is nil.
struct CellEffect {
  enum class Kind : uint8_t {
    kImpossible,  // Has a result that no state explains.
    kRead,        // Found `value`.
    kWrite,       // Left `value`.
    kWriteNew,    // Found nothing, left `value`.
    kWriteOver,   // Found something, left `value`.
  };
  Kind kind = Kind::kImpossible;
  Value cell;
  Value value;
};

// Whether the function reads all cells.
bool reads_all_cells(Function function);
// Of a function that touches one cell. `known`: whether its result counts.
CellEffect cell_effect(const Operation& operation, bool known);
// What a reading of all found, as cells and values by cell; nullopt where nothing can look so (a
// cell twice, an order that is none).
std::optional<std::vector<std::pair<Value, Value>>> cells_read(const Operation& operation);

// Two numbers as one, the same pair always the same: immutable trees that share what they can.
class PairTable {
 public:
  uint32_t intern(uint32_t left, uint32_t right);
  uint32_t left(uint32_t pair) const { return static_cast<uint32_t>(pairs_[pair] >> 32); }
  uint32_t right(uint32_t pair) const { return static_cast<uint32_t>(pairs_[pair]); }
  uint64_t bytes() const {
    return pairs_.capacity() * sizeof(uint64_t) + table_.capacity() * sizeof(uint32_t);
  }

 private:
  void grow();
  uint32_t& slot(uint64_t pair);

  std::vector<uint64_t> pairs_;
  std::vector<uint32_t> table_;  // Number of a pair plus one; 0: free.
};

class Cells {
 public:
  static constexpr uint64_t kRefused = std::numeric_limits<uint64_t>::max();
  static constexpr bool kRanks = false;

  // The operations must be of one key and not failed. `only`: judge this cell, and leave out
  // what does not touch it.
  explicit Cells(std::span<const Claim> operations, const Value* only = nullptr);

  std::span<const Step> steps() const { return steps_; }
  const Operation* operation(uint32_t step) const { return sources_[step]; }

  // Model, see search.h. A state is the root of a binary tree over the cells' contents.
  uint64_t initial() const { return initial_; }
  uint64_t step(uint64_t state, uint32_t step);
  bool settled(uint64_t state, uint32_t step) const;
  void place(uint32_t step) { count(step, -1); }
  void take_back(uint32_t step) { count(step, +1); }
  bool hopeless(uint64_t from, uint64_t to) const;
  bool enables(uint32_t step, uint32_t front) const;
  bool waits(uint32_t) const { return false; }
  uint64_t bytes() const { return pairs_.bytes() + blocks_.bytes(); }

 private:
  // A content: a value in a cell. Contents 2c and 2c + 1 are cell c's nil, and all its values
  // that no operation asks for.
  using Content = uint32_t;
  using Kind = CellEffect::Kind;
  static constexpr uint32_t kNoCell = std::numeric_limits<uint32_t>::max();

  struct Action {
    Kind kind = Kind::kImpossible;
    bool all = false;  // A reading of all cells: `content` is the state that it needs.
    uint32_t cell = kNoCell;
    Content content = 0;
    uint32_t block = Blocks::kNone;
  };

  void find_cells(std::span<const Claim> operations, const Value* only);
  void find_contents(std::span<const Claim> operations, const Value* only);
  void add(const Claim& claim, const Value* only);
  void add_read_of_all(const Operation& operation, const Value* only);
  void give_classes();
  void give_blocks();
  void count(uint32_t step, int32_t change);

  uint32_t cell_of(const Value& name);
  Content intern(uint32_t cell, const Value& value);
  Content find(uint32_t cell, const Value& value) const;
  bool is_nil(Content content) const { return content < 2 * cells_.size() && content % 2 == 0; }
  bool writes(uint32_t step) const {
    const Kind kind = actions_[step].kind;
    return kind == Kind::kWrite || kind == Kind::kWriteNew || kind == Kind::kWriteOver;
  }
  Content at(uint32_t root, uint32_t cell) const;
  uint32_t with(uint32_t root, uint32_t depth, uint32_t cell, Content content);
  // Each cell's content in the tree, in order.
  template <typename F>
  void for_each(uint32_t root, uint32_t depth, uint32_t first_cell, const F& visit) const;

  std::vector<Step> steps_;
  std::vector<Action> actions_;
  std::vector<const Operation*> sources_;

  std::unordered_map<Value, uint32_t, ValueHash> cells_;
  std::vector<std::unordered_map<Value, Content, ValueHash>> contents_;  // By cell.
  uint32_t content_count_ = 0;
  uint32_t depth_ = 0;
  uint32_t initial_ = 0;
  PairTable pairs_;

  // What is not placed yet, by content: who asks for exactly it, who leaves it.
  std::vector<int32_t> needed_;
  std::vector<int32_t> made_;
  std::vector<uint32_t> block_of_;  // By content, where it has but one writer.
  Blocks blocks_;
};

}  // namespace seatrial::checkers
