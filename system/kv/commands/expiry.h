// Deadlines as arguments: what SET and the EXPIRE family share.
#pragma once

#include "kv/command.h"

#include <string_view>

namespace seatrial::kv {

enum class TimeUnit : uint8_t { kSeconds, kMilliseconds };
enum class TimeBase : uint8_t { kFromNow, kSince1970 };

// Turns an argument into a deadline. If it is no number, or none that can be a deadline, answers
// the error and returns false. `positive`: as SET wants it, zero and less are refused.
bool parse_deadline(Context& context, std::string_view text, TimeUnit unit, TimeBase base,
                    bool positive, WallMs& deadline);

}  // namespace seatrial::kv
