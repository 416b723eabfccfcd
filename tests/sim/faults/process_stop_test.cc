#include "tests/sim/faults/one_fault.h"

#include <string>
#include <vector>

namespace seatrial::sim {
namespace {

class ProcessStopFault : public OneFault {
 protected:
  // Notes its starts, and its end if it comes to one `after` being asked.
  void serve_until_asked(os::Duration after) {
    serve([this, after](os::Os& os) {
      events.push_back("start");
      times.push_back(world.now_virtual());
      if (!os.process.stop_requested().wait()) return 0;
      if (!os.clock.sleep_for(after)) return 0;
      events.push_back("end");
      times.push_back(world.now_virtual());
      return 0;
    });
  }
  static FaultStep step() {
    return {.at = 5s, .kind = "process.stop", .target = "server", .lasts = 1s, .amount = 2'000'000};
  }
  std::vector<std::string> events;
  std::vector<VirtualTime> times;
};

TEST_F(ProcessStopFault, AsksAndLetsTheServiceEndByItself) {
  serve_until_asked(300ms);
  strike(step());
  EXPECT_EQ(events, (std::vector<std::string>{"start", "end", "start"}));
  EXPECT_EQ(times, (std::vector<VirtualTime>{0s, 5300ms, 6300ms}));
  EXPECT_EQ(struck("process.stop"), 1U);
  EXPECT_EQ(struck("process.stop_overdue"), 0U);
}

TEST_F(ProcessStopFault, KillsWhatDoesNotEndInTime) {
  serve_until_asked(1h);
  strike(step());
  EXPECT_EQ(events, (std::vector<std::string>{"start", "start"}));
  EXPECT_EQ(times, (std::vector<VirtualTime>{0s, 8s}));
  EXPECT_EQ(struck("process.stop_overdue"), 1U);
}

TEST_F(ProcessStopFault, TheEndOfTheStormDoesNotWaitForIt) {
  serve_until_asked(1h);
  strike(step(), 6s);
  EXPECT_EQ(events, (std::vector<std::string>{"start", "start"}));
  EXPECT_EQ(times, (std::vector<VirtualTime>{0s, 6s}));
  EXPECT_EQ(struck("process.stop_overdue"), 0U);
}

}  // namespace
}  // namespace seatrial::sim
