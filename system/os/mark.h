// MARK("psync: partial accepted"): this rare branch must be seen to run. The catalog of all marks
// in the binary is known before anything runs (they lie side by side in one ELF section), so a
// suite can name the ones that were never hit.
//
// Use it as a statement in a .cc file, in ordinary functions (not in templates or inline ones).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace seatrial::os {

struct Mark {
  const char* name;
  const char* file;
  int line;
  uint64_t hits;
};

// All marks of the binary, in link order: sort by name before showing them.
std::span<Mark> all_marks();

// Told of each hit, with the count already raised; the simulator writes it into its trace.
using MarkListener = void (*)(const Mark&);
void set_mark_listener(MarkListener listener);

namespace detail {
void hit(Mark& mark);
}

}  // namespace seatrial::os

#define MARK(text)                                                                             \
  do {                                                                                         \
    [[gnu::section("seatrial_marks"), gnu::used]] static constinit ::seatrial::os::Mark mark_{ \
        text, __FILE__, __LINE__, 0};                                                          \
    ::seatrial::os::detail::hit(mark_);                                                        \
  } while (false)
