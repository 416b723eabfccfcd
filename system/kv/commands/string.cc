// Step 4: strings: SET, GET and what counts, appends or takes several at once.
#include "kv/command_table.h"
#include "kv/commands/expiry.h"
#include "kv/commands/string_range.h"
#include "kv/errors.h"
#include "kv/float.h"
#include "kv/state.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <string>

namespace seatrial::kv {
namespace {

struct TimeOption {
  std::string_view name;
  TimeUnit unit;
  TimeBase base;
};
constexpr TimeOption kTimeOptions[] = {
    {"ex", TimeUnit::kSeconds, TimeBase::kFromNow},
    {"px", TimeUnit::kMilliseconds, TimeBase::kFromNow},
    {"exat", TimeUnit::kSeconds, TimeBase::kSince1970},
    {"pxat", TimeUnit::kMilliseconds, TimeBase::kSince1970},
};

// A deadline among the options: EX, PX, EXAT or PXAT and its value.
struct TimeArgument {
  const TimeOption* option = nullptr;
  std::string_view text;

  // Takes the words from `i` on, if that is what they are; leaves `i` at the last one taken. As in
  // Redis, the same option may come again, and the last one holds; another one may not.
  bool take(resp::Args args, size_t& i) {
    if (i + 1 >= args.size()) return false;
    for (const TimeOption& candidate : kTimeOptions) {
      if (!equals_ignoring_case(args[i], candidate.name)) continue;
      if (option != nullptr && option != &candidate) return false;
      option = &candidate;
      text = args[++i];
      return true;
    }
    return false;
  }

