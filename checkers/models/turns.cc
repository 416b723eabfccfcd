#include "checkers/models/turns.h"

#include <algorithm>

namespace seatrial::checkers {
namespace {

// Who of some operations comes before another one, by real time.
class RealTime {
 public:
  explicit RealTime(std::span<const Turns::Span> spans) {
    for (const Turns::Span& span : spans) {
      calls_.push_back(span.call);
      if (span.ret != Turns::kNone) returns_.push_back(span.ret);
    }
    std::ranges::sort(calls_);
    std::ranges::sort(returns_);
  }

  uint32_t all() const { return static_cast<uint32_t>(calls_.size()); }
  uint32_t required() const { return static_cast<uint32_t>(returns_.size()); }
  // Those that must; those that can, itself included where it is one of them.
  uint32_t surely_before(const Turns::Span& span) const {
    return static_cast<uint32_t>(std::ranges::lower_bound(returns_, span.call) - returns_.begin());
  }
  uint32_t possibly_before(const Turns::Span& span) const {
    return static_cast<uint32_t>(std::ranges::upper_bound(calls_, span.ret) - calls_.begin());
  }

 private:
  std::vector<uint32_t> calls_;
  std::vector<uint32_t> returns_;
};

// What one event of a push (its own, or its pop) says about the turn of a later one's: of a push a
// and a push b whose events are in that order by real time,
//   turn(b) >= turn(a) + gain(a) + need(b).
struct Rule {
  bool from_pop;
  bool to_pop;
  int64_t (*gain)(int64_t length);
  int64_t (*need)(int64_t length);
  bool by_length_of_from;
  bool by_length_of_to;
};

int64_t none(int64_t) { return 0; }
int64_t one(int64_t) { return 1; }
int64_t plus(int64_t length) { return length; }
int64_t minus(int64_t length) { return -length; }
int64_t one_minus(int64_t length) { return 1 - length; }

constexpr Rule kRules[] = {
    {false, false, one, none, false, false},      // Turns differ;
    {true, true, one, none, false, false},        // so do those of pops, which are the same.
    {false, false, minus, plus, true, true},      // As many pops come before b as before a;
    {true, true, minus, plus, true, true},        // likewise, since b is pushed after a.
    {true, false, none, plus, false, true},       // a's pop is among the pops before b,
    {false, true, one_minus, none, true, false},  // b's is not among those before a.
};

// Narrows the windows by each rule, until little more comes of it.
class Narrowing {
 public:
  Narrowing(std::span<const Turns::Push> pushes, std::span<const Turns::Span> pops)
      : pushes_(pushes) {
    for (const Turns::Push& push : pushes) {
      const bool has_pop = push.alone && push.pop != Turns::kNone;
      pop_spans_.push_back(has_pop ? pops[push.pop] : Turns::Span{Turns::kNone, Turns::kNone});
    }
    for (const bool pop : {false, true}) {
      for (uint32_t i = 0; i < pushes.size(); i++) {
        if (span(i, pop).ret != Turns::kNone) by_ret_[pop].push_back(i);
        if (span(i, pop).call != Turns::kNone) by_call_[pop].push_back(i);
      }
      std::ranges::sort(by_ret_[pop], {}, [&](uint32_t i) { return span(i, pop).ret; });
      std::ranges::sort(by_call_[pop], {}, [&](uint32_t i) { return span(i, pop).call; });
    }
  }

  void run(std::span<int64_t> first, std::span<int64_t> last) const {
    for (int round = 0; round < kRounds; round++) {
      for (const Rule& rule : kRules) {
        raise(rule, first);
        lower(rule, last);
      }
    }
  }

 private:
  static constexpr int kRounds = 3;

  const Turns::Span& span(uint32_t push, bool pop) const {
    return pop ? pop_spans_[push] : pushes_[push].span;
  }
  bool concerns(uint32_t push, bool by_length) const {
    return !by_length || pushes_[push].length != 0;
  }

  void raise(const Rule& rule, std::span<int64_t> first) const {
    int64_t most = 0;
    size_t before = 0;
    const auto& from = by_ret_[rule.from_pop];
    for (uint32_t to : by_call_[rule.to_pop]) {
      for (; before < from.size(); before++) {
        const uint32_t push = from[before];
        if (span(push, rule.from_pop).ret >= span(to, rule.to_pop).call) break;
        if (!concerns(push, rule.by_length_of_from)) continue;
        most = std::max(most, first[push] + rule.gain(pushes_[push].length));
      }
      if (!concerns(to, rule.by_length_of_to) || before == 0) continue;
      first[to] = std::max(first[to], most + rule.need(pushes_[to].length));
    }
  }

