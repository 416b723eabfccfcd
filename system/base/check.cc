#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace seatrial::base {
namespace {

// The one mutable static of this layer: a failed check may come from any depth, also from code
// that was given no Os.
CheckHandler g_handler = nullptr;

}  // namespace

CheckHandler set_check_handler(CheckHandler handler) {
  CheckHandler before = g_handler;
  g_handler = handler;
  return before;
}

void check_failed(const char* expression, const char* file, int line, std::string message) {
  CheckFailure failure{expression, file, line, std::move(message)};
  if (g_handler != nullptr) g_handler(failure);
  std::string text = to_string(failure);
  std::fprintf(stderr, "%s\n", text.c_str());
  std::abort();
}

std::string to_string(const CheckFailure& failure) {
  std::string text =
      fmt::format("{}:{}: CHECK({}) failed", failure.file, failure.line, failure.expression);
  if (!failure.message.empty()) text += ": " + failure.message;
  return text;
}

}  // namespace seatrial::base
