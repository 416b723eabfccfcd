// Scenario and suite files: what is not understood is refused, with its place.
#include "scenarios/scenario.h"
#include "scenarios/run.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <map>

namespace seatrial::scenarios {
namespace {

std::string error_of(std::string_view toml) {
  auto parsed = parse_scenario("x.toml", toml);
  return parsed ? "no error" : parsed.error().message();
}

// A file of its own for a test, removed at the end.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view text)
      : path_(testing::TempDir() + "seatrial_scenario_" + std::to_string(getpid()) + ".toml") {
    std::FILE* file = std::fopen(path_.c_str(), "wb");
    EXPECT_NE(file, nullptr);
    EXPECT_EQ(std::fwrite(text.data(), 1, text.size(), file), text.size());
    std::fclose(file);
  }
  ~TemporaryFile() { std::remove(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(Scenario, ReadsWhatAFileSays) {
  const auto parsed = parse_scenario("x.toml",
                                     "summary = \"s\"\n"
                                     "[topology]\nservers = 2\noptions = [\"--port\", \"7\"]\n"
                                     "[workload]\nname = \"register\"\nkeys = 9\n"
                                     "[storm]\nseconds = 5\nintensity = 2\n"
                                     "faults = [\"process.kill\"]\n");
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_EQ(parsed->summary, "s");
  EXPECT_EQ(parsed->servers, 2U);
  EXPECT_EQ(parsed->clients, 3U);
  EXPECT_EQ(parsed->server_options, (std::vector<std::string>{"--port", "7"}));
  EXPECT_EQ(parsed->parameters.at("keys"), 9);
  EXPECT_EQ(parsed->storm, std::chrono::seconds(5));
  EXPECT_EQ(parsed->intensity, 2.0);
  EXPECT_EQ(parsed->faults, std::vector<std::string>{"process.kill"});
}

TEST(Scenario, ServersComeInReleases) {
  const auto parsed = parse_scenario("x.toml",
                                     "[topology]\nreleases = [[], [\"--save\", \"\"]]\n"
                                     "[workload]\nname = \"register\"\n");
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_EQ(parsed->releases, (std::vector<std::vector<std::string>>{{}, {"--save", ""}}));
  const char* const kWrong = "x.toml:2: releases must be a list of lists of strings";
  EXPECT_EQ(error_of("[topology]\nreleases = [\"--save\"]\n"), kWrong);
  EXPECT_EQ(error_of("[topology]\nreleases = \"--save\"\n"), kWrong);
  EXPECT_EQ(error_of("[topology]\nreleases = [[1]]\n"), kWrong);

  // One release is never upgraded, two are.
  const auto upgrades = [](const Scenario& scenario) {
    size_t count = 0;
    for (uint64_t seed = 1; seed <= 20; ++seed) {
      const auto plan = make_plan(scenario, seed);
      if (!plan) return SIZE_MAX;
      for (const sim::FaultStep& step : plan->faults) count += step.kind == "process.upgrade";
    }
    return count;
  };
  EXPECT_GT(upgrades(*parsed), 5U);
  Scenario single = *parsed;
  single.releases.clear();
  EXPECT_EQ(upgrades(single), 0U);
}

TEST(Scenario, ServersHaveOptionsOfTheirOwnAndDrawnOnes) {
  const auto parsed = parse_scenario("x.toml",
                                     "[topology]\nservers = 2\n"
                                     "[topology.node]\nkv1 = [\"--replicaof\", \"kv0 6379\"]\n"
                                     "[topology.drawn]\nappendfsync = [\"always\", \"no\"]\n"
                                     "[workload]\nname = \"register\"\n");
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_EQ(parsed->node_options.at("kv1"), (std::vector<std::string>{"--replicaof", "kv0 6379"}));
  EXPECT_EQ(error_of("[topology.drawn]\nappendfsync = []\n"),
            "x.toml: [topology.drawn] appendfsync lists no value to draw");
  EXPECT_EQ(error_of("[topology.node]\nkv1 = \"--x\"\n"),
            "x.toml:2: kv1 must be a list of strings");
  EXPECT_EQ(error_of("[topology]\nservers = 2\n[topology.node]\nkv2 = [\"--x\"]\n"),
            "x.toml: [topology.node] kv2: no server is called that; there are 2, from kv0 on");

  // Drawn once, the same for all servers, and kept in the plan.
  std::map<std::string, int> values;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    const auto plan = make_plan(*parsed, seed);
    ASSERT_TRUE(plan) << plan.error().message();
    ASSERT_EQ(plan->servers.size(), 2U);
    EXPECT_EQ(plan->servers[0].options, plan->servers[1].options);
    ASSERT_EQ(plan->servers[0].options.size(), 2U);
    EXPECT_EQ(plan->servers[0].options[0], "--appendfsync");
    ++values[plan->servers[0].options[1]];
  }
  EXPECT_GT(values["always"], 5);
  EXPECT_GT(values["no"], 5);
}

TEST(Scenario, ErrorsNameLineAndKey) {
  EXPECT_TRUE(error_of("a = \n").starts_with("x.toml:1:")) << error_of("a = \n");
  EXPECT_EQ(error_of("\nsummary = 3\n"), "x.toml:2: summary must be a string");
  EXPECT_EQ(error_of("[topology]\nservers = \"two\"\n"),
            "x.toml:2: servers must be a whole number");
  EXPECT_EQ(error_of("[topology]\nservers = true\n"), "x.toml:2: servers must be a whole number");
  EXPECT_EQ(error_of("[topology]\nservers = 0\n"),
            "x.toml:2: servers must be between 1 and 1000, is 0");
  EXPECT_EQ(error_of("[topology]\noptions = [1]\n"), "x.toml:2: options must be a list of strings");
  EXPECT_EQ(error_of("[workload]\nkeys = \"many\"\n"), "x.toml:2: keys must be a whole number");
  EXPECT_EQ(error_of("[storm]\nintensity = inf\n"),
            "x.toml:2: intensity must be between 0 and 1000, is inf");
  EXPECT_EQ(error_of("topology = 1\n"), "x.toml:1: topology must be a table");
}

TEST(Scenario, UnknownKeysAreErrors) {
  EXPECT_TRUE(error_of("sumary = \"s\"\n").starts_with("x.toml:1: \"sumary\" is not known here"));
  EXPECT_TRUE(
      error_of("[storm]\nfault = []\n").starts_with("x.toml:2: \"fault\" is not known here"));
  EXPECT_TRUE(error_of("[weather]\n").starts_with("x.toml:1: \"weather\" is not known here"));
}

TEST(Scenario, NamesThatNothingHasAreErrorsOfThePlan) {
  const auto error = [](std::string_view toml) {
    auto scenario = parse_scenario("x.toml", toml);
    EXPECT_TRUE(scenario);
    auto plan = make_plan(*scenario, 1);
    return plan ? "no error" : plan.error().message();
  };
  EXPECT_TRUE(
      error("[workload]\nname = \"chess\"\n").starts_with("no workload is called \"chess\""));
  EXPECT_TRUE(error("[workload]\nname = \"register\"\nknights = 2\n")
                  .starts_with("x.toml: workload register has no \"knights\""));
}

TEST(Scenario, FaultsThatThereAreNotAreErrors) {
  EXPECT_EQ(error_of("[storm]\nfaults = [\"flood\"]\n"),
            "x.toml:2: no fault is called \"flood\"; `seatrial list faults` names them");
  EXPECT_EQ(error_of("[storm]\nwithout = [\"proces.kill\"]\n"),
            "x.toml:2: no fault is called \"proces.kill\", did you mean process.kill?; `seatrial "
            "list faults` names them");
  EXPECT_EQ(error_of("[storm]\nexpendable = [\"kv7\"]\n"),
            "x.toml:2: no server is called \"kv7\"; there are: kv0");
  EXPECT_EQ(error_of("[fault.\"proces.kill\"]\nrate = 2\n"),
            "x.toml:1: no fault is called \"proces.kill\", did you mean process.kill?; `seatrial "
            "list faults` names them");
}

TEST(Scenario, AFaultsParametersAreChecked) {
  EXPECT_EQ(error_of("[fault.\"disk.stall\"]\nlasts_ms = [5, 1]\n"),
            "x.toml:2: lasts_ms must be a number, or [least, most], from 0 to 1000000000");
  EXPECT_EQ(error_of("[fault.\"net.cut\"]\ncut_chance = 1.5\n"),
            "x.toml:2: cut_chance must be a number, or [least, most], from 0 to 1");
  EXPECT_EQ(error_of("[fault.\"net.cut\"]\nchance = 2\n"),
            "x.toml:2: chance must be between 0 and 1, is 2");
  EXPECT_TRUE(error_of("[fault.\"disk.stall\"]\nlasts_us = 1\n")
                  .starts_with("x.toml:2: \"lasts_us\" is not known here; known are"));
  EXPECT_TRUE(error_of("[fault.\"net.cut\"]\nrate = 2\n").starts_with("x.toml:2: \"rate\""));
}

TEST(Scenario, AFaultsParametersAreWhatIsDrawn) {
  auto scenario = parse_scenario("x.toml",
                                 "[workload]\nname = \"register\"\n[storm]\nseconds = 50\n"
                                 "faults = [\"disk.stall\"]\n[fault.\"disk.stall\"]\n"
                                 "chance = 1\nrate = 3\nlasts_ms = [7, 9]\n");
  ASSERT_TRUE(scenario) << scenario.error().message();
  size_t steps = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    auto plan = make_plan(*scenario, seed);
    ASSERT_TRUE(plan);
    EXPECT_FALSE(plan->faults.empty());
    steps += plan->faults.size();
    for (const sim::FaultStep& step : plan->faults) {
      EXPECT_EQ(step.kind, "disk.stall");
      EXPECT_GE(step.lasts, std::chrono::milliseconds(7));
      EXPECT_LE(step.lasts, std::chrono::milliseconds(9));
    }
  }
  EXPECT_GT(steps, 20U * 20);
  EXPECT_LT(steps, 20U * 40);
}

TEST(Scenario, EachThatIsBuiltInMakesAPlan) {
  for (const Listing& listing : list_scenarios()) {
    auto scenario = load_scenario(listing.name);
    ASSERT_TRUE(scenario) << scenario.error().message();
    EXPECT_FALSE(listing.summary.empty()) << listing.name;
    auto plan = make_plan(*scenario, 1);
    EXPECT_TRUE(plan) << plan.error().message();
  }
  EXPECT_GE(list_scenarios().size(), 2U);
}

TEST(Scenario, LoadsAFileByItsPath) {
  const TemporaryFile file("summary = \"mine\"\n[workload]\nname = \"register\"\n");
  auto scenario = load_scenario(file.path());
  ASSERT_TRUE(scenario) << scenario.error().message();
  EXPECT_EQ(scenario->name, file.path());
  EXPECT_EQ(scenario->summary, "mine");
  EXPECT_EQ(load_scenario("/nowhere/x.toml").error().message(), "/nowhere/x.toml: cannot be read");
  EXPECT_TRUE(load_scenario("kv/nothing")
                  .error()
                  .message()
                  .starts_with("no scenario or suite is called \"kv/nothing\"; there are: smoke"));
}

TEST(Suite, SeedsAreSharedAsItSays) {
  const TemporaryFile file(
      "[[scenario]]\nname = \"kv/register\"\nshare = 3\n"
      "[[scenario]]\nname = \"kv/watch-transfer\"\n");
  auto suite = load_suite(file.path());
  ASSERT_TRUE(suite) << suite.error().message();
  // Of all seeds, and of those that one of two shards runs.
  for (const uint64_t step : {1, 2}) {
    int registers = 0;
    for (uint64_t i = 0; i < 4000; ++i) {
      registers += suite->of(1 + i * step).name == "kv/register" ? 1 : 0;
    }
    EXPECT_GT(registers, 2850);
    EXPECT_LT(registers, 3150);
  }
}

TEST(Suite, AScenarioIsASuiteOfItsOwn) {
  auto suite = load_suite("kv/register");
  ASSERT_TRUE(suite);
  ASSERT_EQ(suite->entries.size(), 1U);
  EXPECT_EQ(suite->of(77).name, "kv/register");
}

TEST(Suite, UnknownKeysAndBadSharesAreErrors) {
  const auto error = [](std::string_view text) {
    const TemporaryFile file(text);
    auto suite = load_suite(file.path());
    return suite ? "no error" : suite.error().message().substr(file.path().size());
  };
  EXPECT_TRUE(error("musthit = []\n[[scenario]]\nname = \"kv/register\"\n")
                  .starts_with(":1: \"musthit\" is not known here"));
  EXPECT_TRUE(error("[[scenario]]\nname = \"kv/register\"\nweight = 2\n")
                  .starts_with(":3: \"weight\" is not known here"));
  EXPECT_EQ(error("[[scenario]]\nname = \"kv/register\"\nshare = 0\n"),
            ":3: share must be between 1 and 1000, is 0");
}

}  // namespace
}  // namespace seatrial::scenarios
