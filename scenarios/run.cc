#include "scenarios/run.h"

#include "base/check.h"
#include "scenarios/revision.h"
#include "scenarios/scribe.h"
#include "scenarios/servers.h"
#include "scenarios/workloads/workload.h"
#include "sim/faults/fault.h"
#include "sim/storm.h"
#include "sim/swarm.h"
#include "sim/world.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <utility>

namespace seatrial::scenarios {

using base::Errc;
using base::fail;
using sim::Node;
using sim::VirtualTime;

namespace {

using namespace std::chrono_literals;

// Longer than anything a plan can ask for; what runs into it has lost its way.
constexpr VirtualTime kBeforeStormMax = 60s;

std::string client_name(uint32_t index) { return fmt::format("client{}", index); }
constexpr std::string_view kJudge = "judge";

os::Duration thread_cpu_time() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

os::Duration wall_clock() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// The marks of a binary are counted for its whole life; a run reports what it added.
std::vector<uint64_t> mark_counts() {
  std::vector<uint64_t> counts;
  for (const os::Mark& mark : os::all_marks()) counts.push_back(mark.hits);
  return counts;
}

// A run while it goes.
class Run {
 public:
  Run(const Scenario& scenario, uint64_t seed, const sim::Plan& plan, const Workload& workload,
      const ServerKind& kind, std::optional<os::Duration> until)
      : scenario_(scenario),
        plan_(plan),
        workload_(workload),
        kind_(kind),
        until_(until),
        world_({.seed = seed,
                .weather = plan.weather,
                .time_limit = until.value_or(kBeforeStormMax + plan.storm + plan.calm_limit * 2)}),
        scribe_(world_, std::string(workload.history_type()),
                (scenario.clients + 1) * workload.lanes() + 1,
                fmt::format("\"scenario\":\"{}\",\"seed\":{}", scenario.name, seed)),
        progress_(world_.fibers()) {
    witness_ = workload.witness(world_);
  }

  // Errors name the option that a server does not understand.
  Result<void> prepare() {
    for (const std::string& name : scenario_.server_names()) {
      const auto options = options_of(name);
      auto factory = kind_.prepare(name, options, witness_.get());
      if (!factory) {
        return fail(factory.error().in(fmt::format("{}: {}", scenario_.name, name)));
      }
      servers_.emplace_back(name, *std::move(factory));
    }
    return {};
  }

  sim::World& world() { return world_; }
  const Scribe& scribe() const { return scribe_; }
  RunFacts facts() const {
    return {.scenario = scenario_,
            .plan = plan_,
            .incidents = world_.incidents(),
            .storm_begun = storm_begun_,
            .storm_ended = storm_ended_,
            .witness = witness_.get()};
  }

  // Returns why it did not come to its end, or nothing.
  std::string go() {
    // Written by nobody's client: the last number.
    world_.incident_listener = [this](const sim::Incident& incident) {
      workload_.incident(facts(), incident, scribe_, (scenario_.clients + 1) * workload_.lanes());
    };
    for (const auto& [name, factory] : servers_) {
      world_.add_node(name).set_service("server", factory);
    }
    judge_ = &world_.add_node(kJudge);
    for (uint32_t i = 0; i < scenario_.clients; ++i) {
      clients_.push_back(&world_.add_node(client_name(i)));
    }
    world_.administer("director", [this] { direct(); });
    const sim::Outcome outcome = world_.run();
    if (until_ && outcome == sim::Outcome::kTimeUp) return {};
    if (outcome != sim::Outcome::kStopped)
      stuck_ = fmt::format("{}: {}", phase_, to_string(outcome));
    if (stuck_.empty()) return {};
    for (const auto& node : world_.nodes()) {
      if (node->failed_starts() < 3) continue;
      stuck_ += fmt::format("; {} ended with an error {} times in a row, right after its start",
                            node->name(), node->failed_starts());
    }
    return stuck_;
  }

 private:
  std::vector<std::string> options_of(const std::string& name) const {
    std::vector<std::string> options = scenario_.server_options;
    if (const auto own = scenario_.node_options.find(name); own != scenario_.node_options.end()) {
      options.insert(options.end(), own->second.begin(), own->second.end());
    }
    for (const sim::ServerPlan& drawn : plan_.servers) {
      if (drawn.server != name) continue;
      options.insert(options.end(), drawn.options.begin(), drawn.options.end());
    }
    return options;
  }

  // Runs `body` as a process of a client's node; `finished` counts its end.
  template <typename Body>
  void start_client(Node& node, uint32_t number, const std::vector<std::string>& operations,
                    Body body) {
    ++unfinished_;
    node.start("client", [this, number, &operations, body](os::Os& os) {
      std::vector<os::Address> servers;
      for (const auto& [name, factory] : servers_) servers.push_back({name, kind_.port()});
      ClientContext context{os, scenario_, std::move(servers), number, scribe_, operations};
      body(context);
      --unfinished_;
      progress_.set();
      return 0;
    });
  }

