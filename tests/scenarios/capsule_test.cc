#include "scenarios/capsule.h"
#include "scenarios/json_place.h"
#include "scenarios/run.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

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

TEST(Capsule, ItsCourseComesBackAsItWas) {
  Capsule capsule = make_capsule("kv/register", 1);
  EXPECT_EQ(to_json(capsule).find("course"), std::string::npos);
  capsule.course = Course{.events = 3, .hashes = {1, 0xffff, 3}, .kinds = "rsk"};
  const auto parsed = parse_capsule(to_json(capsule));
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_EQ(parsed->course, capsule.course);
}

TEST(Capsule, OfAnotherVersion) {
  EXPECT_EQ(error_of(changed("\"capsule\": 1", "\"capsule\": 2")),
            "a capsule of version 2, this binary reads version 1");
  EXPECT_EQ(error_of("{}"), "a capsule of version none, this binary reads version 1");
  EXPECT_EQ(error_of("[]"), "not a capsule: expected a JSON object");
}

// What is made wrong in a capsule, and the message about it: file, line, member.
struct Bad {
  const char* from;
  const char* to;
  const char* line;  // The text of the line that is to be named.
  const char* message;
};

constexpr Bad kBad[] = {
    {"\"capsule\": 1,", "\"capsule\": 1,\n \"mood\": 3,", "\"mood\"", ": mood: it is not known"},
    {"\"seed\": 1,", "\"seed\": -1,", "\"seed\"", ": seed: expected a whole number, found -1"},
    {"\"revision\": \"abc123\"", "\"revision\": 3", "\"revision\"",
     ": revision: expected a string, found 3"},
    {"\"hash\": \"0", "\"hash\": \"x", "\"hash\"", ": hash: expected 1 to 16 hexadecimal"},
    {"\"storm_us\"", "\"storms\"", "\"plan\"", ": plan: \"storm_us\" is missing"},
    {"\"calm_limit_us\"", "\"storm\": 1,\n  \"calm_limit_us\"", "\"storm\"",
     ": plan: \"storm\" is not known"},
    {"\"latency_min_us\": ", "\"latency_min_us\": -", "\"latency_min_us\"",
     ": plan.weather.network.latency_min_us: expected a number of 0 or more"},
    {"\"cut_chance\": ", "\"cut_chance\": 1", "\"cut_chance\"",
     ": plan.weather.network.cut_chance: expected a chance"},
    {"\"kind\": \"process.kill\"", "\"kind\": \"proces.kill\"", "proces.kill",
     "kind: no fault is called \"proces.kill\", did you mean process.kill?"},
    {"\"target\": \"kv0\"", "\"target\": \"kv7\"", "kv7", "target: no node is called \"kv7\""},
    {"\"moment\": \"any\"", "\"moment\": \"soon\"", "soon", "moment: expected any, sync"},
    {"\"server\": \"kv0\"", "\"server\": \"kv9\"", "kv9",
     ": plan.servers[0].server: no server is called \"kv9\""},
    {"\"armed\": {", "\"armed\": {\n \"aof: shot batch\": 1,", "aof: shot",
     ": plan.servers[0].armed.aof: shot batch: no chance site is called so, did you mean"},
    {"\"knobs\": {", "\"knobs\": {\n \"kv: reply bytes\": \"few\",\n \"x\": 1,", "\"x\"",
     ": plan.servers[0].knobs.x: no knob is called so"},
    {"\"client\": \"client0\"", "\"client\": 0", "\"client\": 0",
     ": plan.clients[0].client: expected a string, found 0"},
    {"\"hashes\": \"", "\"hashes\": \"*", "\"hashes\"", ": course.hashes: expected base64"},
    {"\"kinds\": \"r", "\"kinds\": \"?", "\"kinds\"", ": course.kinds: expected a letter"},
};

TEST(Capsule, EachMistakeIsNamedWithFileLineAndMember) {
  auto scenario = load_scenario("kv/register");
  ASSERT_TRUE(scenario);
  auto plan = make_plan(*scenario, 1);
  ASSERT_TRUE(plan);
  plan->faults = {{.at = sim::VirtualTime(1000), .kind = "process.kill", .target = "kv0"}};
  plan->servers = {
      {.server = "kv0",
       .chaos = {.armed = {{"aof: short batch", 0.5}}, .knobs = {{"log: tail bytes", 0}}}}};
  plan->weather.network.cut_chance = 0.25;
  Capsule capsule{*scenario, 1, *plan, "abc123", 0x1234, "violation"};
  capsule.course = Course{.events = 3, .hashes = {1, 0xffff, 3}, .kinds = "rsk"};
  const std::string text = to_json(capsule);
  for (const Bad& bad : kBad) {
    std::string broken = text;
    const size_t at = broken.find(bad.from);
    ASSERT_NE(at, std::string::npos) << bad.from;
    broken.replace(at, std::string_view(bad.from).size(), bad.to);
    std::string message = "no error";
    auto parsed = read_capsule("fail.json", broken);
    if (!parsed) {
      message = parsed.error().message();
    } else if (auto ran = run_seed(parsed->scenario, 1, parsed->plan); !ran) {
      message = placed(ran.error(), "fail.json", broken).message();
    }
    const auto before = std::string_view(broken).substr(0, broken.find(bad.line));
    const auto line = 1 + std::ranges::count(before, '\n');
    EXPECT_TRUE(message.starts_with(fmt::format("fail.json:{}: ", line)))
        << bad.to << " at line " << line << ": " << message;
    EXPECT_NE(message.find(bad.message), std::string::npos) << message;
  }
}

TEST(Capsule, WhatIsNoJsonIsNamedWithItsLine) {
  const auto parsed = read_capsule("fail.json", "{\n\"capsule\": 1,\n}");
  ASSERT_FALSE(parsed);
  EXPECT_TRUE(parsed.error().message().starts_with("fail.json:3: not JSON: "))
      << parsed.error().message();
}

TEST(Capsule, AMistakeInItsScenarioIsNamedWithTheScenariosLine) {
  const std::string message = error_of(changed("[storm]", "[storn]"));
  EXPECT_TRUE(message.starts_with("toml: kv/register:")) << message;
  EXPECT_NE(message.find("\"storn\" is not known"), std::string::npos) << message;
}

}  // namespace
}  // namespace seatrial::scenarios
