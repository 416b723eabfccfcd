// Machine 2: a world with one node. A process is looked after by a fiber of the world, which starts
// the next life when it has ended.
#include "sim/machine/process.h"
#include "sim/node.h"
#include "sim/world.h"
#include "tests/contract/machine.h"

namespace seatrial::contract {
namespace {

class SimMachine final : public Machine {
 public:
  void run(const std::vector<Body>& lives, Between between) override {
    sim::World world({.seed = 1});
    sim::Node& node = world.add_node("host");
    size_t ended = 0;
    world.administer("lives", [&] {
      for (const Body& body : lives) {
        const os::Pid pid = node.start("main",
                                       [&](Os& os) {
                                         body(os);
                                         ++ended;
                                         return 0;
                                       })
                                .pid();
        while (node.find(pid) != nullptr) world.sleep(1ms);
        if (between == Between::kPowerLoss) {
          node.power_off();
          node.power_on();
        }
      }
      world.stop();
    });
    EXPECT_EQ(to_string(world.run()), to_string(sim::Outcome::kStopped));
    EXPECT_EQ(ended, lives.size());
  }

  bool can_lose_power() const override { return true; }
};

}  // namespace

std::unique_ptr<Machine> make_sim_machine() { return std::make_unique<SimMachine>(); }

}  // namespace seatrial::contract
