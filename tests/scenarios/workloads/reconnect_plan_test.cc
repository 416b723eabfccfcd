#include "scenarios/workloads/reconnect_plan.h"

#include <gtest/gtest.h>

#include <map>

namespace seatrial::scenarios {
namespace {

using namespace std::chrono_literals;

Scenario four_servers() {
  Scenario scenario;
  scenario.name = "kv/reconnect-storm";
  scenario.servers = 4;
  scenario.clients = 4;
  scenario.workload = "reconnect-storm";
  scenario.storm = 20s;
  return scenario;
}

std::string error_of(std::string_view line) {
  const auto parsed = parse_reconnect(line);
  return parsed ? "" : parsed.error().message();
}

TEST(ReconnectPlan, EveryOperationDrawnCanBeRead) {
  const Scenario scenario = four_servers();
  std::map<std::string, int> functions;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    for (uint32_t client = 0; client < scenario.clients; ++client) {
      for (const std::string& line :
           plan_reconnect(scenario, client, base::RandomStream(seed * 10 + client))) {
        const auto parsed = parse_reconnect(line);
        ASSERT_TRUE(parsed) << line << ": " << parsed.error().message();
        const bool asks = parsed->f == "ask";
        const bool reads = !asks && !parsed->node.empty();
        EXPECT_EQ(asks, client == 0) << line;
        EXPECT_EQ(reads, client == 3) << line;
        ++functions[asks ? parsed->words[0] : parsed->f];
      }
    }
  }
  for (const char* function :
       {"REPLICAOF", "SHUTDOWN", "BGSAVE", "BGREWRITEAOF", "CLIENT", "set", "incr", "append", "del",
        "expire", "flush", "unit", "get", "exec", "watch"}) {
    EXPECT_GT(functions[function], 0) << function;
  }
}

TEST(ReconnectPlan, SomeSeedsKeepTheirTopology) {
  const Scenario scenario = four_servers();
  int quiet = 0;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    if (plan_reconnect(scenario, 0, base::RandomStream(seed)).empty()) ++quiet;
  }
  EXPECT_GT(quiet, 10);
  EXPECT_LT(quiet, 90);
}

TEST(ReconnectPlan, AnEditedOperationThatLacksSomethingIsRefused) {
  EXPECT_EQ(error_of(R"({"f":"set","k":"2/k1"})"), "");
  EXPECT_EQ(error_of(R"({"f":"get","at":"kv1","keys":["0/k1"]})"), "");
  const std::string lacks = "reconnect-storm: an operation lacks what its \"f\" needs: ";
  for (const char* line : {
           R"({"f":"set"})",
           R"({"f":"set","k":"k1"})",
           R"({"f":"set","k":"9/k1"})",
           R"({"f":"get","keys":["0/k1"]})",
           R"({"f":"ask","at":"kv1"})",
           R"({"f":"unit","do":["set k1"]})",
           R"({"f":"fly","k":"0/k1"})",
       }) {
    EXPECT_NE(error_of(line).find(lacks + line), std::string::npos) << error_of(line);
  }
  EXPECT_NE(error_of(R"({"f":"get","at":"kv1","keys":"0/k1"})").find("must be a list of strings"),
            std::string::npos);
  EXPECT_NE(error_of("nonsense"), "");
}

}  // namespace
}  // namespace seatrial::scenarios
