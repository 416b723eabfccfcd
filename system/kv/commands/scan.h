// What SCAN and its kin share: the cursor, and the options MATCH, COUNT and TYPE.
//
// Their promise: what is there from a cursor 0 to the next one is answered at least once, what is
// never there is never answered; Dict::scan() keeps it while a table is resized.
#pragma once

#include "kv/command.h"

#include <cstdint>
#include <string_view>

namespace seatrial::kv {

struct ScanOptions {
  uint64_t cursor = 0;
  std::string_view pattern = "*";
  int64_t count = 10;     // About so many elements are looked at.
  std::string_view type;  // Empty: any. Only of SCAN.

  bool matches(std::string_view name) const;
};

// `at`: where the cursor stands among the arguments; the options follow it. If something is wrong
// with them, answers the error and returns false. Redis looks for the key between the two.
bool parse_scan_cursor(Context& context, size_t at, ScanOptions& options);
bool parse_scan_options(Context& context, size_t at, ScanOptions& options);

// The reply's first half, and an array of so many elements to come.
void begin_scan_reply(Context& context, uint64_t cursor, size_t elements);

}  // namespace seatrial::kv
