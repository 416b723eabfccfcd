#include "os/mark.h"

// Delimiters that the linker provides for a section whose name is a C identifier. Weak: a binary
// without marks has no such section.
extern "C" {
[[gnu::weak]] extern seatrial::os::Mark __start_seatrial_marks[];
[[gnu::weak]] extern seatrial::os::Mark __stop_seatrial_marks[];
}

namespace seatrial::os {
namespace {

MarkListener g_listener = nullptr;

}  // namespace

std::span<Mark> all_marks() {
  if (__start_seatrial_marks == nullptr) return {};
  return {__start_seatrial_marks, __stop_seatrial_marks};
}

void set_mark_listener(MarkListener listener) { g_listener = listener; }

void detail::hit(Mark& mark) {
  ++mark.hits;
  if (g_listener != nullptr) g_listener(mark);
}

}  // namespace seatrial::os
