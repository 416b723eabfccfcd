#include "sim/node.h"

#include "base/check.h"
#include "sim/machine/process.h"
#include "sim/world.h"

#include <fmt/format.h>

#include <algorithm>

namespace seatrial::sim {
namespace {

// Only so many are worth sweeping up those that have ended.
constexpr size_t kProcessesSwept = 16;
constexpr VirtualTime kQuickEnd = std::chrono::seconds(1);
constexpr VirtualTime kRestartDelayMin = std::chrono::milliseconds(10);
constexpr VirtualTime kRestartDelayMax = std::chrono::milliseconds(500);
constexpr os::Pid kInit = 1;  // Whose children orphans are.
constexpr os::Pid kFirstPid = 100;

}  // namespace

Node::Node(World& world, std::string_view name, uint32_t index)
    : syncs(world.fibers()),
      writes(world.fibers()),
      renames(world.fibers()),
      disk_steps(world.fibers()),
      world_(world),
      name_(name),
      index_(index),
      steps_(world.streams().stream(name, "processor")) {
  boot();
}

Node::~Node() = default;

SimProcess& Node::start(std::string_view name, ProcessMain main, SimProcess* parent) {
  CHECK(powered_);
  processes_.push_back(std::make_unique<SimProcess>(
      *this, name, take_pid(), parent != nullptr ? parent->pid() : kInit, incarnations_++));
  SimProcess& process = *processes_.back();
  process.forked = parent != nullptr;
  if (paused_) process.fibers().pause();
  if (step_cost_ > VirtualTime(0)) process.fibers().ration();
  world_.note(name_, TraceKind::kProcess, fmt::format("{} starts as {}", name, process.pid()));
  process.fibers().spawn(name, [this, &process, main = std::move(main)]() mutable {
    const int code = main(process.os());
    main = nullptr;
    if (process.ending) return;  // It was killed before.
    process.status = {.exited = true, .code = code};
    world_.bury(process);
  });
  disk_steps.wake_all();
  return process;
}

os::Pid Node::take_pid() {
  const size_t pids = world_.weather().process.pids;
  for (size_t tried = 0;; ++tried) {
    // More than there are, where all are in use: somebody must be able to start.
    const uint64_t number = tried < pids ? next_pid_++ % pids : tried;
    const os::Pid pid = kFirstPid + static_cast<os::Pid>(number);
    if (!pid_in_use(pid)) return pid;
  }
}

// An ended child keeps its pid until it was waited for.
bool Node::pid_in_use(os::Pid pid) const {
  return std::ranges::any_of(processes_, [&](const auto& process) {
    return process->alive() && (process->pid() == pid || process->ended_children.contains(pid));
  });
}

// Ends a process now. `silent`: its machine lost power, so its peers hear nothing.
void Node::end(SimProcess& process, os::ExitStatus status, bool silent) {
  if (!process.alive_) return;
  process.alive_ = false;
  if (!silent) {
    world_.note(name_, TraceKind::kProcess,
                fmt::format("{} {} ends: {} {}", process.name(), process.pid(),
                            status.exited ? "exit" : "signal", status.code));
  }
  process.status = status;
  process.fibers().kill();
  tell_parent(process);
  for (auto& other : processes_) {
    if (other->alive() && other->parent() == process.pid()) other->parent_ = kInit;
  }
  disk_steps.wake_all();
  world_.sweep(*this);
  if (silent) return;
  if (on_exit) on_exit(process, status);
  if (process.name() != service_name_) return;
  if (status.exited) {
    world_.record(name_, Incident::Kind::kExited, status.code);
  } else {
    world_.record(name_, Incident::Kind::kKilled);
  }
  if (status.exited) service_ended(process, status);
}

void Node::tell_parent(const SimProcess& process) {
  SimProcess* const parent = find(process.parent());
  if (parent == nullptr) return;
  base::RandomStream random = world_.streams().stream(name_, "reap", process.incarnation());
  const VirtualTime latest = world_.weather().process.reap_delay_max;
  const VirtualTime known_at =
      world_.now_virtual() + VirtualTime(random.between(0, latest.count()));
  parent->ended_children[process.pid()] = {process.status, known_at};
  parent->child_ended->wake_all();
}

void Node::set_service(std::string_view name, MakeProcess make) {
  std::vector<MakeProcess> releases;
  if (make) releases.push_back(std::move(make));
  set_service(name, std::move(releases));
}

void Node::set_service(std::string_view name, std::vector<MakeProcess> releases) {
  service_name_ = name;
  releases_ = std::move(releases);
  release_ = 0;
  if (serves() && processes_.empty()) make_clock();
  start_service();
}

void Node::install(size_t release) {
  CHECK(release < releases_.size());
  release_ = release;
  world_.note(name_, TraceKind::kProcess, fmt::format("release {} is installed", release));
}

void Node::start_service() {
  if (!serves() || !powered_ || runs(service_name_)) return;
  stopping_service_ = false;
  service_started_ = world_.now_virtual();
  world_.record(name_, Incident::Kind::kStarted);
  start(service_name_, releases_[release_]());
}

bool Node::stop_service() {
  SimProcess* const process = service();
  if (process == nullptr) return false;
  world_.note(name_, TraceKind::kProcess, fmt::format("{} is asked to stop", process->pid()));
  stopping_service_ = true;
  process->stop_requested->set();
  return true;
}

SimProcess* Node::service() {
  if (!serves()) return nullptr;
  for (auto& process : processes_) {
    if (process->alive() && !process->ending && process->name() == service_name_) {
      return process.get();
    }
  }
  return nullptr;
}

// It went by itself: an init system starts it again, a little later.
void Node::service_ended(const SimProcess& process, os::ExitStatus status) {
  if (stopping_service_) return;  // As it was told to: whoever did that starts it again.
  const VirtualTime lived = world_.now_virtual() - service_started_;
  failed_starts_ = status.code != 0 && lived < kQuickEnd ? failed_starts_ + 1 : 0;
  world_.count("process.exit");
  base::RandomStream random = world_.streams().stream(name_, "restart", process.incarnation());
  const VirtualTime delay =
      kRestartDelayMin + VirtualTime(random.below((kRestartDelayMax - kRestartDelayMin).count()));
  world_.administer("init", [this, delay] {
    world_.sleep(delay);
    start_service();
  });
}

size_t Node::kill(std::string_view name) {
  size_t ended = 0;
  // By position: ending one can start others (its supervisor), behind it.
  const size_t count = processes_.size();
  for (size_t i = 0; i < count; ++i) {
    SimProcess& process = *processes_[i];
    if (!process.alive() || (!name.empty() && process.name() != name)) continue;
    end(process, {.exited = false, .code = 9}, false);
    ++ended;
  }
  return ended;
}

void Node::kill(SimProcess& process) { end(process, {.exited = false, .code = 9}, false); }

void Node::power_off() {
  if (!powered_) return;
  powered_ = false;
  paused_ = false;
  world_.note(name_, TraceKind::kProcess, "power lost");
  world_.record(name_, Incident::Kind::kPowerLost);
  for (size_t i = 0; i < processes_.size(); ++i) {
    end(*processes_[i], {.exited = false, .code = 9}, true);
  }
  next_pid_ = 0;
  base::RandomStream random = world_.streams().stream(name_, "power loss", power_losses_++);
  files_.lose_power(random, world_.weather().disk);
}

void Node::replace_disk(FileSystem other) {
  CHECK(!powered_);
  other.capacity_bytes = files_.capacity_bytes;
  files_.replace(std::move(other));
  world_.note(name_, TraceKind::kDisk, "another disk");
  world_.record(name_, Incident::Kind::kDiskReplaced);
}

void Node::power_on() {
  if (powered_) return;
  powered_ = true;
  boot();
}

void Node::boot() {
  base::RandomStream random = world_.streams().stream(name_, "boot", boots_++);
  const VirtualTime now = world_.now_virtual();
  clock_.boot(now, std::chrono::seconds(random.between(10, 1'000'000)));
  // Nothing but its battery has kept the time.
  const bool off = serves() && world_.weather().clock.skew_max > VirtualTime(0);
  if (off) jump_wall(draw_skew(random) - clock_.wall_error(now));
}

// Those of who only looks on are right.
void Node::make_clock() {
  const ClockWeather& weather = world_.weather().clock;
  base::RandomStream random = world_.streams().stream(name_, "clock");
  const int64_t most = to_micros(weather.drift_per_second_max);
  const int64_t rate_ppm = random.between(-most, most);
  const VirtualTime skew = draw_skew(random);
  if (rate_ppm == 0 && skew == VirtualTime(0)) return;
  clock_.make(world_.now_virtual(), rate_ppm, skew);
  world_.note(name_, TraceKind::kFault,
              fmt::format("clocks gain {} us a second; the wall clock is {} us ahead", rate_ppm,
                          to_micros(skew)));
}

VirtualTime Node::draw_skew(base::RandomStream& random) const {
  const int64_t most = to_micros(world_.weather().clock.skew_max);
  return std::chrono::microseconds(random.between(-most, most));
}

void Node::pause() {
  paused_ = true;
  for (auto& process : processes_) process->fibers().pause();
}

void Node::resume() {
  paused_ = false;
  for (auto& process : processes_) process->fibers().resume();
}

void Node::set_step_cost(VirtualTime cost) {
  const bool slow = cost > VirtualTime(0);
  const bool was_slow = step_cost_ > VirtualTime(0);
  step_cost_ = cost;
  if (slow == was_slow) return;
  for (auto& process : processes_) {
    if (slow) {
      process->fibers().ration();
    } else {
      process->fibers().ration_no_more();
    }
  }
}

void Node::processor_wanted() {
  if (step_under_way_ || step_cost_ <= VirtualTime(0)) return;
  step_under_way_ = true;
  world_.schedule(world_.now_virtual() + step_cost_, &step_done_);
}

// Whose it is is chosen only here: who can run is not known before. What it does takes effect now.
void Node::take_step() {
  step_under_way_ = false;
  size_t waiting = 0;
  for (const auto& process : processes_) waiting += process->fibers().waiting();
  if (waiting == 0 || step_cost_ <= VirtualTime(0)) return;
  size_t which = steps_.below(waiting);
  for (const auto& process : processes_) {
    const size_t here = process->fibers().waiting();
    if (which < here) {
      process->fibers().let_one_go(which);
      break;
    }
    which -= here;
  }
  if (waiting > 1) processor_wanted();
}

void Node::jump_wall(VirtualTime by) {
  world_.note(name_, TraceKind::kFault,
              fmt::format("the wall clock is set {} us ahead", to_micros(by)));
  clock_.set_wall(world_.now_virtual(), by);
}

bool Node::runs(std::string_view name) const {
  for (const auto& process : processes_) {
    if (process->alive() && process->name() == name) return true;
  }
  return false;
}

SimProcess* Node::find(os::Pid pid) {
  for (auto& process : processes_) {
    if (process->alive() && process->pid() == pid) return process.get();
  }
  return nullptr;
}

SimProcess* Node::find_incarnation(uint64_t incarnation) {
  for (auto& process : processes_) {
    if (process->alive() && process->incarnation() == incarnation) return process.get();
  }
  return nullptr;
}

void Node::forget_ended() {
  if (processes_.size() < kProcessesSwept) return;
  std::erase_if(processes_, [](const auto& process) { return !process->alive(); });
}

}  // namespace seatrial::sim
