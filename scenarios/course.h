// The course of a run: of each event its kind and sixteen bits of the running hash after it. Little
// enough to be kept in a capsule, and enough to say on a replay where exactly it departs.
#pragma once

#include "base/error.h"
#include "sim/trace.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace seatrial::scenarios {

using base::Result;

struct Course {
  // Of longer runs the beginning is kept.
  static constexpr size_t kEventsMax = 200'000;

  uint64_t events = 0;  // Of the whole run; or of what was seen of it, where it did not end.
  std::vector<uint16_t> hashes;
  std::string kinds;  // A letter each.

  friend bool operator==(const Course&, const Course&) = default;
};

char letter_of(sim::TraceKind kind);
// Nothing for a letter that stands for none.
std::optional<sim::TraceKind> kind_of(char letter);

// Base64, two bytes a hash, the low one first.
std::string hashes_text(const Course& course);
Result<std::vector<uint16_t>> parse_hashes(std::string_view text);

// Listens to a run, in memory that a child process may share with its parent: what was written
// stays when the child crashes.
class CourseRecorder {
 public:
  struct Memory {
    uint64_t events = 0;
    uint16_t hashes[Course::kEventsMax];
    char kinds[Course::kEventsMax];
  };

  explicit CourseRecorder(Memory& memory) : memory_(memory) {}
  void heard(const sim::TraceEvent& event);
  static Course course(const Memory& memory);

 private:
  Memory& memory_;
};

// Listens to a run and compares it with another's course.
class CourseFollower {
 public:
  explicit CourseFollower(const Course& course) : course_(course) {}
  void heard(const sim::TraceEvent& event);
  bool departed() const { return departure_.has_value(); }
  // "departs at event 17, at 1.5 s: then a disk event, here send kv0 #1 ...". Empty where the run
  // was the same as far as the course tells. `ended`: it has come to its end.
  std::string departure(bool ended) const;

 private:
  const Course& course_;
  std::optional<std::string> departure_;
  uint64_t events_ = 0;
};

}  // namespace seatrial::scenarios
