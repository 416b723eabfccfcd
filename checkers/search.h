// The general search for a linearization: exact for any sequential specification (Model), and
// exponential only in the number of operations open at once.
//
// Depth first over configurations (Wing and Gong 1993; Lowe, "Testing for linearizability",
// CPE 2017: a configuration seen before is not entered again), with what makes it fast:
//  - A configuration is a frontier and bits over open operations, not a bitset over all: `front`
//    is the first required step, in the order of returns, that is not yet placed. All before it
//    are placed; of those after it only steps open at its return can be. Each step owns a slot
//    while it is open, so a few words say which.
//  - A step that can never hurt where it fits ("settled": a read of the present value) is placed
//    at once and alone.
//  - Of open steps that do and answer the same, the one that returns first goes first.
//  - Steps that may never happen (unknown outcome) are placed only where they matter: not where
//    the next step would do and leave the same without them; of equal ones the earliest first;
//    and a configuration is dropped when an earlier one differs only in having fewer of them
//    used up, since those left over can still be left out.
//  - The model may call a configuration hopeless: a value that somebody must still read is about
//    to be lost and nobody left can write it.
//
// The search is iterative, its memory is counted, and at the budget's end it says kUndecided.
#pragma once

#include "base/check.h"
#include "base/random.h"
#include "checkers/options.h"
#include "checkers/verdict.h"

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

namespace seatrial::checkers {

inline constexpr uint32_t kNoStep = std::numeric_limits<uint32_t>::max();

// One operation, or one thing that happens by itself, as the search sees it. Positions are on a
// common axis; A precedes B where A.ret < B.call. A step with ret == kNeverAt need not happen.
struct Step {
  uint32_t call = 0;
  uint32_t ret = kNeverAt;
  uint32_t after = kNoStep;  // May only be placed when that step is.
  // Steps that fit in the same states and then leave the same share a number; those that need not
  // happen never share one with those that must.
  uint32_t same_class = kNoStep;

  bool required() const { return ret != kNeverAt; }
};

// What the search asks of a sequential specification. Steps are named by their index. A model with
// kRanks also tells outranks(a, b), whether b, open as well as a, can wait for a: each solution
// that has b first has a twin with the two in each other's place; and hint(step), by which the open
// steps are tried (else those that return first go first).
template <typename M>
concept Model = requires(M& model, uint64_t state, uint32_t step) {
  { M::kRefused } -> std::convertible_to<uint64_t>;
  { M::kRanks } -> std::convertible_to<bool>;
  { model.initial() } -> std::same_as<uint64_t>;
  // The state after `step`, or kRefused where it cannot have given its result.
  { model.step(state, step) } -> std::same_as<uint64_t>;
  // Whether `step`, unless refused here, can be placed now without losing any solution: it
  // changes nothing here, nor anywhere later where it fits.
  { model.settled(state, step) } -> std::same_as<bool>;
  // `step` is placed, or taken back.
  { model.place(step) } -> std::same_as<void>;
  { model.take_back(step) } -> std::same_as<void>;
  // After place(): whether nothing can save what is left, now that the state went `from` -> `to`.
  { model.hopeless(state, state) } -> std::same_as<bool>;
  // Whether to place `step` only when nothing that returns before it is left: for steps that only
  // bind what comes after them, and so lose nothing by coming late.
  { model.waits(step) } -> std::same_as<bool>;
  // Memory that the model holds.
  { model.bytes() } -> std::same_as<uint64_t>;
  // Whether `step`, the first argument, might make a state in which the second one fits.
  { model.enables(step, step) } -> std::same_as<bool>;
};

struct SearchResult {
  Outcome outcome = Outcome::kOk;
  // The order found; where there is none, the one that covered the most returns.
  std::vector<uint32_t> order;
  uint32_t blocked = kNoStep;  // The first return that no order covers.
  uint64_t nodes = 0;
  uint64_t bytes = 0;
};

// Steps prepared for searching: the required ones by return, who is open when, the slots.
class Timeline {
 public:
  explicit Timeline(std::span<const Step> steps);
  // Lists the open steps by hint, not by return.
  void reorder_open(std::span<const uint32_t> hints);

  uint32_t required() const { return static_cast<uint32_t>(by_return_.size()); }
  // The step whose return is the `rank`-th.
  uint32_t at(uint32_t rank) const { return by_return_[rank]; }
  uint32_t rank(uint32_t step) const { return rank_[step]; }
  // Bit of the step: required ones below first_optional_slot(), the others from there on.
  uint32_t slot(uint32_t step) const { return slot_[step]; }
  uint32_t first_optional_slot() const { return required_slots_; }
  uint32_t slots() const { return required_slots_ + static_cast<uint32_t>(optional_.size()); }
  // Required steps that return at `front` or later and are called before it returns.
  std::span<const uint32_t> open(uint32_t front) const {
    return std::span(open_).subspan(open_start_[front],
                                    open_start_[front + 1] - open_start_[front]);
  }
  // Steps that need not happen and are called before `front` returns.
  std::span<const uint32_t> optional(uint32_t front) const {
    return std::span(optional_).first(optional_count_[front]);
  }
  // The step of the same class that is called before or, of required ones, that returns before;
  // kNoStep where there is none.
  uint32_t same_class_before(uint32_t step) const { return same_class_before_[step]; }
  uint64_t bytes() const;

