#include "sim/subject.h"
#include "tests/sim/faults/one_fault.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace seatrial::sim {
namespace {

class ProcessUpgradeFault : public OneFault {
 protected:
  // Three releases, each of which notes what the one before has left on the disk.
  ProcessUpgradeFault() {
    std::vector<MakeProcess> releases;
    for (int release = 0; release < 3; ++release) {
      releases.emplace_back([this, release] {
        return ProcessMain([this, release](os::Os& os) {
          events.push_back(file_text(os, "release") + ">" + std::to_string(release));
          times.push_back(world.now_virtual());
          (void)write_file(os, "release", std::to_string(release), true);
          (void)os.process.stop_requested().wait();
          if (ends_when_asked) return 0;
          (void)os.clock.sleep_for(1h);
          return 0;
        });
      });
    }
    server.set_service("program", std::move(releases));
  }
  static FaultStep step(VirtualTime at, std::string mode = "forward") {
    return {.at = at,
            .kind = "process.upgrade",
            .target = "server",
            .lasts = 1s,
            .mode = std::move(mode),
            .amount = 2'000'000};
  }

  std::vector<std::string> events;
  std::vector<VirtualTime> times;
  bool ends_when_asked = true;
};

using Events = std::vector<std::string>;

TEST_F(ProcessUpgradeFault, TheNextReleaseFindsWhatTheOneBeforeHasLeft) {
  strike(step(5s));
  EXPECT_EQ(events, (Events{"not found>0", "0>1"}));
  ASSERT_EQ(times.size(), 2U);
  EXPECT_GE(times[1], 6s);
  EXPECT_LT(times[1], 6100ms);
  EXPECT_EQ(struck("process.upgrade"), 1U);
  EXPECT_EQ(struck("process.stop_overdue"), 0U);
}

TEST_F(ProcessUpgradeFault, ItMayBeTakenBack) {
  plan.faults.push_back(step(5s));
  strike(step(10s, "back"));
  EXPECT_EQ(events, (Events{"not found>0", "0>1", "1>0"}));
}

TEST_F(ProcessUpgradeFault, BeforeTheFirstAndAfterTheLastThereIsNone) {
  plan.faults = {step(2s, "back"), step(5s), step(10s), step(15s)};
  strike(step(20s));
  EXPECT_EQ(events, (Events{"not found>0", "0>1", "1>2"}));
  EXPECT_EQ(struck("process.upgrade"), 2U);
}

TEST_F(ProcessUpgradeFault, WhoDoesNotEndWhenAskedIsKilled) {
  ends_when_asked = false;
  strike(step(5s));
  EXPECT_EQ(events, (Events{"not found>0", "0>1"}));
  ASSERT_EQ(times.size(), 2U);
  EXPECT_GE(times[1], 8s);
  EXPECT_EQ(struck("process.stop_overdue"), 1U);
}

TEST_F(ProcessUpgradeFault, WithoutPatienceItIsKilledAtOnce) {
  ends_when_asked = false;
  FaultStep killed = step(5s);
  killed.amount = 0;
  strike(killed);
  ASSERT_EQ(times.size(), 2U);
  EXPECT_GE(times[1], 6s);
  EXPECT_LT(times[1], 6100ms);
  EXPECT_EQ(struck("process.stop_overdue"), 0U);
}

TEST_F(ProcessUpgradeFault, ARestartStaysWithTheRelease) {
  plan.faults.push_back(step(5s));
  strike({.at = 10s, .kind = "process.power_loss", .target = "server", .lasts = 1s});
  EXPECT_EQ(events, (Events{"not found>0", "0>1", "1>1"}));
}

TEST(ProcessUpgrade, IsDrawnWhereThereAreSeveralReleasesOnly) {
  const FaultInfo& info = find_fault("process.upgrade")->info();
  SwarmOptions options;
  EXPECT_FALSE(may_draw(options, info));
  options.stage.releases = 2;
  EXPECT_TRUE(may_draw(options, info));
  options.without = {"process"};
  EXPECT_FALSE(may_draw(options, info));
}

TEST(ProcessUpgrade, DrawsBothWaysAndBothManners) {
  const Stage stage{.servers = {"a", "b"}, .storm = 1000s, .releases = 2};
  std::set<std::string> modes;
  bool kills = false;
  bool asks = false;
  for (const FaultStep& step : draw_plan("process.upgrade", 5, stage).faults) {
    modes.insert(step.mode);
    (step.amount == 0 ? kills : asks) = true;
  }
  EXPECT_EQ(modes, (std::set<std::string>{"back", "forward"}));
  EXPECT_TRUE(kills && asks);
}

// Its second release reads as a word what the first wrote as a number.
class Incompatible : public Subject {
 public:
  Terms terms() const override {
    Terms terms{.servers = {"node"}, .clients = {"client"}, .storm = 10s};
    terms.releases = 2;
    terms.swarm.faults = {"process.upgrade"};
    terms.swarm.settings["process.upgrade"].rate = 5;
    return terms;
  }
  int serve(os::Os& os, std::string_view server) override { return serve_release(os, server, 0); }
  int serve_release(os::Os& os, std::string_view /*server*/, uint32_t release) override {
    const std::string found = file_text(os, "value");
    if (release == 1 && found == "1") misread_ = true;
    (void)write_file(os, "value", release == 0 ? "1" : "one", true);
    (void)os.process.stop_requested().wait();
    return 0;
  }
  void ask(Client& client) override { (void)client.os.clock.sleep_for(10s); }
  std::vector<std::string> judge() override {
    if (!misread_) return {};
    return {"the second release cannot read what the first wrote"};
  }

 private:
  bool misread_ = false;
};

TEST(ProcessUpgrade, ASubjectsReleasesAreOnTrial) {
  Incompatible subject;
  const Plan plan = draw_plan(subject, 3);
  EXPECT_FALSE(plan.faults.empty());
  const SubjectReport report = run_subject(subject, 3, plan);
  EXPECT_EQ(report.trial.end, TrialEnd::kFinished) << report.trial.message;
  EXPECT_EQ(report.violations.size(), 1U);
}

}  // namespace
}  // namespace seatrial::sim
