#include "kv/state.h"

#include <utility>

namespace seatrial::kv {

State::State(Config settings, base::Log& node_log, base::RandomStream random)
    : config(std::move(settings)),
      log(node_log),
      keyspace(static_cast<size_t>(config.databases), random.next(), effects),
      replication(make_replication_id(random)),
      run_id(make_replication_id(random)) {
  hooks.log_effects = [this] { effects.clear(); };
  hooks.shut_down = [] {};
  hooks.reconfigured = [] {};
}

uint64_t State::used_memory() const {
  uint64_t bytes = log_status.pending_bytes;
  for (size_t i = 0; i < keyspace.count(); ++i) {
    const Database& database = keyspace.at(static_cast<int>(i));
    bytes += database.entry_bytes() + database.table_bytes();
  }
  return bytes;
}

}  // namespace seatrial::kv