 private:
  void order_required(std::span<const Step> steps);
  void give_slots(std::span<const Step> steps);
  void order_optional(std::span<const Step> steps);
  void link_class(std::span<const Step> steps, std::span<const uint32_t> ordered);

  std::vector<uint32_t> by_return_;
  std::vector<uint32_t> rank_;
  std::vector<uint32_t> slot_;
  std::vector<uint32_t> open_;
  std::vector<size_t> open_start_;
  std::vector<uint32_t> optional_;  // By call.
  std::vector<uint32_t> optional_count_;
  std::vector<uint32_t> same_class_before_;
  uint32_t required_slots_ = 0;
};

// Configurations seen, keyed by front, state and the required steps' bits; under each key the
// minimal sets of optional steps used up.
template <size_t kWords>
class Seen {
 public:
  using Bits = std::array<uint64_t, kWords>;

  explicit Seen(const Bits& optional_mask) : optional_mask_(optional_mask) { table_.resize(64); }

  // False where a configuration at least as good was inserted before.
  bool insert(uint32_t front, uint64_t state, const Bits& bits) {
    Bits key = bits;
    Bits used = bits;
    for (size_t i = 0; i < kWords; i++) {
      key[i] &= ~optional_mask_[i];
      used[i] &= optional_mask_[i];
    }
    if ((size_ + 1) * 4 > table_.size() * 3) grow();
    Entry& entry = find(table_, front, state, key);
    if (entry.front == kNoStep) {
      entry = {state, key, front, kNoStep};
      size_++;
    } else if (covered(entry, used)) {
      return false;
    }
    add(entry, used);
    return true;
  }

  uint64_t bytes() const {
    return table_.capacity() * sizeof(Entry) + sets_.capacity() * sizeof(UsedSet);
  }

 private:
  struct Entry {
    uint64_t state = 0;
    Bits key{};
    uint32_t front = kNoStep;
    uint32_t first_set = kNoStep;
  };
  struct UsedSet {
    Bits used;
    uint32_t next;
  };

  static bool subset(const Bits& a, const Bits& b) {
    for (size_t i = 0; i < kWords; i++) {
      if ((a[i] & ~b[i]) != 0) return false;
    }
    return true;
  }

  bool covered(const Entry& entry, const Bits& used) const {
    for (uint32_t at = entry.first_set; at != kNoStep; at = sets_[at].next) {
      if (subset(sets_[at].used, used)) return true;
    }
    return false;
  }

  // Sets that contain the new one say nothing more and are dropped.
  void add(Entry& entry, const Bits& used) {
    uint32_t* link = &entry.first_set;
    while (*link != kNoStep) {
      const uint32_t at = *link;
      if (subset(used, sets_[at].used)) {
        *link = sets_[at].next;
        sets_[at].next = free_;
        free_ = at;
      } else {
        link = &sets_[at].next;
      }
    }
    uint32_t at = free_;
    if (at == kNoStep) {
      at = static_cast<uint32_t>(sets_.size());
      sets_.push_back({});
    } else {
      free_ = sets_[at].next;
    }
    sets_[at] = {used, entry.first_set};
    entry.first_set = at;
  }

  static Entry& find(std::vector<Entry>& table, uint32_t front, uint64_t state, const Bits& key) {
    uint64_t hash = base::mix64(state ^ (uint64_t{front} << 32));
    for (uint64_t word : key) hash = base::mix64(hash ^ word);
    const size_t mask = table.size() - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
      Entry& entry = table[i];
      if (entry.front == kNoStep) return entry;
      if (entry.front == front && entry.state == state && entry.key == key) return entry;
    }
  }

  void grow() {
    std::vector<Entry> larger(table_.size() * 2);
    for (const Entry& entry : table_) {
      if (entry.front == kNoStep) continue;
      find(larger, entry.front, entry.state, entry.key) = entry;
    }
    table_ = std::move(larger);
  }

  Bits optional_mask_;
  std::vector<Entry> table_;
  std::vector<UsedSet> sets_;
  size_t size_ = 0;
  uint32_t free_ = kNoStep;
};

template <typename M, size_t kWords>
class Search {
 public:
  Search(std::span<const Step> steps, const Timeline& timeline, M& model, const Budget& budget)
      : steps_(steps),
        timeline_(timeline),
        model_(model),
        budget_(budget),
        seen_(optional_mask(timeline)),
        fixed_bytes_(timeline.bytes()) {}

