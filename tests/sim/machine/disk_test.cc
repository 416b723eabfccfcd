// The disk as a process sees it: time, errors, and what becomes of calls whose fiber is asked to
// go.
#include "sim/machine/disk.h"
#include "sim/machine/process.h"
#include "sim/world.h"
#include "tests/sim/programs.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace seatrial::sim {
namespace {

using namespace std::chrono_literals;

void run_alone(World& world, std::function<void(os::Os&)> main) {
  world.add_node("node").start("main", [&world, main = std::move(main)](os::Os& os) {
    main(os);
    world.stop();
    return 0;
  });
  EXPECT_EQ(world.run(), Outcome::kStopped);
}

TEST(SimDisk, ACancelledFiberWaitsForAnothersSync) {
  Weather weather;
  weather.disk.sync_min = weather.disk.sync_max = 100ms;
  World world({.seed = 2, .weather = weather});
  run_alone(world, [&](os::Os& os) {
    auto file = os.disk.open("data", os::kOpenOrCreate);
    ASSERT_TRUE(os::append_all(**file, "x"));
    std::vector<VirtualTime> ends;
    const auto sync = [&] {
      EXPECT_TRUE((*file)->sync_data());
      ends.push_back(world.now_virtual());
    };
    const VirtualTime begin = world.now_virtual();
    os::Fiber first = os.fibers.spawn("first", sync);
    ASSERT_TRUE(os.clock.sleep_for(1ms));
    os::Fiber second = os.fibers.spawn("second", sync);
    ASSERT_TRUE(os.clock.sleep_for(1ms));
    first.cancel();
    second.cancel();
    ASSERT_TRUE(first.join());
    ASSERT_TRUE(second.join());
    ASSERT_EQ(ends.size(), 2U);
    EXPECT_GE(ends[0] - begin, 100ms);
    EXPECT_GE(ends[1] - begin, 200ms) << "one sync of a file after the other";
  });
}

TEST(SimDisk, AFullDiskTakesWhatFits) {
  World world({.seed = 2});
  run_alone(world, [&](os::Os& os) {
    world.find_node("node")->files().capacity_bytes = 10;
    auto file = os.disk.open("data", os::kOpenOrCreate);
    auto count = (*file)->append("123456789012345");
    ASSERT_TRUE(count);
    EXPECT_EQ(*count, 10U);
    EXPECT_EQ(outcome((*file)->append("x")),
              outcome(base::Result<void>(base::fail(base::Errc::kNoSpace))));
    EXPECT_EQ(world.counts().at("disk.no_space"), 1U);
  });
}

TEST(SimDisk, ShortWritesTakeAtLeastOneByte) {
  Weather weather;
  weather.disk.short_write_chance = 1;
  World world({.seed = 2, .weather = weather});
  run_alone(world, [&](os::Os& os) {
    auto file = os.disk.open("data", os::kOpenOrCreate);
    bool fell_short = false;
    for (int i = 0; i < 50; ++i) {
      auto count = (*file)->append("0123456789");
      ASSERT_TRUE(count);
      EXPECT_GE(*count, 1U);
      EXPECT_LE(*count, 10U);
      fell_short = fell_short || *count < 10;
    }
    EXPECT_TRUE(fell_short);
    EXPECT_EQ(world.counts().at("disk.short_write"), 50U);
  });
}

TEST(SimDisk, AFailedSyncOfADirectoryPromisesNothing) {
  std::set<size_t> names;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Weather weather;
    weather.disk.name_kept = 0;
    weather.disk.sync_error_chance = 1;
    World world({.seed = seed, .weather = weather});
    Node& node = world.add_node("node");
    node.start("main", [&](os::Os& os) {
      EXPECT_TRUE(os.disk.open("data", os::kCreateNew));
      EXPECT_FALSE(os.disk.sync_directory("."));
      EXPECT_TRUE(*os::exists(os.disk, "data"));
      world.stop();
      return 0;
    });
    EXPECT_EQ(world.run(), Outcome::kStopped);
    node.power_off();
    names.insert(node.files().list("")->size());
  }
  EXPECT_EQ(names, (std::set<size_t>{0, 1}));
}

// Others' calls, and calls on other files, do not change what befalls a file's.
TEST(SimDisk, EachFileHasItsOwnLuck) {
  const auto writes = [](bool with_another) {
    Weather weather;
    weather.disk.short_write_chance = 0.5;
    World world({.seed = 2, .weather = weather});
    std::vector<size_t> counts;
    run_alone(world, [&](os::Os& os) {
      auto file = *os.disk.open("data", os::kOpenOrCreate);
      for (int i = 0; i < 20; ++i) {
        if (with_another) (void)write_file(os, "another", "text", true);
        counts.push_back(*file->append("0123456789"));
      }
    });
    return counts;
  };
  EXPECT_EQ(writes(false), writes(true));
}

TEST(SimDisk, ARenameMayNeedRoomOnAFullDisk) {
  World world({.seed = 2});
  run_alone(world, [&](os::Os& os) {
    EXPECT_EQ(write_file(os, "a", "x", true), "ok");
    world.find_node("node")->files().capacity_bytes = 0;
    int refused = 0;
    std::string name = "a";
    for (int i = 0; i < 40; ++i) {
      const std::string next = "a" + std::to_string(i);
      auto renamed = os.disk.rename(name, next);
      if (renamed) {
        name = next;
      } else {
        EXPECT_EQ(outcome(renamed), "no space left on disk");
        ++refused;
      }
    }
    EXPECT_GT(refused, 3);
    EXPECT_LT(refused, 20);
  });
}

}  // namespace
}  // namespace seatrial::sim
