// The course of a run: its phases, its bounds, and what it says of each way to end.
#include "sim/trial.h"
#include "tests/sim/programs.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace seatrial::sim {
namespace {

using namespace std::chrono_literals;

TrialOptions quick(VirtualTime storm = 2s) {
  TrialOptions options{.seed = 5};
  options.plan.storm = storm;
  options.plan.calm_limit = 10s;
  return options;
}

ProcessMain echo() { return {echo_server}; }

// Asks until there is an answer.
void await_server(os::Os& os) {
  while (echo_call(os, "server", "?", 1s) != "?") (void)os.clock.sleep_for(10ms);
}

TEST(Trial, JudgeThenClientsThenJudge) {
  Trial trial(quick());
  std::vector<std::string> course;
  trial.add_server("server", echo);
  trial.add_judge(
      "judge",
      [&](os::Os& os) {
        await_server(os);
        course.emplace_back("prepared");
      },
      [&](os::Os&) { course.emplace_back("finished"); });
  for (const char* name : {"a", "b"}) {
    trial.add_client(name, [&](os::Os& os) {
      EXPECT_EQ(echo_call(os, "server", "hello", 1s), "hello");
      course.emplace_back("asked");
    });
  }
  const TrialReport report = trial.run();
  EXPECT_EQ(report.end, TrialEnd::kFinished) << report.message;
  EXPECT_EQ(course, (std::vector<std::string>{"prepared", "asked", "asked", "finished"}));
  EXPECT_GT(trial.storm_begun(), VirtualTime(0));
  EXPECT_GE(trial.storm_ended(), trial.storm_begun());
  EXPECT_LT(report.sim_time, 2s) << "who has nothing left to do does not wait for the storm's end";
}

TEST(Trial, FaultsStrikeInTheStormOnly) {
  TrialOptions options = quick(1s);
  options.plan.faults.push_back(
      {.at = 100ms, .kind = "process.kill", .target = "server", .lasts = 1h});
  options.plan.faults.push_back({.at = 5s, .kind = "process.kill", .target = "server"});
  Trial trial(std::move(options));
  std::string answer;
  trial.add_server("server", echo);
  trial.add_client("client", [&](os::Os& os) {
    (void)os.clock.sleep_for(500ms);
    EXPECT_NE(echo_call(os, "server", "in the storm", 1ms), "in the storm");
    (void)os.clock.sleep_for(6s);
    answer = echo_call(os, "server", "in the calm", 1s);
  });
  const TrialReport report = trial.run();
  EXPECT_EQ(report.end, TrialEnd::kFinished) << report.message;
  EXPECT_EQ(answer, "in the calm");
  EXPECT_EQ(report.counts.at("process.kill"), 1U);
}

TEST(Trial, WhoDoesNotEndInTheCalmIsStuck) {
  Trial trial(quick());
  trial.add_server("server", echo);
  trial.add_client("client", [](os::Os& os) { (void)os.clock.sleep_for(1h); });
  const TrialReport report = trial.run();
  EXPECT_EQ(report.end, TrialEnd::kStuck);
  EXPECT_EQ(report.message, "in the calm, after 12 s: 1 clients still had no answer");
}

TEST(Trial, AServerThatCannotStartIsNamed) {
  Trial trial(quick());
  trial.add_server("server", [] { return ProcessMain([](os::Os&) { return 1; }); });
  trial.add_judge("judge", await_server, {});
  const TrialReport report = trial.run();
  EXPECT_EQ(report.end, TrialEnd::kStuck);
  EXPECT_TRUE(report.message.starts_with("before the storm, after 60 s")) << report.message;
  EXPECT_NE(report.message.find("server ended with an error"), std::string::npos);
}

TEST(Trial, GivingUpIsTold) {
  Trial trial(quick());
  trial.add_client("client", [&](os::Os&) { trial.give_up("line 3 of the plan makes no sense"); });
  const TrialReport report = trial.run();
  EXPECT_EQ(report.end, TrialEnd::kStuck);
  EXPECT_EQ(report.message, "line 3 of the plan makes no sense");
}

TEST(Trial, UntilEndsItWithoutAFinding) {
  TrialOptions options = quick();
  options.until = 1s;
  Trial trial(std::move(options));
  trial.add_client("client", [](os::Os& os) { (void)os.clock.sleep_for(1h); });
  const TrialReport report = trial.run();
  EXPECT_EQ(report.end, TrialEnd::kInterrupted);
  EXPECT_EQ(report.message, "");
}

TEST(Trial, APlanSpeaksOfWhatThereIs) {
  const std::vector<std::string> servers = {"s0", "s1"};
  const std::vector<std::string> others = {"c0"};
  const auto complaint = [&](const FaultStep& step) {
    Plan plan;
    plan.faults.push_back(step);
    const auto checked = check_plan(plan, servers, others);
    return checked ? std::string() : checked.error().message();
  };
  EXPECT_EQ(complaint({.kind = "net.partition", .target = ">s0,c0"}), "");
  EXPECT_EQ(complaint({.kind = "process.kill", .target = "s2"}),
            "plan.faults[0].target: no node is called \"s2\"; there are: s0, s1, c0");
  EXPECT_EQ(complaint({.kind = "process.kil", .target = "s0"}),
            "plan.faults[0].kind: no fault is called \"process.kil\", did you mean process.kill?");
  EXPECT_NE(complaint({.kind = "net.latency", .target = "s0"}).find("has no steps"),
            std::string::npos);
}

}  // namespace
}  // namespace seatrial::sim
