// What a disk does beside failing by word: reads that fail or lie, syncs that lie, writes that go
// astray, a disk that is dead, throttled, or drifts between full and not.
#include "tests/sim/faults/one_fault.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

namespace seatrial::sim {
namespace {

const std::string kText(2000, 't');

class DiskTroubleFault : public OneFault {
 protected:
  // Writes a file at once, then reads it every second.
  void read_every_second(const std::string& text = kText) {
    serve([this, text](os::Os& os) {
      EXPECT_EQ(write_file(os, "data", text, true), "ok");
      for (int i = 0; i < 8; ++i) {
        (void)os.clock.sleep_for(1s);
        texts.push_back(file_text(os, "data"));
      }
      (void)os.clock.sleep_for(1h);
      return 0;
    });
  }
  // Every second writes all of the file anew, in the next letter, and syncs it.
  void write_every_second() {
    serve([this](os::Os& os) {
      for (int i = 0; i < 8; ++i) {
        const VirtualTime begin = world.now_virtual();
        written = std::string(2000, static_cast<char>('a' + i));
        outcomes.push_back(write_file(os, "data", written, true));
        times.push_back(world.now_virtual() - begin);
        texts.push_back(file_text(os, "data"));
        (void)os.clock.sleep_for(1s);
      }
      (void)os.clock.sleep_for(1h);
      return 0;
    });
  }
  static size_t differing(const std::string& a, const std::string& b) {
    size_t count = a.size() == b.size() ? 0 : 10'000;
    for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) count += a[i] != b[i];
    return count;
  }

