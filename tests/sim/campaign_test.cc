// A subject from plan to verdict, and many seeds of it: what is wrong with one is found, by its
// kind, and harms no other.
#include "sim/campaign.h"
#include "base/check.h"
#include "tests/sim/programs.h"

#include <gtest/gtest.h>

#include <csignal>
#include <memory>
#include <string>
#include <vector>

namespace seatrial::sim {
namespace {

using namespace std::chrono_literals;

// An echo service and two clients; a seed's kind of misbehaviour is its last digit.
class Echo : public Subject {
 public:
  Terms terms() const override {
    return {.servers = {"server"},
            .clients = {"a", "b"},
            .storm = 2s,
            .calm_limit = 10s,
            .swarm = {.faults = {"process.kill", "net.latency"}}};
  }
  int serve(os::Os& os, std::string_view server) override {
    EXPECT_EQ(server, "server");
    return echo_server(os);
  }
  std::vector<std::string> plan_client(uint32_t number, base::RandomStream random) const override {
    return {std::to_string(number), std::to_string(random.below(1000))};
  }
  void ask(Client& client) override {
    asked += client.operations.size();
    while (echo_call(client.os, "server", "?", 1s) != "?") (void)client.os.clock.sleep_for(10ms);
  }
  void finish(Client& client) override {
    EXPECT_EQ(client.number, 2U);
    EXPECT_EQ(echo_call(client.os, "server", "!", 1s), "!");
  }
  std::vector<std::string> judge() override {
    if (asked == 4) return {};
    return {"not all was asked"};
  }

  uint64_t asked = 0;
};

class Misbehaving : public Echo {
 public:
  void ask(Client& client) override {
    Echo::ask(client);
    switch (client.trial.world().streams().seed() % 10) {
      case 1: asked = 0; break;
      case 2: CHECK_MSG(false, "a bug"); break;
      case 3: (void)client.os.clock.sleep_for(1h); break;
      case 4: std::raise(SIGSEGV); break;
      case 5:
        for (volatile bool spinning = true; spinning;) {
        }
        break;
      default: break;
    }
  }
  void finish(Client&) override {}
};

SubjectFactory make_misbehaving() {
  return [] { return std::make_unique<Misbehaving>(); };
}

TEST(Subject, ASeedMakesTheSameRun) {
  uint64_t hashes[2];
  for (uint64_t& hash : hashes) {
    Echo subject;
    const SubjectReport report = run_subject(subject, 7, draw_plan(subject, 7));
    EXPECT_EQ(report.trial.end, TrialEnd::kFinished) << report.trial.message;
    EXPECT_EQ(report.violations, std::vector<std::string>{});
    hash = report.trial.hash;
  }
  EXPECT_EQ(hashes[0], hashes[1]);
}

TEST(Subject, ItsPlanHoldsWhatItsClientsAsk) {
  const Echo subject;
  const Plan plan = draw_plan(subject, 7);
  ASSERT_EQ(plan.clients.size(), 2U);
  EXPECT_EQ(plan.clients[1].client, "b");
  EXPECT_EQ(plan.clients[1].operations[0], "1");
  const auto again = parse_plan(to_json(plan));
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(*again, plan);
  EXPECT_TRUE(check_plan(subject, plan));
}

TEST(SeedResult, SurvivesItsLine) {
  const SeedResult result{.seed = 9,
                          .finding = Finding::kNondeterministic,
                          .reason = "a \"quote\"\nand a line",
                          .hash = 0xfedcba9876543210U,
                          .events = 12,
                          .sim_time = 3s,
                          .counts = {{"net.cut", 4}}};
  const auto parsed = parse_seed_result(to_json(result));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(to_json(*parsed), to_json(result));
  EXPECT_EQ(parsed->finding, result.finding);
  EXPECT_FALSE(parse_seed_result("{\"seed\":1}"));
  EXPECT_FALSE(parse_seed_result("Segmentation fault"));
}

TEST(Campaign, EachKindOfFindingIsToldApart) {
  std::map<uint64_t, SeedResult> results;
  const CampaignOptions options{.first_seed = 10, .last_seed = 16, .jobs = 2, .watchdog = 2s};
  ASSERT_TRUE(run_campaign(make_misbehaving(), options, [&](const SeedResult& result) {
    EXPECT_TRUE(results.emplace(result.seed, result).second);
  }));
  ASSERT_EQ(results.size(), 7U);
  EXPECT_EQ(results[10].finding, Finding::kHeld) << results[10].reason;
  EXPECT_EQ(results[11].finding, Finding::kViolation);
  EXPECT_EQ(results[11].reason, "not all was asked");
  EXPECT_EQ(results[12].finding, Finding::kCrash);
  EXPECT_NE(results[12].reason.find("a bug"), std::string::npos);
  EXPECT_EQ(results[13].finding, Finding::kStuck);
  EXPECT_EQ(results[14].finding, Finding::kCrash);
  EXPECT_NE(results[14].reason.find("signal 11"), std::string::npos) << results[14].reason;
  EXPECT_EQ(results[15].finding, Finding::kStuck);
  EXPECT_NE(results[15].reason.find("watchdog"), std::string::npos);
  EXPECT_EQ(results[16].finding, Finding::kHeld) << results[16].reason;
}

TEST(Campaign, FailFastStartsNoFurtherSeeds) {
  size_t told = 0;
  const CampaignOptions options{.first_seed = 11, .last_seed = 1000, .fail_fast = true};
  ASSERT_TRUE(run_campaign(make_misbehaving(), options, [&](const SeedResult&) { ++told; }));
  EXPECT_EQ(told, 1U);
}

int main_of(std::vector<std::string> words) {
  words.insert(words.begin(), "program");
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  return campaign_main(static_cast<int>(arguments.size()), arguments.data(), make_misbehaving());
}

TEST(CampaignMain, ExitsAsTheDesignSays) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  EXPECT_EQ(main_of({"--seeds", "16..19", "--jobs=2"}), 0);
  EXPECT_EQ(main_of({"--seeds", "16..21"}), 1);
  EXPECT_EQ(main_of({"--seed", "6", "--no-trace"}), 0);
  EXPECT_EQ(main_of({"--seeds", "12..12"}), 4);
  EXPECT_EQ(main_of({"--seeds", "13..13"}), 5);
  EXPECT_EQ(main_of({"--seeds", "9..7"}), 2);
  EXPECT_EQ(main_of({"--seed", "many"}), 2);
  EXPECT_EQ(main_of({"--seed"}), 2);
  EXPECT_EQ(main_of({"--no-trace=1"}), 2);
  EXPECT_EQ(main_of({"--sed", "1"}), 2);
  EXPECT_EQ(main_of({"--plan", "/no/such/file", "--seed", "1"}), 2);
  EXPECT_EQ(main_of({"--help"}), 0);
  const std::string complaints = testing::internal::GetCapturedStderr();
  EXPECT_NE(complaints.find("did you mean --seed?"), std::string::npos) << complaints;
  EXPECT_NE(complaints.find("--seed takes a whole number, not 'many'"), std::string::npos);
  const std::string said = testing::internal::GetCapturedStdout();
  EXPECT_NE(said.find("--seed 21\n"), std::string::npos) << said;
}

}  // namespace
}  // namespace seatrial::sim
