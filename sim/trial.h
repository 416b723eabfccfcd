// A trial: the course of one run, from an empty world to its end. The servers start; a judge waits
// until they answer; the clients work while the plan's storm rages; the storm ends, and in the
// calm everybody must come to an end in bounded time; then the judge looks once more.
//
//   Trial trial({.seed = 7, .plan = plan});
//   trial.add_server("kv0", [] { return ProcessMain(serve); });
//   trial.add_client("client0", [&](os::Os& os) { ask(os, history); });
//   const TrialReport report = trial.run();
//
// What the clients saw is judged by the caller: a trial knows whether its run came to an end.
#pragma once

#include "sim/plan.h"
#include "sim/storm.h"
#include "sim/world.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace seatrial::sim {

struct TrialOptions {
  uint64_t seed = 1;
  // Its weather, faults, storm and calm_limit; whoever adds a client gives it its operations.
  Plan plan;
  // Of virtual time: the run is over then, wherever it is, and that is no finding.
  std::optional<VirtualTime> until{};
  // Asked before what a disk holds is destroyed; see storm.h.
  Policy policy{};
  // What the judge may take before the storm; without faults, so what runs into it has lost its
  // way.
  VirtualTime start_limit = std::chrono::seconds(60);
  size_t stack_bytes = os::Scheduler::kStackBytes;
};

enum class TrialEnd : unsigned char {
  kFinished,     // Everybody came to an end.
  kInterrupted,  // `until` was reached first.
  kStuck,        // Somebody did not come to an end in the calm, or gave up.
  kDeadlock,     // Nothing could ever happen again.
};

std::string_view to_string(TrialEnd end);

struct TrialReport {
  TrialEnd end = TrialEnd::kFinished;
  std::string message;  // Why it did not finish, with the phase and the time.
  uint64_t hash = 0;
  uint64_t events = 0;
  VirtualTime sim_time{0};
  std::map<std::string, uint64_t> counts;     // Faults that struck and other things that happened.
  std::map<std::string, uint64_t> held_back;  // Faults that the policy forbade.
};

// Whether a plan, perhaps an edited one, speaks of faults and nodes that there are. `others`:
// clients and the judge.
Result<void> check_plan(const Plan& plan, const std::vector<std::string>& servers,
                        const std::vector<std::string>& others);

class Trial {
 public:
  using ClientMain = std::move_only_function<void(os::Os&)>;

  explicit Trial(TrialOptions options);
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;

  World& world() { return world_; }
  const World& world() const { return world_; }
  const Plan& plan() const { return plan_; }

  // Before run(); what they refer to must outlive the trial. Nodes are numbered in this order.
  // A machine whose service is what `make` makes, anew for each start.
  Node& add_server(std::string_view name, MakeProcess make);
  // The same of several releases, oldest first: process.upgrade goes from one to the next.
  Node& add_server(std::string_view name, std::vector<MakeProcess> releases);
  // A machine from which `main` runs once, in the storm and on into the calm.
  Node& add_client(std::string_view name, ClientMain main);
  // A machine that no fault strikes. `before` runs until the servers answer; `after`, at the end
  // of the calm, looks at what is left. Either may be empty.
  Node& add_judge(std::string_view name, ClientMain before, ClientMain after);

  // A trial runs once.
  TrialReport run();

  // For clients: this run makes no sense any more (a plan that cannot be read, say). It goes on to
  // its end, and is then stuck for this reason.
  void give_up(std::string_view why);

  // Zero until then.
  VirtualTime storm_begun() const { return storm_begun_; }
  VirtualTime storm_ended() const { return storm_ended_; }

 private:
  struct Server {
    Node* node;
    std::vector<MakeProcess> releases;
  };
  struct Client {
    Node* node;
    ClientMain main;
  };

  void direct();
  void start(Node& node, ClientMain main);
  bool all_finish(VirtualTime limit);
  void stop_stuck(std::string_view why);
  void name_failing_servers();

  Plan plan_;
  bool may_be_interrupted_;
  VirtualTime start_limit_;
  Policy policy_;
  std::vector<Server> servers_;
  std::vector<Client> clients_;
  Node* judge_ = nullptr;
  ClientMain before_;
  ClientMain after_;
  std::string_view phase_;
  std::string stuck_;
  uint32_t unfinished_ = 0;
  VirtualTime storm_begun_{0};
  VirtualTime storm_ended_{0};
  World world_;  // After what its fibers refer to: its end unwinds them.
  os::Event progress_;
};

}  // namespace seatrial::sim
