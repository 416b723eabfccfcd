// What holds on this machine only: how run() starts and ends, its log, its descriptors.
#include <gtest/gtest.h>

#include "linux/linux_os.h"

namespace seatrial::linux {
namespace {

using os::Os;

TEST(LinuxRun, ReturnsTheCodeOfMain) {
  EXPECT_EQ(run({}, [](Os&) { return 7; }), 7);
}

TEST(LinuxRun, EchoesOverRealSockets) {
  std::string got;
  auto code = run({}, [&](Os& os) {
    auto listener = os.network.listen({"localhost", 0});
    if (!listener) return 1;
    const uint16_t port = (*listener)->local().port;
    os.fibers.spawn("server", [&] {
      auto stream = (*listener)->accept();
      char buffer[64];
      while (auto count = (*stream)->read(buffer)) {
        if (*count == 0) break;
        if (!os::write_all(**stream, {buffer, *count})) break;
      }
    });
    auto stream = os.network.connect({"localhost", port});
    if (!stream) return 2;
    if (!os::write_all(**stream, "ahoy")) return 3;
    (*stream)->shutdown_write();
    char buffer[64];
    while (auto count = (*stream)->read(buffer)) {
      if (*count == 0) return 0;
      got.append(buffer, *count);
    }
    return 4;
  });
  EXPECT_EQ(code, 0);
  EXPECT_EQ(got, "ahoy");
}

}  // namespace
}  // namespace seatrial::linux
