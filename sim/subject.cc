#include "sim/subject.h"

#include <algorithm>
#include <utility>

namespace seatrial::sim {
namespace {

constexpr std::string_view kJudge = "judge";

const std::vector<std::string>& operations_of(const Plan& plan, std::string_view client) {
  static const std::vector<std::string> kNone;
  const auto found = std::ranges::find(plan.clients, client, &ClientPlan::client);
  return found == plan.clients.end() ? kNone : found->operations;
}

void add_nodes(Trial& trial, Subject& subject, const Terms& terms) {
  for (const std::string& name : terms.servers) {
    std::vector<MakeProcess> releases;
    for (uint32_t release = 0; release < terms.releases; ++release) {
      releases.emplace_back([&subject, name, release] {
        return ProcessMain([&subject, name, release](os::Os& os) {
          return subject.serve_release(os, name, release);
        });
      });
    }
    trial.add_server(name, std::move(releases));
  }
  const auto clients = static_cast<uint32_t>(terms.clients.size());
  const auto judge = [&trial, &subject, clients](void (Subject::*part)(Client&)) {
    return [&trial, &subject, clients, part](os::Os& os) {
      Client client{os, clients, operations_of(trial.plan(), kJudge), trial};
      (subject.*part)(client);
    };
  };
  trial.add_judge(kJudge, judge(&Subject::prepare), judge(&Subject::finish));
  for (uint32_t i = 0; i < clients; ++i) {
    trial.add_client(terms.clients[i], [&trial, &subject, name = terms.clients[i], i](os::Os& os) {
      Client client{os, i, operations_of(trial.plan(), name), trial};
      subject.ask(client);
    });
  }
}

}  // namespace

void Client::note(std::string_view text) const {
  trial.world().note({}, TraceKind::kOperation, text);
}

Plan draw_plan(const Subject& subject, uint64_t seed) {
  Terms terms = subject.terms();
  const Streams streams(seed);
  Plan plan;
  plan.storm = terms.storm;
  plan.calm_limit = terms.calm_limit;
  for (uint32_t i = 0; i < terms.clients.size(); ++i) {
    const std::string& name = terms.clients[i];
    auto operations = subject.plan_client(i, streams.stream(name, "operations"));
    if (!operations.empty()) plan.clients.push_back({name, std::move(operations)});
  }
  Stage& stage = terms.swarm.stage;
  stage.servers = std::move(terms.servers);
  stage.clients = std::move(terms.clients);
  stage.storm = terms.storm;
  stage.intensity = terms.intensity;
  stage.releases = terms.releases;
  draw_swarm(streams, terms.swarm, plan);
  return plan;
}

Result<void> check_plan(const Subject& subject, const Plan& plan) {
  const Terms terms = subject.terms();
  std::vector<std::string> others = terms.clients;
  others.emplace_back(kJudge);
  return check_plan(plan, terms.servers, others);
}

SubjectReport run_subject(Subject& subject, uint64_t seed, const Plan& plan,
                          const Watcher& watcher) {
  SubjectReport report;
  const auto policy = [&subject](World& world, const FaultStep& step) {
    return subject.hold_back(world, step);
  };
  Trial trial({.seed = seed, .plan = plan, .until = watcher.until, .policy = policy});
  if (watcher.trace) trial.world().trace().listen(watcher.trace);
  trial.world().log_listener = watcher.log;
  add_nodes(trial, subject, subject.terms());
  report.trial = trial.run();
  if (!watcher.until) report.violations = subject.judge();
  return report;
}

}  // namespace seatrial::sim
