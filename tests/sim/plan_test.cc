#include "sim/plan.h"
#include "sim/streams.h"
#include "sim/swarm.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <nlohmann/json.hpp>

#include <string>

namespace seatrial::sim {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

Plan some_plan() {
  Plan plan;
  plan.storm = 20s;
  plan.calm_limit = 60s;
  plan.faults.push_back({.at = 1500us,
                         .kind = "process.kill",
                         .target = "kv0",
                         .lasts = 2s,
                         .moment = Moment::kSync,
                         .delay = 7us,
                         .count = 3});
  plan.servers.push_back({"kv0", {"--appendfsync", "always"}});
  plan.clients.push_back({"client0", {R"({"f":"get","k":"a"})", R"({"f":"set","k":"a","v":1})"}});
  return plan;
}

std::string error_of(const json& plan) {
  auto parsed = parse_plan(plan);
  return parsed ? "no error" : parsed.error().message();
}

// The plan as JSON with one member, given by its pointer, set to something else.
std::string error_with(const std::string& pointer, const json& value) {
  json plan = json::parse(to_json(some_plan()));
  plan[json::json_pointer(pointer)] = value;
  return error_of(plan);
}

std::string error_without(const std::string& pointer, const std::string& member) {
  json plan = json::parse(to_json(some_plan()));
  plan[json::json_pointer(pointer)].erase(member);
  return error_of(plan);
}

TEST(Plan, WhatWasNotDrawnMayBeMissing) {
  json plan = json::parse(to_json(some_plan()));
  plan.erase("servers");
  plan["faults"][0].erase("count");
  const auto parsed = parse_plan(plan);
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_TRUE(parsed->servers.empty());
  EXPECT_EQ(parsed->faults[0].count, 0U);
  EXPECT_EQ(error_with("/servers/0/options/0", 7),
            "plan.servers[0].options: expected strings, found 7");
}

TEST(Plan, ComesBackFromJsonAsItWas) {
  const Plan plan = some_plan();
  const auto parsed = parse_plan(std::string_view(to_json(plan)));
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_EQ(*parsed, plan);
  EXPECT_EQ(to_json(*parsed), to_json(plan));
}

RC_GTEST_PROP(PlanProperty, WhatASeedDrawsComesBackFromJsonAsItWas, (uint64_t seed)) {
  Plan plan;
  plan.storm = 20s;
  plan.calm_limit = 60s;
  SwarmOptions options;
  options.stage = {.servers = {"kv0", "kv1"}, .clients = {"client0"}, .storm = 20s};
  draw_swarm(Streams(seed), options, plan);
  const auto parsed = parse_plan(std::string_view(to_json(plan)));
  RC_ASSERT(parsed.has_value());
  RC_ASSERT(*parsed == plan);
}

TEST(Plan, EachMalformedMemberIsNamed) {
  EXPECT_EQ(error_with("/storm_us", "long"),
            "plan.storm_us: expected a whole number, found \"long\"");
  EXPECT_EQ(error_with("/storm_us", 1.5), "plan.storm_us: expected a whole number, found 1.5");
  EXPECT_EQ(error_with("/storm_us", -1), "plan.storm_us: expected a number of 0 or more, found -1");
  EXPECT_EQ(error_with("/storm_us", 1'000'000'000'000'000'000),
            "plan.storm_us: expected a number of 1e12 at most, found 1000000000000000000");
  EXPECT_EQ(error_with("/faults", 3), "plan.faults: expected an array, found 3");
  EXPECT_EQ(error_with("/faults/0", 3), "plan.faults[0]: expected an object, found 3");
  EXPECT_EQ(error_with("/faults/0/kind", 3), "plan.faults[0].kind: expected a string, found 3");
  EXPECT_EQ(error_with("/faults/0/moment", "soon"),
            "plan.faults[0].moment: expected any, sync, write, rename, child or after_child, found "
            "\"soon\"");
  EXPECT_EQ(error_with("/clients/0/client", 7),
            "plan.clients[0].client: expected a string, found 7");
  EXPECT_EQ(error_with("/clients/0/operations", "x"),
            "plan.clients[0].operations: expected an array, found \"x\"");
  EXPECT_EQ(error_with("/weather", 1), "plan.weather: expected an object, found 1");
  EXPECT_EQ(error_with("/weather/disk/stall_chance", "x"),
            "plan.weather.disk.stall_chance: expected a number, found \"x\"");
}

TEST(Plan, ChaosThatIsNotKnownOrMakesNoSenseIsRefused) {
  EXPECT_EQ(error_with("/servers/0/armed", 3),
            "plan.servers[0].armed: expected an object, found 3");
  EXPECT_EQ(error_with("/servers/0/armed/test: first sight", 0.5),
            "plan.servers[0].armed.test: first sight: no chance site is called so, did you mean "
            "\"test: first site\"?; `seatrial list chaos` names them");
  EXPECT_EQ(error_with("/servers/0/armed/test: first site", "often"),
            "plan.servers[0].armed.test: first site: expected a number, found \"often\"");
  EXPECT_EQ(error_with("/servers/0/armed/test: first site", 2),
            "plan.servers[0].armed.test: first site: expected a chance between 0 and 1, found 2");
  EXPECT_EQ(error_with("/servers/0/knobs", "all"),
            "plan.servers[0].knobs: expected an object, found \"all\"");
  EXPECT_TRUE(error_with("/servers/0/knobs/q", 1)
                  .starts_with("plan.servers[0].knobs.q: no knob is called so"));
  EXPECT_EQ(error_with("/servers/0/knobs/test: batch", 1.5),
            "plan.servers[0].knobs.test: batch: expected a whole number, found 1.5");
  EXPECT_EQ(error_with("/servers/0/knobs/test: batch", 7), "no error");
}

TEST(Plan, WeatherThatMakesNoSenseIsRefused) {
  EXPECT_EQ(error_with("/weather/network/cut_chance", 1.5),
            "plan.weather.network.cut_chance: expected a chance between 0 and 1");
  EXPECT_EQ(error_with("/weather/network/latency_min_us", 900'000),
            "plan.weather.network.latency_max_us: less than its minimum");
  EXPECT_EQ(error_with("/weather/disk/sync_max_us", 1),
            "plan.weather.disk.sync_max_us: less than its minimum");
  EXPECT_EQ(error_with("/weather/network/buffer_bytes", 0),
            "plan.weather.network.buffer_bytes: expected at least 1");
  EXPECT_EQ(error_with("/weather/process/pids", 0),
            "plan.weather.process.pids: expected at least 1");
}

TEST(Plan, WhatIsMissingIsNamed) {
  EXPECT_EQ(error_without("", "faults"), "plan: \"faults\" is missing");
  EXPECT_EQ(error_without("/faults/0", "delay_us"), "plan.faults[0]: \"delay_us\" is missing");
}

TEST(Plan, WeatherThatIsMissingIsFair) {
  EXPECT_EQ(error_without("/weather", "chaos"), "no error");
  EXPECT_EQ(error_without("/weather/chaos", "knob_shaken"), "no error");
  const auto plan =
      parse_plan(std::string_view(R"({"storm_us": 1, "calm_limit_us": 1, "weather": {"disk": {}},
                           "faults": [], "clients": []})"));
  ASSERT_TRUE(plan) << plan.error().message();
  EXPECT_EQ(plan->weather, Weather{});
}

TEST(Plan, WhatIsNotKnownIsRefusedByName) {
  EXPECT_EQ(error_with("/storms", 1),
            "plan: \"storms\" is not known; known are calm_limit_us, clients, faults, servers, "
            "storm_us, weather");
  EXPECT_TRUE(error_with("/faults/0/when", 1).starts_with("plan.faults[0]: \"when\" is not known"));
  EXPECT_TRUE(error_with("/weather/sea", 1).starts_with("plan.weather: \"sea\" is not known"));
  EXPECT_TRUE(
      error_with("/weather/disk/rust", 1).starts_with("plan.weather.disk: \"rust\" is not known"));
}

TEST(Plan, NotJsonAtAll) {
  auto parsed = parse_plan(std::string_view("{"));
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().message(), "plan: not JSON");
  EXPECT_EQ(error_of(json::array()), "plan: expected an object, found []");
}

}  // namespace
}  // namespace seatrial::sim
