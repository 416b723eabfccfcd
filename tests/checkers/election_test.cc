#include "checkers/election.h"
#include "base/random.h"
#include "checkers/check.h"
#include "checkers/hjl.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <set>

namespace seatrial::checkers {
namespace {

// Writes a history by hand: a microsecond an event.
class Script {
 public:
  explicit Script(std::string_view header = "")
      : text_(fmt::format("{{\"hdr\":\"hjl/1\",\"type\":\"election\"{}}}\n", header)) {}

  int open(std::string_view function, std::string_view argument, std::string_view key = "m") {
    text_ += fmt::format(R"({{"t":{},"p":{},"id":{},"e":"invoke","f":"{}","k":"{}","a":{}}})"
                         "\n",
                         now_++, next_, next_, function, key, argument);
    return next_++;
  }
  Script& end(int id, std::string_view how, std::string_view result = "") {
    text_ += fmt::format(R"({{"t":{},"p":{},"id":{},"e":"{}"{}{}}})"
                         "\n",
                         now_++, id, id, how, result.empty() ? "" : ",\"r\":", result);
    return *this;
  }
  Script& wait(int64_t micros) {
    now_ += micros;
    return *this;
  }
  int open_promote(int epoch, std::string_view node) {
    return open("promote", fmt::format(R"({{"epoch":{},"node":"{}"}})", epoch, node));
  }
  Script& promote(int epoch, std::string_view node, std::string_view how = "ok") {
    return end(open_promote(epoch, node), how, how == "ok" ? "\"OK\"" : "");
  }
  Script& observe(std::string_view by, int epoch, std::string_view node) {
    const std::string primary = node.empty() ? "null" : fmt::format("\"{}\"", node);
    return end(open("observe", fmt::format(R"({{"by":"{}"}})", by)), "ok",
               fmt::format(R"({{"epoch":{},"primary":{}}})", epoch, primary));
  }
  Script& calm(int within) {
    return end(open("calm", fmt::format(R"({{"within":{}}})", within)), "ok", "\"OK\"");
  }

  Verdict judge() const {
    const Result<Verdict> verdict = check("election", text_);
    EXPECT_TRUE(verdict) << verdict.error().message();
    return verdict ? *verdict : Verdict{};
  }
  std::string anomaly() const {
    const Verdict verdict = judge();
    EXPECT_NE(verdict.outcome, Outcome::kUndecided) << verdict.summary;
    return verdict.anomaly;
  }

