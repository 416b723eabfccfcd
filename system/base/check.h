// CHECK: assertions that are always on. A failed check is a bug in this program, never bad input
// and never a failed operation (those are values: see error.h).
//
// What happens on failure is the machine's choice: linux/ logs and aborts, the simulator names
// the seed and ends the run with a crash verdict. Both install a handler; without one the
// message goes to standard error and the process aborts.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace seatrial::base {

struct CheckFailure {
  const char* expression;
  const char* file;
  int line;
  std::string message;  // Empty when the check carries none.
};

// Called once with the failure; if it returns, the process aborts.
using CheckHandler = void (*)(const CheckFailure&);

// Installs `handler` (nullptr: the default) and returns the one before.
CheckHandler set_check_handler(CheckHandler handler);

[[noreturn]] void check_failed(const char* expression, const char* file, int line,
                               std::string message = {});

// "file.cc:12: CHECK(x > 0) failed: message"
std::string to_string(const CheckFailure& failure);

}  // namespace seatrial::base

#define CHECK(condition)                             \
  (__builtin_expect(static_cast<bool>(condition), 1) \
       ? static_cast<void>(0)                        \
       : ::seatrial::base::check_failed(#condition, __FILE__, __LINE__))

// CHECK with a message in fmt's syntax: CHECK_MSG(a < b, "a is {}", a).
#define CHECK_MSG(condition, ...)                                       \
  (__builtin_expect(static_cast<bool>(condition), 1)                    \
       ? static_cast<void>(0)                                           \
       : ::seatrial::base::check_failed(#condition, __FILE__, __LINE__, \
                                        ::fmt::format(__VA_ARGS__)))

#define UNREACHABLE(...) \
  ::seatrial::base::check_failed("unreachable", __FILE__, __LINE__, ::fmt::format(__VA_ARGS__))
