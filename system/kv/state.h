// All that commands can see of the server: its data, settings, clients and counters. Owns no
// file, no socket and no clock; what must reach the outside goes through effects and hooks.
#pragma once

#include "base/log.h"
#include "base/random.h"
#include "kv/child_status.h"
#include "kv/command_table.h"
#include "kv/config.h"
#include "kv/data/entry.h"
#include "kv/keyspace.h"
#include "kv/propagate/effect.h"
#include "kv/replication/status.h"
#include "kv/snapshot_status.h"
#include "os/time.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace seatrial::kv {

class LogControl;
class Observer;
class ReplicationControl;
class Session;
class SnapshotControl;

struct Stats {
  uint64_t connections = 0;
  uint64_t connections_rejected = 0;
  uint64_t commands = 0;
  uint64_t keyspace_hits = 0;
  uint64_t keyspace_misses = 0;
  uint64_t errors = 0;
  uint64_t input_bytes = 0;
  uint64_t output_bytes = 0;
  uint64_t sync_full = 0;
  uint64_t sync_partial_ok = 0;
  uint64_t sync_partial_refused = 0;
};

// How the log is doing, for INFO and for refusing writes.
struct LogStatus {
  bool enabled = false;
  // Not empty: writes are refused with this; the log cannot be written for now.
  std::string refusal;
  bool awaiting_base = false;  // It is enabled, but promises nothing before its base is written.
  uint64_t earlier_bytes = 0;  // Of all its files before the one that is written to.
  uint64_t file_bytes = 0;     // Of that one.
  uint64_t pending_bytes = 0;
  uint64_t delayed_syncs = 0;  // How often a write has waited for one.

  bool rewrite_scheduled = false;
  bool last_rewrite_good = true;
  WallMs rewrite_begun = 0;
  std::optional<int64_t> last_rewrite_seconds;  // How long it took.
  uint64_t rewrites = 0;
  uint64_t rewrite_failures = 0;  // In a row.
  uint64_t rewritten_bytes = 0;   // What the log had after the last rewrite, or its base at start.

  uint64_t bytes() const { return earlier_bytes + file_bytes; }
};

// What commands may ask of the server around them.
struct Hooks {
  // A request has left effects: they go to the log, and are cleared. Does not park.
  std::move_only_function<void()> log_effects;
  std::move_only_function<void()> shut_down;
  // Settings have changed.
  std::move_only_function<void()> reconfigured;
  // All data was replaced at once by that of a primary: the log begins anew. `snapshot` may name a
  // durable RDB with exactly this data, which is then whoever takes it to remove. Does not park.
  std::move_only_function<void(std::optional<std::string> snapshot)> data_replaced;
};

struct State {
  State(Config settings, base::Log& node_log, base::RandomStream random);

  // Of the data and what is to be written, as far as it is counted.
  uint64_t used_memory() const;

  Config config;
  base::Log& log;
  CommandTable commands;
  Effects effects;
  Keyspace keyspace;
  Stats stats;
  LogStatus log_status;
  LogControl* log_control = nullptr;  // Null where there is no server around.
  ReplicationStatus replication;
  ReplicationControl* replication_control = nullptr;  // Null where there is no server around.
  ChildStatus child;
  SnapshotStatus snapshots;
  SnapshotControl* snapshot_control = nullptr;  // Null where there is no server around.
  Hooks hooks;
  Observer* observer = nullptr;          // May be null.
  std::map<uint64_t, Session*> clients;  // By id.
  uint64_t next_client_id = 1;
  std::string run_id;
  base::RandomStream choices;  // Of commands that answer with some element.
  int64_t process_id = 0;
  WallMs started = 0;
  // DEBUG SLEEP: for how long a command has just asked, and until when no reply leaves.
  os::Duration sleep_asked{0};
  os::MonotonicTime asleep_until{};
  // The server is about to end, and what counts is on disk: no request is executed any more.
  bool ending = false;
  bool active_expire = true;  // Expired keys are removed without being asked for.
};

}  // namespace seatrial::kv
