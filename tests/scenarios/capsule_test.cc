#include "scenarios/capsule.h"
#include "scenarios/run.h"

#include <gtest/gtest.h>

namespace seatrial::scenarios {
namespace {

Capsule make_capsule(std::string_view name, uint64_t seed) {
  auto scenario = load_scenario(name);
  EXPECT_TRUE(scenario);
  auto plan = make_plan(*scenario, seed);
  EXPECT_TRUE(plan);
  return {*scenario, seed, *plan, "abc123", 0x1234, "violation"};
}

std::string error_of(std::string text) {
  auto parsed = parse_capsule(text);
  return parsed ? "no error" : parsed.error().message();
}

// A capsule's JSON with the first `from` replaced.
std::string changed(const std::string& from, const std::string& to) {
  std::string text = to_json(make_capsule("kv/register", 1));
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(Capsule, ComesBackAsItWas) {
  const Capsule capsule = make_capsule("kv/watch-transfer", 17);
  const auto parsed = parse_capsule(to_json(capsule));
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_EQ(parsed->scenario.name, capsule.scenario.name);
  EXPECT_EQ(parsed->scenario.text, capsule.scenario.text);
  EXPECT_EQ(parsed->seed, 17U);
  EXPECT_EQ(parsed->plan, capsule.plan);
  EXPECT_EQ(parsed->revision, "abc123");
  EXPECT_EQ(parsed->hash, 0x1234U);
  EXPECT_EQ(parsed->expected, "violation");
}

TEST(Capsule, IsTheRunOfItsSeed) {
  for (const char* name : {"kv/register", "kv/watch-transfer"}) {
    for (uint64_t seed = 1; seed <= 5; ++seed) {
      const Capsule capsule = make_capsule(name, seed);
      const auto parsed = parse_capsule(to_json(capsule));
      ASSERT_TRUE(parsed);
      const auto original = run_seed(capsule.scenario, seed, capsule.plan);
      const auto replayed = run_seed(parsed->scenario, parsed->seed, parsed->plan);
      ASSERT_TRUE(original);
      ASSERT_TRUE(replayed);
      EXPECT_EQ(original->hash, replayed->hash) << name << " " << seed;
    }
  }
}

TEST(Capsule, OfAnotherVersion) {
  EXPECT_EQ(error_of(changed("\"capsule\": 1", "\"capsule\": 2")),
            "a capsule of version 2, this binary reads version 1");
  EXPECT_EQ(error_of("{}"), "a capsule of version none, this binary reads version 1");
  EXPECT_EQ(error_of("[]"), "not a capsule: expected a JSON object");
}

TEST(Capsule, EachBadMemberIsNamed) {
  EXPECT_EQ(error_of(changed("\"capsule\": 1", "\"capsule\": 1, \"mood\": 3")),
            "capsule: \"mood\" is not known");
  EXPECT_EQ(error_of(changed("\"seed\": 1", "\"seed\": -1")),
            "capsule: \"seed\" must be a whole number");
  EXPECT_EQ(error_of(changed("\"revision\": \"abc123\"", "\"revision\": 3")),
            "capsule: \"revision\" must be a string");
  EXPECT_TRUE(error_of(changed("\"storm_us\"", "\"storms\"")).starts_with("plan: "));
}

}  // namespace
}  // namespace seatrial::scenarios
