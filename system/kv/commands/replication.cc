// Step 4: REPLICAOF and what replicas and primaries say to each other; ROLE and WAIT.
#include "kv/command_table.h"
#include "kv/errors.h"
#include "kv/replication/control.h"
#include "kv/session.h"
#include "kv/state.h"
#include "os/mark.h"
#include "resp/number.h"

#include <fmt/format.h>

#include <string>
#include <utility>

namespace seatrial::kv {
namespace {

// Null in tests of single commands; then it has answered.
ReplicationControl* control(Context& context) {
  ReplicationControl* const found = context.state.replication_control;
  if (found == nullptr) context.reply.error("ERR replication is not available");
  return found;
}

// REPLICAOF host port | NO ONE
void replicaof(Context& context) {
  ReplicationControl* const replication = control(context);
  if (replication == nullptr) return;
  State& state = context.state;
  const resp::Args args = context.args;
  if (equals_ignoring_case(args[1], "no") && equals_ignoring_case(args[2], "one")) {
    if (state.replication.replica) {
      replication->promote();
      state.log.info("MASTER MODE enabled (user request from '{}')",
                     context.session.peer().address);
    }
    return context.reply.ok();
  }
  if (context.session.client_kind() == ClientKind::kReplica) {
    return context.reply.error("ERR Command is not valid when client is a replica.");
  }
  const auto port = resp::parse_integer(args[2]);
  if (!port || *port < 0 || *port > 65535) return context.reply.error("ERR Invalid master port");
  if (state.replication.replica && equals_ignoring_case(state.config.primary_host, args[1]) &&
      state.config.primary_port == *port) {
    return context.reply.simple("OK Already connected to specified master");
  }
  replication->follow(std::string(args[1]), static_cast<uint16_t>(*port));
  state.log.info("REPLICAOF {}:{} enabled (user request from '{}')", args[1], *port,
                 context.session.peer().address);
  context.reply.ok();
}

// Makes the connection a replica once everything before it is answered.
void attach(Context& context, SyncRequest request) {
  ReplicationControl* const replication = control(context);
  if (replication == nullptr) return;
  Session& session = context.session;
  // A replica that asks again is one already.
  if (session.attachment) return;
  if (session.stream == nullptr) return context.reply.error("ERR not a connection");
  const std::string_view refusal = replication->refusal();
  if (!refusal.empty()) return context.reply.error(refusal);
  session.awaited = [&session, replication,
                     request = std::move(request)](resp::Writer& reply) -> base::Result<void> {
    // The role may have changed while earlier answers were sent.
    const std::string_view refused = replication->refusal();
    if (refused.empty()) {
      replication->attach(session, request);
    } else {
      reply.error(refused);
    }
    return {};
  };
  session.next = resp::Next::kAwait;
}

// PSYNC id offset: the offset of the first byte that it lacks, counted from 1.
void psync(Context& context) {
  const resp::Args args = context.args;
  if (args.size() > 3) return context.reply.error("ERR PSYNC FAILOVER is not supported");
  int64_t offset = 0;
  if (!context.integer(args[2], offset)) return;
  SyncRequest request;
  if (args[1] != "?" && offset >= 1) {
    request.id = args[1];
    request.offset = static_cast<uint64_t>(offset) - 1;
  }
  attach(context, std::move(request));
}

void sync(Context& context) { attach(context, {.plain_sync = true}); }

// REPLCONF ACK and GETACK are not answered.
bool acknowledgement(Context& context) {
  const resp::Args args = context.args;
  if (args.size() < 3) return false;
  if (equals_ignoring_case(args[1], "getack")) return true;
  if (!equals_ignoring_case(args[1], "ack")) return false;
  const auto offset = resp::parse_integer(args[2]);
  ReplicationControl* const replication = context.state.replication_control;
  if (replication != nullptr && offset && *offset >= 0) {
    replication->acknowledge(context.session, static_cast<uint64_t>(*offset));
  }
  return true;
}

// REPLCONF option value ...
void replconf(Context& context) {
  const resp::Args args = context.args;
  if (args.size() % 2 == 0) return context.reply.error(kSyntaxError);
  if (acknowledgement(context)) return;
  ReplicaTraits traits = context.session.traits;
  for (size_t i = 1; i < args.size(); i += 2) {
    const std::string_view value = args[i + 1];
    if (equals_ignoring_case(args[i], "listening-port")) {
      if (!context.integer(value, traits.port)) return;
    } else if (equals_ignoring_case(args[i], "ip-address")) {
      if (value.size() >= 256) {
        return context.reply.error(
            "ERR REPLCONF ip-address provided by replica instance is too "
            "long: " +
            std::to_string(value.size()) + " bytes");
      }
      traits.address = value;
    } else if (equals_ignoring_case(args[i], "capa")) {
      // What is not known is not used.
      traits.takes_eof |= equals_ignoring_case(value, "eof");
      traits.takes_new_id |= equals_ignoring_case(value, "psync2");
    } else if (equals_ignoring_case(args[i], "rdb-only")) {
      int64_t only = 0;
      if (!context.integer(value, only)) return;
      traits.snapshot_only = only != 0;
    } else {
      return context.reply.error(
          fmt::format("ERR Unrecognized REPLCONF option: {}", args[i].substr(0, 128)));
    }
  }
  context.session.traits = std::move(traits);
  context.reply.ok();
}

void role(Context& context) {
  ReplicationControl* const replication = control(context);
  if (replication != nullptr) replication->role(context.reply);
}

// WAIT numreplicas timeout
void wait(Context& context) {
  ReplicationControl* const replication = control(context);
  if (replication == nullptr) return;
  if (context.state.replication.replica) {
    return context.reply.error(
        "ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if "
        "a replica is configured to be writable (which is not the default) writes to replicas are "
        "just local and are not propagated.");
  }
  int64_t count = 0;
  int64_t timeout_ms = 0;
  if (!context.integer(context.args[1], count)) return;
  const auto timeout = resp::parse_integer(context.args[2]);
  if (!timeout) return context.reply.error("ERR timeout is not an integer or out of range");
  timeout_ms = *timeout;
  if (timeout_ms < 0) return context.reply.error("ERR timeout is negative");
  constexpr int64_t kTimeoutMax = int64_t{1000} * 3600 * 24 * 365 * 100;
  timeout_ms = std::min(timeout_ms, kTimeoutMax);
  Session& session = context.session;
  // What this client has written, or seen written by others.
  const uint64_t offset = session.seen_offset;
  const int64_t acknowledged = replication->acknowledged(offset);
  if (session.in_exec || acknowledged >= count) return context.reply.integer(acknowledged);
  MARK("wait: parked");
  session.awaited = [&session, replication, offset, count, timeout_ms](resp::Writer& reply) {
    return replication->await_acknowledged(session, offset, count, timeout_ms, reply);
  };
  session.next = resp::Next::kAwait;
}

constexpr uint32_t kBetweenServers = kAdmin | kNoScript;
constexpr uint32_t kRole = kAdmin | kNoAsyncLoading | kNoScript | kStale;

constexpr Command kCommands[] = {
    {"psync", psync, -3, kBetweenServers | kNoAsyncLoading | kNoMulti, Group::kServer, "2.8.0",
     "Begins or resumes the replication stream"},
    {"replconf", replconf, -1, kBetweenServers | kLoading | kStale | kAllowBusy, Group::kServer,
     "3.0.0", "What replicas tell their primary"},
    {"replicaof", replicaof, 3, kRole, Group::kServer, "5.0.0",
     "Makes the server a replica of another, or a primary"},
    {"role", role, 1, kNoScript | kLoading | kStale | kFast, Group::kServer, "2.8.12",
     "Answers the role in replication"},
    {"slaveof", replicaof, 3, kRole, Group::kServer, "1.0.0",
     "Makes the server a replica of another, or a primary"},
    {"sync", sync, 1, kBetweenServers | kNoAsyncLoading | kNoMulti, Group::kServer, "1.0.0",
     "Begins the replication stream"},
    {"wait",
     wait,
     3,
     kNoScript,
     Group::kGeneric,
     "3.0.0",
     "Waits until replicas have acknowledged what was written",
     {},
     {},
     "request_policy:all_shards response_policy:agg_min"},
};

}  // namespace

std::span<const Command> replication_commands() { return kCommands; }

}  // namespace seatrial::kv
