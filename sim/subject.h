// A system under trial, as those who build it describe it: which nodes there are, what runs on
// them, what the clients ask, and what must hold. See README.md for a whole one.
//
// A Subject is made anew for each run. Its servers are nodes of their own: what serve() holds in
// local variables ends with its process, what it wrote to os.disk stays, and it must share nothing
// else with the other nodes, the object's members included. What the clients saw may be kept in
// members: judge() reads it when the run is over.
#pragma once

#include "sim/swarm.h"
#include "sim/trial.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace seatrial::sim {

// What a seed's plan is drawn from.
struct Terms {
  std::vector<std::string> servers;  // Nodes that run serve(), and that faults strike.
  std::vector<std::string> clients;  // Nodes that run ask().
  VirtualTime storm = std::chrono::seconds(20);
  VirtualTime calm_limit = std::chrono::seconds(60);
  double intensity = 1.0;
  // Of the server's code; more than one where upgrades are on trial.
  uint32_t releases = 1;
  // Which faults, and how (see swarm.h); its stage's names and times are those above.
  SwarmOptions swarm{};
};

// What a client's code is given.
struct Client {
  os::Os& os;
  uint32_t number;                             // From 0 on; the judge's is the number of clients.
  const std::vector<std::string>& operations;  // As plan_client() drew them, or a person wrote.
  Trial& trial;

  // The world's time, the same for all clients: what a history is written by. Node code has its
  // own clocks, which faults set wrong.
  VirtualTime now() const { return trial.world().now_virtual(); }
  // Into the trace, and so into the hash.
  void note(std::string_view text) const;
};

class Subject {
 public:
  virtual ~Subject() = default;

  virtual Terms terms() const = 0;

  // The process that the machine `server` runs; called again for each start, and again after an
  // end of its own. Returns its exit code.
  virtual int serve(os::Os& os, std::string_view server) = 0;
  // The same by a release from 0 (which all begin with) to terms().releases - 1. process.upgrade
  // takes a server to the next one, or back, on the disk that the other has left.
  virtual int serve_release(os::Os& os, std::string_view server, uint32_t /*release*/) {
    return serve(os, server);
  }

  // What this client is to ask, one operation a line, in words of your own: it stands in the plan,
  // where a person can edit it. Without it a client decides for itself, by client.os.random.
  virtual std::vector<std::string> plan_client(uint32_t /*number*/,
                                               base::RandomStream /*random*/) const {
    return {};
  }
  // A judge's, before the storm: return when the servers answer.
  virtual void prepare(Client&) {}
  // A client's: begins with the storm, and may last into the calm; must come to an end by itself.
  virtual void ask(Client& client) = 0;
  // The judge's, when all clients have ended and all faults are over.
  virtual void finish(Client&) {}

  // Why this fault may not strike now, or nothing: asked where it destroys what a disk holds.
  virtual std::string hold_back(World&, const FaultStep&) { return {}; }

  // What is wrong with what the clients saw, each a sentence; none: all held. Called once, when
  // everything has ended, also where the run was stuck.
  virtual std::vector<std::string> judge() = 0;
};

using SubjectFactory = std::function<std::unique_ptr<Subject>()>;

// The plan that a seed makes of a subject.
Plan draw_plan(const Subject& subject, uint64_t seed);

// Whether a plan, perhaps an edited one, speaks of this subject's nodes and of faults there are.
Result<void> check_plan(const Subject& subject, const Plan& plan);

struct Watcher {
  TraceListener trace;
  World::LogListener log;
  std::optional<VirtualTime> until;  // The run ends there, and nothing is judged.
};

struct SubjectReport {
  TrialReport trial;
  std::vector<std::string> violations;
};

// One run, in this process. A failed CHECK in a node does not come back: it goes to the check
// handler.
SubjectReport run_subject(Subject& subject, uint64_t seed, const Plan& plan,
                          const Watcher& watcher = {});

}  // namespace seatrial::sim
