#include "checkers/prefix.h"
#include "checkers/check.h"
#include "checkers/hjl.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace seatrial::checkers {
namespace {

// Writes a history by hand; each event is a millisecond after the one before, unless time passes.
class Script {
 public:
  Script() : recorder_("prefix", 5) {}

  void pass(int64_t milliseconds) { now_ += milliseconds * 1000; }

  void start(std::string_view log) {
    const Value members[] = {Value::text("late_ms"),   Value::integer(3000),
                             Value::text("log"),       Value::text(log),
                             Value::text("window_ms"), Value::integer(2000)};
    ok(recorder_.invoke(tick(), kWorld, Function::kStart, Value::object(members)), "OK");
  }
  void stop(std::string_view how) {
    ok(recorder_.invoke(tick(), kWorld, Function::kStop, Value::text(how)), "OK");
  }
  void save(std::string_view how = "save") {
    ok(recorder_.invoke(tick(), 0, Function::kSave, Value::text(how)), "OK");
  }

  // Words, numbers where they look like some.
  Value command(std::initializer_list<std::string_view> words) {
    std::span<Value> items = arena_.make<Value>(words.size());
    std::ranges::transform(words, items.begin(), [](std::string_view word) {
      const bool number = word.find_first_not_of("0123456789") == std::string_view::npos;
      return number ? Value::integer(std::stoll(std::string(word))) : Value::text(word);
    });
    return Value::list(items);
  }
  OperationId ask(uint32_t client, Value one) {
    return recorder_.invoke(tick(), client, Function::kWrite, Value::list({&one, 1}));
  }
  void answer(OperationId id, int64_t place, const Value& result = Value::text("OK")) {
    const Value items[] = {Value::integer(place), result};
    recorder_.ok(tick(), id, Value::list(items));
  }
  // "a=1" is set, "a" counts.
  OperationId write(int64_t place, std::string_view what) {
    const size_t equals = what.find('=');
    if (equals == std::string_view::npos) {
      const OperationId id = ask(0, command({"incr", what}));
      answer(id, place, Value::integer(++counted_));
      return id;
    }
    const OperationId id =
        ask(0, command({"set", what.substr(0, equals), what.substr(equals + 1)}));
    answer(id, place);
    return id;
  }
  OperationId lose(std::string_view key, std::string_view value, uint32_t client = 1) {
    const OperationId id = ask(client, command({"set", key, value}));
    recorder_.info(tick(), id);
    return id;
  }
  OperationId refuse(std::string_view key, std::string_view value) {
    const OperationId id = ask(0, command({"set", key, value}));
    recorder_.fail(tick(), id);
    return id;
  }

  struct Seen {
    std::string_view key;
    Value value;
    Value deadline;
  };
  static Seen has(std::string_view key, std::string_view value, int64_t deadline = 0) {
    return {key, Value::text(value), deadline == 0 ? Value() : Value::integer(deadline)};
  }
  static Seen counts(std::string_view key, int64_t value) {
    return {key, Value::integer(value), Value()};
  }
  static Seen nothing(std::string_view key) { return {key, Value(), Value()}; }

  void see(OperationId id, int64_t place, const std::vector<OperationId>& order,
           const std::vector<Seen>& seen) {
    std::vector<Value> ids;
    for (const OperationId each : order) ids.push_back(Value::integer(each));
    std::vector<Value> slots;
    for (const Seen& each : seen) {
      std::span<Value> pair = arena_.make<Value>(2);
      pair[0] = each.value;
      pair[1] = each.deadline;
      slots.push_back(Value::list(pair));
    }
    const Value members[] = {Value::text("keys"), Value::list(slots),   Value::text("order"),
                             Value::list(ids),    Value::text("place"), Value::integer(place)};
    recorder_.ok(tick(), id, Value::object(members));
  }
  OperationId look(const std::vector<Seen>& seen, uint32_t client = 2) {
    std::vector<Value> keys;
    for (const Seen& each : seen) keys.push_back(Value::text(each.key));
    return recorder_.invoke(tick(), client, Function::kView, Value::list(keys));
  }
  void view(const std::vector<OperationId>& order, const std::vector<Seen>& seen) {
    see(look(seen), static_cast<int64_t>(order.size()), order, seen);
  }

