// Step 4: MULTI, EXEC and WATCH.
#include "base/check.h"
#include "kv/command_table.h"
#include "kv/dispatch.h"
#include "kv/session.h"
#include "kv/state.h"
#include "os/mark.h"

#include <vector>

namespace seatrial::kv {
namespace {

void multi(Context& context) {
  if (context.session.transaction.open) {
    return context.reply.error("ERR MULTI calls can not be nested");
  }
  context.session.transaction.open = true;
  context.reply.ok();
}

void discard(Context& context) {
  if (!context.session.transaction.open) return context.reply.error("ERR DISCARD without MULTI");
  context.session.discard_transaction();
  context.reply.ok();
}

void exec(Context& context) {
  Session& session = context.session;
  if (!session.transaction.open) return context.reply.error("ERR EXEC without MULTI");
  if (session.transaction.broken) {
    MARK("exec: refused after an error while queueing");
    session.discard_transaction();
    return context.reply.error("EXECABORT Transaction discarded because of previous errors.");
  }
  Keyspace& keyspace = context.state.keyspace;
  const bool conflict =
      session.watcher.failed() || keyspace.watched_expired(session.watcher, context.now);
  if (conflict) {
    MARK("exec: a watched key has changed");
    session.discard_transaction();
    return context.reply.null_array();
  }
  // What it watches ends before its own commands run: they must not concern it.
  keyspace.watches().unwatch(session.watcher);
  const std::vector<QueuedRequest> requests = std::move(session.transaction.requests);
  session.transaction = Transaction();
  context.reply.array(requests.size());
  std::vector<std::string_view> args;
  session.in_exec = true;
  for (const QueuedRequest& request : requests) {
    request.args(args);
    run_queued(context.state, session, request.command(), args, context.reply, context.now);
  }
  session.in_exec = false;
}

void watch(Context& context) {
  Session& session = context.session;
  if (session.transaction.open) return context.reply.error("ERR WATCH inside MULTI is not allowed");
  // A failed watch stays failed until EXEC or UNWATCH, whatever is watched in addition.
  for (const std::string_view key : context.args.subspan(1)) {
    const Entry* const entry = context.database().find(key);
    const bool expired = entry != nullptr && Keyspace::expired(*entry, context.now);
    if (expired) MARK("watch: key had expired before");
    context.state.keyspace.watches().watch(session.watcher, session.database, key, expired);
    // What counts as missing must stay so, also where the clock is set back: off with it, if that
    // is for this server to decide.
    if (expired) (void)context.find(key);
  }
  context.reply.ok();
}

void unwatch(Context& context) {
  context.state.keyspace.watches().unwatch(context.session.watcher);
  context.reply.ok();
}

constexpr uint32_t kAnytime = kNoScript | kLoading | kStale | kFast | kAllowBusy;

constexpr Command kCommands[] = {
    {"discard", discard, 1, kAnytime | kUnqueued, Group::kTransactions, "2.0.0",
     "Drops the commands queued since MULTI"},
    {"exec", exec, 1, kNoScript | kLoading | kStale | kSkipSlowlog | kUnqueued,
     Group::kTransactions, "1.2.0", "Executes the commands queued since MULTI"},
    {"multi", multi, 1, kAnytime | kUnqueued, Group::kTransactions, "1.2.0",
     "Starts to queue commands"},
    {"unwatch", unwatch, 1, kAnytime, Group::kTransactions, "2.2.0", "Forgets watched keys"},
    {"watch",
     watch,
     -2,
     kAnytime | kUnqueued,
     Group::kTransactions,
     "2.2.0",
     "Makes EXEC depend on keys staying as they are",
     {1, -1, 1},
     "RO"},
};

}  // namespace

std::span<const Command> transaction_commands() { return kCommands; }

}  // namespace seatrial::kv