  std::vector<std::string> texts;
  std::vector<std::string> outcomes;
  std::vector<VirtualTime> times;
  std::string written;
};

TEST_F(DiskTroubleFault, AReadErrorFailsTheNextReadAndOnlyThat) {
  read_every_second();
  strike({.at = 2500ms, .kind = "disk.read_error", .target = "server", .count = 1});
  ASSERT_EQ(texts.size(), 8U);
  EXPECT_EQ(std::ranges::count(texts, kText), 7);
  EXPECT_EQ(texts[2], "input/output error");
  EXPECT_EQ(struck("disk.read_error"), 1U);
}

TEST_F(DiskTroubleFault, AFlippedBitIsGoneWhenItIsReadAgain) {
  read_every_second();
  strike({.at = 2500ms, .kind = "disk.bit_flip", .target = "server", .count = 1});
  ASSERT_EQ(texts.size(), 8U);
  EXPECT_EQ(std::ranges::count(texts, kText), 7);
  EXPECT_EQ(differing(texts[2], kText), 1U);
  EXPECT_EQ(struck("disk.bit_flip"), 1U);
}

TEST_F(DiskTroubleFault, AMisdirectedReadGetsAnotherSectorOnce) {
  written = std::string(512, 'a') + std::string(512, 'b') + std::string(512, 'c');
  read_every_second(written);
  strike({.at = 2500ms, .kind = "disk.misdirected_read", .target = "server", .count = 1});
  ASSERT_EQ(texts.size(), 8U);
  EXPECT_EQ(std::ranges::count(texts, written), 7);
  int wrong = 0;
  for (size_t at = 0; at < written.size(); at += 512) {
    const std::string sector = texts[2].substr(at, 512);
    if (sector == written.substr(at, 512)) continue;
    ++wrong;
    const size_t home = written.find(sector);
    EXPECT_TRUE(home != std::string::npos && home % 512 == 0) << "whole, and of this file";
  }
  EXPECT_EQ(wrong, 1);
  EXPECT_EQ(struck("disk.misdirected_read"), 1U);
}

TEST_F(DiskTroubleFault, InAFileOfOneSectorNoReadIsMisdirected) {
  read_every_second("short");
  strike({.at = 2500ms, .kind = "disk.misdirected_read", .target = "server", .count = 1});
  EXPECT_EQ(std::ranges::count(texts, "short"), 8);
  EXPECT_EQ(struck("disk.misdirected_read"), 0U);
}

TEST_F(DiskTroubleFault, RotStays) {
  read_every_second();
  strike({.at = 2500ms, .kind = "disk.bit_rot", .target = "server", .count = 2});
  ASSERT_EQ(texts.size(), 8U);
  EXPECT_EQ(texts[1], kText);
  for (size_t i = 2; i < 8; ++i) {
    EXPECT_EQ(texts[i], texts[2]);
    EXPECT_EQ(differing(texts[i], kText), 2U);
  }
  EXPECT_EQ(struck("disk.bit_rot"), 2U);
}

TEST_F(DiskTroubleFault, ALostWriteLeavesASectorAsItWas) {
  write_every_second();
  strike({.at = 2500ms, .kind = "disk.lost_write", .target = "server", .count = 1});
  EXPECT_EQ(std::ranges::count(outcomes, "ok"), 8);
  EXPECT_EQ(std::ranges::count(texts[3], 'd') + std::ranges::count(texts[3], 'c'), 2000);
  const auto old = std::ranges::count(texts[3], 'c');
  EXPECT_TRUE(old == 512 || old == 2000 - 3 * 512) << old;
  EXPECT_EQ(texts[4], std::string(2000, 'e'));
  EXPECT_EQ(struck("disk.lost_write"), 1U);
}

TEST_F(DiskTroubleFault, AMisdirectedWriteFindsItsVictim) {
  serve([this](os::Os& os) {
    EXPECT_EQ(write_file(os, "data", kText, true), "ok");
    (void)os.clock.sleep_for(3s);
    EXPECT_EQ(write_file(os, "data", std::string(512, 'n'), true), "ok");
    texts.push_back(file_text(os, "data"));
    (void)os.clock.sleep_for(1h);
    return 0;
  });
  strike({.at = 2s, .kind = "disk.misdirected_write", .target = "server", .count = 1});
  ASSERT_EQ(texts.size(), 1U);
  EXPECT_EQ(texts[0].substr(0, 512), std::string(512, 't'));
  EXPECT_NE(texts[0].find('n'), std::string::npos);
  EXPECT_EQ(struck("disk.misdirected_write"), 1U);
}

TEST_F(DiskTroubleFault, ALyingSyncPromisesWhatPowerTakes) {
  world.weather().disk.sector_kept = world.weather().disk.sector_torn = 0;
  world.weather().disk.name_kept = 0;
  bool asked = false;
  serve([&](os::Os& os) {
    if (!asked) {
      asked = true;
      EXPECT_EQ(write_file(os, "before", "x", true), "ok");
      (void)os.clock.sleep_for(3s);
      EXPECT_EQ(write_file(os, "during", "x", true), "ok");
    } else {
      texts = {file_text(os, "before"), file_text(os, "during")};
    }
    (void)os.clock.sleep_for(1h);
    return 0;
  });
  plan.faults.push_back({.at = 2s, .kind = "disk.lying_sync", .target = "server", .lasts = 5s});
  strike({.at = 6s, .kind = "process.power_loss", .target = "server", .lasts = 1s});
  EXPECT_EQ(texts, (std::vector<std::string>{"x", "not found"}));
  EXPECT_EQ(struck("disk.lying_sync"), 2U) << "of the file, and of its name";
}

TEST_F(DiskTroubleFault, AnHonestSyncMakesUpForALie) {
  world.weather().disk.sector_kept = world.weather().disk.sector_torn = 0;
  bool asked = false;
  serve([&](os::Os& os) {
    if (!asked) {
      asked = true;
      EXPECT_EQ(write_file(os, "data", "old", true), "ok");
      (void)os.clock.sleep_for(3s);
      EXPECT_EQ(write_file(os, "data", "new", true), "ok");
      (void)os.clock.sleep_for(3s);
      auto file = *os.disk.open("data", os::kReadWrite);
      EXPECT_TRUE(file->sync_data());
    } else {
      texts = {file_text(os, "data")};
    }
    (void)os.clock.sleep_for(1h);
    return 0;
  });
  plan.faults.push_back({.at = 2s, .kind = "disk.lying_sync", .target = "server", .lasts = 2s});
  strike({.at = 8s, .kind = "process.power_loss", .target = "server", .lasts = 1s});
  EXPECT_EQ(texts, std::vector<std::string>{"new"});
}

TEST_F(DiskTroubleFault, ADeadDiskAnswersNobodyUntilTheCalm) {
  write_every_second();
  strike({.at = 2500ms, .kind = "disk.dead", .target = "server"}, 10s);
  EXPECT_EQ(std::ranges::count(outcomes, "ok"), 8);
  EXPECT_GT(*std::ranges::max_element(times), 6s);
  EXPECT_LT(*std::ranges::max_element(times), 8s);
  EXPECT_EQ(struck("disk.dead"), 1U);
}

TEST_F(DiskTroubleFault, ADeadDiskAnswersTheNextProcess) {
  std::vector<VirtualTime> ends;
  serve([&](os::Os& os) {
    (void)os.clock.sleep_for(3s);
    outcomes.push_back(write_file(os, "data", "x", true));
    ends.push_back(world.now_virtual());
    (void)os.clock.sleep_for(1h);
    return 0;
  });
  plan.faults.push_back({.at = 2s, .kind = "disk.dead", .target = "server", .mode = "process"});
  strike({.at = 6s, .kind = "process.kill", .target = "server", .lasts = 1s});
  EXPECT_EQ(outcomes, std::vector<std::string>{"ok"});
  ASSERT_EQ(ends.size(), 1U);
  EXPECT_LT(ends[0], 11s) << "long before the storm ends";
}

TEST_F(DiskTroubleFault, AThrottledDiskTakesItsTimeForCallsAndBytes) {
  write_every_second();
  strike({.at = 2500ms,
          .kind = "disk.throttle",
          .target = "server",
          .lasts = 20s,
          .count = 10,
          .amount = 2048});
  ASSERT_EQ(times.size(), 8U);
  EXPECT_LT(times[1], 100ms);
  // Four calls at 100 ms, and four sectors at 250 ms.
  EXPECT_GT(times[4], 1300ms);
  EXPECT_LT(times[4], 1700ms);
  EXPECT_EQ(struck("disk.throttle"), 1U);
}

TEST_F(DiskTroubleFault, ShortReadsGiveAtLeastOneByte) {
  world.weather().disk.short_read_chance = 1;
  read_every_second();
  strike({.at = 29s, .kind = "disk.read_error", .target = "server"});
  EXPECT_EQ(std::ranges::count(texts, kText), 8) << "whoever goes on reading gets it all";
  EXPECT_GT(struck("disk.short_read"), 8U);
}

TEST_F(DiskTroubleFault, ErrorsByChanceMeetEveryKindOfCallAndEndWithTheStorm) {
  DiskWeather& disk = world.weather().disk;
  disk.read_error_chance = disk.write_error_chance = 0.2;
  disk.sync_error_chance = disk.name_error_chance = 0.2;
  std::vector<std::string> after;
  serve([&](os::Os& os) {
    for (int i = 0; i < 300; ++i) {
      std::vector<std::string>& into = world.now_virtual() < 10s ? outcomes : after;
      into.push_back(write_file(os, "data", "text", true));
      const std::string text = file_text(os, "data");
      into.push_back(text == "text" ? "ok" : text);
      (void)os.clock.sleep_for(50ms);
    }
    (void)os.clock.sleep_for(1h);
    return 0;
  });
  strike({.at = 9s, .kind = "disk.read_error", .target = "nobody"}, 10s);
  EXPECT_GT(std::ranges::count(outcomes, "input/output error"), 30);
  EXPECT_GT(after.size(), 50U);
  EXPECT_EQ(std::ranges::count(after, "ok"), std::ssize(after));
  for (const char* kind :
       {"disk.read_error", "disk.write_error", "disk.sync_error", "disk.name_error"}) {
    EXPECT_GT(struck(kind), 3U) << kind;
  }
}

TEST_F(DiskTroubleFault, ADriftingDiskIsFullNowAndThen) {
  serve([&](os::Os& os) {
    for (int i = 0; i < 200; ++i) {
      outcomes.push_back(write_file(os, fmt::format("new{}", i), std::string(50, 'x'), false));
      (void)os.clock.sleep_for(20ms);
    }
    (void)os.clock.sleep_for(1h);
    return 0;
  });
  strike({.at = 1s,
          .kind = "disk.full",
          .target = "server",
          .lasts = 2s,
          .count = 60,
          .mode = "drift"});
  EXPECT_GT(std::ranges::count(outcomes, "no space left on disk"), 10);
  bool room_again = false;
  for (size_t i = 55; i < 140; ++i) {
    room_again = room_again || (outcomes[i] == "ok" && outcomes[i - 1] != "ok");
  }
  EXPECT_TRUE(room_again);
  EXPECT_EQ(outcomes.back(), "ok");
}

TEST(DiskFaults, AmbientOnesSetTheWeatherAsTheScenarioSays) {
  const Stage stage{.servers = {"server"}, .storm = 10s};
  const DiskWeather errors = draw_plan("disk.errors", 3, stage).weather.disk;
  EXPECT_GT(errors.read_error_chance, 0);
  EXPECT_LE(errors.read_error_chance, 0.005);
  EXPECT_GT(errors.name_error_chance, 0);
  EXPECT_GT(draw_plan("disk.short_read", 3, stage).weather.disk.short_read_chance, 0);
  EXPECT_GT(draw_plan("disk.garbage", 3, stage).weather.disk.garbage_chance, 0);
}

TEST(DiskFaults, ThoseThatDestroyAreDrawnForTheExpendableOnly) {
  const Stage stage{.servers = {"kv0", "kv1"}, .expendable = {"kv1"}, .storm = 500s};
  for (const char* kind :
       {"disk.bit_rot", "disk.lost_write", "disk.misdirected_write", "disk.lying_sync"}) {
    EXPECT_TRUE(find_fault(kind)->info().harms_disk) << kind;
    const std::vector<FaultStep> steps = draw_plan(kind, 3, stage).faults;
    EXPECT_GT(steps.size(), 10U) << kind;
    for (const FaultStep& step : steps) EXPECT_EQ(step.target, "kv1") << kind;
  }
}

}  // namespace
}  // namespace seatrial::sim
