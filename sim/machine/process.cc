#include "sim/machine/process.h"

#include "base/check.h"
#include "sim/machine/chaos.h"
#include "sim/machine/clock.h"
#include "sim/machine/connection.h"
#include "sim/machine/disk.h"
#include "sim/machine/log.h"
#include "sim/machine/network.h"
#include "sim/machine/random.h"
#include "sim/world.h"

#include <fmt/format.h>

#include <algorithm>

namespace seatrial::sim {

using base::Errc;
using base::fail;

SimProcess::SimProcess(Node& node, std::string_view name, os::Pid pid, os::Pid parent,
                       uint64_t incarnation)
    : node_(node), name_(name), pid_(pid), parent_(parent), incarnation_(incarnation) {
  fibers_ = std::make_unique<os::Fibers>(world().scheduler());
  fibers_->owner = this;
  fibers_->own_clock = true;
  fibers_->key =
      world().streams().key(fmt::format("{}.{}", node_.name(), name_), "fibers", incarnation_);
  child_ended = std::make_unique<os::WaitQueue>(*fibers_);
  stop_requested = std::make_unique<os::Event>(*fibers_);
  clock_ = std::make_unique<SimClock>(*this);
  network_ = std::make_unique<SimNetwork>(*this);
  disk_ = std::make_unique<SimDisk>(*this);
  process_ = std::make_unique<SimProcessCalls>(*this);
  random_ = std::make_unique<SimRandom>(*this);
  chaos_ = std::make_unique<SimChaos>(*this);
  log_ = std::make_unique<SimLog>(*this);
  os_ = std::make_unique<os::Os>(os::Os{.clock = *clock_,
                                        .fibers = *fibers_,
                                        .network = *network_,
                                        .disk = *disk_,
                                        .process = *process_,
                                        .random = *random_,
                                        .chaos = *chaos_,
                                        .log = *log_});
}

SimProcess::~SimProcess() = default;

World& SimProcess::world() { return node_.world(); }

base::RandomStream SimProcess::stream(std::string_view what) {
  return world().streams().stream(fmt::format("{}.{}", node_.name(), name_), what, incarnation_);
}

bool SimProcess::may_act() const {
  if (!alive_ || ending) return false;
  SimProcess* running = node_.world().running_process();
  CHECK_MSG(running == this || running == nullptr,
            "{}.{} used the Os of {}.{}: a child must use its own", running->node().name(),
            running->name(), node_.name(), name_);
  return true;
}

void SimProcess::spend(VirtualTime duration) {
  World& w = world();
  const NodeClock& clock = node_.clock();
  const VirtualTime until = w.now_virtual() + duration;
  os::MonotonicTime deadline = clock.monotonic(until);
  // A slow clock shows the same at several instants, and the time must pass all the same.
  if (clock.world_time(deadline) < os::MonotonicTime(until)) deadline += VirtualTime(1);
  while (w.now_virtual() < until && may_act()) fibers_->park_uncancelled(deadline);
}

// ---- Calls

SimProcessCalls::SimProcessCalls(SimProcess& process)
    : process_(process), random_(process.stream("fork")) {}

Result<std::shared_ptr<const os::Snapshot>> SimProcessCalls::freeze(const os::Snapshot& data) {
  if (!process_.may_act()) return fail(Errc::kCancelled);
  World& world = process_.world();
  const ProcessWeather& weather = world.weather().process;
  uint32_t& due = process_.node().fork_failures_due;
  if (random_.chance(weather.fork_failure_chance) || due > 0) {
    if (due > 0) --due;
    world.count("fork.fail");
    world.note(process_.node().name(), TraceKind::kProcess,
               fmt::format("{} cannot fork", process_.pid()));
    return fail(Errc::kExhausted, "fork: resource temporarily unavailable");
  }
  std::shared_ptr<const os::Snapshot> frozen = data.freeze();
  stand_still(data.bytes());
  if (!process_.may_act()) return fail(Errc::kCancelled);
  return frozen;
}

// The whole process: its page tables are being copied. Nothing of it runs, so fork() parks nobody
// in its own eyes; time goes on, and a kill may strike.
void SimProcessCalls::stand_still(uint64_t bytes) {
  const VirtualTime pause = process_.world().weather().process.fork_pause_per_kib *
                            static_cast<int64_t>((bytes + 1023) / 1024);
  if (pause <= VirtualTime(0)) return;
  process_.world().count("fork.pause");
  process_.fibers().hold_others();
  process_.spend(pause);
  process_.fibers().let_others_go();
}

Result<os::Pid> SimProcessCalls::fork(std::string_view name, const os::Snapshot& data,
                                      os::ChildMain child) {
  auto frozen = TRY(freeze(data));
  SimProcess& started = process_.node().start(
      name, [frozen, main = std::move(child)](os::Os& os) mutable { return main(os, *frozen); },
      &process_);
  return started.pid();
}

Result<os::LinkedChild> SimProcessCalls::fork_linked(std::string_view name,
                                                     const os::Snapshot& data,
                                                     os::LinkedChildMain child) {
  auto frozen = TRY(freeze(data));
  auto* connection = new Connection(process_.world().net(), process_.node());
  auto ours = std::make_unique<Endpoint>(*connection, 0, process_);
  // The child's end belongs to the child before it runs: a kill closes it even then.
  auto end = std::make_shared<std::unique_ptr<os::Stream>>();
  SimProcess& started = process_.node().start(
      name,
      [frozen, end, main = std::move(child)](os::Os& os) mutable {
        return main(os, *frozen, std::move(*end));
      },
      &process_);
  *end = std::make_unique<Endpoint>(*connection, 1, started);
  return os::LinkedChild{.pid = started.pid(), .stream = std::move(ours)};
}

Result<os::ExitStatus> SimProcessCalls::wait(os::Pid child, os::MonotonicTime deadline) {
  if (!process_.may_act()) return fail(Errc::kCancelled);
  for (;;) {
    if (auto it = process_.ended_children.find(child); it != process_.ended_children.end()) {
      const auto [status, known_at] = it->second;
      const NodeClock& clock = process_.node().clock();
      const os::MonotonicTime known = clock.monotonic(known_at);
      if (known <= clock.monotonic(process_.world().now_virtual())) {
        process_.ended_children.erase(it);
        return status;
      }
      const os::Wake wake = process_.child_ended->wait(std::min(deadline, known));
      if (wake == os::Wake::kDeadline && known <= deadline) continue;
      TRY(os::to_result(wake));
      continue;
    }
    SimProcess* running = process_.node().find(child);
    if (running == nullptr || running->parent() != process_.pid()) {
      return fail(Errc::kNotFound, fmt::format("wait: {} is not a child", child));
    }
    TRY(os::to_result(process_.child_ended->wait(deadline)));
  }
}

Result<void> SimProcessCalls::kill(os::Pid child, os::Signal signal) {
  if (!process_.may_act()) return fail(Errc::kCancelled);
  if (process_.ended_children.contains(child)) return {};
  SimProcess* target = process_.node().find(child);
  if (target == nullptr || (target != &process_ && target->parent() != process_.pid())) {
    return fail(Errc::kNotFound, fmt::format("kill: no child {}", child));
  }
  if (target->ending) return {};
  World& world = process_.world();
  world.note(process_.node().name(), TraceKind::kProcess,
             fmt::format("{} signals {}", process_.pid(), child));
  if (signal == os::Signal::kTerminate) {
    target->stop_requested->set();
  } else {
    target->status = {.exited = false, .code = 9};
    world.bury(*target);
  }
  return {};
}

}  // namespace seatrial::sim
