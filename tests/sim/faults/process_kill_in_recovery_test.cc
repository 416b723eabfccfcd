#include "tests/sim/faults/one_fault.h"

#include <fmt/format.h>

#include <string>
#include <vector>

namespace seatrial::sim {
namespace {

class KillInRecovery : public OneFault {
 protected:
  // A service that at its start makes six calls on the disk, and notes how far it came.
  void recover_in_six_calls() {
    serve([this](os::Os& os) {
      reached.emplace_back("start");
      auto file = os.disk.open("log", os::kReplace);
      if (!file) return 1;
      for (int call = 2; call <= 6; ++call) {
        reached.back() = fmt::format("{}", call);
        if (!os::append_all(**file, "line")) return 2;
      }
      reached.back() = "up";
      (void)os.clock.sleep_for(1h);
      return 0;
    });
  }
  static FaultStep step(int64_t first, uint32_t crashes, std::string mode) {
    return {.at = 5s,
            .kind = "process.kill_in_recovery",
            .target = "server",
            .lasts = 10ms,
            .count = crashes,
            .mode = std::move(mode),
            .amount = first};
  }
  std::vector<std::string> reached;  // By each life: the call that it was in.
};

TEST_F(KillInRecovery, AtOneCallAfterTheOther) {
  recover_in_six_calls();
  strike(step(2, 4, "kill"));
  EXPECT_EQ(reached, (std::vector<std::string>{"up", "2", "3", "4", "5", "up"}));
  EXPECT_EQ(struck("process.kill_in_recovery"), 4U);
}

TEST_F(KillInRecovery, LosesPowerInstead) {
  recover_in_six_calls();
  size_t lost = 0;
  world.incident_listener = [&](const Incident& incident) {
    if (incident.kind == Incident::Kind::kPowerLost) ++lost;
  };
  strike(step(1, 3, "power"));
  EXPECT_EQ(reached, (std::vector<std::string>{"up", "start", "2", "3", "up"}));
  EXPECT_EQ(lost, 4U);
}

TEST_F(KillInRecovery, EndsWhenARecoveryIsShorterThanThat) {
  recover_in_six_calls();
  strike(step(5, 16, "kill"));
  EXPECT_EQ(reached, (std::vector<std::string>{"up", "5", "6", "up"}));
  EXPECT_EQ(struck("process.kill_in_recovery"), 2U);
}

TEST_F(KillInRecovery, TheEndOfTheStormLetsItRecover) {
  recover_in_six_calls();
  FaultStep endless = step(1, 1000, "power");
  endless.lasts = 30min;
  strike(endless, 10s);
  EXPECT_EQ(reached, (std::vector<std::string>{"up", "up"}));
}

}  // namespace
}  // namespace seatrial::sim
