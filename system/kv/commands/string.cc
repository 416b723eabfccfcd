// Step 4: strings: SET, GET and what counts, appends or takes several at once.
#include "kv/command_table.h"
#include "kv/commands/expiry.h"
#include "kv/errors.h"
#include "kv/state.h"

#include <fmt/format.h>

#include <optional>

namespace seatrial::kv {
namespace {

struct SetOptions {
  bool if_absent = false;   // NX
  bool if_present = false;  // XX
  bool keep_ttl = false;
  bool get = false;
  const struct TimeOption* time_option = nullptr;
  std::string_view time;
};

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

const TimeOption* find_time_option(std::string_view word) {
  for (const TimeOption& option : kTimeOptions) {
    if (equals_ignoring_case(word, option.name)) return &option;
  }
  return nullptr;
}

// False: the words make no sense together.
bool parse_set_options(resp::Args args, SetOptions& options) {
  for (size_t i = 3; i < args.size(); ++i) {
    const TimeOption* const time = find_time_option(args[i]);
    if (equals_ignoring_case(args[i], "nx") && !options.if_present) {
      options.if_absent = true;
    } else if (equals_ignoring_case(args[i], "xx") && !options.if_absent) {
      options.if_present = true;
    } else if (equals_ignoring_case(args[i], "get")) {
      options.get = true;
    } else if (equals_ignoring_case(args[i], "keepttl") && !options.time_option) {
      options.keep_ttl = true;
    } else if (time != nullptr && !options.keep_ttl && i + 1 < args.size() &&
               (options.time_option == nullptr || options.time_option == time)) {
      // As in Redis, the same option may come again; the last one holds.
      options.time_option = time;
      options.time = args[++i];
    } else {
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
  if (const TimeOption* const option = options.time_option) {
    WallMs time = 0;
    if (!parse_deadline(context, options.time, option->unit, option->base, true, time)) return;
    deadline = time;
  }
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
  // The effect names what came of the options, so that it holds without the moment and the
  // conditions that it was executed under.
  if (deadline) {
    const fmt::format_int time(*deadline);
    context.propagate({"SET", key, value, "PXAT", {time.data(), time.size()}});
  } else {
    context.propagate({"SET", key, value});
  }
  if (!options.get) context.reply.ok();
}

void set(Context& context) {
  if (context.args.size() > 3) return set_with_options(context);
  write_string(context, context.find(context.args[1]), context.args[1], context.args[2],
               std::nullopt);
  context.propagate();
  context.reply.ok();
}

void get(Context& context) {
  bool wrong_type = false;
  const Entry* const entry = context.find_string(context.args[1], wrong_type);
  if (wrong_type) return;
  ++(entry == nullptr ? context.state.stats.keyspace_misses : context.state.stats.keyspace_hits);
  answer_string(context, entry);
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

void mset(Context& context) {
  if (context.args.size() % 2 == 0) return context.wrong_arity();
  for (size_t i = 1; i < context.args.size(); i += 2) {
    const std::string_view key = context.args[i];
    write_string(context, context.find(key), key, context.args[i + 1], std::nullopt);
  }
  context.propagate();
  context.reply.ok();
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
    const uint64_t length = entry->text_length() + uint64_t{tail.size()};
    if (length > static_cast<uint64_t>(context.state.config.proto_max_bulk_bytes)) {
      return context.reply.error(kStringTooLong);
    }
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
    {"incr", incr, 2, kWrite | kDenyOom | kFast, Group::kString, "1.0.0", "Adds one to a number",
     kOneKey, "RW access update"},
    {"incrby", incrby, 3, kWrite | kDenyOom | kFast, Group::kString, "1.0.0",
     "Adds an amount to a number", kOneKey, "RW access update"},
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
    {"set", set, -3, kWrite | kDenyOom, Group::kString, "1.0.0", "Sets a string", kOneKey,
     "RW access update variable_flags"},
    {"strlen", strlen, 2, kReadOnly | kFast, Group::kString, "2.2.0",
     "Answers the length of a string", kOneKey, "RO"},
};

}  // namespace

std::span<const Command> string_commands() { return kCommands; }

}  // namespace seatrial::kv
