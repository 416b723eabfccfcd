// A machine of the world: a name, a disk, clocks, and the processes that run on it. Power is on or
// off; a process that was killed is gone, its files as the page cache had them.
#pragma once

#include "os/os.h"
#include "sim/event_queue.h"
#include "sim/machine/disk_trouble.h"
#include "sim/machine/file_system.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace seatrial::sim {

class SimProcess;
class World;

// What a process runs.
using ProcessMain = std::move_only_function<int(os::Os&)>;

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
  void power_on() { powered_ = true; }

  // What the machine runs when it is up, as an init system would: started once now, again after a
  // while when it ends by itself, and by start_service() after a kill or a power loss.
  void set_service(std::string_view name, std::function<ProcessMain()> make);
  void start_service();
  bool serves() const { return make_service_ != nullptr; }
  // How often in a row the service ended by itself with an error within a second of its start.
  uint32_t failed_starts() const { return failed_starts_; }
  // SIGSTOP and SIGCONT for all that runs.
  void pause();
  void resume();
  bool paused() const { return paused_; }

  bool runs(std::string_view name) const;
  const std::vector<std::unique_ptr<SimProcess>>& processes() const { return processes_; }
  SimProcess* find(os::Pid pid);
  // A pid may be used again, an incarnation is not. Both find only who lives.
  SimProcess* find_incarnation(uint64_t incarnation);
  FileSystem& files() { return files_; }
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

  // What this node's clocks show: the world's time plus these.
  VirtualTime monotonic_offset{0};
  VirtualTime wall_offset{0};

  // Chance draws and knobs are per node and seed; see machine/chaos.cc.
  struct ChaosSite {
    bool armed;
    base::RandomStream random;
  };
  std::map<std::string, ChaosSite, std::less<>> chaos_sites;

 private:
  friend class World;
  void end(SimProcess& process, os::ExitStatus status, bool silent);
  void forget_ended();
  os::Pid take_pid();
  bool pid_in_use(os::Pid pid) const;
  void tell_parent(const SimProcess& process);
  void service_ended(const SimProcess& process, os::ExitStatus status);

  World& world_;
  std::string name_;
  uint32_t index_;
  bool powered_ = true;
  bool paused_ = false;
  uint64_t incarnations_ = 0;
  uint64_t next_pid_ = 0;
  uint64_t power_losses_ = 0;
  FileSystem files_;
  std::vector<std::unique_ptr<SimProcess>> processes_;
  std::string service_name_;
  std::function<ProcessMain()> make_service_;
  VirtualTime service_started_{0};
  uint32_t failed_starts_ = 0;
};

}  // namespace seatrial::sim
