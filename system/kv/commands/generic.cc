// Step 4: keys of any type: existence, deadlines, enumeration.
#include "kv/command_table.h"
#include "kv/commands/expiry.h"
#include "kv/commands/scan.h"
#include "kv/data/glob.h"
#include "kv/errors.h"
#include "kv/state.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <vector>

namespace seatrial::kv {
namespace {

void del(Context& context) {
  int64_t removed = 0;
  for (const std::string_view key : context.args.subspan(1)) {
    if (context.find(key) == nullptr) continue;
    context.state.keyspace.erase(context.database_index(), key);
    ++removed;
  }
  if (removed > 0) context.propagate();
  context.reply.integer(removed);
}

void exists(Context& context) {
  int64_t found = 0;
  for (const std::string_view key : context.args.subspan(1)) found += context.find(key) != nullptr;
  context.reply.integer(found);
}

void type(Context& context) {
  const Entry* const entry = context.find(context.args[1]);
  context.reply.simple(entry == nullptr ? "none" : to_string(entry->type()));
}

struct ExpireConditions {
  bool if_none = false;     // NX
  bool if_some = false;     // XX
  bool if_later = false;    // GT
  bool if_earlier = false;  // LT

  // No deadline counts as one that never comes.
  bool allow(std::optional<WallMs> current, WallMs deadline) const {
    if (if_none && current) return false;
    if (if_some && !current) return false;
    if (if_later && (!current || deadline <= *current)) return false;
    if (if_earlier && current && deadline >= *current) return false;
    return true;
  }
};

bool parse_conditions(Context& context, ExpireConditions& conditions) {
  for (const std::string_view word : context.args.subspan(3)) {
    if (equals_ignoring_case(word, "nx")) {
      conditions.if_none = true;
    } else if (equals_ignoring_case(word, "xx")) {
      conditions.if_some = true;
    } else if (equals_ignoring_case(word, "gt")) {
      conditions.if_later = true;
    } else if (equals_ignoring_case(word, "lt")) {
      conditions.if_earlier = true;
    } else {
      context.reply.error(fmt::format("ERR Unsupported option {}", word));
      return false;
    }
  }
  if (conditions.if_none && (conditions.if_some || conditions.if_later || conditions.if_earlier)) {
    context.reply.error("ERR NX and XX, GT or LT options at the same time are not compatible");
    return false;
  }
  if (conditions.if_later && conditions.if_earlier) {
    context.reply.error("ERR GT and LT options at the same time are not compatible");
    return false;
  }
  return true;
}

void expire_generic(Context& context, TimeUnit unit, TimeBase base) {
  ExpireConditions conditions;
  if (!parse_conditions(context, conditions)) return;
  WallMs deadline = 0;
  if (!parse_deadline(context, context.args[2], unit, base, false, deadline)) return;
  const std::string_view key = context.args[1];
  Entry* const entry = context.find(key);
  if (entry == nullptr || !conditions.allow(entry->deadline(), deadline)) {
    return context.reply.integer(0);
  }
  if (deadline <= context.now) {
    context.state.keyspace.erase(context.database_index(), key);
    context.propagate({"DEL", key});
  } else {
    context.database().set_deadline(entry, deadline);
    context.changed(key);
    const fmt::format_int time(deadline);
    context.propagate({"PEXPIREAT", key, {time.data(), time.size()}});
  }
  context.reply.integer(1);
}

void expire(Context& context) { expire_generic(context, TimeUnit::kSeconds, TimeBase::kFromNow); }
void expireat(Context& context) {
  expire_generic(context, TimeUnit::kSeconds, TimeBase::kSince1970);
}
void pexpire(Context& context) {
  expire_generic(context, TimeUnit::kMilliseconds, TimeBase::kFromNow);
}
void pexpireat(Context& context) {
  expire_generic(context, TimeUnit::kMilliseconds, TimeBase::kSince1970);
}

void ttl_generic(Context& context, TimeUnit unit, TimeBase base) {
  const Entry* const entry = context.find(context.args[1]);
  if (entry == nullptr) return context.reply.integer(-2);
  const auto deadline = entry->deadline();
  if (!deadline) return context.reply.integer(-1);
  int64_t left = *deadline;
  if (base == TimeBase::kFromNow) left = std::max<int64_t>(left - context.now, 0);
  context.reply.integer(unit == TimeUnit::kMilliseconds ? left : (left + 500) / 1000);
}

void ttl(Context& context) { ttl_generic(context, TimeUnit::kSeconds, TimeBase::kFromNow); }
void pttl(Context& context) { ttl_generic(context, TimeUnit::kMilliseconds, TimeBase::kFromNow); }
void expiretime(Context& context) {
  ttl_generic(context, TimeUnit::kSeconds, TimeBase::kSince1970);
}
void pexpiretime(Context& context) {
  ttl_generic(context, TimeUnit::kMilliseconds, TimeBase::kSince1970);
}

void persist(Context& context) {
  Entry* const entry = context.find(context.args[1]);
  if (entry == nullptr || !entry->has_deadline()) return context.reply.integer(0);
  context.database().set_deadline(entry, std::nullopt);
  context.changed(context.args[1]);
  context.propagate();
  context.reply.integer(1);
}

void keys(Context& context) {
  const std::string_view pattern = context.args[1];
  const bool all = pattern == "*";
  std::vector<std::string_view> found;
  context.database().entries().for_each([&](const Entry* entry) {
    if (!all && !glob_match(pattern, entry->key())) return;
    if (!Keyspace::expired(*entry, context.now)) found.push_back(entry->key());
  });
  context.reply.array(found.size());
  for (const std::string_view key : found) context.reply.bulk(key);
}

void scan(Context& context) {
  ScanOptions options;
  if (!parse_scan_cursor(context, 1, options) || !parse_scan_options(context, 1, options)) return;
  std::vector<std::string> found;
  std::vector<std::string> expired;
  int64_t looked_at = 0;
  uint64_t cursor = options.cursor;
  const Database::Entries& entries = context.database().entries();
  do {
    cursor = entries.scan(cursor, [&](const Entry* entry) {
      looked_at++;
      if (!options.matches(entry->key())) return;
      if (!options.type.empty() && !equals_ignoring_case(options.type, to_string(entry->type()))) {
        return;
      }
      (Keyspace::expired(*entry, context.now) ? expired : found).emplace_back(entry->key());
    });
  } while (cursor != 0 && looked_at < options.count);
  // Removed as by any other look at them.
  for (const std::string& key : expired) (void)context.find(key);
  begin_scan_reply(context, cursor, found.size());
  for (const std::string& key : found) context.reply.bulk(key);
}

void randomkey(Context& context) {
  // Where all keys have expired, and this server may not remove them, any will do.
  constexpr int kTriesMax = 100;
  for (int tries = 0; !context.database().empty(); ++tries) {
    const std::string key(context.database().entries().sample(context.state.choices)->key());
    if (tries < kTriesMax && context.find(key) == nullptr) continue;
    return context.reply.bulk(key);
  }
  context.reply.null();
}

constexpr KeyRange kOneKey{1, 1, 1};
constexpr KeyRange kAllKeys{1, -1, 1};

constexpr Command kCommands[] = {
    {"del", del, -2, kWrite, Group::kGeneric, "1.0.0", "Removes keys", kAllKeys, "RM delete",
     "request_policy:multi_shard response_policy:agg_sum"},
    {"exists", exists, -2, kReadOnly | kFast, Group::kGeneric, "1.0.0",
     "Counts how many of the keys are there", kAllKeys, "RO",
     "request_policy:multi_shard response_policy:agg_sum"},
    {"expire", expire, -3, kWrite | kFast, Group::kGeneric, "1.0.0",
     "Sets a deadline, in seconds from now", kOneKey, "RW update"},
    {"expireat", expireat, -3, kWrite | kFast, Group::kGeneric, "1.2.0",
     "Sets a deadline, in seconds since 1970", kOneKey, "RW update"},
    {"expiretime", expiretime, 2, kReadOnly | kFast, Group::kGeneric, "7.0.0",
     "Answers the deadline in seconds since 1970", kOneKey, "RO access"},
    {"keys",
     keys,
     2,
     kReadOnly,
     Group::kGeneric,
     "1.0.0",
     "Lists the keys that match a pattern",
     {},
     {},
     "request_policy:all_shards nondeterministic_output_order"},
    {"persist", persist, 2, kWrite | kFast, Group::kGeneric, "2.2.0", "Removes the deadline",
     kOneKey, "RW update"},
    {"pexpire", pexpire, -3, kWrite | kFast, Group::kGeneric, "2.6.0",
     "Sets a deadline, in milliseconds from now", kOneKey, "RW update"},
    {"pexpireat", pexpireat, -3, kWrite | kFast, Group::kGeneric, "2.6.0",
     "Sets a deadline, in milliseconds since 1970", kOneKey, "RW update"},
    {"pexpiretime", pexpiretime, 2, kReadOnly | kFast, Group::kGeneric, "7.0.0",
     "Answers the deadline in milliseconds since 1970", kOneKey, "RO access"},
    {"pttl", pttl, 2, kReadOnly | kFast, Group::kGeneric, "2.6.0",
     "Answers the milliseconds left to live", kOneKey, "RO access", "nondeterministic_output"},
    {"randomkey",
     randomkey,
     1,
     kReadOnly,
     Group::kGeneric,
     "1.0.0",
     "Answers some key",
     {},
     {},
     "request_policy:all_shards nondeterministic_output"},
    {"scan",
     scan,
     -2,
     kReadOnly,
     Group::kGeneric,
     "2.8.0",
     "Answers keys bit by bit",
     {},
     {},
     "nondeterministic_output request_policy:special"},
    {"touch", exists, -2, kReadOnly | kFast, Group::kGeneric, "3.2.1",
     "Counts how many of the keys are there, as used just now", kAllKeys, "RO",
     "request_policy:multi_shard response_policy:agg_sum"},
    {"ttl", ttl, 2, kReadOnly | kFast, Group::kGeneric, "1.0.0", "Answers the seconds left to live",
     kOneKey, "RO access", "nondeterministic_output"},
    {"type", type, 2, kReadOnly | kFast, Group::kGeneric, "1.0.0", "Answers the type of a value",
     kOneKey, "RO"},
    {"unlink", del, -2, kWrite | kFast, Group::kGeneric, "4.0.0", "Removes keys", kAllKeys,
     "RM delete", "request_policy:multi_shard response_policy:agg_sum"},
};

}  // namespace

std::span<const Command> generic_commands() { return kCommands; }

}  // namespace seatrial::kv
