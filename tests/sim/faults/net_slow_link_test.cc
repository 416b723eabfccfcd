#include "tests/sim/faults/one_fault.h"

namespace seatrial::sim {
namespace {

class NetSlowLinkFault : public OneFault {
 protected:
  // How long 10 KiB take from the client to a server's ears, at 5 s.
  VirtualTime transfer(FaultStep step) {
    VirtualTime took{0};
    serve([&](os::Os& os) {
      auto listener = os.network.listen({"", 7});
      auto stream = (*listener)->accept();
      char buffer[1024];
      size_t bytes = 0;
      while (auto count = (*stream)->read(buffer)) {
        if (*count == 0) break;
        bytes += *count;
      }
      EXPECT_EQ(bytes, 10'240U);
      took = world.now_virtual() - 5s;
      (void)os.clock.sleep_for(1h);
      return 0;
    });
    client.start("client", [&](os::Os& os) {
      (void)os.clock.sleep_for(1s);
      auto stream = os.network.connect({"server", 7});
      (void)os.clock.sleep_for(5s - world.now_virtual());
      EXPECT_TRUE(os::write_all(**stream, std::string(10'240, 'x')));
      return 0;
    });
    step.at = 4s;
    step.kind = "net.slow_link";
    strike(std::move(step));
    EXPECT_EQ(struck("net.slow_link"), 1U);
    return took;
  }
};

TEST_F(NetSlowLinkFault, EachSegmentIsLate) {
  const VirtualTime took = transfer({.target = "server", .lasts = 20s, .amount = 300'000});
  EXPECT_GE(took, 300ms);
  EXPECT_LE(took, 302ms);
}

TEST_F(NetSlowLinkFault, BytesPassAtALowRate) {
  const VirtualTime took = transfer({.target = "client|server", .lasts = 20s, .count = 10});
  EXPECT_GE(took, 1s);
  EXPECT_LE(took, 1s + 2ms);
}

TEST_F(NetSlowLinkFault, TheOtherWayIsAsEver) {
  EXPECT_LE(transfer({.target = ">server", .lasts = 20s, .count = 10, .amount = 300'000}), 2ms);
}

}  // namespace
}  // namespace seatrial::sim