  // Waits until all clients have finished; false if that takes longer than `limit`.
  bool clients_finish(VirtualTime limit) {
    const os::MonotonicTime until(world_.now_virtual() + limit);
    while (unfinished_ > 0) {
      progress_.reset();
      if (!progress_.wait(until)) return false;
    }
    return true;
  }

  void start_clients() {
    static const std::vector<std::string> kNone;
    for (uint32_t i = 0; i < clients_.size(); ++i) {
      const auto plan = std::ranges::find(plan_.clients, client_name(i), &sim::ClientPlan::client);
      start_client(*clients_[i], i, plan == plan_.clients.end() ? kNone : plan->operations,
                   [this](ClientContext& context) {
                     auto done = workload_.run(context);
                     if (!done && done.error() == Errc::kInvalidData) {
                       stuck_ = done.error().message();
                     }
                   });
    }
  }

  // The run's course, on a fiber of the world.
  void direct() {
    static const std::vector<std::string> kNone;
    phase_ = "before the storm";
    start_client(*judge_, scenario_.clients, kNone,
                 [this](ClientContext& context) { workload_.prepare(context); });
    if (!clients_finish(kBeforeStormMax)) return give_up("the server did not come up");
    phase_ = "in the storm";
    world_.note({}, sim::TraceKind::kNote, "storm");
    storm_begun_ = world_.now_virtual();
    start_clients();
    sim::Storm storm(world_, plan_, [this](sim::World& world, const sim::FaultStep& step) {
      return workload_.forbids(scenario_, world, step);
    });
    (void)clients_finish(plan_.storm);
    storm.end();
    storm_ended_ = world_.now_virtual();
    phase_ = "in the calm";
    if (!clients_finish(plan_.calm_limit)) {
      return give_up(fmt::format("{} clients still had no answer", unfinished_));
    }
    start_client(*judge_, scenario_.clients, kNone,
                 [this](ClientContext& context) { workload_.finish(context); });
    if (!clients_finish(plan_.calm_limit)) return give_up("the last reads had no answer");
    world_.stop();
  }

  void give_up(std::string_view why) {
    stuck_ = fmt::format(
        "{}, after {} s: {}", phase_,
        std::chrono::duration_cast<std::chrono::seconds>(world_.now_virtual()).count(), why);
    world_.stop();
  }

