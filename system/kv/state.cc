#include "kv/state.h"

#include <utility>

namespace seatrial::kv {

State::State(Config settings, base::Log& node_log, base::RandomStream random)
    : config(std::move(settings)),
      log(node_log),
      keyspace(static_cast<size_t>(config.databases), random.next(), effects),
      replication(make_replication_id(random)),
      run_id(make_replication_id(random)),
      choices(random.next()) {
  keyspace.configure(collection_settings(config, keyspace.hash_seed()));
  hooks.log_effects = [this] { effects.clear(); };
  hooks.shut_down = [] {};
  hooks.reconfigured = [] {};
  hooks.data_replaced = [](const std::optional<std::string>&) {};
}

uint64_t State::used_memory() const { return keyspace.bytes() + log_status.pending_bytes; }

}  // namespace seatrial::kv
