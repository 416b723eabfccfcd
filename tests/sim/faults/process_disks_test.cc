// process.empty_disk, process.older_disk and process.swapped_disk.
#include "tests/sim/faults/one_fault.h"

#include <map>
#include <string>
#include <vector>

namespace seatrial::sim {
namespace {

class DiskOfANode : public OneFault {
 protected:
  // A service that counts its seconds in a file, synced each time, and notes what it finds there
  // when it starts.
  void count_seconds(Node& node) {
    node.set_service("program", [this, &node] {
      return ProcessMain([this, &node](os::Os& os) {
        found[node.name()].push_back(file_text(os, "seconds"));
        for (int second = 1;; ++second) {
          EXPECT_EQ(write_file(os, "seconds", node.name() + " " + std::to_string(second), true),
                    "ok");
          if (!os.clock.sleep_for(1s)) return 0;
        }
      });
    });
  }
  std::map<std::string, std::vector<std::string>> found;
};

TEST_F(DiskOfANode, IsEmptyOnANewMachine) {
  count_seconds(server);
  strike({.at = 5500ms, .kind = "process.empty_disk", .target = "server", .lasts = 1s});
  EXPECT_EQ(found["server"], (std::vector<std::string>{"not found", "not found"}));
  EXPECT_EQ(struck("process.empty_disk"), 1U);
}

TEST_F(DiskOfANode, IsAsItWasWhenItsImageWasTaken) {
  count_seconds(server);
  strike({.at = 2500ms,
          .kind = "process.older_disk",
          .target = "server",
          .lasts = 1s,
          .amount = 3'000'000});
  EXPECT_EQ(found["server"], (std::vector<std::string>{"not found", "server 3"}));
  EXPECT_EQ(struck("process.older_disk"), 1U);
}

TEST_F(DiskOfANode, AnImageThatTheStormOutlastsIsNotUsed) {
  count_seconds(server);
  strike({.at = 2500ms,
          .kind = "process.older_disk",
          .target = "server",
          .lasts = 1s,
          .amount = 3'000'000},
         4s);
  EXPECT_EQ(found["server"].size(), 1U);
  EXPECT_EQ(struck("process.older_disk"), 0U);
}

TEST_F(DiskOfANode, GoesToTheOther) {
  Node& other = world.add_node("other");
  count_seconds(server);
  count_seconds(other);
  std::vector<std::string> replaced;
  world.incident_listener = [&](const Incident& incident) {
    if (incident.kind == Incident::Kind::kDiskReplaced) replaced.push_back(incident.node);
  };
  strike({.at = 3500ms, .kind = "process.swapped_disk", .target = "server,other", .lasts = 1s});
  EXPECT_EQ(found["server"], (std::vector<std::string>{"not found", "other 4"}));
  EXPECT_EQ(found["other"], (std::vector<std::string>{"not found", "server 4"}));
  EXPECT_EQ(replaced, (std::vector<std::string>{"server", "other"}));
  EXPECT_EQ(struck("process.swapped_disk"), 1U);
}

TEST(HarmedDisks, AreThoseOfExpendableServersOnly) {
  Stage stage{.servers = {"a", "b", "c"}, .storm = 500s};
  for (const char* kind : {"process.empty_disk", "process.older_disk", "process.swapped_disk"}) {
    EXPECT_TRUE(find_fault(kind)->info().harms_disk) << kind;
    stage.expendable = {};
    EXPECT_TRUE(draw_plan(kind, 7, stage).faults.empty()) << kind;
    stage.expendable = {"a", "c"};
    const std::vector<FaultStep> steps = draw_plan(kind, 7, stage).faults;
    EXPECT_GT(steps.size(), 20U) << kind;
    for (const FaultStep& step : steps) EXPECT_FALSE(is_among(step.target, "b")) << kind;
  }
}

}  // namespace
}  // namespace seatrial::sim
