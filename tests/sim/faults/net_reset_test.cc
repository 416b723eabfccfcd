#include "tests/sim/faults/one_fault.h"

namespace seatrial::sim {
namespace {

class NetResetFault : public OneFault {};

TEST_F(NetResetFault, CutsEveryStreamOfItsTargetAndNoOther) {
  std::string cut;
  std::string other;
  std::string again;
  Node& second = world.add_node("second");
  serve(echo_server);
  second.start("server", echo_server);
  const auto read_from = [](os::Os& os, const char* host) {
    auto stream = os.network.connect({host, 7});
    char buffer[8];
    return outcome((*stream)->read(buffer, os.clock.monotonic() + 20s));
  };
  client.start("reads", [&](os::Os& os) {
    cut = read_from(os, "server");
    again = echo_call(os, "server", "ping");
    return 0;
  });
  client.start("reads another", [&](os::Os& os) {
    other = read_from(os, "second");
    return 0;
  });
  strike({.at = 4s, .kind = "net.reset", .target = "server"});
  EXPECT_EQ(cut, "connection reset");
  EXPECT_EQ(again, "ping");
  EXPECT_EQ(other, "deadline passed");
  EXPECT_EQ(struck("net.reset"), 1U);
}

TEST_F(NetResetFault, IsNotCountedWhereThereIsNothingToCut) {
  serve(echo_server);
  strike({.at = 4s, .kind = "net.reset", .target = "server"});
  EXPECT_EQ(struck("net.reset"), 0U);
}

}  // namespace
}  // namespace seatrial::sim
