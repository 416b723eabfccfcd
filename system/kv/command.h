// Step 3 to 4: what a command is, and what its handler gets. Families define rows of these in
// commands/<family>.cc; command_table lists the families.
#pragma once

#include "kv/data/entry.h"
#include "resp/request.h"
#include "resp/writer.h"

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

namespace seatrial::kv {

class Database;
class Session;
struct Command;
struct State;

// One execution of one command. Handlers answer into `reply`, change data through State's
// keyspace, and record what they changed as effects; they never park.
struct Context {
  State& state;
  Session& session;
  const Command& command;
  resp::Args args;  // args[0] is the command's name.
  resp::Writer& reply;
  WallMs now;  // Stands still during a command, and during a whole EXEC.

  Database& database();
  int database_index() const;
  // The entry of `key`, if it is alive. One that has expired is removed on the way.
  Entry* find(std::string_view key);
  // As find(); a value of another type is answered with WRONGTYPE and sets `wrong_type`.
  Entry* find(std::string_view key, Type type, bool& wrong_type);
  Entry* find_string(std::string_view key, bool& wrong_type) {
    return find(key, Type::kString, wrong_type);
  }
  // For every key that a command changed: watchers learn of it.
  void changed(std::string_view key);
  // Records the request itself as its effect.
  void propagate();
  // Records this instead.
  void propagate(std::initializer_list<std::string_view> words);
  void propagate(resp::Args words);

  // An argument as a number; if it is none, answers the error and returns false.
  bool integer(std::string_view text, int64_t& value);
  void wrong_arity();
};

using Handler = void (*)(Context& context);

// The flags that COMMAND shows, and two for dispatch.
enum CommandFlag : uint32_t {
  kWrite = 1U << 0,
  kReadOnly = 1U << 1,
  kDenyOom = 1U << 2,
  kAdmin = 1U << 3,
  kFast = 1U << 4,
  kLoading = 1U << 5,
  kStale = 1U << 6,
  kNoScript = 1U << 7,
  kNoMulti = 1U << 8,
  kNoAuth = 1U << 9,
  kAllowBusy = 1U << 10,
  kNoAsyncLoading = 1U << 11,
  kSkipSlowlog = 1U << 12,
  // Is executed at once between MULTI and EXEC, not queued.
  kUnqueued = 1U << 30,
};

enum class Group : uint8_t {
  kBitmap,
  kConnection,
  kGeneric,
  kHash,
  kServer,
  kSet,
  kString,
  kTransactions
};
std::string_view to_string(Group group);

// Where the keys are among the arguments; first 0: there are none in a fixed place.
struct KeyRange {
  int first = 0;
  int last = 0;  // Negative: counted from the end.
  int step = 0;
  int counted_at = 0;  // Not 0: there stands how many keys follow it.
};

struct Command {
  std::string_view name;  // In lower case; of a subcommand: "config|get".
  Handler handler;        // nullptr: a container of subcommands.
  int arity;              // Words with the name; negative: at least that many.
  uint32_t flags;
  Group group;
  std::string_view since;
  std::string_view summary;
  KeyRange keys = {};
  // "RW access update"; "OW update | RO access" where the first key is for something else than the
  // others.
  std::string_view key_flags = {};
  std::string_view tips = {};
  std::span<const Command> subcommands = {};

  bool has(CommandFlag flag) const { return (flags & flag) != 0; }
  bool arity_fits(size_t words) const {
    return arity >= 0 ? words == static_cast<size_t>(arity) : words >= static_cast<size_t>(-arity);
  }
};

}  // namespace seatrial::kv
