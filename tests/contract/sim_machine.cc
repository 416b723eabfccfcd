// Machine 2: a world with one node, whose disk (and orphans) outlive the runs.
#include "sim/machine/process.h"
#include "sim/node.h"
#include "sim/world.h"
#include "tests/contract/machine.h"

namespace seatrial::contract {
namespace {

class SimMachine final : public Machine {
 public:
  SimMachine() : world_({.seed = 1}), node_(world_.add_node("host")) {}

  void run(Body body) override {
    bool ended = false;
    world_.administer("run", [&] {
      const os::Pid pid = node_
                              .start("main",
                                     [&](Os& os) {
                                       body(os);
                                       ended = true;
                                       return 0;
                                     })
                              .pid();
      while (node_.find(pid) != nullptr) world_.sleep(std::chrono::milliseconds(1));
      world_.stop();
    });
    EXPECT_EQ(to_string(world_.run()), to_string(sim::Outcome::kStopped));
    EXPECT_TRUE(ended);
  }

  bool can_lose_power() const override { return true; }
  void lose_power() override {
    world_.administer("power", [&] {
      node_.power_off();
      node_.power_on();
      world_.stop();
    });
    EXPECT_EQ(to_string(world_.run()), to_string(sim::Outcome::kStopped));
  }

 private:
  sim::World world_;
  sim::Node& node_;
};

}  // namespace

std::unique_ptr<Machine> make_sim_machine() { return std::make_unique<SimMachine>(); }

}  // namespace seatrial::contract
