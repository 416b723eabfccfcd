// At which turn each push of a queue can come: what its length and its pop say from afar.
//
// Items leave in the order in which they came: an item whose push is the k-th is taken by the k-th
// pop. So of a push's turn k
//  - as many pushes come before it as real time puts there, and no more than it permits;
//  - as many pops come before its own pop, likewise;
//  - where it told the list's length L, k - L pops come before it, which real time bounds as well.
// Each bound holds in every linearization, so a search may refuse what breaks one: it need not find
// out when the item comes to the front, many operations later. And a turn that some push cannot
// miss, or a pop that must come after a push, is left to nobody else.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace seatrial::checkers {

class Turns {
 public:
  static constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();

  // Positions as in a Step: of a push, of a pop; ret == kNeverAt: it need not happen.
  struct Span {
    uint32_t call = 0;
    uint32_t ret = kNone;
  };
  struct Push {
    Span span;
    uint32_t length = 0;   // After it; 0: not told.
    bool alone = false;    // Nobody else pushes this item, and at most one known pop takes it.
    uint32_t pop = kNone;  // Which of the pops takes it.
    bool stays = false;    // Nobody can take it.
  };

  Turns() = default;
  Turns(std::span<const Push> pushes, std::span<const Span> pops);

  // Whether `push`, or a pop, can come next.
  bool fits(uint32_t push) const;
  bool pop_fits() const { return pops_due_[popped_] == 0; }
  // Whether so many pops can.
  bool pops_fit(uint32_t count) const;
  void place(uint32_t push, int32_t change);
  void place_pops(int32_t change) { popped_ += static_cast<uint32_t>(change); }

  // The last turn at which it can come.
  uint32_t last(uint32_t push) const { return windows_[push].last; }
  uint64_t bytes() const {
    return windows_.capacity() * sizeof(Window) +
           (pushes_due_.capacity() + pops_due_.capacity()) * sizeof(uint32_t);
  }

 private:
  // Inclusive; `first` > `last` where the push fits nowhere.
  struct Window {
    uint32_t first = 1;
    uint32_t last = kNone;
    uint32_t pops = kNone;  // No more of them come before it.
    bool required = false;
  };

  std::vector<Window> windows_;
  // By turn (number of pops): required pushes not placed that can come no later (before no more).
  std::vector<uint32_t> pushes_due_;
  std::vector<uint32_t> pops_due_;
  uint32_t pushed_ = 0;
  uint32_t popped_ = 0;
};

}  // namespace seatrial::checkers
