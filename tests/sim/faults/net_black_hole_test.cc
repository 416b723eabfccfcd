#include "tests/sim/faults/one_fault.h"

namespace seatrial::sim {
namespace {

using NetBlackHoleFault = OneFault;

TEST_F(NetBlackHoleFault, OldStreamsAreDeadUntilTheStormEndsAndNewOnesWork) {
  serve(echo_server);
  std::string old_answer;
  std::string new_answer;
  std::string late_answer;
  client.start("client", [&](os::Os& os) {
    auto stream = os.network.connect({"server", 7});
    (void)os.clock.sleep_for(5s);
    EXPECT_TRUE(os::write_all(**stream, "ping"));
    char buffer[8];
    old_answer = outcome((*stream)->read(buffer, os.clock.monotonic() + 10s));
    new_answer = echo_call(os, "server", "ping");
    late_answer = outcome((*stream)->read(buffer));
    EXPECT_GE(world.now_virtual(), ended);
    EXPECT_GT(ended, 0s);
    return 0;
  });
  strike({.at = 4s, .kind = "net.black_hole", .target = "server", .lasts = 1h});
  EXPECT_EQ(old_answer, "deadline passed");
  EXPECT_EQ(new_answer, "ping");
  EXPECT_EQ(late_answer, "ok");
  EXPECT_EQ(struck("net.black_hole"), 1U);
}

TEST_F(NetBlackHoleFault, OneWayTheOtherSideIsHeard) {
  std::string heard;
  server.set_service("program", [&]() -> ProcessMain {
    return [&](os::Os& os) {
      auto listener = os.network.listen({"", 7});
      auto stream = (*listener)->accept();
      char buffer[8];
      heard = outcome((*stream)->read(buffer));
      (void)os::write_all(**stream, "pong");
      return outcome((*stream)->read(buffer)) == "ok" ? 0 : 1;
    };
  });
  std::string answer;
  client.start("client", [&](os::Os& os) {
    (void)os.clock.sleep_for(1s);
    auto stream = os.network.connect({"server", 7});
    (void)os.clock.sleep_for(4s);
    EXPECT_TRUE(os::write_all(**stream, "ping"));
    char buffer[8];
    answer = outcome((*stream)->read(buffer, os.clock.monotonic() + 10s));
    return 0;
  });
  strike({.at = 4s, .kind = "net.black_hole", .target = ">server", .lasts = 1h});
  EXPECT_EQ(heard, "ok");
  EXPECT_EQ(answer, "deadline passed");
}

}  // namespace
}  // namespace seatrial::sim