  Verdict judge() const { return check_prefix(recorder_.history()); }
  std::string anomaly() const { return judge().anomaly; }
  const History& history() const { return recorder_.history(); }
  Recorder& recorder() { return recorder_; }

 private:
  static constexpr uint32_t kWorld = 4;
  Micros tick() { return Micros(now_ += 1000); }
  void ok(OperationId id, std::string_view text) { recorder_.ok(tick(), id, Value::text(text)); }

  Arena arena_;
  Recorder recorder_;
  int64_t now_ = 0;
  int64_t counted_ = 0;
};

using Ids = std::vector<OperationId>;

TEST(Prefix, WhatASoundServerShowsIsAccepted) {
  Script s;
  s.start("always");
  const OperationId a = s.write(1, "a=x");
  const OperationId n = s.write(2, "n");
  s.view({a, n}, {Script::has("a", "x"), Script::counts("n", 1), Script::nothing("b")});
  s.stop("kill");
  s.start("always");
  s.view({a, n}, {Script::has("a", "x"), Script::counts("n", 1)});
  const OperationId m = s.write(3, "n");
  s.view({a, n, m}, {Script::counts("n", 2)});
  EXPECT_EQ(s.anomaly(), "");
  EXPECT_NE(s.judge().summary.find("2 lives"), std::string::npos);
}

// Whether a life that ended like this may have lost its last write, answered just before.
std::string loss_after(std::string_view log, std::string_view how) {
  Script s;
  s.start(log);
  const OperationId a = s.write(1, "a=x");
  s.write(2, "a=y");
  s.stop(how);
  s.start(log);
  s.view({a}, {Script::has("a", "x")});
  return s.anomaly();
}

TEST(Prefix, LostAcknowledged) {
  EXPECT_EQ(loss_after("always", "kill"), "lost-acknowledged");
  EXPECT_EQ(loss_after("always", "exit"), "lost-acknowledged");
  EXPECT_EQ(loss_after("always", "power"), "lost-acknowledged");
  EXPECT_EQ(loss_after("everysec", "kill"), "lost-acknowledged");
  EXPECT_EQ(loss_after("everysec", "power"), "");
  EXPECT_EQ(loss_after("no", "kill"), "lost-acknowledged");
  EXPECT_EQ(loss_after("no", "power"), "");
  EXPECT_EQ(loss_after("off", "kill"), "");
  EXPECT_EQ(loss_after("off", "power"), "");
}

TEST(Prefix, AnOrderlyEndLosesNothing) {
  for (const char* log : {"always", "everysec", "no"}) {
    EXPECT_EQ(loss_after(log, "end"), "lost-acknowledged") << log;
    EXPECT_EQ(loss_after(log, "end-saved"), "lost-acknowledged") << log;
  }
  EXPECT_EQ(loss_after("off", "end"), "");
  EXPECT_EQ(loss_after("off", "end-saved"), "lost-acknowledged");
}

TEST(Prefix, AnOrderlyEndOutlastsALaterLossOfPower) {
  Script s;
  s.start("no");
  const OperationId a = s.write(1, "a=x");
  s.write(2, "a=y");
  s.stop("end");
  s.stop("power");
  s.start("no");
  s.view({a}, {Script::has("a", "x")});
  EXPECT_EQ(s.anomaly(), "lost-acknowledged");
}

TEST(Prefix, ALifeWithoutAnswersMayLeaveAWrite) {
  Script s;
  s.start("always");
  const OperationId a = s.lose("a", "x");
  s.stop("exit");
  s.start("always");
  const OperationId b = s.write(2, "b=x");
  s.view({a, b}, {Script::has("a", "x"), Script::has("b", "x")});
  EXPECT_EQ(s.anomaly(), "");
}

TEST(Prefix, LostAcknowledgedIsSeenByAWriteAsWell) {
  for (const int64_t place : {2, 3}) {
    Script s;
    s.start("always");
    s.write(1, "a=x");
    s.write(2, "a=y");
    s.stop("kill");
    s.start("always");
    s.write(place, "a=z");
    EXPECT_EQ(s.anomaly(), place == 2 ? "lost-acknowledged" : "");
  }
}

// Under "always" only: the others show what they could not write for now.
TEST(Prefix, WhatAViewHadShownIsAcknowledgedToo) {
  for (const std::string_view log : {"always", "everysec"}) {
    Script s;
    s.start(log);
    const OperationId a = s.ask(1, s.command({"set", "a", "x"}));
    s.view({a}, {Script::has("a", "x")});
    s.stop("kill");
    s.recorder().info(Micros(100'000), a);
    s.pass(200);
    s.start(log);
    s.view({}, {Script::nothing("a")});
    EXPECT_EQ(s.anomaly(), log == "always" ? "lost-acknowledged" : "");
  }
}

TEST(Prefix, AnUnknownWriteMayBeThereOrNot) {
  for (const bool there : {false, true}) {
    Script s;
    s.start("always");
    const OperationId a = s.write(1, "a=x");
    const OperationId b = s.lose("a", "y");
    s.stop("power");
    s.start("always");
    if (there) {
      s.view({a, b}, {Script::has("a", "y")});
    } else {
      s.view({a}, {Script::has("a", "x")});
    }
    EXPECT_EQ(s.anomaly(), "");
  }
}

TEST(Prefix, ALifeThatAnsweredNothingMayHaveLeftAWrite) {
  Script s;
  s.start("always");
  const OperationId lost = s.lose("b", "y");
  s.stop("exit");
  s.start("always");
  s.view({lost}, {Script::has("b", "y")});
  (void)s.write(2, "a=x");
  EXPECT_EQ(s.anomaly(), "");
}

TEST(Prefix, EverySecondKeepsWhatIsOlderThanItsDelay) {
  for (const int64_t before_stop : {2'990, 3'010}) {
    Script s;
    s.start("everysec");
    s.write(1, "a=x");
    s.pass(before_stop);
    s.stop("power");
    s.start("everysec");
    s.view({}, {Script::nothing("a")});
    EXPECT_EQ(s.anomaly(), before_stop < 3'000 ? "" : "lost-acknowledged");
  }
}

TEST(Prefix, EverySecondLosesOneWindowAtMost) {
  for (const int64_t apart : {1'990, 2'010}) {
    Script s;
    s.start("everysec");
    s.write(1, "a=x");
    s.pass(apart);
    s.write(2, "a=y");
    s.stop("power");
    s.start("everysec");
    s.view({}, {Script::nothing("a")});
    EXPECT_EQ(s.anomaly(), apart < 2'000 ? "" : "lost-acknowledged");
  }
}

// Killed at first, dark only later: nobody has synced in between.
TEST(Prefix, ALossOfPowerBeforeTheNextLifeCountsFromTheEndOfThisOne) {
  for (const bool served_between : {false, true}) {
    Script s;
    s.start("everysec");
    const OperationId a = s.write(1, "a=x");
    s.stop("kill");
    s.pass(10'000);
    s.start("everysec");
    if (served_between) {
      s.view({a}, {Script::has("a", "x")});
      s.pass(4'000);
    }
    s.stop("power");
    s.start("everysec");
    s.view({}, {Script::nothing("a")});
    EXPECT_EQ(s.anomaly(), served_between ? "lost-acknowledged" : "");
  }
}

TEST(Prefix, EverySecondRemembersEarlierLives) {
  for (const int64_t second_life : {1'000, 5'000}) {
    Script s;
    s.start("everysec");
    const OperationId a = s.write(1, "a=x");
    s.stop("kill");
    s.start("everysec");
    s.pass(second_life);
    s.view({a}, {Script::has("a", "x")});
    s.stop("power");
    s.start("everysec");
    s.view({}, {Script::nothing("a")});
    EXPECT_EQ(s.anomaly(), second_life == 1'000 ? "" : "lost-acknowledged");
  }
}

TEST(Prefix, ASaveKeepsWhatWasThereBefore) {
  for (const std::string_view how : {"save", "bgsave"}) {
    for (const int kept : {0, 1, 2}) {
      Script s;
      s.start("off");
      const OperationId a = s.write(1, "a=x");
      s.save(how);
      const OperationId b = s.write(2, "a=y");
      s.stop("power");
      s.start("off");
      if (kept == 0) s.view({}, {Script::nothing("a")});
      if (kept == 1) s.view({a}, {Script::has("a", "x")});
      if (kept == 2) s.view({a, b}, {Script::has("a", "y")});
      EXPECT_EQ(s.anomaly(), kept == 0 ? "lost-acknowledged" : "");
    }
  }
}

TEST(Prefix, ASaveIsKeptThroughSeveralLives) {
  Script s;
  s.start("off");
  const OperationId a = s.write(1, "a=x");
  s.save();
  s.stop("kill");
  s.start("off");
  s.view({a}, {Script::has("a", "x")});
  s.stop("kill");
  s.start("off");
  s.view({}, {Script::nothing("a")});
  EXPECT_EQ(s.anomaly(), "lost-acknowledged");
}

TEST(Prefix, ASaveOfUnknownOutcomePromisesNothing) {
  Script s;
  s.start("off");
  s.write(1, "a=x");
  s.recorder().info(Micros(50'000),
                    s.recorder().invoke(Micros(50'000), 3, Function::kSave, Value::text("save")));
  s.pass(100);
  s.stop("kill");
  s.start("off");
  s.view({}, {Script::nothing("a")});
  EXPECT_EQ(s.anomaly(), "");
}

TEST(Prefix, AHoleInTheMiddle) {
  Script s;
  s.start("no");
  const OperationId a = s.write(1, "a=x");
  s.write(2, "b=y");
  const OperationId c = s.write(3, "c=z");
  s.stop("power");
  s.start("no");
  s.view({a, c}, {Script::has("a", "x")});
  EXPECT_EQ(s.anomaly(), "misplaced") << "its answer was another place";

  Script t;
  t.start("no");
  const OperationId d = t.write(1, "a=x");
  const OperationId e = t.lose("b", "y");
  const OperationId f = t.lose("c", "z", 3);
  t.view({d, e, f}, {Script::has("c", "z")});
  t.stop("power");
  t.start("no");
  t.view({d, f}, {Script::has("a", "x")});
  EXPECT_EQ(t.anomaly(), "hole");
}

// The order is whole, but the keys are not what it makes.
TEST(Prefix, AHoleThatOnlyTheKeysShow) {
  Script s;
  s.start("always");
  const OperationId a = s.write(1, "a=x");
  const OperationId b = s.write(2, "b=y");
  s.view({a, b}, {Script::nothing("a"), Script::has("b", "y")});
  EXPECT_EQ(s.anomaly(), "lost-key");
}

TEST(Prefix, AResurrectedDelete) {
  Script s;
  s.start("always");
  const OperationId a = s.write(1, "a=x");
  const OperationId d = s.ask(0, s.command({"del", "a"}));
  s.answer(d, 2, Value::integer(1));
  s.stop("kill");
  s.start("always");
  s.view({a, d}, {Script::has("a", "x")});
  EXPECT_EQ(s.anomaly(), "resurrected-key");
}

TEST(Prefix, AWriteAfterTheForkInsideASnapshot) {
  Script s;
  s.start("off");
  const OperationId a = s.write(1, "a=x");
  s.save("bgsave");
  s.write(2, "b=y");
  s.stop("kill");
  s.start("off");
  s.view({a}, {Script::has("a", "x"), Script::has("b", "y")});
  EXPECT_EQ(s.anomaly(), "resurrected-key");
}

TEST(Prefix, OldAndNewMixed) {
  Script s;
  s.start("no");
  const OperationId a = s.write(1, "a=x");
  const OperationId b = s.write(2, "b=x");
  s.write(3, "a=y");
  const OperationId d = s.write(4, "b=y");
  s.stop("power");
  s.start("no");
  s.view({a, b}, {Script::has("a", "x"), Script::has("b", "y")});
  const Verdict verdict = s.judge();
  EXPECT_EQ(verdict.anomaly, "mixed-state");
  EXPECT_EQ(verdict.operations, (Ids{b, d, 7})) << verdict.summary;
}

TEST(Prefix, AnIncrementAppliedTwice) {
  Script s;
  s.start("always");
  const OperationId n = s.write(1, "n");
  s.stop("kill");
  s.start("always");
  s.view({n}, {Script::counts("n", 2)});
  EXPECT_EQ(s.anomaly(), "mixed-state");
}

TEST(Prefix, WrongDeadline) {
  for (const int64_t deadline : {0, 5'000, 6'000}) {
    Script s;
    s.start("always");
    const OperationId a = s.ask(0, s.command({"set", "a", "x", "5000"}));
    s.answer(a, 1);
    s.view({a}, {Script::has("a", "x", deadline)});
    EXPECT_EQ(s.anomaly(), deadline == 5'000 ? "" : "wrong-deadline");
  }
}

TEST(Prefix, DeadlinesFollowTheCommands) {
  Script s;
  s.start("always");
  const OperationId a = s.write(1, "a=x");
  const OperationId b = s.ask(0, s.command({"expireat", "a", "7000"}));
  s.answer(b, 2, Value::integer(1));
  s.view({a, b}, {Script::has("a", "x", 7'000)});
  const OperationId c = s.ask(0, s.command({"persist", "a"}));
  s.answer(c, 3, Value::integer(1));
  const OperationId d = s.ask(0, s.command({"persist", "a"}));
  s.answer(d, 4, Value::integer(0));
  s.view({a, b, c, d}, {Script::has("a", "x")});
  const OperationId e = s.ask(0, s.command({"expireat", "gone", "7000"}));
  s.answer(e, 5, Value::integer(0));
  s.view({a, b, c, d, e}, {Script::nothing("gone")});
  EXPECT_EQ(s.anomaly(), "");
}

TEST(Prefix, WrongAnswer) {
  Script s;
  s.start("always");
  const OperationId d = s.ask(0, s.command({"del", "a"}));
  s.answer(d, 1, Value::integer(1));
  s.view({d}, {Script::nothing("a")});
  EXPECT_EQ(s.anomaly(), "wrong-answer");
}

TEST(Prefix, AFailedWriteTakesNoPlace) {
  Script s;
  s.start("always");
  const OperationId a = s.refuse("a", "x");
  s.view({a}, {Script::has("a", "x")});
  EXPECT_EQ(s.anomaly(), "aborted-write");
}

TEST(Prefix, AWriteTakesOnePlaceOnly) {
  Script s;
  s.start("always");
  const OperationId a = s.lose("a", "x");
  s.view({a, a}, {Script::has("a", "x")});
  EXPECT_EQ(s.anomaly(), "duplicate-write");
}

TEST(Prefix, TwoWritesInOnePlace) {
  Script s;
  s.start("always");
  s.write(1, "a=x");
  s.write(1, "a=y");
  EXPECT_EQ(s.anomaly(), "misplaced");
}

TEST(Prefix, WhatAStartHadLostDoesNotComeBack) {
  for (const bool known : {false, true}) {
    Script s;
    s.start("no");
    const OperationId a = s.write(1, "a=x");
    const OperationId b = known ? s.write(2, "a=y") : s.lose("a", "y");
    s.stop("power");
    s.start("no");
    s.view({a}, {Script::has("a", "x")});
    s.lose("b", "z", 3);
    s.stop("power");
    s.start("no");
    s.view({a, b}, {Script::has("a", "y")});
    EXPECT_EQ(s.anomaly(), "resurrected-write") << known;
  }
}

TEST(Prefix, AnEarlierLifesWriteBehindOneOfThisLife) {
  Script s;
  s.start("no");
  const OperationId a = s.lose("a", "x");
  s.stop("power");
  s.start("no");
  const OperationId b = s.write(1, "a=y");
  s.view({b, a}, {Script::has("a", "x")});
  EXPECT_EQ(s.anomaly(), "misplaced");
}

TEST(Prefix, TheClockAndTheOrderBelongTogether) {
  Script s;
  s.start("always");
  const OperationId a = s.write(1, "a=x");
  s.see(s.look({Script::has("a", "x")}), 2, {a}, {Script::has("a", "x")});
  EXPECT_EQ(s.anomaly(), "torn-view");
}

TEST(Prefix, StaleView) {
  Script s;
  s.start("always");
  s.write(1, "a=x");
  s.view({}, {Script::nothing("a")});
  EXPECT_EQ(s.anomaly(), "stale-view");

  Script concurrent;
  concurrent.start("always");
  const OperationId view = concurrent.look({Script::nothing("a")});
  concurrent.write(1, "a=x");
  concurrent.see(view, 0, {}, {Script::nothing("a")});
  EXPECT_EQ(concurrent.anomaly(), "");
}

TEST(Prefix, PlacesFollowRealTime) {
  Script s;
  s.start("always");
  s.write(2, "a=x");
  s.write(1, "a=y");
  EXPECT_EQ(s.anomaly(), "place-order");

  // An unknown write cannot stand before what had been answered when it was asked for.
  Script t;
  t.start("always");
  const OperationId a = t.write(2, "a=x");
  const OperationId b = t.lose("b", "y");
  t.view({b, a}, {Script::has("a", "x")});
  EXPECT_EQ(t.anomaly(), "place-order");
}

TEST(Prefix, AViewShowsWhatItsLifeBeganWith) {
  Script s;
  s.start("off");
  const OperationId a = s.write(1, "a=x");
  s.stop("kill");
  s.start("off");
  const OperationId early = s.look({Script::nothing("a")}, 3);
  s.view({a}, {Script::has("a", "x")});
  s.see(early, 0, {}, {Script::nothing("a")});
  EXPECT_EQ(s.anomaly(), "stale-view");
}

// The life between shows one place only, and none of its writes' neighbours.
TEST(Prefix, WhatALifeShowsOfAnEarlierOneWasInThoseBetween) {
  for (const bool same : {true, false}) {
    Script s;
    s.start("no");
    const OperationId a = s.lose("a", "x");
    const OperationId b = s.lose("b", "y", 3);
    s.view({a}, {Script::has("a", "x")});
    s.stop("power");
    s.start("no");
    s.write(2, "c=z");
    s.stop("power");
    s.start("no");
    s.view({same ? a : b}, {});
    EXPECT_EQ(s.anomaly(), same ? "" : "hole");
  }
}

TEST(Prefix, ALifeThatAnsweredNothingMayHaveLostWritesAndMadeOthers) {
  Script s;
  s.start("no");
  const OperationId a = s.write(1, "a=x");
  s.write(2, "a=y");
  s.stop("power");
  s.start("no");
  const OperationId c = s.lose("a", "z");
  s.stop("kill");
  s.start("no");
  s.view({a, c}, {Script::has("a", "z")});
  EXPECT_EQ(s.anomaly(), "");
}

// Only killed until then, the second life must have begun with both.
TEST(Prefix, TheLossOfPowerComesAfterAWriteOfALifeThatAnsweredNothing) {
  Script s;
  s.start("no");
  const OperationId a = s.write(1, "a=x");
  s.write(2, "a=y");
  s.stop("kill");
  s.start("no");
  const OperationId c = s.lose("a", "z");
  s.stop("power");
  s.start("no");
  s.view({a, c}, {Script::has("a", "z")});
  EXPECT_EQ(s.anomaly(), "lost-acknowledged");
}

TEST(Prefix, WhatAnEarlierLifeAnsweredOutlastsTheNextKillToo) {
  Script s;
  s.start("everysec");
  const OperationId a = s.write(1, "a=x");
  s.stop("kill");
  s.start("everysec");
  s.view({a}, {Script::has("a", "x")});
  s.stop("kill");
  s.start("everysec");
  s.view({}, {Script::nothing("a")});
  EXPECT_EQ(s.anomaly(), "lost-acknowledged");
}

TEST(Prefix, ASaveHoldsWhatItsLifeBeganWith) {
  Script s;
  s.start("no");
  s.write(1, "a=x");
  s.stop("kill");
  s.start("off");
  s.save();
  s.stop("kill");
  s.start("off");
  s.view({}, {Script::nothing("a")});
  EXPECT_EQ(s.anomaly(), "lost-acknowledged");
}

// The second life's log had not kept it, and so the third has nothing to lose.
TEST(Prefix, ASaveOfWhatIsGonePromisesNothing) {
  Script s;
  s.start("off");
  const OperationId a = s.write(1, "a=x");
  s.save();
  s.stop("kill");
  s.start("no");
  s.view({a}, {Script::has("a", "x")});
  s.stop("power");
  s.start("off");
  s.view({}, {Script::nothing("a")});
  s.stop("kill");
  s.start("off");
  s.view({}, {Script::nothing("a")});
  EXPECT_EQ(s.anomaly(), "");
}

TEST(Prefix, ALastSaveHoldsWhatLaterLivesShowOfItsLife) {
  Script s;
  s.start("off");
  const OperationId a = s.lose("a", "x");
  s.stop("end-saved");
  s.start("off");
  s.view({a}, {Script::has("a", "x")});
  s.stop("kill");
  s.start("off");
  s.view({}, {Script::nothing("a")});
  EXPECT_EQ(s.anomaly(), "lost-acknowledged");
}

TEST(Prefix, AnswersAreJudgedWhereNoViewFollows) {
  for (const bool known : {true, false}) {
    Script s;
    s.start("always");
    if (known) s.write(1, "b=x");
    const OperationId d = s.ask(0, s.command({"del", "a"}));
    s.answer(d, 2, Value::integer(1));
    EXPECT_EQ(s.anomaly(), known ? "wrong-answer" : "") << "nobody shows what was before";
  }
}

TEST(Prefix, Garbage) {
  Script s;
  s.start("always");
  s.view({77}, {Script::nothing("a")});
  EXPECT_EQ(s.anomaly(), "garbage");

  Script far;
  far.start("always");
  far.write(1'000'000'000'000, "a=x");
  EXPECT_EQ(far.anomaly(), "garbage");

  Script future;
  future.start("always");
  const OperationId view = future.look({Script::has("a", "x")});
  future.see(view, 1, {view + 1}, {Script::has("a", "x")});
  future.lose("a", "x");
  EXPECT_EQ(future.anomaly(), "garbage");
}

TEST(Prefix, AHistoryWithoutStartsIsOneLife) {
  Script s;
  const OperationId a = s.write(1, "a=x");
  s.view({a}, {Script::has("a", "x")});
  EXPECT_EQ(s.anomaly(), "");
  s.view({}, {Script::nothing("a")});
  EXPECT_EQ(s.anomaly(), "stale-view");
}

TEST(Prefix, HistoriesGoThroughFiles) {
  Script s;
  s.start("everysec");
  const OperationId a = s.ask(0, s.command({"set", "a", "x", "5000"}));
  s.answer(a, 1);
  s.save("bgsave");
  s.view({a}, {Script::has("a", "x", 5'000), Script::nothing("b")});
  s.stop("power");
  const std::string text = write_hjl(s.history());
  const auto again = read_hjl(text);
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(write_hjl(*again), text);
  const auto verdict = check("prefix", text);
  ASSERT_TRUE(verdict) << verdict.error().message();
  EXPECT_TRUE(verdict->ok()) << verdict->summary;
}

std::string reading(std::string_view events) {
  const auto history =
      read_hjl(std::string("{\"hdr\":\"hjl/1\",\"type\":\"prefix\"}\n") + std::string(events));
  return history ? "ok" : history.error().message();
}

TEST(Prefix, MalformedEventsAreNamed) {
  EXPECT_EQ(reading(R"({"t":1,"p":0,"id":0,"e":"invoke","f":"start","a":{"log":"daily"}})"),
            "line 2: argument of start is {\"log\":\"daily\"}, expected "
            "{\"log\":policy,\"window_ms\":number,\"late_ms\":number}");
  EXPECT_EQ(reading(R"({"t":1,"p":0,"id":0,"e":"invoke","f":"write","a":[["mset","a","x"]]})"),
            "line 2: argument of write is [[\"mset\",\"a\",\"x\"]], expected a list of set, del, "
            "incr, expireat and persist commands");
  EXPECT_EQ(reading("{\"t\":1,\"p\":0,\"id\":0,\"e\":\"invoke\",\"f\":\"view\",\"a\":[\"a\"]}\n"
                    "{\"t\":2,\"p\":0,\"id\":0,\"e\":\"ok\",\"r\":{\"place\":1}}"),
            "line 3: result of view is {\"place\":1}, expected "
            "{\"place\":number,\"order\":[id...],\"keys\":[[value,deadline]...]}");
  EXPECT_EQ(reading(R"({"t":1,"p":0,"id":0,"e":"invoke","f":"get","k":"a"})"),
            "line 2: unknown function \"get\", a history of type prefix has write, view, save, "
            "start, stop");
}

}  // namespace
}  // namespace seatrial::checkers
