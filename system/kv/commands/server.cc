// Step 4: the server as a whole: its size, emptying it, ending it.
#include "kv/command_table.h"
#include "kv/errors.h"
#include "kv/session.h"
#include "kv/state.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <string>

namespace seatrial::kv {
namespace {

void dbsize(Context& context) {
  context.reply.integer(static_cast<int64_t>(context.database().size()));
}

// [ASYNC | SYNC]: memory is given back at once either way.
bool flush_mode_fits(Context& context) {
  const resp::Args args = context.args;
  const bool fits =
      args.size() == 1 || (args.size() == 2 && (equals_ignoring_case(args[1], "sync") ||
                                                equals_ignoring_case(args[1], "async")));
  if (!fits) context.reply.error(kSyntaxError);
  return fits;
}

void flushdb(Context& context) {
  if (!flush_mode_fits(context)) return;
  context.state.keyspace.flush(context.database_index());
  context.propagate();
  context.reply.ok();
}

void flushall(Context& context) {
  if (!flush_mode_fits(context)) return;
  for (size_t i = 0; i < context.state.keyspace.count(); ++i) {
    context.state.keyspace.flush(static_cast<int>(i));
  }
  context.propagate();
  context.reply.ok();
}

// SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE] [ABORT]
void shutdown(Context& context) {
  bool save = false;
  bool no_save = false;
  bool abort = false;
  bool other = false;
  for (const std::string_view word : context.args.subspan(1)) {
    if (equals_ignoring_case(word, "save")) {
      save = true;
    } else if (equals_ignoring_case(word, "nosave")) {
      no_save = true;
    } else if (equals_ignoring_case(word, "abort")) {
      abort = true;
    } else if (equals_ignoring_case(word, "now") || equals_ignoring_case(word, "force")) {
      other = true;
    } else {
      return context.reply.error(kSyntaxError);
    }
  }
  if ((save && no_save) || (abort && (save || no_save || other))) {
    return context.reply.error(kSyntaxError);
  }
  if (abort) return context.reply.error("ERR No shutdown in progress.");
  if (save) {
    context.state.log.warn("SHUTDOWN SAVE refused: this server takes no snapshots");
    return context.reply.error("ERR Errors trying to SHUTDOWN. Check logs.");
  }
  context.state.log.info("Shutting down: asked to by client {}", context.session.peer().address);
  context.session.next = resp::Next::kClose;
  context.state.hooks.shut_down();
}

void time(Context& context) {
  // Milliseconds are what a command is given.
  context.reply.array(2);
  context.reply.bulk(std::to_string(context.now / 1000));
  context.reply.bulk(std::to_string(context.now % 1000 * 1000));
}

void debug_sleep(Context& context) {
  const std::string text(context.args[2]);
  char* end = nullptr;
  const double seconds = std::strtod(text.c_str(), &end);
  if (end == text.c_str() || *end != '\0' || !std::isfinite(seconds) || seconds < 0 ||
      seconds > 1e6) {
    return context.reply.error("ERR value is not a valid float");
  }
  context.state.asleep_until = context.now + static_cast<WallMs>(seconds * 1000);
  context.reply.ok();
}

void debug_set_active_expire(Context& context) {
  context.state.active_expire = context.args[2] != "0";
  context.reply.ok();
}

// For tests, and only if the settings allow it.
void debug(Context& context) {
  if (!context.state.config.enable_debug_command) {
    return context.reply.error(
        "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", "
        "you can run it from a local connection, otherwise you need to set this option in the "
        "configuration file, and then restart the server.");
  }
  const resp::Args args = context.args;
  if (args.size() == 3 && equals_ignoring_case(args[1], "sleep")) return debug_sleep(context);
  if (args.size() == 3 && equals_ignoring_case(args[1], "set-active-expire")) {
    return debug_set_active_expire(context);
  }
  context.reply.error(fmt::format(
      "ERR unknown subcommand or wrong number of arguments for '{}'. Try DEBUG HELP.", args[1]));
}

constexpr Command kCommands[] = {
    {"dbsize",
     dbsize,
     1,
     kReadOnly | kFast,
     Group::kServer,
     "1.0.0",
     "Answers the number of keys",
     {},
     {},
     "request_policy:all_shards response_policy:agg_sum"},
    {"debug", debug, -2, kAdmin | kNoScript | kLoading | kStale, Group::kServer, "1.0.0",
     "For tests"},
    {"flushall",
     flushall,
     -1,
     kWrite,
     Group::kServer,
     "1.0.0",
     "Removes all keys of all databases",
     {},
     {},
     "request_policy:all_shards response_policy:all_succeeded"},
    {"flushdb",
     flushdb,
     -1,
     kWrite,
     Group::kServer,
     "1.0.0",
     "Removes all keys of the database",
     {},
     {},
     "request_policy:all_shards response_policy:all_succeeded"},
    {"shutdown", shutdown, -1, kAdmin | kNoScript | kLoading | kStale | kNoMulti | kAllowBusy,
     Group::kServer, "1.0.0", "Ends the server"},
    {"time",
     time,
     1,
     kLoading | kStale | kFast,
     Group::kServer,
     "2.6.0",
     "Answers the time",
     {},
     {},
     "nondeterministic_output"},
};

}  // namespace

std::span<const Command> server_commands() { return kCommands; }

}  // namespace seatrial::kv
