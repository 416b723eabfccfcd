#include "scenarios/run.h"

#include "base/check.h"
#include "scenarios/revision.h"
#include "scenarios/scribe.h"
#include "scenarios/servers.h"
#include "scenarios/workloads/workload.h"
#include "sim/faults/fault.h"
#include "sim/swarm.h"
#include "sim/trial.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <utility>

namespace seatrial::scenarios {

using base::Errc;
using base::fail;

namespace {

std::string client_name(uint32_t index) { return fmt::format("client{}", index); }
constexpr std::string_view kJudge = "judge";
std::vector<std::string> other_names(const Scenario& scenario) {
  std::vector<std::string> names;
  for (uint32_t i = 0; i < scenario.clients; ++i) names.push_back(client_name(i));
  names.emplace_back(kJudge);
  return names;
}

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
        trial_({.seed = seed,
                .plan = plan,
                .until = until,
                .policy =
                    [this](sim::World& world, const sim::FaultStep& step) {
                      return workload_.forbids(scenario_, world, step);
                    }}),
        scribe_(trial_.world(), std::string(workload.history_type()),
                (scenario.clients + 1) * workload.lanes() + 1,
                fmt::format("\"scenario\":\"{}\",\"seed\":{}", scenario.name, seed)) {
    witness_ = workload.witness(trial_.world());
  }

  // Adds the nodes. Errors name the option that a server does not understand.
  Result<void> prepare() {
    for (const std::string& name : scenario_.server_names()) {
      const auto options = options_of(name);
      std::vector<sim::MakeProcess> releases;
      for (size_t i = 0; i < std::max<size_t>(scenario_.releases.size(), 1); ++i) {
        auto factory = kind_.prepare(name, with_release(options, i), witness_.get());
        if (!factory) {
          return fail(factory.error().in(fmt::format("{}: {}", scenario_.name, name)));
        }
        releases.push_back(*std::move(factory));
      }
      servers_.emplace_back(name, std::move(releases));
    }
    // Written by nobody's client: the last number.
    trial_.world().incident_listener = [this](const sim::Incident& incident) {
      workload_.incident(facts(), incident, scribe_, (scenario_.clients + 1) * workload_.lanes());
    };
    for (const auto& [name, releases] : servers_) trial_.add_server(name, releases);
    trial_.add_judge(kJudge, judge(&Workload::prepare), judge(&Workload::finish));
    for (uint32_t i = 0; i < scenario_.clients; ++i) {
      trial_.add_client(client_name(i), [this, i](os::Os& os) {
        ClientContext context = context_of(os, i, operations_of(client_name(i)));
        auto done = workload_.run(context);
        if (!done && done.error() == Errc::kInvalidData) trial_.give_up(done.error().message());
      });
    }
    return {};
  }

  sim::TrialReport go() { return trial_.run(); }
  sim::World& world() { return trial_.world(); }
  const Scribe& scribe() const { return scribe_; }
  RunFacts facts() const {
    return {.scenario = scenario_,
            .plan = plan_,
            .incidents = trial_.world().incidents(),
            .storm_begun = trial_.storm_begun(),
            .storm_ended = trial_.storm_ended(),
            .witness = witness_.get(),
            .server_clocks = server_clocks()};
  }

 private:
  sim::NodeClock::Errors server_clocks() const {
    sim::NodeClock::Errors all;
    for (size_t i = 0; i < servers_.size() && i < trial_.world().nodes().size(); ++i) {
      const auto errors =
          trial_.world().nodes()[i]->clock().wall_errors(trial_.world().now_virtual());
      all.least = i == 0 ? errors.least : std::min(all.least, errors.least);
      all.most = i == 0 ? errors.most : std::max(all.most, errors.most);
    }
    return all;
  }

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

  std::vector<std::string> with_release(std::vector<std::string> options, size_t release) const {
    if (release < scenario_.releases.size()) {
      const std::vector<std::string>& own = scenario_.releases[release];
      options.insert(options.end(), own.begin(), own.end());
    }
    return options;
  }

  const std::vector<std::string>& operations_of(const std::string& client) const {
    static const std::vector<std::string> kNone;
    const auto plan = std::ranges::find(plan_.clients, client, &sim::ClientPlan::client);
    return plan == plan_.clients.end() ? kNone : plan->operations;
  }

  ClientContext context_of(os::Os& os, uint32_t number,
                           const std::vector<std::string>& operations) {
    std::vector<os::Address> servers;
    for (const auto& [name, factory] : servers_) servers.push_back({name, kind_.port()});
    return {os, scenario_, std::move(servers), number, scribe_, operations};
  }

  sim::Trial::ClientMain judge(void (Workload::*part)(ClientContext&) const) {
    return [this, part](os::Os& os) {
      ClientContext context = context_of(os, scenario_.clients, operations_of({}));
      (workload_.*part)(context);
    };
  }

  const Scenario& scenario_;
  const sim::Plan& plan_;
  const Workload& workload_;
  const ServerKind& kind_;
  std::vector<std::pair<std::string, std::vector<sim::MakeProcess>>> servers_;  // By release.
  std::unique_ptr<Witness> witness_;
  sim::Trial trial_;  // After what its fibers refer to: its end unwinds them.
  Scribe scribe_;
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
  options.stage.releases = std::max<uint32_t>(1, static_cast<uint32_t>(scenario.releases.size()));
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
  TRY(sim::check_plan(plan, scenario.server_names(), other_names(scenario)));

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
    sim::TrialReport report = run.go();
    result.message = std::move(report.message);
    result.hash = report.hash;
    result.events = report.events;
    result.sim_time = report.sim_time;
    result.ops = run.scribe().history().operations().size();
    result.faults = std::move(report.counts);
    result.held_back = std::move(report.held_back);
    if (!result.message.empty()) result.verdict = reports::Verdict::kStuck;
    if (observers.history) observers.history(run.scribe().history());
    // What the clients saw counts, whether or not they came to an end.
    if (!until) add_verdicts(workload->check(run.facts(), run.scribe().history()), result);
  }
  const std::span<os::Mark> marks = os::all_marks();
  for (size_t i = 0; i < marks.size(); ++i) {
    const uint64_t hits = marks[i].hits - marks_before[i];
    if (hits > 0) result.marks[marks[i].name] += hits;
  }
  result.cpu_time = thread_cpu_time() - cpu_before;
  result.wall_time = wall_clock() - wall_before;
  return result;
}

std::string_view revision() { return kRevision; }

}  // namespace seatrial::scenarios
