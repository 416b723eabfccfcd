#include "sim/world.h"

#include "base/check.h"
#include "sim/machine/network.h"
#include "sim/machine/process.h"
#include "sim/trap.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace seatrial::sim {
namespace {

// So many switches at one instant mean that somebody spins.
constexpr uint64_t kStepsWithoutTimeMax = 5'000'000;

// One-shot actions; frees itself.
class Action : public Event {
 public:
  explicit Action(std::move_only_function<void()> action) : action_(std::move(action)) {}
  void fire() override {
    std::unique_ptr<Action> self(this);
    action_();
  }

 private:
  std::move_only_function<void()> action_;
};

}  // namespace

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::kStopped: return "stopped";
    case Outcome::kTimeUp: return "time limit reached";
    case Outcome::kDeadlock: return "nothing can happen any more";
  }
  return "?";
}

World::World(WorldOptions options)
    : streams_(options.seed),
      weather_(options.weather),
      time_limit_(options.time_limit),
      scheduler_(std::make_unique<os::Scheduler>(static_cast<os::Dispatch&>(*this),
                                                 options.stack_bytes, os::Order::kShuffled,
                                                 SIZE_MAX)),  // A world ends soon.
      fibers_(std::make_unique<os::Fibers>(*scheduler_)),
      net_(std::make_unique<Net>(*this)),
      undertaker_idle_(std::make_unique<os::WaitQueue>(*fibers_)) {
  fibers_->key = streams_.key("world", "fibers");
  fibers_->spawn("undertaker", [this] { bury_all(); });
}

World::~World() {
  end_everything();
  net_->heal();
  // What still lies in the queue may hold on to connections.
  while (!events_.empty()) {
    now_ = std::max(now_, events_.next_time());
    events_.pop()->fire();
  }
  nodes_.clear();
}

void World::end_everything() {
  for (auto& node : nodes_) {
    node->on_exit = nullptr;
    node->set_service({}, nullptr);
    node->kill();
  }
  fibers_->kill();
}

Node& World::add_node(std::string_view name) {
  CHECK_MSG(find_node(name) == nullptr, "two nodes named {}", name);
  nodes_.push_back(std::make_unique<Node>(*this, name, static_cast<uint32_t>(nodes_.size())));
  nodes_by_name_.emplace(std::string(name), nodes_.back().get());
  return *nodes_.back();
}

Node* World::find_node(std::string_view name) {
  auto it = nodes_by_name_.find(name);
  return it == nodes_by_name_.end() ? nullptr : it->second;
}

Outcome World::run() {
  stopping_ = false;
  outcome_ = Outcome::kStopped;
  scheduler_->run();
  trap::disarm();
  end_everything();
  return outcome_;
}

os::Fiber World::administer(std::string_view name, os::FiberMain main) {
  return fibers_->spawn(name, std::move(main));
}

void World::sleep(VirtualTime duration) {
  const os::MonotonicTime until(now_ + duration);
  while (now() < until) {
    if (fibers_->park(until) == os::Wake::kCancelled) return;
  }
}

void World::after(VirtualTime delay, std::move_only_function<void()> action) {
  schedule(now_ + delay, new Action(std::move(action)));
}

void World::bury(SimProcess& process) {
  process.ending = true;
  to_bury_.push_back({&process.node(), process.incarnation()});
  undertaker_idle_->wake_one();
}

void World::sweep(Node& node) {
  if (std::ranges::find(to_sweep_, &node) != to_sweep_.end()) return;
  to_sweep_.push_back(&node);
  undertaker_idle_->wake_one();
}

void World::bury_all() {
  for (;;) {
    for (const Grave& grave : std::exchange(to_bury_, {})) {
      if (SimProcess* process = grave.node->find_incarnation(grave.incarnation)) {
        grave.node->end(*process, process->status, false);
      }
    }
    for (Node* node : std::exchange(to_sweep_, {})) node->forget_ended();
    if (to_bury_.empty() && to_sweep_.empty() && undertaker_idle_->wait() == os::Wake::kCancelled)
      return;
  }
}

// ---- Dispatch

bool World::idle(os::MonotonicTime deadline) {
  // We may stand on the stack of whoever parked last; what happens now is the world's doing.
  const bool armed = trap::disarm();
  SimProcess* const parked = std::exchange(running_, nullptr);
  const VirtualTime before = now_;
  const VirtualTime due = deadline.time_since_epoch();
  if (stopping_) return false;
  if (events_.empty() && deadline == os::kNever) {
    outcome_ = Outcome::kDeadlock;
    return false;
  }
  if (!events_.empty() && events_.next_time() <= due) {
    CHECK(events_.next_time() >= now_);
    now_ = events_.next_time();
    if (now_ <= time_limit_) events_.pop()->fire();
  } else {
    now_ = std::max(now_, due);
  }
  if (now_ > time_limit_) {
    outcome_ = Outcome::kTimeUp;
    return false;
  }
  if (now_ > before) steps_without_time_ = 0;
  CHECK_MSG(++steps_without_time_ < kStepsWithoutTimeMax, "no time passes: events breed events");
  running_ = parked;
  if (armed) trap::arm();
  return true;
}

void World::running(os::Fibers* process, uint64_t fiber) {
  running_ = process != nullptr ? static_cast<SimProcess*>(process->owner) : nullptr;
  const bool named = running_ != nullptr && trace_.listened();
  const std::string_view node = named ? running_->node().name() : std::string_view();
  trace_.event(now_, node, TraceKind::kResume, fiber, 0, [&] {
    const os::detail::FiberBody* const current = scheduler_->current();
    return fmt::format("{}.{} goes on", scheduler_->name_of(current),
                       scheduler_->number_of(current));
  });
  CHECK_MSG(++steps_without_time_ < kStepsWithoutTimeMax,
            "no time passes: fiber {} and others keep each other busy",
            scheduler_->name_of(scheduler_->current()));
  if (running_ != nullptr) {
    trap::arm();
  } else {
    trap::disarm();
  }
}

os::MonotonicTime World::translate(os::Fibers& fibers, os::MonotonicTime deadline) {
  auto* process = static_cast<SimProcess*>(fibers.owner);
  return process->node().clock().world_time(deadline);
}

void World::rationed(os::Fibers& fibers) {
  static_cast<SimProcess*>(fibers.owner)->node().processor_wanted();
}

}  // namespace seatrial::sim