  void lower(const Rule& rule, std::span<int64_t> last) const {
    int64_t least = std::numeric_limits<int64_t>::max() / 2;
    const auto& to = by_call_[rule.to_pop];
    size_t after = to.size();
    const auto& from = by_ret_[rule.from_pop];
    for (size_t i = from.size(); i-- > 0;) {
      for (; after > 0; after--) {
        const uint32_t push = to[after - 1];
        if (span(push, rule.to_pop).call <= span(from[i], rule.from_pop).ret) break;
        if (!concerns(push, rule.by_length_of_to) || !required(push, rule.to_pop)) continue;
        least = std::min(least, last[push] - rule.need(pushes_[push].length));
      }
      if (!concerns(from[i], rule.by_length_of_from)) continue;
      last[from[i]] = std::min(last[from[i]], least - rule.gain(pushes_[from[i]].length));
    }
  }

  // One that may not happen at all has no turn that others must be before.
  bool required(uint32_t push, bool pop) const { return span(push, pop).ret != Turns::kNone; }

  std::span<const Turns::Push> pushes_;
  std::vector<Turns::Span> pop_spans_;
  std::vector<uint32_t> by_ret_[2];
  std::vector<uint32_t> by_call_[2];
};

}  // namespace

Turns::Turns(std::span<const Push> pushes, std::span<const Span> pops)
    : pushes_due_(pushes.size() + 1), pops_due_(pops.size() + 1) {
  std::vector<Span> spans;
  for (const Push& push : pushes) spans.push_back(push.span);
  const RealTime push_order{std::span<const Span>(spans)};
  const RealTime pop_order(pops);
  std::vector<int64_t> first;
  std::vector<int64_t> last;
  for (const Push& push : pushes) {
    first.push_back(1 + push_order.surely_before(push.span));
    last.push_back(push_order.possibly_before(push.span));
    if (push.alone && push.pop != kNone) {
      first.back() = std::max<int64_t>(first.back(), 1 + pop_order.surely_before(pops[push.pop]));
      last.back() = std::min<int64_t>(last.back(), pop_order.possibly_before(pops[push.pop]));
    } else if (push.alone && push.stays) {
      first.back() = std::max<int64_t>(first.back(), 1 + pop_order.required());
    }
    if (push.length == 0) continue;
    const int64_t length = push.length;
    first.back() = std::max(first.back(), length + pop_order.surely_before(push.span));
    last.back() = std::min(last.back(), length + pop_order.possibly_before(push.span));
  }
  Narrowing(pushes, pops).run(first, last);
  for (size_t i = 0; i < pushes.size(); i++) {
    const int64_t turns = static_cast<int64_t>(pushes.size());
    Window& window = windows_.emplace_back();
    window.required = pushes[i].span.ret != kNone;
    window.first = static_cast<uint32_t>(std::clamp<int64_t>(first[i], 1, turns + 1));
    window.last = static_cast<uint32_t>(std::clamp<int64_t>(last[i], 0, turns));
    if (pushes[i].length != 0) {
      window.pops = window.last < pushes[i].length ? 0 : window.last - pushes[i].length;
    }
    if (!window.required) continue;
    pushes_due_[window.last]++;
    if (window.pops != kNone) pops_due_[window.pops]++;
  }
}

bool Turns::fits(uint32_t push) const {
  const Window& window = windows_[push];
  const uint32_t turn = pushed_ + 1;
  if (turn < window.first || turn > window.last) return false;
  const uint32_t own = window.required && window.last == turn ? 1 : 0;
  return pushes_due_[turn] <= own;
}

bool Turns::pops_fit(uint32_t count) const {
  const auto next = std::span(pops_due_).subspan(popped_, count);
  return std::ranges::all_of(next, [](uint32_t due) { return due == 0; });
}

void Turns::place(uint32_t push, int32_t change) {
  const Window& window = windows_[push];
  pushed_ += static_cast<uint32_t>(change);
  if (!window.required) return;
  pushes_due_[window.last] -= static_cast<uint32_t>(change);
  if (window.pops != kNone) pops_due_[window.pops] -= static_cast<uint32_t>(change);
}

}  // namespace seatrial::checkers
