// A simulated process: its fibers, its Os, its children's exit codes. Mirrors linux/process.cc.
#pragma once

#include "os/os.h"
#include "sim/node.h"

#include <map>
#include <memory>
#include <string>

namespace seatrial::sim {

class SimClock;
class SimNetwork;
class SimDisk;
class SimProcessCalls;
class SimRandom;
class SimChaos;
class SimLog;

class SimProcess {
 public:
  SimProcess(Node& node, std::string_view name, os::Pid pid, os::Pid parent, uint64_t incarnation);
  ~SimProcess();
  SimProcess(const SimProcess&) = delete;
  SimProcess& operator=(const SimProcess&) = delete;

  Node& node() { return node_; }
  World& world();
  const std::string& name() const { return name_; }
  os::Pid pid() const { return pid_; }
  os::Pid parent() const { return parent_; }
  uint64_t incarnation() const { return incarnation_; }
  bool alive() const { return alive_; }
  os::Os& os() { return *os_; }
  os::Fibers& fibers() { return *fibers_; }

  // A stream of this process's own. Numbered by incarnation: a restarted server draws anew.
  base::RandomStream stream(std::string_view what);

  // True while calls have an effect: the process lives, and it is the one that is calling. A call
  // from another process's fiber is a bug in the program under test (a child using its parent's
  // Os, say) and ends the run.
  bool may_act() const;

  // Lets virtual time pass for a call that is seen to its end: only the process's own ends it.
  void spend(VirtualTime duration);

  // Children that have ended and were not waited for; the news may take its time.
  struct EndedChild {
    os::ExitStatus status;
    VirtualTime known_at;
  };
  std::map<os::Pid, EndedChild> ended_children;
  std::unique_ptr<os::WaitQueue> child_ended;
  std::unique_ptr<os::Event> stop_requested;
  // What main returned, when it has.
  os::ExitStatus status;
  // It has returned from main, or a signal is on its way: nothing it does has an effect any more.
  bool ending = false;
  bool forked = false;  // By another process of the node, which may have ended since.
  // Calls on the disk that it has begun, and faults that wait for its next.
  uint64_t disk_calls = 0;
  VirtualTime disk_call_begun{0};  // The last of them.
  uint32_t sync_errors_due = 0;
  uint32_t write_errors_due = 0;

 private:
  friend class Node;
  Node& node_;
  std::string name_;
  os::Pid pid_;
  os::Pid parent_;
  uint64_t incarnation_;
  bool alive_ = true;
  std::unique_ptr<os::Fibers> fibers_;
  std::unique_ptr<SimClock> clock_;
  std::unique_ptr<SimNetwork> network_;
  std::unique_ptr<SimDisk> disk_;
  std::unique_ptr<SimProcessCalls> process_;
  std::unique_ptr<SimRandom> random_;
  std::unique_ptr<SimChaos> chaos_;
  std::unique_ptr<SimLog> log_;
  std::unique_ptr<os::Os> os_;
};

// Process as the node's code sees it.
class SimProcessCalls : public os::Process {
 public:
  explicit SimProcessCalls(SimProcess& process);
  os::Pid pid() const override { return process_.pid(); }
  Result<os::Pid> fork(std::string_view name, const os::Snapshot& data,
                       os::ChildMain child) override;
  Result<os::LinkedChild> fork_linked(std::string_view name, const os::Snapshot& data,
                                      os::LinkedChildMain child) override;
  Result<os::ExitStatus> wait(os::Pid child, os::MonotonicTime deadline) override;
  Result<void> kill(os::Pid child, os::Signal signal) override;
  os::Event& stop_requested() override { return *process_.stop_requested; }

 private:
  // What both kinds of fork have in common: it may fail, and takes its time.
  Result<std::shared_ptr<const os::Snapshot>> freeze(const os::Snapshot& data);
  void stand_still(uint64_t bytes);

  SimProcess& process_;
  base::RandomStream random_;
};

}  // namespace seatrial::sim
