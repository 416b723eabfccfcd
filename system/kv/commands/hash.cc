// Step 4: hashes: fields with values under one key.
#include "kv/command_table.h"
#include "kv/commands/scan.h"
#include "kv/data/hash_value.h"
#include "kv/errors.h"
#include "kv/float.h"
#include "kv/state.h"
#include "resp/number.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace seatrial::kv {
namespace {

const HashValue* hash_of(const Entry* entry) {
  return entry == nullptr ? nullptr : &static_cast<const HashValue&>(entry->collection());
}
HashValue& hash_of(Entry& entry) { return static_cast<HashValue&>(entry.collection()); }

// The hash to read; nullptr: there is none, or `wrong_type` was answered.
const HashValue* find_hash(Context& context, bool& wrong_type) {
  return hash_of(context.find(context.args[1], Type::kHash, wrong_type));
}

// The hash to write, made if there is none; nullptr: the key holds something else.
Entry* hash_to_write(Context& context) {
  bool wrong_type = false;
  Entry* const entry = context.find(context.args[1], Type::kHash, wrong_type);
  if (wrong_type || entry != nullptr) return entry;
  const CollectionSettings& settings = context.state.keyspace.collections();
  return context.database().insert(Entry::make_collection(
      context.args[1], std::make_unique<HashValue>(settings.seed), std::nullopt));
}

// Whether the field was not there.
bool set_field(Context& context, Entry* entry, std::string_view name, std::string_view value) {
  bool added = false;
  context.database().edit(entry, [&] {
    added = hash_of(*entry).set(name, value, context.state.keyspace.collections().hash);
  });
  return added;
}

void answer_value(Context& context, const HashValue* hash, std::string_view name) {
  NumberText digits;
  const auto value = hash == nullptr ? std::nullopt : hash->find(name, digits);
  value ? context.reply.bulk(*value) : context.reply.null();
}

// The number of fields that were not there; nullopt: an error was answered.
std::optional<int64_t> set_fields(Context& context) {
  if (context.args.size() % 2 != 0) {
    context.wrong_arity();
    return std::nullopt;
  }
  Entry* const entry = hash_to_write(context);
  if (entry == nullptr) return std::nullopt;
  int64_t added = 0;
  for (size_t i = 2; i < context.args.size(); i += 2) {
    added += set_field(context, entry, context.args[i], context.args[i + 1]) ? 1 : 0;
  }
  context.changed(context.args[1]);
  context.propagate();
  return added;
}

void hset(Context& context) {
  if (const auto added = set_fields(context)) context.reply.integer(*added);
}

void hmset(Context& context) {
  if (set_fields(context)) context.reply.ok();
}

void hsetnx(Context& context) {
  bool wrong_type = false;
  const HashValue* const hash = find_hash(context, wrong_type);
  if (wrong_type) return;
  NumberText digits;
  if (hash != nullptr && hash->find(context.args[2], digits)) return context.reply.integer(0);
  set_field(context, hash_to_write(context), context.args[2], context.args[3]);
  context.changed(context.args[1]);
  context.propagate();
  context.reply.integer(1);
}

void hget(Context& context) {
  bool wrong_type = false;
  const HashValue* const hash = find_hash(context, wrong_type);
  if (!wrong_type) answer_value(context, hash, context.args[2]);
}

void hmget(Context& context) {
  bool wrong_type = false;
  const HashValue* const hash = find_hash(context, wrong_type);
  if (wrong_type) return;
  context.reply.array(context.args.size() - 2);
  for (const std::string_view name : context.args.subspan(2)) answer_value(context, hash, name);
}

void answer_all(Context& context, bool names, bool values) {
  bool wrong_type = false;
  const HashValue* const hash = find_hash(context, wrong_type);
  if (wrong_type) return;
  const size_t size = hash == nullptr ? 0 : hash->size();
  names&& values ? context.reply.map(size) : context.reply.array(size);
  if (hash == nullptr) return;
  hash->for_each([&](std::string_view name, std::string_view value) {
    if (names) context.reply.bulk(name);
    if (values) context.reply.bulk(value);
  });
}

void hgetall(Context& context) { answer_all(context, true, true); }
void hkeys(Context& context) { answer_all(context, true, false); }
void hvals(Context& context) { answer_all(context, false, true); }

void hlen(Context& context) {
  bool wrong_type = false;
  const HashValue* const hash = find_hash(context, wrong_type);
  if (wrong_type) return;
  context.reply.integer(hash == nullptr ? 0 : static_cast<int64_t>(hash->size()));
}

void hexists(Context& context) {
  bool wrong_type = false;
  const HashValue* const hash = find_hash(context, wrong_type);
  if (wrong_type) return;
  NumberText digits;
  context.reply.integer(hash != nullptr && hash->find(context.args[2], digits) ? 1 : 0);
}

void hstrlen(Context& context) {
  bool wrong_type = false;
  const HashValue* const hash = find_hash(context, wrong_type);
  if (wrong_type) return;
  NumberText digits;
  const auto value = hash == nullptr ? std::nullopt : hash->find(context.args[2], digits);
  context.reply.integer(value ? static_cast<int64_t>(value->size()) : 0);
}

void hdel(Context& context) {
  bool wrong_type = false;
  Entry* const entry = context.find(context.args[1], Type::kHash, wrong_type);
  if (wrong_type) return;
  int64_t removed = 0;
  if (entry != nullptr) {
    context.database().edit(entry, [&] {
      for (const std::string_view name : context.args.subspan(2)) {
        removed += hash_of(*entry).erase(name) ? 1 : 0;
      }
    });
    if (hash_of(*entry).size() == 0) {
      context.state.keyspace.erase(context.database_index(), context.args[1]);
    } else if (removed > 0) {
      context.changed(context.args[1]);
    }
  }
  if (removed > 0) context.propagate();
  context.reply.integer(removed);
}

void hincrby(Context& context) {
  int64_t by = 0;
  if (!context.integer(context.args[3], by)) return;
  bool wrong_type = false;
  const HashValue* const hash = find_hash(context, wrong_type);
  if (wrong_type) return;
  NumberText digits;
  const auto old = hash == nullptr ? std::nullopt : hash->find(context.args[2], digits);
  int64_t value = 0;
  if (old) {
    const auto number = resp::parse_integer(*old);
    if (!number) return context.reply.error("ERR hash value is not an integer");
    value = *number;
  }
  if (__builtin_add_overflow(value, by, &value)) {
    return context.reply.error("ERR increment or decrement would overflow");
  }
  const fmt::format_int text(value);
  set_field(context, hash_to_write(context), context.args[2], {text.data(), text.size()});
  context.changed(context.args[1]);
  context.propagate();
  context.reply.integer(value);
}

void hincrbyfloat(Context& context) {
  const auto by = parse_float(context.args[3]);
  if (!by) return context.reply.error("ERR value is not a valid float");
  if (std::isinf(*by)) return context.reply.error("ERR value is NaN or Infinity");
  bool wrong_type = false;
  const HashValue* const hash = find_hash(context, wrong_type);
  if (wrong_type) return;
  NumberText digits;
  const auto old = hash == nullptr ? std::nullopt : hash->find(context.args[2], digits);
  const auto number = old ? parse_float(*old) : 0.0L;
  if (!number) return context.reply.error("ERR hash value is not a float");
  const long double value = *number + *by;
  if (std::isnan(value) || std::isinf(value)) {
    return context.reply.error("ERR increment would produce NaN or Infinity");
  }
  const std::string text = format_float(value);
  set_field(context, hash_to_write(context), context.args[2], text);
  context.changed(context.args[1]);
  // What came of it: sums of fractions are not the same everywhere.
  context.propagate({"HSET", context.args[1], context.args[2], text});
  context.reply.bulk(text);
}

using Pair = std::pair<std::string, std::string>;

// `count` fields, each drawn from all.
std::vector<Pair> draw_any(Context& context, const HashValue& hash, uint64_t count) {
  std::vector<Pair> drawn;
  while (drawn.size() < count) {
    hash.sample(context.state.choices, [&](std::string_view name, std::string_view value) {
      drawn.emplace_back(name, value);
    });
  }
  return drawn;
}

// Up to `count` different fields: the first ones of a shuffled list of all.
std::vector<Pair> draw_different(Context& context, const HashValue& hash, uint64_t count) {
  std::vector<Pair> drawn;
  drawn.reserve(hash.size());
  hash.for_each(
      [&](std::string_view name, std::string_view value) { drawn.emplace_back(name, value); });
  if (count >= drawn.size()) return drawn;
  for (size_t i = 0; i < count; i++) {
    std::swap(drawn[i], drawn[i + context.state.choices.below(drawn.size() - i)]);
  }
  drawn.resize(count);
  return drawn;
}

void hrandfield(Context& context) {
  const resp::Args args = context.args;
  int64_t count = 1;
  if (args.size() > 2 && !context.integer(args[2], count)) return;
  const bool with_values = args.size() == 4 && equals_ignoring_case(args[3], "withvalues");
  if (args.size() > 4 || (args.size() == 4 && !with_values)) {
    return context.reply.error(kSyntaxError);
  }
  if (args.size() > 2 && count == INT64_MIN) return context.reply.error(kNotInRange);
  constexpr int64_t kPairsMax = INT64_MAX / 2;
  if (with_values && (count < -kPairsMax || count > kPairsMax)) {
    return context.reply.error("ERR value is out of range");
  }
  bool wrong_type = false;
  const HashValue* const hash = find_hash(context, wrong_type);
  if (wrong_type) return;
  if (args.size() == 2) {
    if (hash == nullptr) return context.reply.null();
    return context.reply.bulk(draw_any(context, *hash, 1)[0].first);
  }
  if (hash == nullptr || count == 0) return context.reply.array(0);
  const auto wanted = static_cast<uint64_t>(std::abs(count));
  const std::vector<Pair> drawn =
      count < 0 ? draw_any(context, *hash, wanted) : draw_different(context, *hash, wanted);
  context.reply.array(drawn.size() * (with_values ? 2 : 1));
  for (const auto& [name, value] : drawn) {
    context.reply.bulk(name);
    if (with_values) context.reply.bulk(value);
  }
}

void hscan(Context& context) {
  ScanOptions options;
  if (!parse_scan_cursor(context, 2, options)) return;
  bool wrong_type = false;
  const HashValue* const hash = find_hash(context, wrong_type);
  if (wrong_type) return;
  if (hash == nullptr) return begin_scan_reply(context, 0, 0);
  if (!parse_scan_options(context, 2, options)) return;
  std::vector<Pair> found;
  int64_t looked_at = 0;
  uint64_t cursor = options.cursor;
  do {
    cursor = hash->scan(cursor, [&](std::string_view name, std::string_view value) {
      looked_at++;
      if (options.matches(name)) found.emplace_back(name, value);
    });
  } while (cursor != 0 && looked_at < options.count);
  begin_scan_reply(context, cursor, found.size() * 2);
  for (const auto& [name, value] : found) {
    context.reply.bulk(name);
    context.reply.bulk(value);
  }
}

constexpr KeyRange kOneKey{1, 1, 1};
constexpr std::string_view kAnyOrder = "nondeterministic_output_order";
constexpr std::string_view kAnyOutput = "nondeterministic_output";

constexpr Command kCommands[] = {
    {"hdel", hdel, -3, kWrite | kFast, Group::kHash, "2.0.0", "Removes fields", kOneKey,
     "RW delete"},
    {"hexists", hexists, 3, kReadOnly | kFast, Group::kHash, "2.0.0",
     "Answers whether a field is there", kOneKey, "RO"},
    {"hget", hget, 3, kReadOnly | kFast, Group::kHash, "2.0.0", "Answers the value of a field",
     kOneKey, "RO access"},
    {"hgetall", hgetall, 2, kReadOnly, Group::kHash, "2.0.0",
     "Answers all fields with their values", kOneKey, "RO access", kAnyOrder},
    {"hincrby", hincrby, 4, kWrite | kDenyOom | kFast, Group::kHash, "2.0.0",
     "Adds an amount to the number in a field", kOneKey, "RW access update"},
    {"hincrbyfloat", hincrbyfloat, 4, kWrite | kDenyOom | kFast, Group::kHash, "2.6.0",
     "Adds an amount with a fraction to the number in a field", kOneKey, "RW access update"},
    {"hkeys", hkeys, 2, kReadOnly, Group::kHash, "2.0.0", "Answers all fields", kOneKey,
     "RO access", kAnyOrder},
    {"hlen", hlen, 2, kReadOnly | kFast, Group::kHash, "2.0.0", "Counts the fields", kOneKey, "RO"},
    {"hmget", hmget, -3, kReadOnly | kFast, Group::kHash, "2.0.0",
     "Answers the values of several fields", kOneKey, "RO access"},
    {"hmset", hmset, -4, kWrite | kDenyOom | kFast, Group::kHash, "2.0.0",
     "Sets fields; HSET in its older form", kOneKey, "RW update"},
    {"hrandfield", hrandfield, -2, kReadOnly, Group::kHash, "6.2.0", "Answers fields at random",
     kOneKey, "RO access", kAnyOutput},
    {"hscan", hscan, -3, kReadOnly, Group::kHash, "2.8.0", "Answers fields bit by bit", kOneKey,
     "RO access", kAnyOutput},
    {"hset", hset, -4, kWrite | kDenyOom | kFast, Group::kHash, "2.0.0", "Sets fields", kOneKey,
     "RW update"},
    {"hsetnx", hsetnx, 4, kWrite | kDenyOom | kFast, Group::kHash, "2.0.0",
     "Sets a field that is not there", kOneKey, "RW insert"},
    {"hstrlen", hstrlen, 3, kReadOnly | kFast, Group::kHash, "3.2.0",
     "Answers the length of a field's value", kOneKey, "RO"},
    {"hvals", hvals, 2, kReadOnly, Group::kHash, "2.0.0", "Answers all values", kOneKey,
     "RO access", kAnyOrder},
};

}  // namespace

std::span<const Command> hash_commands() { return kCommands; }

}  // namespace seatrial::kv
