// A machine of the world: a name, a disk, clocks, and the processes that run on it. Power is on or
// off; a process that was killed is gone, its files as the page cache had them.
#pragma once

#include "base/random.h"
#include "os/os.h"
#include "sim/chaos_plan.h"
#include "sim/event_queue.h"
#include "sim/machine/clock.h"
#include "sim/machine/disk_trouble.h"
#include "sim/machine/file_system.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace seatrial::sim {

class SimProcess;
class World;

// What a process runs.
using ProcessMain = std::move_only_function<int(os::Os&)>;
// Makes a service's process, anew for each of its starts.
using MakeProcess = std::function<ProcessMain()>;

class Node {
 public:
  Node(World& world, std::string_view name, uint32_t index);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  World& world() { return world_; }
  const std::string& name() const { return name_; }
  uint32_t index() const { return index_; }
  bool powered() const { return powered_; }

  // Starts a process; it runs once the caller has parked. The power must be on.
  SimProcess& start(std::string_view name, ProcessMain main, SimProcess* parent = nullptr);
  // SIGKILL for every process whose name is `name` (all of them if empty). Returns how many. Must
  // be called from a fiber of the world; so must those below.
  size_t kill(std::string_view name = {});
  // SIGKILL for one that lives; its children go on as orphans.
  void kill(SimProcess& process);
  // Everything that runs ends in the same instant, and volatile state of the disk is lost.
  void power_off();
  // A boot: the clocks begin anew. Starts nothing.
  void power_on();

  // What the machine runs when it is up, as an init system would: started once now, again after a
  // while when it ends by itself, and by start_service() after a kill or a power loss.
  void set_service(std::string_view name, MakeProcess make);
  // The same of several releases, oldest first: the first is started.
  void set_service(std::string_view name, std::vector<MakeProcess> releases);
  void start_service();
  bool serves() const { return !releases_.empty(); }
  size_t releases() const { return releases_.size(); }
  // Which of them start_service() starts.
  size_t release() const { return release_; }
  void install(size_t release);
  // How often in a row the service ended by itself with an error within a second of its start.
  uint32_t failed_starts() const { return failed_starts_; }
  // SIGTERM for the service, which then is not started again when it ends; false if none runs.
  bool stop_service();
  SimProcess* service();
  bool service_runs() { return service() != nullptr; }
  // SIGSTOP and SIGCONT for all that runs.
  void pause();
  void resume();
  bool paused() const { return paused_; }
  // One slow processor for all that runs: each step of a fiber, from where it can go on to where
  // it parks again, takes this long before it has any effect, and one comes after the other.
  // 0: steps take no time.
  void set_step_cost(VirtualTime cost);
  VirtualTime step_cost() const { return step_cost_; }

  const NodeClock& clock() const { return clock_; }
  NodeClock& clock() { return clock_; }
  // Somebody sets the wall clock; told to the trace.
  void jump_wall(VirtualTime by);

  bool runs(std::string_view name) const;
  const std::vector<std::unique_ptr<SimProcess>>& processes() const { return processes_; }
  SimProcess* find(os::Pid pid);
  // A pid may be used again, an incarnation is not. Both find only who lives.
  SimProcess* find_incarnation(uint64_t incarnation);
  FileSystem& files() { return files_; }
  // Another disk, of the same size. The power must be off.
  void replace_disk(FileSystem other);
  // That of the next process to start: all that have started have lower ones.
  uint64_t next_incarnation() const { return incarnations_; }

  // Called, on a fiber of the world, when a process on this node has ended. May not park.
  std::function<void(SimProcess&, os::ExitStatus)> on_exit;

  // Faults that wait for the node's next call, and for its moments: woken as a sync or a write
  // begins; once a rename has taken effect; as any call on the disk begins, and as a child starts
  // or ends.
  uint32_t sync_errors_due = 0;
  uint32_t write_errors_due = 0;
  uint32_t fork_failures_due = 0;
  VirtualTime disk_stalled_until{0};
  VirtualTime syncs_stalled_until{0};
  DiskTrouble disk_trouble;
  os::WaitQueue syncs;
  os::WaitQueue writes;
  os::WaitQueue renames;
  os::WaitQueue disk_steps;

  uint64_t connections_made = 0;  // By its processes.

  // What provokes rare branches in its code, to be set before anything runs; without one it draws
  // by the weather. See machine/chaos.h.
  std::optional<ChaosPlan> chaos;
  // No rare branch is provoked any more.
  bool chaos_over = false;
  // The sites that were asked.
  struct Site {
    double fires;
    base::RandomStream random;
  };
  std::map<std::string, Site, std::less<>> chance_sites;

 private:
  friend class World;
  void boot();
  void make_clock();
  VirtualTime draw_skew(base::RandomStream& random) const;
  void end(SimProcess& process, os::ExitStatus status, bool silent);
  void forget_ended();
  os::Pid take_pid();
  bool pid_in_use(os::Pid pid) const;
  void tell_parent(const SimProcess& process);
  void service_ended(const SimProcess& process, os::ExitStatus status);
  // A fiber of a process could run, but for the slow processor.
  void processor_wanted();
  void take_step();

  World& world_;
  std::string name_;
  uint32_t index_;
  bool powered_ = true;
  bool paused_ = false;
  bool stopping_service_ = false;
  uint64_t incarnations_ = 0;
  uint64_t next_pid_ = 0;
  uint64_t power_losses_ = 0;
  uint64_t boots_ = 0;
  NodeClock clock_;
  FileSystem files_;
  std::vector<std::unique_ptr<SimProcess>> processes_;
  std::string service_name_;
  std::vector<MakeProcess> releases_;
  size_t release_ = 0;
  VirtualTime service_started_{0};
  uint32_t failed_starts_ = 0;

  // The slow processor's next step is done.
  class StepDone : public Event {
   public:
    explicit StepDone(Node& node) : node_(node) {}
    void fire() override { node_.take_step(); }

   private:
    Node& node_;
  };
  VirtualTime step_cost_{0};
  StepDone step_done_{*this};
  bool step_under_way_ = false;
  base::RandomStream steps_;
};

}  // namespace seatrial::sim
