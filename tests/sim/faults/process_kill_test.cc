#include "tests/sim/faults/one_fault.h"

#include <vector>

namespace seatrial::sim {
namespace {

class ProcessKillFault : public OneFault {};

TEST_F(ProcessKillFault, EndsTheServiceAndStartsItAgainWithThePageCache) {
  std::vector<VirtualTime> starts;
  std::vector<std::string> found;
  serve([&](os::Os& os) {
    starts.push_back(world.now_virtual());
    found.push_back(file_text(os, "data"));
    EXPECT_EQ(write_file(os, "data", "unsynced", false), "ok");
    (void)os.clock.sleep_for(1h);
    return 0;
  });
  strike({.at = 2s, .kind = "process.kill", .target = "server", .lasts = 3s});
  ASSERT_EQ(starts.size(), 2U);
  EXPECT_EQ(starts[1], 5s);
  EXPECT_EQ(found, (std::vector<std::string>{"not found", "unsynced"}));
  EXPECT_EQ(struck("process.kill"), 1U);
}

TEST_F(ProcessKillFault, WaitsForTheNextSync) {
  VirtualTime synced{0};
  int starts = 0;
  serve([&](os::Os& os) {
    if (++starts > 1) return static_cast<int>(os.clock.sleep_for(1h).has_value());
    (void)os.clock.sleep_for(2500ms);
    synced = world.now_virtual();
    (void)write_file(os, "data", "x", true);
    ADD_FAILURE() << "it was to be killed in its sync";
    return 0;
  });
  strike(
      {.at = 2s, .kind = "process.kill", .target = "server", .lasts = 1s, .moment = Moment::kSync});
  EXPECT_EQ(synced, 2500ms);
  EXPECT_EQ(starts, 2);
}

TEST_F(ProcessKillFault, TheEndOfTheStormStartsTheServiceAtOnce) {
  std::vector<VirtualTime> starts;
  serve([&](os::Os& os) {
    starts.push_back(world.now_virtual());
    (void)os.clock.sleep_for(1h);
    return 0;
  });
  strike({.at = 2s, .kind = "process.kill", .target = "server", .lasts = 30min}, 10s);
  ASSERT_EQ(starts.size(), 2U);
  EXPECT_EQ(starts[1], ended);
}

TEST_F(ProcessKillFault, DoesNotStrikeAsTheStormEnds) {
  int starts = 0;
  serve([&](os::Os& os) {
    ++starts;
    (void)os.clock.sleep_for(1h);
    return 0;
  });
  // It waits for a sync that does not come, and the storm is over first.
  strike(
      {.at = 2s, .kind = "process.kill", .target = "server", .lasts = 1s, .moment = Moment::kSync},
      2500ms);
  EXPECT_EQ(starts, 1);
  EXPECT_EQ(struck("process.kill"), 0U);
}

}  // namespace
}  // namespace seatrial::sim
