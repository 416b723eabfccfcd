#include "sim/trial.h"

#include "base/check.h"
#include "sim/storm.h"

#include <fmt/format.h>

#include <utility>

namespace seatrial::sim {
namespace {

// A server that ends with an error so often in a row will not come up by itself.
constexpr uint32_t kFailedStartsTold = 3;

}  // namespace

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
      world_({.seed = options.seed,
              .weather = plan_.weather,
              .time_limit = options.until.value_or(start_limit_ + plan_.storm +
                                                   plan_.calm_limit * 2),
              .stack_bytes = options.stack_bytes}),
      progress_(world_.fibers()) {}

Node& Trial::add_server(std::string_view name, std::function<ProcessMain()> make) {
  Node& node = world_.add_node(name);
  node.set_service("server", std::move(make));
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
  Storm storm(world_, plan_);
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
