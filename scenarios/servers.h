// The servers that a scenario may run: one entry a kind, each the deployed one, on its usual port.
#pragma once

#include "base/error.h"
#include "sim/node.h"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace seatrial::scenarios {

using base::Result;

class Witness;

class ServerKind {
 public:
  virtual ~ServerKind() = default;
  virtual std::string_view name() const = 0;  // Its nodes are called this and a number.
  virtual uint16_t port() const = 0;
  // How one setting is given on its command line.
  virtual std::vector<std::string> option(std::string_view setting,
                                          std::string_view value) const = 0;
  // Errors name the option that is not understood. `witness` may be null and outlives the servers.
  virtual Result<sim::MakeProcess> prepare(std::string_view node,
                                           std::span<const std::string> options,
                                           Witness* witness) const = 0;
};

Result<const ServerKind*> find_server_kind(std::string_view name);

// The listing, by hand.
const ServerKind* broker_server_kind();
const ServerKind* kv_server_kind();

}  // namespace seatrial::scenarios
