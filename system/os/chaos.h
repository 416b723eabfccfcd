// Places in production code where a rare branch can be provoked for free (FoundationDB's
// buggify). Always off in linux/; in sim/ each seed arms some sites and lets those fire at times.
//
//   const size_t room = os.chaos.chance("aof: short write") ? 1 : bytes.size();
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace seatrial::os {

class Chaos {
 public:
  virtual ~Chaos() = default;

  // Does not park. `site` is a literal, unique in the code.
  virtual bool chance(std::string_view site) = 0;

  // A tuning value that a seed may shake: `normal` in linux/, else at times one of `others`.
  // Read once, at start; a plan prints what was drawn.
  virtual int64_t knob(std::string_view name, int64_t normal,
                       std::initializer_list<int64_t> others) = 0;
};

}  // namespace seatrial::os
