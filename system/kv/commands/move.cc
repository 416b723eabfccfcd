// Step 4: values under other keys: renamed, moved to another database, copied.
#include "kv/command_table.h"
#include "kv/errors.h"
#include "kv/state.h"

#include <optional>
#include <utility>

namespace seatrial::kv {
namespace {

constexpr std::string_view kNoSuchKey = "ERR no such key";
constexpr std::string_view kSameObjects = "ERR source and destination objects are the same";

// Puts the value under that key, in the place of what is there.
void put(Context& context, int database, std::string_view key, Entry::Owner value) {
  Keyspace& keyspace = context.state.keyspace;
  keyspace.erase(database, key);
  keyspace.at(database).insert(Entry::with_key(std::move(value), key));
  keyspace.changed(database, key);
}

// Whether the source was there; if not, the error is answered.
bool rename_to(Context& context, bool only_if_free, bool& renamed) {
  const std::string_view from = context.args[1];
  const std::string_view to = context.args[2];
  if (context.find(from) == nullptr) {
    context.reply.error(kNoSuchKey);
    return false;
  }
  renamed = from != to || !only_if_free;
  if (from == to) return true;
  if (only_if_free && context.find(to) != nullptr) {
    renamed = false;
    return true;
  }
  const int database = context.database_index();
  put(context, database, to, context.state.keyspace.take(database, from));
  context.propagate();
  return true;
}

void rename(Context& context) {
  bool renamed = false;
  if (rename_to(context, false, renamed)) context.reply.ok();
}

void renamenx(Context& context) {
  bool renamed = false;
  if (rename_to(context, true, renamed)) context.reply.integer(renamed ? 1 : 0);
}

// A database by its number; if there is none, answers `problem`.
std::optional<int> find_database(Context& context, std::string_view word,
                                 std::string_view problem) {
  int64_t number = 0;
  if (!context.integer(word, number)) return std::nullopt;
  if (number < 0 || number >= context.state.config.databases) {
    context.reply.error(problem);
    return std::nullopt;
  }
  return static_cast<int>(number);
}

void move(Context& context) {
  const std::string_view key = context.args[1];
  const auto to = find_database(context, context.args[2], "ERR DB index is out of range");
  if (!to) return;
  if (*to == context.database_index()) return context.reply.error(kSameObjects);
  Keyspace& keyspace = context.state.keyspace;
  if (context.find(key) == nullptr || keyspace.find(*to, key, context.now) != nullptr) {
    return context.reply.integer(0);
  }
  put(context, *to, key, keyspace.take(context.database_index(), key));
  context.propagate();
  context.reply.integer(1);
}

// COPY source destination [DB number] [REPLACE]
void copy(Context& context) {
  const resp::Args args = context.args;
  int database = context.database_index();
  bool replaces = false;
  for (size_t i = 3; i < args.size(); i++) {
    if (equals_ignoring_case(args[i], "replace")) {
      replaces = true;
    } else if (equals_ignoring_case(args[i], "db") && i + 1 < args.size()) {
      const auto number = find_database(context, args[++i], "ERR DB index is out of range");
      if (!number) return;
      database = *number;
    } else {
      return context.reply.error(kSyntaxError);
    }
  }
  if (database == context.database_index() && args[1] == args[2]) {
    return context.reply.error(kSameObjects);
  }
  const Entry* const source = context.find(args[1]);
  if (source == nullptr) return context.reply.integer(0);
  if (!replaces && context.state.keyspace.find(database, args[2], context.now) != nullptr) {
    return context.reply.integer(0);
  }
  put(context, database, args[2], Entry::copy(*source));
  context.propagate();
  context.reply.integer(1);
}

constexpr KeyRange kTwoKeys{1, 2, 1};

constexpr Command kCommands[] = {
    {"copy", copy, -3, kWrite | kDenyOom, Group::kGeneric, "6.2.0", "Copies a value to another key",
     kTwoKeys, "RO access | OW update"},
    {"move",
     move,
     3,
     kWrite | kFast,
     Group::kGeneric,
     "1.0.0",
     "Moves a key to another database",
     {1, 1, 1},
     "RW access update"},
    {"rename", rename, 3, kWrite, Group::kGeneric, "1.0.0", "Gives a key another name", kTwoKeys,
     "RW access delete | OW update"},
    {"renamenx", renamenx, 3, kWrite | kFast, Group::kGeneric, "1.0.0",
     "Gives a key another name, unless that is taken", kTwoKeys, "RW access delete | OW insert"},
};

}  // namespace

std::span<const Command> move_commands() { return kCommands; }

}  // namespace seatrial::kv