 private:
  std::string text_;
  int64_t now_ = 0;
  int next_ = 0;
};

TEST(Election, AcceptsAFailover) {
  Script script(R"(,"epoch":0,"primary":"n0")");
  script.observe("s1", 0, "n0").promote(1, "n1", "info").promote(2, "n2");
  script.observe("s1", 2, "n2").observe("s2", 0, "n0");
  script.calm(10).observe("s2", 0, "n0").wait(10);
  script.observe("s1", 2, "n2").observe("s2", 2, "n2").observe("n1", 2, "n2");
  EXPECT_EQ(script.anomaly(), "");
}

TEST(Election, OneNodeIsThePrimaryOfAnEpoch) {
  EXPECT_EQ(Script().promote(1, "n1").promote(1, "n2").anomaly(), "two-primaries");
  EXPECT_EQ(Script().promote(1, "n1").promote(1, "n1").anomaly(), "");
  EXPECT_EQ(Script().promote(1, "n1").promote(2, "n2").anomaly(), "");
  EXPECT_EQ(Script().promote(1, "n1").promote(1, "n2", "fail").anomaly(), "");
  EXPECT_EQ(Script().promote(1, "n1").promote(1, "n2", "info").anomaly(), "");
  Script seen;
  seen.promote(1, "n1").promote(1, "n2", "info").observe("s1", 1, "n2");
  EXPECT_EQ(seen.anomaly(), "two-primaries") << "the unknown one had happened";
  Script began(R"(,"epoch":4,"primary":"n0")");
  EXPECT_EQ(began.promote(4, "n1").anomaly(), "two-primaries");
}

TEST(Election, GroupsAreApart) {
  Script script;
  script.promote(1, "n1");
  script.end(script.open("promote", R"({"epoch":1,"node":"n2"})", "other"), "ok", "\"OK\"");
  EXPECT_EQ(script.anomaly(), "");
}

TEST(Election, APrimaryWasMadeOne) {
  EXPECT_EQ(Script().observe("s1", 1, "n1").anomaly(), "phantom-primary");
  EXPECT_EQ(Script().promote(2, "n1").observe("s1", 1, "n1").anomaly(), "phantom-primary");
  EXPECT_EQ(Script().observe("s1", 1, "n1").promote(1, "n1").anomaly(), "phantom-primary");
  EXPECT_EQ(Script().promote(1, "n1", "fail").observe("s1", 1, "n1").anomaly(), "failed-promotion");
  EXPECT_EQ(Script(R"(,"epoch":1,"primary":"n1")").observe("s1", 1, "n1").anomaly(), "");
  Script under_way;
  const int promotion = under_way.open_promote(1, "n1");
  under_way.observe("s1", 1, "n1").end(promotion, "ok", "\"OK\"");
  EXPECT_EQ(under_way.anomaly(), "");
}

TEST(Election, AnObserversEpochsRise) {
  const auto then = [](std::string_view by) {
    return Script().promote(1, "n1").promote(2, "n2").observe("s1", 2, "n2").observe(by, 1, "n1");
  };
  EXPECT_EQ(then("s2").anomaly(), "");
  EXPECT_EQ(then("s1").anomaly(), "epoch-regress");
  Script both;
  both.promote(1, "n1").promote(2, "n2");
  const int early = both.open("observe", R"({"by":"s1"})");
  both.observe("s1", 2, "n2").end(early, "ok", R"({"epoch":1,"primary":"n1"})");
  EXPECT_EQ(both.anomaly(), "") << "asked twice at once";
}

TEST(Election, AfterCalmThereIsOnePrimaryThatAllKnow) {
  const auto past = [](auto&& what) {
    Script script;
    script.promote(1, "n1").promote(2, "n2").calm(10).wait(11).observe("s1", 2, "n2");
    what(script);
    return script.anomaly();
  };
  EXPECT_EQ(past([](Script& script) { script.observe("s2", 2, "n2"); }), "");
  EXPECT_EQ(past([](Script& script) { script.observe("s2", 1, "n1"); }), "disagreement");
  EXPECT_EQ(past([](Script& script) { script.observe("s2", 2, ""); }), "no-primary");
  EXPECT_EQ(past([](Script& script) { script.promote(3, "n1"); }), "unsettled");
  EXPECT_EQ(past([](Script& script) {
              script.calm(10).observe("s2", 1, "n1").wait(10).observe("s2", 2, "n2");
            }),
            "")
      << "the last calm counts";
}

TEST(Election, WithinTheBoundNobodyHasToAgree) {
  Script script;
  script.promote(1, "n1").promote(2, "n2").calm(10).observe("s1", 2, "n2").observe("s2", 1, "n1");
  script.wait(10).observe("s2", 2, "n2");
  EXPECT_EQ(script.anomaly(), "");
}

TEST(Election, WithoutObserversPastTheBoundItIsUndecided) {
  Script script;
  script.promote(1, "n1").observe("s1", 1, "n1").calm(10);
  EXPECT_EQ(script.judge().outcome, Outcome::kUndecided);
}

TEST(Election, ShapesAreNamed) {
  const auto message = [](std::string_view line) {
    const auto read = read_hjl("{\"hdr\":\"hjl/1\",\"type\":\"election\"}\n" + std::string(line));
    return read ? std::string() : read.error().message();
  };
  EXPECT_EQ(message(R"({"t":0,"p":0,"id":0,"e":"invoke","f":"promote","k":"m","a":{"epoch":1}})"),
            "line 2: argument of promote is {\"epoch\":1}, expected "
            "{\"epoch\":number,\"node\":name}");
  EXPECT_EQ(message("{\"t\":0,\"p\":0,\"id\":0,\"e\":\"invoke\",\"f\":\"observe\",\"k\":\"m\","
                    "\"a\":{\"by\":1}}\n"
                    R"({"t":0,"p":0,"id":0,"e":"ok","r":{"primary":1}})"),
            "line 3: result of observe is {\"primary\":1}, expected "
            "{\"epoch\":number,\"primary\":name or null}");
  EXPECT_EQ(message(R"({"t":0,"p":0,"id":0,"e":"invoke","f":"calm","a":{"within":1}})"),
            "line 2: calm needs a key");
}

// ---- Against the definitions, pair by pair ----

struct Said {
  Function function = Function::kObserve;
  Completion how = Completion::kOk;
  int64_t epoch = 0;
  int64_t node = -1;  // -1: nobody.
  int64_t by = 0;
  int64_t begins = 0;
  int64_t ends = 0;
};

// Which rules a history breaks, by looking at everything beside everything.
std::set<std::string> broken(const std::vector<Said>& all) {
  std::set<std::string> names;
  std::optional<int64_t> bound;
  int64_t calmed = -1;
  for (const Said& each : all) {
    if (each.function != Function::kCalm || each.how != Completion::kOk || each.ends < calmed) {
      continue;
    }
    calmed = each.ends;
    bound = each.ends + each.epoch;
  }
  const auto shows = [](const Said& s) {
    return s.how == Completion::kOk && s.function != Function::kCalm && s.node >= 0;
  };
  const auto sees = [](const Said& s) {
    return s.how == Completion::kOk && s.function == Function::kObserve;
  };
  for (const Said& a : all) {
    if (sees(a) && a.node >= 0) {
      bool failed = false;
      bool asked = false;
      for (const Said& b : all) {
        if (b.function != Function::kPromote || b.epoch != a.epoch || b.node != a.node) continue;
        if (b.begins > a.ends) continue;
        (b.how == Completion::kFailed ? failed : asked) = true;
      }
      if (!asked) names.insert(failed ? "failed-promotion" : "phantom-primary");
    }
    if (bound && a.begins > *bound && a.how == Completion::kOk) {
      if (a.function == Function::kPromote) names.insert("unsettled");
      if (a.function == Function::kObserve && a.node < 0) names.insert("no-primary");
    }
    for (const Said& b : all) {
      if (shows(a) && shows(b) && a.epoch == b.epoch && a.node != b.node) {
        names.insert("two-primaries");
      }
      if (!sees(a) || !sees(b)) continue;
      if (a.by == b.by && a.ends < b.begins && b.epoch < a.epoch) names.insert("epoch-regress");
      if (!bound || a.begins <= *bound || b.begins <= *bound || a.node < 0 || b.node < 0) continue;
      if (a.node != b.node || a.epoch != b.epoch) names.insert("disagreement");
    }
  }
  return names;
}

struct Drawn {
  History history;
  std::vector<Said> said;
};

// A small history: mostly of a correct election, with some of its answers spoilt.
Drawn draw(base::RandomStream& random) {
  Recorder recorder("election", 4);
  std::vector<Said> said;
  std::map<uint32_t, std::pair<OperationId, size_t>> open;  // By client.
  std::map<int64_t, int64_t> primaries;
  int64_t now = 0;
  const uint64_t operations = 2 + random.below(9);
  while (said.size() < operations || !open.empty()) {
    now += 1 + static_cast<int64_t>(random.below(4));
    const auto client = static_cast<uint32_t>(random.below(4));
    const auto at = open.find(client);
    if (at == open.end()) {
      if (said.size() == operations) continue;
      Said& next = said.emplace_back();
      next.begins = now;
      next.by = static_cast<int64_t>(random.below(3));
      next.epoch = static_cast<int64_t>(random.below(3));
      next.node = static_cast<int64_t>(random.below(2));
      const uint64_t kind = random.below(10);
      next.function = kind < 3    ? Function::kPromote
                      : kind == 3 ? Function::kCalm
                                  : Function::kObserve;
      const Value epoch[] = {Value::text("epoch"), Value::integer(next.epoch), Value::text("node"),
                             Value::integer(next.node)};
      const Value by[] = {Value::text("by"), Value::integer(next.by)};
      const Value within[] = {Value::text("within"), Value::integer(next.epoch)};
      const Value argument = next.function == Function::kPromote ? Value::object(epoch)
                             : next.function == Function::kCalm  ? Value::object(within)
                                                                 : Value::object(by);
      open[client] = {recorder.invoke(Micros(now), client, next.function, "m", argument),
                      said.size() - 1};
      continue;
    }
    const auto [id, index] = at->second;
    Said& done = said[index];
    open.erase(at);
    done.ends = now;
    const uint64_t how = random.below(10);
    done.how = how == 0 ? Completion::kFailed : how == 1 ? Completion::kUnknown : Completion::kOk;
    if (done.function == Function::kPromote && done.how == Completion::kOk && !random.chance(0.1)) {
      // Somebody else's epoch: refused.
      const auto [holder, fresh] = primaries.emplace(done.epoch, done.node);
      if (!fresh && holder->second != done.node) done.how = Completion::kFailed;
    }
    if (done.how == Completion::kFailed) {
      recorder.fail(Micros(now), id);
      continue;
    }
    if (done.how == Completion::kUnknown) {
      recorder.info(Micros(now), id);
      continue;
    }
    if (done.function != Function::kObserve) {
      recorder.ok(Micros(now), id, Value::text("OK"));
      continue;
    }
    if (!primaries.empty() && random.chance(0.9)) {
      std::tie(done.epoch, done.node) = *primaries.rbegin();
    } else if (random.chance(0.5)) {
      done.node = -1;
    }
    const Value told[] = {Value::text("epoch"), Value::integer(done.epoch), Value::text("primary"),
                          done.node < 0 ? Value() : Value::integer(done.node)};
    recorder.ok(Micros(now), id, Value::object(told));
  }
  return {std::move(recorder).take(), std::move(said)};
}

TEST(Election, AgreesWithTheDefinitionsOnSmallHistories) {
  const std::array<std::string_view, 7> ranks = {
      "two-primaries", "phantom-primary", "failed-promotion", "epoch-regress",
      "no-primary",    "disagreement",    "unsettled"};
  std::map<std::string, int> seen;
  for (uint64_t seed = 0; seed < 100'000; seed++) {
    base::RandomStream random(seed, "election");
    const Drawn drawn = draw(random);
    const Verdict verdict = check_election(drawn.history);
    const std::set<std::string> names = broken(drawn.said);
    std::string gravest;
    for (std::string_view name : ranks) {
      if (gravest.empty() && names.contains(std::string(name))) gravest = name;
    }
    ASSERT_EQ(verdict.anomaly, gravest) << "seed " << seed << "\n"
                                        << write_hjl(drawn.history) << verdict.summary;
    const bool decided = verdict.outcome != Outcome::kUndecided;
    seen[decided ? verdict.anomaly : "undecided"]++;
  }
  for (std::string_view name : ranks) EXPECT_GT(seen[std::string(name)], 100) << name;
  EXPECT_GT(seen[""], 5000);
}

}  // namespace
}  // namespace seatrial::checkers
