// A workload: what the clients of a scenario ask, and what must hold for what they saw.
//
// Its operations are drawn when the plan is made and stand in it as JSON lines, so that they can
// be printed, edited and taken out one by one. Its client code runs on a client node and reaches
// the servers through os.network only.
#pragma once

#include "base/random.h"
#include "checkers/verdict.h"
#include "os/os.h"
#include "scenarios/scenario.h"
#include "scenarios/scribe.h"
#include "scenarios/witness.h"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace seatrial::scenarios {

// What client code is given.
struct ClientContext {
  os::Os& os;
  const Scenario& scenario;
  std::vector<os::Address> servers;
  uint32_t client;  // Its number in the history; the judge's is the number of clients.
  Scribe& scribe;
  const std::vector<std::string>& operations;
};

class Workload {
 public:
  virtual ~Workload() = default;
  virtual std::string_view name() const = 0;
  virtual std::string_view description() const = 0;  // One line.
  virtual std::string_view history_type() const = 0;
  // How many operations a client may have open at once. Lane l of client c is number
  // c + l * (clients + 1) in the history.
  virtual uint32_t lanes() const { return 1; }

  // Whether the scenario's parameters are such as this workload knows.
  virtual Result<void> validate(const Scenario& scenario) const = 0;
  // One client's operations.
  virtual std::vector<std::string> plan(const Scenario& scenario, uint32_t client,
                                        base::RandomStream random) const = 0;

  // The judge, before the storm and after the calm. Each retries until it is done.
  virtual void prepare(ClientContext&) const {}
  virtual void finish(ClientContext&) const {}
  // A client, during the storm. An operation that cannot be read is the plan's author's mistake.
  virtual Result<void> run(ClientContext& context) const = 0;

  // Why a fault that destroys what a disk holds may not strike now; empty: it may. Servers that
  // are not expendable keep what they have, unless a workload knows better.
  virtual std::string forbids(const Scenario& scenario, sim::World& world,
                              const sim::FaultStep& step) const;

  // Sees what goes on in the servers of a run; none: the clients' history is enough.
  virtual std::unique_ptr<Witness> witness(sim::World&) const { return nullptr; }

  // Something befell a server: for histories that tell of it. `pen`: the number to write under.
  virtual void incident(const RunFacts&, const sim::Incident&, Scribe&, uint32_t /*pen*/) const {}

  virtual std::vector<checkers::Verdict> check(const RunFacts& facts,
                                               const checkers::History& history) const = 0;
};

std::span<const Workload* const> all_workloads();
Result<const Workload*> find_workload(std::string_view name);

// The listing, by hand.
const Workload* crash_in_fork_workload();
const Workload* flush_visibility_workload();
const Workload* reconnect_storm_workload();
const Workload* register_workload();
const Workload* watch_lease_workload();
const Workload* watch_transfer_workload();

}  // namespace seatrial::scenarios
