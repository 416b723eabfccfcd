#include "kv/commands/expiry.h"

#include "kv/keyspace.h"

#include <fmt/format.h>

#include <string>

namespace seatrial::kv {
namespace {

bool refuse(Context& context) {
  context.reply.error(fmt::format("ERR invalid expire time in '{}' command", context.command.name));
  return false;
}

}  // namespace

bool parse_deadline(Context& context, std::string_view text, TimeUnit unit, TimeBase base,
                    bool positive, WallMs& deadline) {
  int64_t value = 0;
  if (!context.integer(text, value)) return false;
  if (positive && value <= 0) return refuse(context);
  if (unit == TimeUnit::kSeconds && __builtin_mul_overflow(value, 1000, &value)) {
    return refuse(context);
  }
  if (base == TimeBase::kFromNow) {
    // A log holds absolute times only; from which moment this one counts cannot be known.
    if (context.now == Keyspace::kNothingExpires) return refuse(context);
    if (__builtin_add_overflow(value, context.now, &value)) return refuse(context);
  }
  deadline = value;
  return true;
}

}  // namespace seatrial::kv