  SearchResult run() {
    SearchResult result;
    result.outcome = explore();
    keep_best();
    result.order = std::move(best_);
    if (result.outcome == Outcome::kViolation) result.blocked = timeline_.at(best_front_);
    result.nodes = nodes_;
    result.bytes = bytes();
    return result;
  }

 private:
  using Bits = std::array<uint64_t, kWords>;

  struct Frame {
    uint64_t state;
    Bits bits;
    uint32_t front;
    uint32_t via;     // The step that led here; kNoStep at the root.
    uint32_t cursor;  // Candidates tried; kNoStep: none is left.
  };

  static Bits optional_mask(const Timeline& timeline) {
    Bits mask{};
    for (uint32_t slot = timeline.first_optional_slot(); slot < timeline.slots(); slot++) {
      mask[slot / 64] |= uint64_t{1} << (slot % 64);
    }
    return mask;
  }

  static bool test(const Bits& bits, uint32_t slot) {
    return (bits[slot / 64] >> (slot % 64) & 1) != 0;
  }
  static void flip(Bits& bits, uint32_t slot) { bits[slot / 64] ^= uint64_t{1} << (slot % 64); }

  bool placed(const Frame& frame, uint32_t step) const {
    if (steps_[step].required() && timeline_.rank(step) < frame.front) return true;
    return test(frame.bits, timeline_.slot(step));
  }

  // Whether `step`, which is open, is not placed and may be.
  bool available(const Frame& frame, uint32_t step) const {
    if (test(frame.bits, timeline_.slot(step))) return false;
    const uint32_t after = steps_[step].after;
    return after == kNoStep || placed(frame, after);
  }

  // Whether a required step like `step`, which returns before it, is open and not placed: the two
  // can change places in any order that has them the other way round.
  bool has_earlier_twin(const Frame& frame, uint32_t step) const {
    if constexpr (M::kRanks) {
      const auto outranks = [&](uint32_t other) {
        return other != step && model_.outranks(other, step) && available(frame, other);
      };
      if (std::ranges::any_of(timeline_.open(frame.front), outranks)) return true;
    }
    const uint32_t front_return = steps_[timeline_.at(frame.front)].ret;
    uint32_t twin = timeline_.same_class_before(step);
    for (; twin != kNoStep; twin = timeline_.same_class_before(twin)) {
      if (timeline_.rank(twin) < frame.front) return false;
      // Only who is open owns its slot.
      if (steps_[twin].call <= front_return && available(frame, twin)) return true;
    }
    return false;
  }

  Outcome explore() {
    if (timeline_.required() == 0) return Outcome::kOk;
    stack_.push_back({model_.initial(), Bits{}, 0, kNoStep, 0});
    if (settle()) return Outcome::kOk;
    while (true) {
      const uint32_t step = next_candidate();
      if (step == kNoStep) {
        if (stack_.size() == 1) return Outcome::kViolation;
        pop();
        continue;
      }
      // Attempts count, so that the limit also holds where most of them are refused.
      nodes_++;
      if (nodes_ > budget_.nodes_max || bytes() > budget_.bytes_max) return Outcome::kUndecided;
      if (advance(step) && settle()) return Outcome::kOk;
    }
  }

  // The next step to try from the configuration on top; kNoStep when all were tried.
  uint32_t next_candidate() {
    Frame& frame = stack_.back();
    if (frame.cursor == kNoStep) return kNoStep;
    const std::span<const uint32_t> open = timeline_.open(frame.front);
    while (frame.cursor < open.size()) {
      const uint32_t step = open[frame.cursor++];
      if (!available(frame, step)) continue;
      if (step == timeline_.at(frame.front)) return step;
      if (!model_.waits(step) && !has_earlier_twin(frame, step)) return step;
    }
    const std::span<const uint32_t> optional = timeline_.optional(frame.front);
    while (frame.cursor < open.size() + optional.size()) {
      const uint32_t step = optional[frame.cursor++ - open.size()];
      if (!available(frame, step)) continue;
      const uint32_t twin = timeline_.same_class_before(step);
      if (twin == kNoStep || placed(frame, twin)) return step;
    }
    frame.cursor = kNoStep;
    return kNoStep;
  }

  // Places `step` if it fits and serves a purpose; false where the branch ends at once.
  bool advance(uint32_t step) {
    const Frame& frame = stack_.back();
    const uint64_t state = model_.step(frame.state, step);
    if (state == M::kRefused) return false;
    if (!steps_[step].required() && state == frame.state) return false;
    if (frame.via != kNoStep && !steps_[frame.via].required()) {
      // Would the step do the same had the optional one before it not happened?
      const Frame& before = stack_[stack_.size() - 2];
      if (model_.step(before.state, step) == state) return false;
    }
    push(step, state);
    if (model_.hopeless(stack_[stack_.size() - 2].state, state)) {
      pop();
      return false;
    }
    return true;
  }

