#include "tests/sim/faults/one_fault.h"

#include <fmt/format.h>

#include <algorithm>

namespace seatrial::sim {
namespace {

using NetSwizzleFault = OneFault;

TEST_F(NetSwizzleFault, ClogsOneByOneAndUnclogsInAnotherOrder) {
  for (int i = 0; i < 6; ++i) world.add_node(fmt::format("n{}", i));
  std::string order;
  std::string before(6, '.');
  world.administer("look", [&] {
    while (world.now_virtual() < 10s) {
      std::string now(6, '.');
      for (uint32_t i = 0; i < 6; ++i) {
        const auto passage = world.net().passage(client.index(), client.index() + 1 + i);
        EXPECT_NE(passage, Net::Passage::kLost);
        if (passage == Net::Passage::kHeld) now[i] = '#';
        if (now[i] != before[i])
          order += now[i] == '#' ? static_cast<char>('0' + i) : static_cast<char>('a' + i);
      }
      before = now;
      world.sleep(1ms);
    }
  });
  strike({.at = 1s, .kind = "net.swizzle", .target = "n3,n1,n5,n0", .lasts = 6s});
  ASSERT_EQ(order.size(), 8U) << order;
  EXPECT_EQ(order.substr(0, 4), "3150");
  std::string unclogged = order.substr(4);
  EXPECT_NE(unclogged, "dbfa");
  std::ranges::sort(unclogged);
  EXPECT_EQ(unclogged, "abdf");
  EXPECT_EQ(struck("net.swizzle"), 1U);
}

TEST_F(NetSwizzleFault, TheEndOfTheStormUnclogsAll) {
  strike({.at = 1s, .kind = "net.swizzle", .target = "server,client", .lasts = 1h}, 5s);
  EXPECT_EQ(ended, 5s);
  EXPECT_FALSE(world.net().troubled());
}

TEST(NetSwizzle, DrawsHalfOfTheNodes) {
  const Stage stage{.servers = {"kv0", "kv1", "kv2"}, .clients = {"client0"}, .storm = 100s};
  for (const FaultStep& step : draw_plan("net.swizzle", 1, stage).faults) {
    EXPECT_EQ(std::ranges::count(step.target, ','), 1);
  }
}

}  // namespace
}  // namespace seatrial::sim
