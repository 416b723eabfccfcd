// What the clients of reconnect-storm are to do: the operator moves, restarts and disturbs
// servers, writers write to whoever takes writes, readers stay with one node for a while.
#pragma once

#include "base/random.h"
#include "scenarios/scenario.h"

#include <string>
#include <vector>

namespace seatrial::scenarios {

// Keys: strings "k0", "k1", ... and counters "n0", "n1", ... in each of a few databases.
inline constexpr int kReconnectDatabases = 3;

// One operation of the plan. Which members count depends on `f`.
struct ReconnectRequest {
  std::string f;     // ask | set, incr, append, del, expire, flush, unit | get, exec, watch
  std::string node;  // Of an operator or a reader.
  std::vector<std::string> words;  // ask: the command.
  std::vector<std::string> keys;   // "2/k1"; of a unit "set 2/k1", "incr 0/n0".
  int64_t px = 0;                  // set, expire: milliseconds; 0: none.
  int64_t pad = 0;                 // set: bytes behind the value.
  int64_t replicas = 0;            // WAIT for as many afterwards; 0: do not.
  int64_t timeout_ms = 0;          // Of that WAIT.
  os::Duration think{0};           // Before it.
  os::Duration pause{0};           // watch: before its EXEC.
};

// Client 0 is the operator; then come `writers`, the others read.
std::vector<std::string> plan_reconnect(const Scenario& scenario, uint32_t client,
                                        base::RandomStream random);
// An error says what is wrong with an operation of an edited plan.
Result<ReconnectRequest> parse_reconnect(std::string_view line);

}  // namespace seatrial::scenarios
