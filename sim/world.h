// The world: virtual time, the nodes, the network between them, and the one scheduler that runs
// all their fibers. Time stands still while anything can run, then jumps to the next event.
//
// Who does what: nodes' code runs on fibers of SimProcess; faults and supervision run on fibers
// of the world itself (administer()), since ending a process needs a stack that is not its own.
#pragma once

#include "os/fiber.h"
#include "os/os.h"
#include "sim/event_queue.h"
#include "sim/node.h"
#include "sim/streams.h"
#include "sim/trace.h"
#include "sim/weather.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace seatrial::sim {

class Net;
class SimProcess;

// What befell the processes of a node: facts for who judges what it may have lost.
struct Incident {
  enum class Kind : unsigned char {
    kStarted,       // Its service.
    kExited,        // Its service, by itself.
    kKilled,        // Its service, by SIGKILL.
    kPowerLost,     // The machine.
    kDiskReplaced,  // By another one, while the power was off.
  };
  VirtualTime at{0};
  std::string node;
  Kind kind = Kind::kStarted;
  int exit_code = 0;  // kExited.
};

// Why World::run() came back.
enum class Outcome : unsigned char {
  kStopped,   // stop() was called.
  kTimeUp,    // The time limit was reached.
  kDeadlock,  // Nothing can ever happen again.
};

std::string_view to_string(Outcome outcome);

struct WorldOptions {
  uint64_t seed = 1;
  Weather weather{};
  VirtualTime time_limit = std::chrono::hours(24);
  size_t stack_bytes = os::Scheduler::kStackBytes;
};

class World : private os::Dispatch {
 public:
  explicit World(WorldOptions options);
  ~World() override;
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // A machine with an empty disk, known to the others by its name.
  Node& add_node(std::string_view name);
  Node* find_node(std::string_view name);
  const std::vector<std::unique_ptr<Node>>& nodes() const { return nodes_; }

  // Runs until stop(), the time limit, or until nothing can happen any more. Ends all processes
  // and all of the world's own fibers before it returns; a world runs once.
  Outcome run();
  void stop() { stopping_ = true; }

  // Starts a fiber of the world's own: for faults, supervision, and the scenario's own steps.
  os::Fiber administer(std::string_view name, os::FiberMain main);
  // Parks a fiber of the world for a while.
  void sleep(VirtualTime duration);
  os::Fibers& fibers() { return *fibers_; }

  VirtualTime now_virtual() const { return now_; }
  void schedule(VirtualTime time, Event* event) { events_.push(time, event); }
  // Calls `action` later, on the event loop: see Event::fire() for what it may do.
  void after(VirtualTime delay, std::move_only_function<void()> action);

  Trace& trace() { return trace_; }
  const Streams& streams() const { return streams_; }
  Weather& weather() { return weather_; }
  Net& net() { return *net_; }
  os::Scheduler& scheduler() { return *scheduler_; }

  // Faults and other kinds of things that happened, by name, for the run's report.
  void count(std::string_view kind) { ++counts_[std::string(kind)]; }
  const std::map<std::string, uint64_t>& counts() const { return counts_; }
  // Faults that did not strike since the scenario's policy forbade it, by kind.
  void hold_back(std::string_view kind) { ++held_back_[std::string(kind)]; }
  const std::map<std::string, uint64_t>& held_back() const { return held_back_; }

  // By time.
  const std::vector<Incident>& incidents() const { return incidents_; }
  void record(std::string_view node, Incident::Kind kind, int exit_code = 0) {
    incidents_.push_back({now_, std::string(node), kind, exit_code});
    if (incident_listener) incident_listener(incidents_.back());
  }
  // Whoever wants to hear of each as it happens.
  std::function<void(const Incident&)> incident_listener;

  // An event in words that is part of the hash.
  void note(std::string_view node, TraceKind kind, std::string_view text) {
    trace_.event(now_, node, kind, text);
  }

  // The process whose code is running, or nullptr for the world's own.
  SimProcess* running_process() const { return running_; }
  // `process` has ended by itself or is to be ended: done by the world's own fiber.
  void bury(SimProcess& process);
  // Processes of `node` have ended: their memory is freed later, when no call can refer to them.
  void sweep(Node& node);

  // Where log lines of nodes go; nothing by default.
  using LogListener =
      std::function<void(VirtualTime, std::string_view node, base::LogLevel, std::string_view)>;
  LogListener log_listener;

 private:
  void bury_all();
  void end_everything();
  os::MonotonicTime now() override { return os::MonotonicTime(now_); }
  bool idle(os::MonotonicTime deadline) override;
  uint32_t poll() override { return UINT32_MAX; }
  void running(os::Fibers* process, uint64_t fiber) override;
  os::MonotonicTime translate(os::Fibers& fibers, os::MonotonicTime deadline) override;
  void rationed(os::Fibers& fibers) override;

  Streams streams_;
  Weather weather_;
  VirtualTime now_{0};
  VirtualTime time_limit_;
  EventQueue events_;
  Trace trace_;
  std::unique_ptr<os::Scheduler> scheduler_;
  std::unique_ptr<os::Fibers> fibers_;
  std::unique_ptr<Net> net_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::map<std::string, Node*, std::less<>> nodes_by_name_;
  std::map<std::string, uint64_t> counts_;
  std::map<std::string, uint64_t> held_back_;
  std::vector<Incident> incidents_;
  struct Grave {
    Node* node;
    uint64_t incarnation;
  };
  std::vector<Grave> to_bury_;
  std::vector<Node*> to_sweep_;
  std::unique_ptr<os::WaitQueue> undertaker_idle_;
  SimProcess* running_ = nullptr;
  uint64_t steps_without_time_ = 0;
  bool stopping_ = false;
  Outcome outcome_ = Outcome::kStopped;
};

}  // namespace seatrial::sim
