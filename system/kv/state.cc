#include "kv/state.h"

#include <fmt/format.h>

#include <utility>

namespace seatrial::kv {

State::State(Config settings, base::Log& node_log, base::RandomStream random)
    : config(std::move(settings)),
      log(node_log),
      keyspace(static_cast<size_t>(config.databases), random.next(), effects),
      run_id(fmt::format("{:016x}{:016x}{:08x}", random.next(), random.next(),
                         random.next() & 0xffffffffU)) {
  hooks.log_effects = [this] { effects.clear(); };
  hooks.shut_down = [] {};
  hooks.reconfigured = [] {};
  hooks.rewrite_log = [](bool) { return RewriteAnswer::kFailed; };
  hooks.switch_log = [](bool, bool) { return false; };
}

}  // namespace seatrial::kv