  const Scenario& scenario_;
  const sim::Plan& plan_;
  const Workload& workload_;
  const ServerKind& kind_;
  std::optional<os::Duration> until_;
  std::string stuck_;
  std::string phase_;
  uint32_t unfinished_ = 0;
  Node* judge_ = nullptr;
  std::vector<Node*> clients_;
  std::vector<std::pair<std::string, ServerFactory>> servers_;
  VirtualTime storm_begun_{0};
  VirtualTime storm_ended_{0};
  std::unique_ptr<Witness> witness_;
  sim::World world_;  // After what its fibers refer to: its end unwinds them.
  Scribe scribe_;
  os::Event progress_;
};

void add_verdicts(const std::vector<checkers::Verdict>& verdicts, reports::RunResult& result) {
  for (const checkers::Verdict& verdict : verdicts) {
    if (verdict.outcome == checkers::Outcome::kOk) continue;
    if (verdict.outcome == checkers::Outcome::kUndecided) {
      // An oracle that does not know has not passed anything.
      result.verdict = reports::Verdict::kStuck;
      result.message = fmt::format("{} is undecided: {}", verdict.checker, verdict.summary);
      continue;
    }
    reports::Violation violation{verdict.checker, verdict.summary, {}};
    for (checkers::OperationId id : verdict.operations) {
      violation.ops.push_back(static_cast<uint64_t>(id));
    }
    result.violations.push_back(std::move(violation));
  }
  if (!result.violations.empty()) result.verdict = reports::Verdict::kViolation;
}

// A plan, perhaps an edited one, speaks of faults and nodes that there are.
Result<void> check_plan(const Scenario& scenario, const sim::Plan& plan) {
  const std::vector<std::string> servers = scenario.server_names();
  std::vector<std::string> nodes = servers;
  for (uint32_t i = 0; i < scenario.clients; ++i) nodes.push_back(client_name(i));
  nodes.emplace_back(kJudge);
  const auto unknown = [](size_t index, std::string_view node, const auto& known) {
    return fail(Errc::kInvalidData,
                fmt::format("plan.faults[{}]: no node is called \"{}\"; there are: {}", index, node,
                            fmt::join(known, ", ")));
  };
  for (size_t i = 0; i < plan.faults.size(); ++i) {
    const sim::FaultStep& step = plan.faults[i];
    const sim::Fault* const fault = sim::find_fault(step.kind);
    if (fault == nullptr) {
      const std::string_view like = sim::most_alike(step.kind);
      return fail(Errc::kInvalidData,
                  fmt::format("plan.faults[{}].kind: no fault is called \"{}\"{}", i, step.kind,
                              like.empty() ? "" : fmt::format(", did you mean {}?", like)));
    }
    if (fault->info().ambient) {
      return fail(Errc::kInvalidData,
                  fmt::format("plan.faults[{}].kind: {} has no steps, it is part of plan.weather",
                              i, step.kind));
    }
    const auto& modes = fault->info().modes;
    if (!step.mode.empty() && !modes.empty() &&
        std::ranges::find(modes, step.mode) == modes.end()) {
      return fail(Errc::kInvalidData,
                  fmt::format("plan.faults[{}].mode: expected one of {}, found \"{}\"", i,
                              fmt::join(modes, ", "), step.mode));
    }
    // One way only: '>' or '<' before the names. Groups of them are separated by '|'.
    std::string_view rest = step.target;
    if (rest.starts_with('>') || rest.starts_with('<')) rest.remove_prefix(1);
    while (true) {
      const std::string_view name = rest.substr(0, rest.find_first_of(",|"));
      if (std::ranges::find(nodes, name) == nodes.end()) return unknown(i, name, nodes);
      if (name.size() == rest.size()) break;
      rest.remove_prefix(name.size() + 1);
    }
  }
  for (const sim::ServerPlan& server : plan.servers) {
    if (std::ranges::find(servers, server.server) != servers.end()) continue;
    return fail(Errc::kInvalidData,
                fmt::format("plan.servers: no server is called \"{}\"; there are: {}",
                            server.server, fmt::join(servers, ", ")));
  }
  return {};
}

// One value of each list, the same for all servers.
std::vector<sim::ServerPlan> draw_options(const Scenario& scenario, const ServerKind& kind,
                                          const sim::Streams& streams) {
  std::vector<std::string> drawn;
  for (const auto& [setting, values] : scenario.drawn_options) {
    base::RandomStream random = streams.stream("options", setting);
    const auto words = kind.option(setting, values[random.below(values.size())]);
    drawn.insert(drawn.end(), words.begin(), words.end());
  }
  std::vector<sim::ServerPlan> plans;
  if (drawn.empty()) return plans;
  for (const std::string& name : scenario.server_names()) plans.push_back({name, drawn});
  return plans;
}

}  // namespace

Result<sim::Plan> make_plan(const Scenario& scenario, uint64_t seed) {
  const Workload* workload = TRY(find_workload(scenario.workload));
  TRY(workload->validate(scenario));
  const ServerKind* const servers = TRY(find_server_kind(scenario.server));
  sim::Plan plan;
  plan.storm = scenario.storm;
  plan.calm_limit = scenario.calm_limit;
  const sim::Streams streams(seed);
  sim::SwarmOptions options{.faults = scenario.faults,
                            .with = scenario.with,
                            .without = scenario.without,
                            .settings = scenario.fault_settings};
  options.stage.storm = scenario.storm;
  options.stage.intensity = scenario.intensity;
  options.stage.expendable = scenario.expendable;
  options.stage.servers = scenario.server_names();
  plan.servers = draw_options(scenario, *servers, streams);
  for (uint32_t i = 0; i < scenario.clients; ++i) {
    options.stage.clients.push_back(client_name(i));
    plan.clients.push_back(
        {client_name(i),
         workload->plan(scenario, i, streams.stream(client_name(i), "operations"))});
  }
  sim::draw_swarm(streams, options, plan);
  return plan;
}

Result<reports::RunResult> run_seed(const Scenario& scenario, uint64_t seed, const sim::Plan& plan,
                                    const Observers& observers, std::optional<os::Duration> until) {
  const Workload* workload = TRY(find_workload(scenario.workload));
  TRY(workload->validate(scenario));
  const ServerKind* const servers = TRY(find_server_kind(scenario.server));
  TRY(check_plan(scenario, plan));

  reports::RunResult result;
  result.scenario = scenario.name;
  result.seed = seed;
  result.revision = revision();
  const os::Duration wall_before = wall_clock();
  const os::Duration cpu_before = thread_cpu_time();
  const std::vector<uint64_t> marks_before = mark_counts();
  {
    Run run(scenario, seed, plan, *workload, *servers, until);
    TRY(run.prepare());
    if (observers.trace) run.world().trace().listen(observers.trace);
    run.world().log_listener = observers.log;
    result.message = run.go();
    const sim::World& world = run.world();
    result.hash = run.world().trace().hash();
    result.events = run.world().trace().events();
    result.sim_time = world.now_virtual();
    result.ops = run.scribe().history().operations().size();
    result.faults = world.counts();
    result.held_back = world.held_back();
    if (!result.message.empty()) result.verdict = reports::Verdict::kStuck;
    if (observers.history) observers.history(run.scribe().history());
    // What the clients saw counts, whether or not they came to an end.
    if (!until) add_verdicts(workload->check(run.facts(), run.scribe().history()), result);
  }
  const std::span<os::Mark> marks = os::all_marks();
  for (size_t i = 0; i < marks.size(); ++i) {
    if (marks[i].hits > marks_before[i]) result.marks.emplace_back(marks[i].name);
  }
  std::ranges::sort(result.marks);
  result.marks.erase(std::ranges::unique(result.marks).begin(), result.marks.end());
  result.cpu_time = thread_cpu_time() - cpu_before;
  result.wall_time = wall_clock() - wall_before;
  return result;
}

std::string_view revision() { return kRevision; }

}  // namespace seatrial::scenarios
