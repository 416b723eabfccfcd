#include "kv/commands/scan.h"

#include "kv/command_table.h"
#include "kv/data/glob.h"
#include "kv/errors.h"

#include <fmt/format.h>

#include <charconv>

namespace seatrial::kv {

bool ScanOptions::matches(std::string_view name) const {
  return pattern == "*" || glob_match(pattern, name);
}

bool parse_scan_cursor(Context& context, size_t at, ScanOptions& options) {
  const resp::Args args = context.args;
  // As Redis reads it, of either sign.
  const bool negative = args[at].starts_with('-');
  const std::string_view cursor = args[at].substr(negative ? 1 : 0);
  const auto [end, error] =
      std::from_chars(cursor.data(), cursor.data() + cursor.size(), options.cursor);
  if (error != std::errc() || end != cursor.data() + cursor.size()) {
    context.reply.error("ERR invalid cursor");
    return false;
  }
  if (negative) options.cursor = 0 - options.cursor;
  return true;
}

bool parse_scan_options(Context& context, size_t at, ScanOptions& options) {
  const resp::Args args = context.args;
  for (size_t i = at + 1; i < args.size(); i += 2) {
    const bool has_value = i + 1 < args.size();
    if (has_value && equals_ignoring_case(args[i], "count")) {
      if (!context.integer(args[i + 1], options.count)) return false;
      if (options.count >= 1) continue;
    } else if (has_value && equals_ignoring_case(args[i], "match")) {
      options.pattern = args[i + 1];
      continue;
    } else if (has_value && at == 1 && equals_ignoring_case(args[i], "type")) {
      options.type = args[i + 1];
      continue;
    }
    context.reply.error(kSyntaxError);
    return false;
  }
  return true;
}

void begin_scan_reply(Context& context, uint64_t cursor, size_t elements) {
  const fmt::format_int text(cursor);
  context.reply.array(2);
  context.reply.bulk({text.data(), text.size()});
  context.reply.array(elements);
}

}  // namespace seatrial::kv
