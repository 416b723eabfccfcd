#include "sim/trial.h"

#include "base/check.h"
#include "sim/faults/fault.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace seatrial::sim {

using base::Errc;
using base::fail;

namespace {

// A server that ends with an error so often in a row will not come up by itself.
constexpr uint32_t kFailedStartsTold = 3;

Result<void> check_targets(size_t index, const FaultStep& step,
                           const std::vector<std::string>& nodes) {
  // One way only: '>' or '<' before the names. Groups of them are separated by '|'.
  std::string_view rest = step.target;
  if (rest.starts_with('>') || rest.starts_with('<')) rest.remove_prefix(1);
  while (true) {
    const std::string_view name = rest.substr(0, rest.find_first_of(",|"));
    if (std::ranges::find(nodes, name) == nodes.end()) {
      return fail(Errc::kInvalidData,
                  fmt::format("plan.faults[{}].target: no node is called \"{}\"; there are: {}",
                              index, name, fmt::join(nodes, ", ")));
    }
    if (name.size() == rest.size()) return {};
    rest.remove_prefix(name.size() + 1);
  }
}

Result<void> check_step(size_t index, const FaultStep& step,
                        const std::vector<std::string>& nodes) {
  const Fault* const fault = find_fault(step.kind);
  if (fault == nullptr) {
    const std::string_view like = most_alike(step.kind);
    return fail(Errc::kInvalidData,
                fmt::format("plan.faults[{}].kind: no fault is called \"{}\"{}", index, step.kind,
                            like.empty() ? "" : fmt::format(", did you mean {}?", like)));
  }
  if (fault->info().ambient) {
    return fail(Errc::kInvalidData,
                fmt::format("plan.faults[{}].kind: {} has no steps, it is part of plan.weather",
                            index, step.kind));
  }
  const auto& modes = fault->info().modes;
  if (!step.mode.empty() && !modes.empty() && std::ranges::find(modes, step.mode) == modes.end()) {
    return fail(Errc::kInvalidData,
                fmt::format("plan.faults[{}].mode: expected one of {}, found \"{}\"", index,
                            fmt::join(modes, ", "), step.mode));
  }
  return check_targets(index, step, nodes);
}

// Nothing where the plan leaves it to its weather, as those do that know no other way.
std::optional<ChaosPlan> chaos_of(const Plan& plan, std::string_view name) {
  for (const ServerPlan& server : plan.servers) {
    if (server.server == name && !server.chaos.empty()) return server.chaos;
  }
  if (plan.weather.chaos != ChaosWeather{}) return {};
  return ChaosPlan{};
}

}  // namespace

Result<void> check_plan(const Plan& plan, const std::vector<std::string>& servers,
                        const std::vector<std::string>& others) {
  std::vector<std::string> nodes = servers;
  nodes.insert(nodes.end(), others.begin(), others.end());
  for (size_t i = 0; i < plan.faults.size(); ++i) TRY(check_step(i, plan.faults[i], nodes));
  for (size_t i = 0; i < plan.servers.size(); ++i) {
    const std::string& name = plan.servers[i].server;
    if (std::ranges::find(servers, name) != servers.end()) continue;
    return fail(Errc::kInvalidData,
                fmt::format("plan.servers[{}].server: no server is called \"{}\"; there are: {}", i,
                            name, fmt::join(servers, ", ")));
  }
  return {};
}

std::string_view to_string(TrialEnd end) {
  switch (end) {
    case TrialEnd::kFinished: return "finished";
    case TrialEnd::kInterrupted: return "interrupted";
    case TrialEnd::kStuck: return "stuck";
    case TrialEnd::kDeadlock: return "deadlock";
  }
  return "?";
}

Trial::Trial(TrialOptions options)
    : plan_(std::move(options.plan)),
      may_be_interrupted_(options.until.has_value()),
      start_limit_(options.start_limit),
      policy_(std::move(options.policy)),
      world_(
          {.seed = options.seed,
           .weather = plan_.weather,
           .time_limit = options.until.value_or(start_limit_ + plan_.storm + plan_.calm_limit * 2),
           .stack_bytes = options.stack_bytes}),
      progress_(world_.fibers()) {}

Node& Trial::add_server(std::string_view name, MakeProcess make) {
  return add_server(name, std::vector<MakeProcess>{std::move(make)});
}