  void push(uint32_t step, uint64_t state) {
    Frame next = stack_.back();
    next.state = state;
    next.via = step;
    next.cursor = 0;
    if (!steps_[step].required() || timeline_.rank(step) != next.front) {
      flip(next.bits, timeline_.slot(step));
    } else {
      next.front++;
      while (next.front < timeline_.required()) {
        const uint32_t slot = timeline_.slot(timeline_.at(next.front));
        if (!test(next.bits, slot)) break;
        flip(next.bits, slot);
        next.front++;
      }
    }
    if (next.front > best_front_) {
      best_front_ = next.front;
      best_is_stale_ = true;
    }
    model_.place(step);
    stack_.push_back(next);
  }

  void pop() {
    if (best_is_stale_) keep_best();
    if (stack_.back().via != kNoStep) model_.take_back(stack_.back().via);
    stack_.pop_back();
    unchanged_depth_ = std::min(unchanged_depth_, stack_.size());
  }

  // Copies the path only from where it changed since the last time, so that all copies together
  // cost no more than the search.
  void keep_best() {
    if (!best_is_stale_) return;
    const size_t depth = std::max<size_t>(unchanged_depth_, 1);
    best_.resize(std::min(depth - 1, best_.size()));
    for (size_t i = best_.size() + 1; i < stack_.size(); i++) best_.push_back(stack_[i].via);
    unchanged_depth_ = stack_.size();
    best_is_stale_ = false;
  }

  // Places what is settled, and drops the configuration where it is known or leads nowhere. True
  // when every required step is placed.
  bool settle() {
    while (true) {
      Frame& frame = stack_.back();
      if (frame.front == timeline_.required()) return true;
      const uint32_t step = settled_candidate(frame);
      if (step == kNoStep) break;
      frame.cursor = kNoStep;
      push(step, model_.step(frame.state, step));
    }
    Frame& frame = stack_.back();
    if (stuck(frame) || !seen_.insert(frame.front, frame.state, frame.bits)) {
      frame.cursor = kNoStep;
    }
    return false;
  }

  uint32_t settled_candidate(const Frame& frame) {
    for (uint32_t step : timeline_.open(frame.front)) {
      if (available(frame, step) && model_.settled(frame.state, step)) return step;
    }
    return kNoStep;
  }

  // Nothing called after the front's return can be placed before it: if it does not fit now, one
  // of the open steps must make it fit.
  bool stuck(const Frame& frame) {
    const uint32_t front = timeline_.at(frame.front);
    if (!available(frame, front) || model_.step(frame.state, front) != M::kRefused) return false;
    const auto helps = [&](uint32_t step) {
      return step != front && !test(frame.bits, timeline_.slot(step)) &&
             model_.enables(step, front);
    };
    return std::ranges::none_of(timeline_.open(frame.front), helps) &&
           std::ranges::none_of(timeline_.optional(frame.front), helps);
  }

  uint64_t bytes() const {
    return fixed_bytes_ + model_.bytes() + seen_.bytes() + stack_.capacity() * sizeof(Frame) +
           best_.capacity() * sizeof(uint32_t);
  }

  std::span<const Step> steps_;
  const Timeline& timeline_;
  M& model_;
  const Budget& budget_;
  Seen<kWords> seen_;
  uint64_t fixed_bytes_;
  std::vector<Frame> stack_;
  std::vector<uint32_t> best_;
  size_t unchanged_depth_ = 0;  // Frames that stand as they did when best_ was kept.
  uint32_t best_front_ = 0;
  bool best_is_stale_ = false;
  uint64_t nodes_ = 0;
};

// Searches for an order of `steps` that `model` allows.
template <Model M>
SearchResult search(std::span<const Step> steps, M& model, const Budget& budget) {
  Timeline timeline(steps);
  if constexpr (M::kRanks) {
    std::vector<uint32_t> hints(steps.size());
    for (uint32_t step = 0; step < hints.size(); step++) hints[step] = model.hint(step);
    timeline.reorder_open(hints);
  }
  const auto run = [&]<size_t kWords>() {
    return Search<M, kWords>(steps, timeline, model, budget).run();
  };
  const uint32_t slots = timeline.slots();
  if (slots <= 64) return run.template operator()<1>();
  if (slots <= 128) return run.template operator()<2>();
  if (slots <= 256) return run.template operator()<4>();
  if (slots <= 1024) return run.template operator()<16>();
  if (slots <= 4096) return run.template operator()<64>();
  // More open at once than any budget could explore.
  SearchResult result;
  result.outcome = Outcome::kUndecided;
  return result;
}

}  // namespace seatrial::checkers
