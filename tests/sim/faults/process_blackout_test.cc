#include "tests/sim/faults/one_fault.h"

#include <map>
#include <string>
#include <vector>

namespace seatrial::sim {
namespace {

class ProcessBlackoutFault : public OneFault {
 protected:
  ProcessBlackoutFault() {
    for (const char* name : {"server", "second", "third"}) {
      Node* node = world.find_node(name);
      if (node == nullptr) node = &world.add_node(name);
      node->set_service("program", [this, name] {
        return ProcessMain([this, name](os::Os& os) {
          starts[name].push_back(world.now_virtual());
          (void)os.clock.sleep_for(1h);
          return 0;
        });
      });
    }
    world.incident_listener = [this](const Incident& incident) {
      if (incident.kind == Incident::Kind::kPowerLost) lost[incident.node] = incident.at;
    };
  }
  std::map<std::string, std::vector<VirtualTime>> starts;
  std::map<std::string, VirtualTime> lost;
};

TEST_F(ProcessBlackoutFault, DarkAtOnceAndBackOneByOne) {
  strike({.at = 5s, .kind = "process.blackout", .target = "server,third", .lasts = 4s});
  EXPECT_EQ(lost, (std::map<std::string, VirtualTime>{{"server", 5s}, {"third", 5s}}));
  EXPECT_EQ(starts["second"].size(), 1U);
  ASSERT_EQ(starts["server"].size(), 2U);
  ASSERT_EQ(starts["third"].size(), 2U);
  for (const char* name : {"server", "third"}) {
    EXPECT_GE(starts[name][1], 5s);
    EXPECT_LE(starts[name][1], 9s);
  }
  EXPECT_NE(starts["server"][1], starts["third"][1]);
  EXPECT_EQ(struck("process.blackout"), 1U);
}

TEST_F(ProcessBlackoutFault, TheEndOfTheStormBringsAllBack) {
  strike({.at = 5s, .kind = "process.blackout", .target = "server,third", .lasts = 30min}, 6s);
  EXPECT_EQ(starts["server"].back(), 6s);
  EXPECT_EQ(starts["third"].back(), 6s);
}

TEST(ProcessBlackout, DrawsTwoServersOrMore) {
  EXPECT_TRUE(
      draw_plan("process.blackout", 7, {.servers = {"only"}, .storm = 500s}).faults.empty());
  std::map<size_t, size_t> sizes;
  const Stage stage{.servers = {"a", "b", "c", "d"}, .storm = 500s};
  for (const FaultStep& step : draw_plan("process.blackout", 7, stage).faults) {
    size_t size = 0;
    for (const std::string& name : stage.servers) size += is_among(step.target, name) ? 1 : 0;
    ++sizes[size];
  }
  EXPECT_FALSE(sizes.contains(0));
  EXPECT_FALSE(sizes.contains(1));
  for (const size_t size : {2U, 3U, 4U}) EXPECT_GT(sizes[size], 5U) << size;
}

}  // namespace
}  // namespace seatrial::sim
