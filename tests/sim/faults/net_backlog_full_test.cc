#include "tests/sim/faults/one_fault.h"

#include <memory>
#include <vector>

namespace seatrial::sim {
namespace {

class NetBacklogFullFault : public OneFault {
 protected:
  // How many of four calls get through within half a second, to a server that accepts nobody.
  int calls(uint32_t backlog) {
    serve([](os::Os& os) {
      auto listener = os.network.listen({"", 7});
      (void)os.clock.sleep_for(1h);
      return 0;
    });
    int connected = 0;
    client.start("client", [&](os::Os& os) {
      (void)os.clock.sleep_for(5s);
      std::vector<std::unique_ptr<os::Stream>> streams;
      for (int i = 0; i < 4; ++i) {
        auto stream = os.network.connect({"server", 7}, os.clock.monotonic() + 500ms);
        if (!stream) continue;
        ++connected;
        streams.push_back(*std::move(stream));
      }
      (void)os.clock.sleep_for(1h);
      return 0;
    });
    strike(
        {.at = 4s, .kind = "net.backlog_full", .target = "server", .lasts = 10s, .count = backlog});
    return connected;
  }
};

TEST_F(NetBacklogFullFault, SoManyMayWait) {
  EXPECT_EQ(calls(3), 3);
  EXPECT_GE(struck("net.backlog_full"), 1U);
}

TEST_F(NetBacklogFullFault, OrNobody) { EXPECT_EQ(calls(0), 0); }

}  // namespace
}  // namespace seatrial::sim