  // False: an error was answered.
  bool parse(Context& context, std::optional<WallMs>& deadline) const {
    if (option == nullptr) return true;
    WallMs time = 0;
    if (!parse_deadline(context, text, option->unit, option->base, true, time)) return false;
    deadline = time;
    return true;
  }
};

struct SetOptions {
  bool if_absent = false;   // NX
  bool if_present = false;  // XX
  bool keep_ttl = false;
  bool get = false;
  TimeArgument time;
};

// False: the words make no sense together.
bool parse_set_options(resp::Args args, SetOptions& options) {
  for (size_t i = 3; i < args.size(); ++i) {
    if (equals_ignoring_case(args[i], "nx") && !options.if_present) {
      options.if_absent = true;
    } else if (equals_ignoring_case(args[i], "xx") && !options.if_absent) {
      options.if_present = true;
    } else if (equals_ignoring_case(args[i], "get")) {
      options.get = true;
    } else if (equals_ignoring_case(args[i], "keepttl") && options.time.option == nullptr) {
      options.keep_ttl = true;
    } else if (options.keep_ttl || !options.time.take(args, i)) {
      return false;
    }
  }
  return true;
}

void write_string(Context& context, Entry* entry, std::string_view key, std::string_view value,
                  std::optional<WallMs> deadline) {
  if (entry == nullptr) {
    context.database().insert(key, value, deadline);
  } else {
    context.database().assign(entry, value, deadline);
  }
  context.changed(key);
}

// The effect names what came of the options, so that it holds without the moment and the
// conditions that it was executed under.
void leave_set(Context& context, std::string_view key, std::string_view value,
               std::optional<WallMs> deadline) {
  if (deadline) {
    const fmt::format_int time(*deadline);
    context.propagate({"SET", key, value, "PXAT", {time.data(), time.size()}});
  } else {
    context.propagate({"SET", key, value});
  }
}

void answer_string(Context& context, const Entry* entry) {
  if (entry == nullptr) {
    context.reply.null();
    return;
  }
  NumberText digits;
  context.reply.bulk(entry->text(digits));
}

void set_with_options(Context& context) {
  SetOptions options;
  if (!parse_set_options(context.args, options)) {
    return context.reply.error(kSyntaxError);
  }
  std::optional<WallMs> deadline;
  if (!options.time.parse(context, deadline)) return;
  const std::string_view key = context.args[1];
  const std::string_view value = context.args[2];
  Entry* const entry = context.find(key);
  if (options.get) {
    if (entry != nullptr && entry->type() != Type::kString) {
      return context.reply.error(kWrongType);
    }
    answer_string(context, entry);
  }
  if ((options.if_absent && entry != nullptr) || (options.if_present && entry == nullptr)) {
    if (!options.get) context.reply.null();
    return;
  }
  if (options.keep_ttl && entry != nullptr) deadline = entry->deadline();
  write_string(context, entry, key, value, deadline);
  leave_set(context, key, value, deadline);
  if (!options.get) context.reply.ok();
}

void set(Context& context) {
  if (context.args.size() > 3) return set_with_options(context);
  write_string(context, context.find(context.args[1]), context.args[1], context.args[2],
               std::nullopt);
  context.propagate();
  context.reply.ok();
}

void setnx(Context& context) {
  const std::string_view key = context.args[1];
  if (context.find(key) != nullptr) return context.reply.integer(0);
  write_string(context, nullptr, key, context.args[2], std::nullopt);
  context.propagate();
  context.reply.integer(1);
}

void set_for(Context& context, TimeUnit unit) {
  WallMs deadline = 0;
  if (!parse_deadline(context, context.args[2], unit, TimeBase::kFromNow, true, deadline)) return;
  const std::string_view key = context.args[1];
  write_string(context, context.find(key), key, context.args[3], deadline);
  leave_set(context, key, context.args[3], deadline);
  context.reply.ok();
}

void setex(Context& context) { set_for(context, TimeUnit::kSeconds); }
void psetex(Context& context) { set_for(context, TimeUnit::kMilliseconds); }

// The string of the first key, as a read counts it.
Entry* find_to_read(Context& context, bool& wrong_type) {
  Entry* const entry = context.find_string(context.args[1], wrong_type);
  if (wrong_type) return nullptr;
  ++(entry == nullptr ? context.state.stats.keyspace_misses : context.state.stats.keyspace_hits);
  return entry;
}

void get(Context& context) {
  bool wrong_type = false;
  const Entry* const entry = find_to_read(context, wrong_type);
  if (!wrong_type) answer_string(context, entry);
}

void getset(Context& context) {
  bool wrong_type = false;
  Entry* const entry = find_to_read(context, wrong_type);
  if (wrong_type) return;
  answer_string(context, entry);
  write_string(context, entry, context.args[1], context.args[2], std::nullopt);
  leave_set(context, context.args[1], context.args[2], std::nullopt);
}

void remove_string(Context& context) {
  context.state.keyspace.erase(context.database_index(), context.args[1]);
  context.propagate({"DEL", context.args[1]});
}

void getdel(Context& context) {
  bool wrong_type = false;
  const Entry* const entry = find_to_read(context, wrong_type);
  if (wrong_type) return;
  answer_string(context, entry);
  if (entry != nullptr) remove_string(context);
}

// False: the words make no sense together.
bool parse_getex_options(resp::Args args, TimeArgument& time, bool& persist) {
  for (size_t i = 2; i < args.size(); ++i) {
    if (equals_ignoring_case(args[i], "persist") && time.option == nullptr) {
      persist = true;
    } else if (persist || !time.take(args, i)) {
      return false;
    }
  }
  return true;
}

void getex(Context& context) {
  TimeArgument time;
  bool persist = false;
  if (!parse_getex_options(context.args, time, persist)) return context.reply.error(kSyntaxError);
  bool wrong_type = false;
  Entry* const entry = find_to_read(context, wrong_type);
  if (wrong_type) return;
  if (entry == nullptr) return context.reply.null();
  std::optional<WallMs> deadline;
  if (!time.parse(context, deadline)) return;
  answer_string(context, entry);
  const std::string_view key = context.args[1];
  if (deadline && *deadline <= context.now) return remove_string(context);
  if (!deadline && !(persist && entry->has_deadline())) return;
  context.database().set_deadline(entry, deadline);
  context.changed(key);
  if (deadline) {
    const fmt::format_int text(*deadline);
    context.propagate({"PEXPIREAT", key, {text.data(), text.size()}});
  } else {
    context.propagate({"PERSIST", key});
  }
}

void mget(Context& context) {
  context.reply.array(context.args.size() - 1);
  for (const std::string_view key : context.args.subspan(1)) {
    const Entry* const entry = context.find(key);
    ++(entry == nullptr ? context.state.stats.keyspace_misses : context.state.stats.keyspace_hits);
    const bool text = entry != nullptr && entry->type() == Type::kString;
    answer_string(context, text ? entry : nullptr);
  }
}

void set_pairs(Context& context) {
  for (size_t i = 1; i < context.args.size(); i += 2) {
    const std::string_view key = context.args[i];
    write_string(context, context.find(key), key, context.args[i + 1], std::nullopt);
  }
  context.propagate();
}

void mset(Context& context) {
  if (context.args.size() % 2 == 0) return context.wrong_arity();
  set_pairs(context);
  context.reply.ok();
}

void msetnx(Context& context) {
  if (context.args.size() % 2 == 0) return context.wrong_arity();
  for (size_t i = 1; i < context.args.size(); i += 2) {
    if (context.find(context.args[i]) != nullptr) return context.reply.integer(0);
  }
  set_pairs(context);
  context.reply.integer(1);
}

void strlen(Context& context) {
  bool wrong_type = false;
  const Entry* const entry = context.find_string(context.args[1], wrong_type);
  if (wrong_type) return;
  context.reply.integer(entry == nullptr ? 0 : static_cast<int64_t>(entry->text_length()));
}

void append(Context& context) {
  const std::string_view key = context.args[1];
  const std::string_view tail = context.args[2];
  bool wrong_type = false;
  Entry* entry = context.find_string(key, wrong_type);
  if (wrong_type) return;
  if (entry == nullptr) {
    entry = context.database().insert(key, tail, std::nullopt);
  } else {
    if (!length_allowed(context, entry->text_length(), tail.size())) return;
    entry = context.database().append(entry, tail);
  }
  context.changed(key);
  context.propagate();
  context.reply.integer(static_cast<int64_t>(entry->text_length()));
}

void increment_by(Context& context, int64_t by) {
  const std::string_view key = context.args[1];
  bool wrong_type = false;
  Entry* const entry = context.find_string(key, wrong_type);
  if (wrong_type) return;
  int64_t value = 0;
  NumberText digits;
  if (entry != nullptr && !context.integer(entry->text(digits), value)) return;
  if (__builtin_add_overflow(value, by, &value)) {
    return context.reply.error("ERR increment or decrement would overflow");
  }
  if (entry == nullptr) {
    context.database().insert(Entry::make_integer(key, value, std::nullopt));
  } else {
    context.database().assign_integer(entry, value);
  }
  context.changed(key);
  context.propagate();
  context.reply.integer(value);
}

void incr(Context& context) { increment_by(context, 1); }
void decr(Context& context) { increment_by(context, -1); }

void incrby(Context& context) {
  int64_t by = 0;
  if (context.integer(context.args[2], by)) increment_by(context, by);
}

void decrby(Context& context) {
  int64_t by = 0;
  if (!context.integer(context.args[2], by)) return;
  if (by == INT64_MIN) return context.reply.error("ERR decrement would overflow");
  increment_by(context, -by);
}

void incrbyfloat(Context& context) {
  const std::string_view key = context.args[1];
  bool wrong_type = false;
  Entry* const entry = context.find_string(key, wrong_type);
  if (wrong_type) return;
  NumberText digits;
  const auto number = entry == nullptr ? 0.0L : parse_float(entry->text(digits));
  const auto by = parse_float(context.args[2]);
  if (!number || !by) return context.reply.error("ERR value is not a valid float");
  const long double value = *number + *by;
  if (std::isnan(value) || std::isinf(value)) {
    return context.reply.error("ERR increment would produce NaN or Infinity");
  }
  const std::string text = format_float(value);
  write_string(context, entry, key, text, entry == nullptr ? std::nullopt : entry->deadline());
  // What came of it: sums of fractions are not the same everywhere.
  context.propagate({"SET", key, text, "KEEPTTL"});
  context.reply.bulk(text);
}

constexpr KeyRange kOneKey{1, 1, 1};
constexpr std::string_view kMultiShard = "request_policy:multi_shard";

constexpr Command kCommands[] = {
    {"append", append, 3, kWrite | kDenyOom | kFast, Group::kString, "2.0.0",
     "Appends bytes to a string", kOneKey, "RW insert"},
    {"decr", decr, 2, kWrite | kDenyOom | kFast, Group::kString, "1.0.0", "Takes one from a number",
     kOneKey, "RW access update"},
    {"decrby", decrby, 3, kWrite | kDenyOom | kFast, Group::kString, "1.0.0",
     "Takes an amount from a number", kOneKey, "RW access update"},
    {"get", get, 2, kReadOnly | kFast, Group::kString, "1.0.0", "Answers a string", kOneKey,
     "RO access"},
    {"getdel", getdel, 2, kWrite | kFast, Group::kString, "6.2.0",
     "Answers a string and removes it", kOneKey, "RW access delete"},
    {"getex", getex, -2, kWrite | kFast, Group::kString, "6.2.0",
     "Answers a string and changes its deadline", kOneKey, "RW access update"},
    {"getset", getset, 3, kWrite | kDenyOom | kFast, Group::kString, "1.0.0",
     "Answers a string and sets it", kOneKey, "RW access update"},
    {"incr", incr, 2, kWrite | kDenyOom | kFast, Group::kString, "1.0.0", "Adds one to a number",
     kOneKey, "RW access update"},
    {"incrby", incrby, 3, kWrite | kDenyOom | kFast, Group::kString, "1.0.0",
     "Adds an amount to a number", kOneKey, "RW access update"},
    {"incrbyfloat", incrbyfloat, 3, kWrite | kDenyOom | kFast, Group::kString, "2.6.0",
     "Adds an amount with a fraction to a number", kOneKey, "RW access update"},
    {"mget",
     mget,
     -2,
     kReadOnly | kFast,
     Group::kString,
     "1.0.0",
     "Answers several strings",
     {1, -1, 1},
     "RO access",
     kMultiShard},
    {"mset",
     mset,
     -3,
     kWrite | kDenyOom,
     Group::kString,
     "1.0.1",
     "Sets several strings at once",
     {1, -1, 2},
     "OW update",
     "request_policy:multi_shard response_policy:all_succeeded"},
    {"msetnx",
     msetnx,
     -3,
     kWrite | kDenyOom,
     Group::kString,
     "1.0.1",
     "Sets several strings if none of the keys is there",
     {1, -1, 2},
     "OW insert",
     "request_policy:multi_shard response_policy:agg_min"},
    {"psetex", psetex, 4, kWrite | kDenyOom, Group::kString, "2.6.0",
     "Sets a string that lives for some milliseconds", kOneKey, "OW update"},
    {"set", set, -3, kWrite | kDenyOom, Group::kString, "1.0.0", "Sets a string", kOneKey,
     "RW access update variable_flags"},
    {"setex", setex, 4, kWrite | kDenyOom, Group::kString, "2.0.0",
     "Sets a string that lives for some seconds", kOneKey, "OW update"},
    {"setnx", setnx, 3, kWrite | kDenyOom | kFast, Group::kString, "1.0.0",
     "Sets a string if the key is not there", kOneKey, "OW insert"},
    {"strlen", strlen, 2, kReadOnly | kFast, Group::kString, "2.2.0",
     "Answers the length of a string", kOneKey, "RO"},
};

}  // namespace

std::span<const Command> string_commands() { return kCommands; }

}  // namespace seatrial::kv
