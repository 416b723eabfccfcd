// Step 4: the server as a whole: its size, emptying it, ending it.
#include "kv/command_table.h"
#include "kv/errors.h"
#include "kv/session.h"
#include "kv/snapshot_control.h"
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

// The snapshot on disk must not bring back what was removed, nor may a child that is just writing
// such a one finish it.
void snapshot_emptiness(Context& context) {
  State& state = context.state;
  SnapshotControl* const snapshots = state.snapshot_control;
  const bool of_a_client = !context.session.obeyed();
  if (snapshots != nullptr) snapshots->abandon();
  if (snapshots == nullptr || state.config.save_points.empty()) return context.reply.ok();
  if (!of_a_client || context.session.in_exec) {
    snapshots->schedule();
    return context.reply.ok();
  }
  context.session.next = resp::Next::kAwait;
  context.session.awaited = [snapshots](resp::Writer& reply) -> base::Result<void> {
    // The data is gone either way; what came of the file, the log and INFO say.
    static_cast<void>(snapshots->save_at_once());
    reply.ok();
    return {};
  };
}

void flushall(Context& context) {
  if (!flush_mode_fits(context)) return;
  for (size_t i = 0; i < context.state.keyspace.count(); ++i) {
    context.state.keyspace.flush(static_cast<int>(i));
  }
  context.propagate();
  snapshot_emptiness(context);
}

struct ShutdownWords {
  bool save = false;
  bool no_save = false;
  bool now = false;
  bool force = false;
  bool abort = false;
};

bool parse_shutdown(resp::Args words, ShutdownWords& parsed) {
  for (const std::string_view word : words) {
    if (equals_ignoring_case(word, "save")) {
      parsed.save = true;
    } else if (equals_ignoring_case(word, "nosave")) {
      parsed.no_save = true;
    } else if (equals_ignoring_case(word, "now")) {
      parsed.now = true;
    } else if (equals_ignoring_case(word, "force")) {
      parsed.force = true;
    } else if (equals_ignoring_case(word, "abort")) {
      parsed.abort = true;
    } else {
      return false;
    }
  }
  if (parsed.save && parsed.no_save) return false;
  return !parsed.abort || !(parsed.save || parsed.no_save || parsed.now || parsed.force);
}

// SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE] [ABORT]
void shutdown(Context& context) {
  using AtStop = SnapshotControl::AtStop;
  ShutdownWords words;
  if (!parse_shutdown(context.args.subspan(1), words)) return context.reply.error(kSyntaxError);
  if (words.abort) return context.reply.error("ERR No shutdown in progress.");
  State& state = context.state;
  SnapshotControl* const snapshots = state.snapshot_control;
  if (snapshots == nullptr) return context.reply.error("ERR Errors trying to SHUTDOWN.");
  const AtStop what = words.save      ? AtStop::kSave
                      : words.no_save ? AtStop::kNoSave
                                      : AtStop::kAsConfigured;
  state.log.info("Shutting down: asked to by client {}", context.session.peer().address);
  context.session.next = resp::Next::kAwait;
  context.session.awaited = [&state, snapshots, what,
                             force = words.force](resp::Writer& reply) -> base::Result<void> {
    if (!snapshots->prepare_stop(what, force)) {
      reply.error("ERR Errors trying to SHUTDOWN. Check logs.");
      return {};
    }
    state.hooks.shut_down();
    // The end of the connection is the answer.
    return base::fail(base::Errc::kClosed);
  };
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
  context.state.sleep_asked = std::chrono::milliseconds(static_cast<int64_t>(seconds * 1000));
  context.reply.ok();
}

void debug_set_active_expire(Context& context) {
  context.state.active_expire = context.args[2] != "0";
  context.reply.ok();
}

// DEBUG RELOAD [NOSAVE]: what the snapshot on disk holds, as after a restart.
void debug_reload(Context& context) {
  bool save = true;
  for (const std::string_view word : context.args.subspan(2)) {
    if (!equals_ignoring_case(word, "nosave")) {
      return context.reply.error("ERR DEBUG RELOAD only supports the NOSAVE option here.");
    }
    save = false;
  }
  SnapshotControl* const snapshots = context.state.snapshot_control;
  if (snapshots == nullptr || context.session.obeyed() || context.session.in_exec) {
    return context.reply.error("ERR DEBUG RELOAD cannot wait here");
  }
  context.session.next = resp::Next::kAwait;
  context.session.awaited = [snapshots, save](resp::Writer& reply) -> base::Result<void> {
    if (save && !snapshots->save()) {
      reply.error("ERR");
    } else if (!snapshots->reload()) {
      reply.error("ERR Error trying to load the RDB dump, check server logs.");
    } else {
      reply.ok();
    }
    return {};
  };
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
  if (equals_ignoring_case(args[1], "reload")) return debug_reload(context);
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
