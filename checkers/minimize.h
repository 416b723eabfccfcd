// The smallest part of a history that still contradicts itself: first the shortest prefix, then,
// in ever smaller groups, certainty is taken away from whatever the contradiction does not need
// (delta debugging: Zeller and Hildebrandt 2002).
//
// Nothing is ever removed: a history without a write would contradict itself for that alone. An
// item that is not kept counts as unknown, so whatever fails without it proves that the whole
// history fails.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace seatrial::checkers {

class Minimizer {
 public:
  // Whether the events before `events` fail when only the kept items count as known. Should be
  // false where a budget does not suffice to tell.
  using Fails = std::function<bool(const std::vector<bool>& kept, uint32_t events)>;

  // All `items` and `events` together are known to fail.
  Minimizer(size_t items, uint32_t events, Fails fails)
      : kept_(items, true), events_(events), fails_(std::move(fails)) {}

  // Keeps only these items and events, which are known to suffice.
  void restrict_to(const std::vector<bool>& kept, uint32_t events) {
    kept_ = kept;
    events_ = events;
  }
  // Shortens to one of `ends`, ascending: prefixes of what does not fail do not fail either.
  void shorten(std::span<const uint32_t> ends);
  // Drops what can be dropped of `certain`, the items that are kept and known.
  void weaken(std::vector<size_t> certain);

  const std::vector<bool>& kept() const { return kept_; }
  uint32_t events() const { return events_; }

 private:
  std::vector<bool> kept_;
  uint32_t events_;
  Fails fails_;
};

}  // namespace seatrial::checkers
