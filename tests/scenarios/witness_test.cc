// What a run tells its checkers about clocks.
#include "scenarios/witness.h"
#include "scenarios/run.h"
#include "scenarios/scenario.h"

#include <gtest/gtest.h>

namespace seatrial::scenarios {
namespace {

using namespace std::chrono_literals;

RunFacts facts_with(const Scenario& scenario, const sim::Plan& plan, sim::VirtualTime least,
                    sim::VirtualTime most) {
  return {.scenario = scenario,
          .plan = plan,
          .incidents = {},
          .server_clocks = {.least = least, .most = most}};
}

TEST(RunFacts, ClocksThatAreRightGiveCheckersNoSlack) {
  const Scenario scenario;
  const sim::Plan plan;
  const RunFacts facts = facts_with(scenario, plan, 0s, 0s);
  EXPECT_EQ(facts.clock_spread(), 0us);
}

TEST(RunFacts, AConstantErrorIsNoneOfADeadlineThatRuns) {
  const Scenario scenario;
  const sim::Plan plan;
  for (const sim::VirtualTime error : {5s, -5s}) {
    const RunFacts facts = facts_with(scenario, plan, error, error);
    EXPECT_EQ(facts.clock_spread(), 0us);
  }
}

TEST(RunFacts, IsRoundedUpToWholeMicroseconds) {
  const Scenario scenario;
  const sim::Plan plan;
  const RunFacts facts = facts_with(scenario, plan, -1ns, 3us + 1ns);
  EXPECT_EQ(facts.clock_spread(), 4us);
}

// A clock that is set back shows keys beyond their time: that is not held against the server.

TEST(RunFacts, ARunIsJudgedByHowFarItsClocksWereOff) {
  auto scenario = load_scenario("kv/register");
  ASSERT_TRUE(scenario);
  auto plan = make_plan(*scenario, 4);
  ASSERT_TRUE(plan);
  plan->weather = {};
  plan->faults.clear();
  for (int second = 2; second < 18; second += 4) {
    plan->faults.push_back({.at = std::chrono::seconds(second),
                            .kind = "clock.jump",
                            .target = "kv0",
                            .lasts = 2s,
                            .amount = -2'000'000});
  }
  auto result = run_seed(*scenario, 4, *plan);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->verdict, reports::Verdict::kPass) << result->message;
  EXPECT_EQ(result->faults.at("clock.jump"), 4U);
}

}  // namespace
}  // namespace seatrial::scenarios