Node& Trial::add_server(std::string_view name, std::vector<MakeProcess> releases) {
  Node& node = world_.add_node(name);
  node.chaos = chaos_of(plan_, name);
  servers_.push_back({&node, std::move(releases)});
  return node;
}

Node& Trial::add_client(std::string_view name, ClientMain main) {
  Node& node = world_.add_node(name);
  clients_.push_back({&node, std::move(main)});
  return node;
}

Node& Trial::add_judge(std::string_view name, ClientMain before, ClientMain after) {
  CHECK_MSG(judge_ == nullptr, "one judge, not two");
  judge_ = &world_.add_node(name);
  before_ = std::move(before);
  after_ = std::move(after);
  return *judge_;
}

TrialReport Trial::run() {
  for (Server& server : servers_) {
    server.node->set_service("server", std::move(server.releases));
  }
  world_.administer("director", [this] { direct(); });
  TrialReport report;
  switch (const Outcome outcome = world_.run()) {
    case Outcome::kStopped: break;
    case Outcome::kTimeUp:
      if (may_be_interrupted_) {
        report.end = TrialEnd::kInterrupted;
      } else {
        give_up(fmt::format("{}: {}", phase_, to_string(outcome)));
      }
      break;
    case Outcome::kDeadlock:
      report.end = TrialEnd::kDeadlock;
      give_up(fmt::format("{}: {}", phase_, to_string(outcome)));
      break;
  }
  if (!stuck_.empty() && report.end != TrialEnd::kInterrupted) {
    if (report.end == TrialEnd::kFinished) report.end = TrialEnd::kStuck;
    name_failing_servers();
    report.message = stuck_;
  }
  report.hash = world_.trace().hash();
  report.events = world_.trace().events();
  report.sim_time = world_.now_virtual();
  report.counts = world_.counts();
  report.held_back = world_.held_back();
  return report;
}

void Trial::give_up(std::string_view why) {
  if (stuck_.empty()) stuck_ = why;
}

void Trial::name_failing_servers() {
  for (const auto& node : world_.nodes()) {
    if (node->failed_starts() < kFailedStartsTold) continue;
    stuck_ += fmt::format("; {} ended with an error {} times in a row, right after its start",
                          node->name(), node->failed_starts());
  }
}

// Runs `main` as a process of that node; progress_ tells of its end.
void Trial::start(Node& node, ClientMain main) {
  if (!main) return;
  ++unfinished_;
  node.start("client", [this, main = std::move(main)](os::Os& os) mutable {
    main(os);
    --unfinished_;
    progress_.set();
    return 0;
  });
}

// Waits until all that was started has finished; false if that takes longer than `limit`.
bool Trial::all_finish(VirtualTime limit) {
  const os::MonotonicTime until(world_.now_virtual() + limit);
  while (unfinished_ > 0) {
    progress_.reset();
    if (!progress_.wait(until)) return false;
  }
  return true;
}

// The run's course, on a fiber of the world.
void Trial::direct() {
  phase_ = "before the storm";
  if (judge_ != nullptr) start(*judge_, std::move(before_));
  if (!all_finish(start_limit_)) return stop_stuck("the server did not come up");
  phase_ = "in the storm";
  world_.note({}, TraceKind::kNote, "storm");
  storm_begun_ = world_.now_virtual();
  for (Client& client : clients_) start(*client.node, std::move(client.main));
  Storm storm(world_, plan_, policy_);
  (void)all_finish(plan_.storm);
  storm.end();
  storm_ended_ = world_.now_virtual();
  phase_ = "in the calm";
  if (!all_finish(plan_.calm_limit)) {
    return stop_stuck(fmt::format("{} clients still had no answer", unfinished_));
  }
  if (judge_ != nullptr) start(*judge_, std::move(after_));
  if (!all_finish(plan_.calm_limit)) return stop_stuck("the last reads had no answer");
  world_.stop();
}

void Trial::stop_stuck(std::string_view why) {
  give_up(fmt::format(
      "{}, after {} s: {}", phase_,
      std::chrono::duration_cast<std::chrono::seconds>(world_.now_virtual()).count(), why));
  world_.stop();
}

}  // namespace seatrial::sim
