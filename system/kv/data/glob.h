// Glob patterns as KEYS and CONFIG GET understand them: * ? [abc] [^abc] [a-z] and \ to take the
// next character as it is.
#pragma once

#include <string_view>

namespace seatrial::kv {

bool glob_match(std::string_view pattern, std::string_view text, bool ignore_case = false);

}  // namespace seatrial::kv
