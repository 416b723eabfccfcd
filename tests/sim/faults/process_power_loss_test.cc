#include "tests/sim/faults/one_fault.h"

#include <vector>

namespace seatrial::sim {
namespace {

class ProcessPowerLossFault : public OneFault {};

TEST_F(ProcessPowerLossFault, TakesWhatWasNotSyncedAndNothingElse) {
  world.weather().disk = {.sector_kept = 0, .sector_torn = 0, .name_kept = 0};
  std::vector<std::string> synced;
  std::vector<std::string> unsynced;
  std::vector<VirtualTime> starts;
  serve([&](os::Os& os) {
    starts.push_back(world.now_virtual());
    synced.push_back(file_text(os, "synced"));
    unsynced.push_back(file_text(os, "unsynced"));
    EXPECT_EQ(write_file(os, "synced", "stays", true), "ok");
    EXPECT_EQ(write_file(os, "unsynced", "goes", false), "ok");
    (void)os.clock.sleep_for(1h);
    return 0;
  });
  strike({.at = 2s, .kind = "process.power_loss", .target = "server", .lasts = 3s});
  EXPECT_EQ(starts, (std::vector<VirtualTime>{0s, 5s}));
  EXPECT_EQ(synced, (std::vector<std::string>{"not found", "stays"}));
  EXPECT_EQ(unsynced, (std::vector<std::string>{"not found", "not found"}));
  EXPECT_EQ(struck("process.power_loss"), 1U);
}

// The bytes were synced; the name they were given is not yet.
TEST_F(ProcessPowerLossFault, StrikesBetweenARenameAndItsSync) {
  world.weather().disk = {.sector_kept = 0, .sector_torn = 0, .name_kept = 0};
  std::vector<std::string> seen;
  serve([&](os::Os& os) {
    seen.push_back(file_text(os, "old") + ", " + file_text(os, "new"));
    (void)os.clock.sleep_for(2500ms);
    EXPECT_EQ(write_file(os, "old", "text", true), "ok");
    EXPECT_TRUE(os.disk.sync_directory("."));
    EXPECT_TRUE(os.disk.rename("old", "new"));
    EXPECT_TRUE(os.disk.sync_directory("."));
    seen.emplace_back("named");
    (void)os.clock.sleep_for(1h);
    return 0;
  });
  strike({.at = 2s,
          .kind = "process.power_loss",
          .target = "server",
          .lasts = 1s,
          .moment = Moment::kRename},
         4s);
  ASSERT_GE(seen.size(), 2U);
  EXPECT_EQ(seen[0], "not found, not found");
  EXPECT_EQ(seen[1], "text, not found") << "it had not come to the sync";
}

TEST_F(ProcessPowerLossFault, TheEndOfTheStormPowersUp) {
  int starts = 0;
  serve([&](os::Os& os) {
    ++starts;
    (void)os.clock.sleep_for(1h);
    return 0;
  });
  strike({.at = 2s, .kind = "process.power_loss", .target = "server", .lasts = 30min}, 10s);
  EXPECT_TRUE(server.powered());
  EXPECT_EQ(starts, 2);
}

TEST_F(ProcessPowerLossFault, EndsAPauseAsWell) {
  int starts = 0;
  serve([&](os::Os& os) {
    ++starts;
    (void)os.clock.sleep_for(1h);
    return 0;
  });
  world.administer("pause", [&] {
    world.sleep(1s);
    server.pause();
  });
  strike({.at = 2s, .kind = "process.power_loss", .target = "server", .lasts = 1s});
  EXPECT_FALSE(server.paused());
  EXPECT_EQ(starts, 2);
}

}  // namespace
}  // namespace seatrial::sim
