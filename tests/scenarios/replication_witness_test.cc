#include "scenarios/replication_witness.h"

#include <gtest/gtest.h>

namespace seatrial::scenarios {
namespace {

using namespace std::chrono_literals;
using checkers::KeyChange;
using checkers::Micros;
using Change = kv::ReplicationPoint::Change;
using Reason = checkers::ReplicationObservation::Reason;

class Witnessed : public testing::Test {
 protected:
  void see(kv::Observer* observer, int64_t offset, Change change = Change::kApplied) {
    observer->observe(
        {.change = change, .primary = true, .id = "A", .offset = offset, .database = 1}, data_);
  }
  void set(int database, std::string_view key, std::string_view value,
           std::optional<kv::WallMs> deadline = {}) {
    kv::Database& at = data_.at(database);
    kv::Entry* const entry = at.find(key);
    if (entry == nullptr) {
      at.insert(key, value, deadline);
    } else {
      at.assign(entry, value, deadline);
    }
  }
  uint64_t last_digest() { return witness_.log().observations.back().digest; }
  // "key=value" of the last observation, "key-" where it went.
  std::vector<std::string> last_changes() {
    const checkers::ReplicationLog log = witness_.log();
    std::vector<std::string> texts;
    for (const KeyChange& change : log.observations.back().changes) {
      texts.push_back(log.keys[change.key] + (change.value ? "=" + *change.value : "-"));
    }
    return texts;
  }

  kv::Effects effects_;
  kv::Keyspace data_{4, 7, effects_};
  sim::World world_{{.seed = 1}};
  ReplicationWitness witness_{world_};
  kv::Observer* first_ = witness_.of_kv("kv0");
  kv::Observer* second_ = witness_.of_kv("kv1");
};

TEST_F(Witnessed, NotesWhatChanged) {
  using Texts = std::vector<std::string>;
  set(0, "a", "1");
  set(2, "a", "1");
  see(first_, 10);
  EXPECT_EQ(last_changes(), (Texts{"0/a=1", "2/a=1"}));
  see(first_, 20);
  EXPECT_EQ(last_changes(), Texts());
  set(2, "a", "2");
  data_.at(0).erase("a");
  set(1, "b", "x");
  see(first_, 30);
  EXPECT_EQ(last_changes(), (Texts{"0/a-", "2/a=2", "1/b=x"}));
}

TEST_F(Witnessed, EqualDataHasEqualDigests) {
  set(0, "a", "1");
  set(0, "b", "2");
  see(first_, 10);
  const uint64_t digest = last_digest();
  see(second_, 10);
  EXPECT_EQ(last_digest(), digest);
  set(0, "a", "2");
  set(0, "b", "1");
  see(second_, 20);
  EXPECT_NE(last_digest(), digest);
  set(0, "a", "1");
  set(0, "b", "2");
  see(second_, 30);
  EXPECT_EQ(last_digest(), digest);
}

TEST_F(Witnessed, DatabasesAndDeadlinesCount) {
  set(0, "a", "1");
  see(first_, 10);
  const uint64_t digest = last_digest();
  data_.at(0).erase("a");
  set(1, "a", "1");
  see(first_, 20);
  EXPECT_NE(last_digest(), digest);
  data_.at(1).erase("a");
  set(0, "a", "1", 1'735'689'605'000);
  see(first_, 30);
  EXPECT_NE(last_digest(), digest);
  // Five seconds after the run's beginning, in the millisecond after its deadline.
  EXPECT_EQ(witness_.log().observations.back().changes[0].gone_at, Micros(5'001'000));
}

TEST_F(Witnessed, AStartBeginsALife) {
  set(0, "a", "1");
  world_.record("kv0", sim::Incident::Kind::kStarted);
  see(first_, 10, Change::kReplaced);
  world_.record("kv0", sim::Incident::Kind::kKilled);
  world_.record("kv1", sim::Incident::Kind::kStarted);
  see(second_, 10, Change::kReplaced);
  const checkers::ReplicationLog log = witness_.log();
  std::vector<std::string> told;
  for (const auto& observation : log.observations) {
    told.push_back(log.nodes[observation.life.node] + " " +
                   std::to_string(observation.life.incarnation) + " " +
                   std::string(to_string(observation.reason)));
  }
  EXPECT_EQ(told, (std::vector<std::string>{"kv0 1 started", "kv1 1 started", "kv0 1 replaced",
                                            "kv1 1 replaced"}));
  world_.record("kv0", sim::Incident::Kind::kStarted);
  see(first_, 10, Change::kReplaced);
  EXPECT_EQ(last_changes(), (std::vector<std::string>{"0/a=1"}));
}

}  // namespace
}  // namespace seatrial::scenarios
