#include "checkers/offsets.h"
#include "checkers/check.h"
#include "checkers/hjl.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <ctime>

namespace seatrial::checkers {
namespace {

// Writes a history by hand, in its file's own words: a microsecond an event.
class Script {
 public:
  explicit Script(std::string_view type = "kafka")
      : text_(fmt::format("{{\"hdr\":\"hjl/1\",\"type\":\"{}\"}}\n", type)) {}

  // Each operation is a process of its own: pipelined sends may overlap.
  int open(std::string_view f, std::string_view argument, std::string_view key = "t-0") {
    text_ += fmt::format(R"({{"t":{},"p":{},"id":{},"e":"invoke","f":"{}","k":"{}"{}{}}})", now_++,
                         next_, next_, f, key, argument.empty() ? "" : ",\"a\":", argument);
    text_ += "\n";
    return next_++;
  }
  Script& ok(int id, std::string_view result) {
    return end(id, "ok", fmt::format(",\"r\":{}", result));
  }
  Script& fail(int id) { return end(id, "fail", ""); }
  Script& info(int id) { return end(id, "info", ""); }
  Script& crash() {
    text_ += fmt::format("{{\"t\":{},\"e\":\"crash\"}}\n", now_++);
    return *this;
  }
  Script& wait(int64_t micros) {
    now_ += micros;
    return *this;
  }

  int open_send(int acks, std::string_view values, std::string_view more = "") {
    return open("send", fmt::format(R"({{"acks":{},"v":[{}]{}}})", acks, values, more));
  }
  Script& send(int acks, std::string_view values, int64_t offset, std::string_view more = "") {
    return ok(open_send(acks, values, more), acks == 0 ? "null" : std::to_string(offset));
  }
  int open_poll(int64_t from, std::string_view more = "") {
    return open("poll", fmt::format(R"({{"from":{}{}}})", from, more));
  }
  Script& found(int id, int64_t end, std::string_view records) {
    return ok(id, fmt::format(R"({{"hw":{},"recs":[{}]}})", end, records));
  }
  Script& poll(int64_t from, int64_t end, std::string_view records, std::string_view more = "") {
    return found(open_poll(from, more), end, records);
  }
  Script& list(std::string_view what, std::string_view result) {
    return ok(open("list_offsets", what), result);
  }

  Verdict judge(const Options& options = {}) const {
    const Result<Verdict> verdict = [&]() -> Result<Verdict> {
      const History history = TRY(read_hjl(text_));
      return check("offsets", history, options);
    }();
    EXPECT_TRUE(verdict) << verdict.error().message();
    return verdict ? *verdict : Verdict{};
  }
  // The anomaly, or "" where all is well.
  std::string anomaly(const Options& options = {}) const {
    const Verdict verdict = judge(options);
    EXPECT_NE(verdict.outcome, Outcome::kUndecided);
    EXPECT_EQ(verdict.outcome == Outcome::kOk, verdict.anomaly.empty()) << verdict.summary;
    return verdict.anomaly;
  }

 private:
  Script& end(int id, std::string_view how, std::string_view rest) {
    text_ +=
        fmt::format("{{\"t\":{},\"p\":{},\"id\":{},\"e\":\"{}\"{}}}\n", now_++, id, id, how, rest);
    return *this;
  }

  std::string text_;
  int64_t now_ = 0;
  int next_ = 0;
};

TEST(Offsets, AcceptsAPlainConversation) {
  Script script;
  script.ok(script.open("create_topic", "3", "t"), "\"OK\"");
  script.ok(script.open("describe_topic", "", "t"), "3");
  script.send(-1, R"(["a",10,"x"],["b",20])", 0)
      .send(1, R"(["c",15])", 2)
      .send(0, R"(["d",30])", 0);
  script.poll(0, 3, R"([0,"a",10,"x"],[1,"b",20,"y"],[2,"c",15])", R"(,"by":"c0")");
  script.poll(3, 4, R"([3,"d",30])", R"(,"by":"c0","final":1)").poll(4, 4, "");
  script.list("\"earliest\"", "0").list("\"latest\"", "4").list("11", "[1,20]").list("31", "-1");
  EXPECT_EQ(script.anomaly(), "");
}

TEST(Offsets, ASendWithoutAnAnswerMayHaveHappenedOrNot) {
  Script happened;
  happened.info(happened.open_send(-1, R"(["a"])"));
  happened.poll(0, 0, "").poll(0, 1, R"([0,"a"])", R"(,"final":1)");
  EXPECT_EQ(happened.anomaly(), "");
  Script never;
  never.info(never.open_send(-1, R"(["a"])"));
  never.send(-1, R"(["b"])", 0).poll(0, 1, R"([0,"b"])", R"(,"final":1)");
  EXPECT_EQ(never.anomaly(), "");
  Script open;
  (void)open.open_send(-1, R"(["a"])");
  open.poll(0, 1, R"([0,"a"])");
  EXPECT_EQ(open.anomaly(), "");
}

TEST(Offsets, FindsGarbage) {
  Script never_sent;
  never_sent.poll(0, 1, R"([0,"a"])");
  EXPECT_EQ(never_sent.anomaly(), "garbage");
  Script sent_later;
  sent_later.poll(0, 1, R"([0,"a"])").send(-1, R"(["a"])", 0);
  EXPECT_EQ(sent_later.anomaly(), "garbage");
  Script sent_elsewhere;
  sent_elsewhere.ok(sent_elsewhere.open("send", R"({"acks":-1,"v":[["a"]]})", "t-1"), "0");
  sent_elsewhere.poll(0, 1, R"([0,"a"])");
  EXPECT_EQ(sent_elsewhere.anomaly(), "garbage");
}

TEST(Offsets, FindsTheRecordOfAFailedSend) {
  Script script;
  script.fail(script.open_send(-1, R"(["a"])"));
  script.poll(0, 1, R"([0,"a"])");
  EXPECT_EQ(script.anomaly(), "aborted-read");
}

TEST(Offsets, FindsAChangedPayload) {
  Script timestamp;
  timestamp.send(-1, R"(["a",10,"x"])", 0).poll(0, 1, R"([0,"a",11,"x"])");
  EXPECT_EQ(timestamp.anomaly(), "payload-changed");
  Script hash;
  hash.send(-1, R"(["a",10,"x"])", 0).poll(0, 1, R"([0,"a",10,"y"])");
  EXPECT_EQ(hash.anomaly(), "payload-changed");
}

TEST(Offsets, FindsAnOffsetWithTwoValues) {
  Script script;
  script.info(script.open_send(-1, R"(["a"])")).info(script.open_send(-1, R"(["b"])"));
  script.poll(0, 1, R"([0,"a"])").crash().poll(0, 1, R"([0,"b"])");
  EXPECT_EQ(script.anomaly(), "inconsistent-offsets") << "what was found stays, crash or not";
}

TEST(Offsets, FindsARecordElsewhereThanItsSenderWasTold) {
  Script script;
  script.send(-1, R"(["a"])", 0).send(-1, R"(["b"])", 5).poll(0, 6, R"([0,"a"],[1,"b"])");
  EXPECT_EQ(script.anomaly(), "inconsistent-offsets");
}

TEST(Offsets, FindsTwoSendsToldTheSameOffset) {
  Script script;
  const int a = script.open_send(1, R"(["a"])");
  const int b = script.open_send(1, R"(["b"])");
  script.ok(a, "0").ok(b, "0");
  EXPECT_EQ(script.anomaly(), "inconsistent-offsets");
}

TEST(Offsets, WithAcksAllACrashTakesNothing) {
  Script replaced;
  replaced.send(-1, R"(["a"])", 0).crash();
  replaced.info(replaced.open_send(-1, R"(["b"])"));
  replaced.poll(0, 1, R"([0,"b"])");
  EXPECT_EQ(replaced.anomaly(), "lost-write");
  Script gone;
  gone.send(-1, R"(["a"])", 0).crash().poll(0, 0, "", R"(,"final":1)");
  EXPECT_EQ(gone.anomaly(), "lost-write");
  Script listed;
  listed.send(-1, R"(["a"])", 0).crash().list("\"latest\"", "0");
  EXPECT_EQ(listed.anomaly(), "lost-write");
}

TEST(Offsets, WithAcksOneACrashMayTakeTheRecord) {
  Script replaced;
  replaced.send(1, R"(["a"])", 0).crash().send(-1, R"(["b"])", 0);
  replaced.poll(0, 1, R"([0,"b"])", R"(,"final":1)");
  EXPECT_EQ(replaced.anomaly(), "");
  Script answered_later;  // The answer was under way when the power went.
  const int a = answered_later.open_send(1, R"(["a"])");
  answered_later.crash()
      .ok(a, "0")
      .send(-1, R"(["b"])", 0)
      .poll(0, 1, R"([0,"b"])", R"(,"final":1)");
  EXPECT_EQ(answered_later.anomaly(), "");
  Script gone;
  gone.send(1, R"(["a"])", 0).crash().poll(0, 0, "", R"(,"final":1)");
  EXPECT_EQ(gone.anomaly(), "");
}

TEST(Offsets, WithAcksOneNothingButACrashMayTakeTheRecord) {
  Script replaced;
  replaced.crash().send(1, R"(["a"])", 0);
  replaced.info(replaced.open_send(-1, R"(["b"])"));
  replaced.poll(0, 1, R"([0,"b"])");
  EXPECT_EQ(replaced.anomaly(), "lost-write");
  Script reused;
  reused.send(1, R"(["a"])", 0).send(1, R"(["b"])", 0).poll(0, 1, R"([0,"b"])");
  EXPECT_EQ(reused.anomaly(), "inconsistent-offsets");
  Script gone;
  gone.crash().send(1, R"(["a"])", 0).poll(0, 0, "", R"(,"final":1)");
  EXPECT_EQ(gone.anomaly(), "unseen");
}

TEST(Offsets, AcksOneShownToBeFlushedStaysLikeAcksAll) {
  Script script;
  script.send(1, R"(["a"])", 0).list("\"latest\"", "1").crash();
  script.info(script.open_send(-1, R"(["b"])"));
  script.poll(0, 1, R"([0,"b"])");
  EXPECT_EQ(script.anomaly(), "lost-write");
}

TEST(Offsets, FindsADuplicate) {
  Script script;
  script.send(-1, R"(["a"])", 0).poll(0, 2, R"([0,"a"],[1,"a"])");
  EXPECT_EQ(script.anomaly(), "inconsistent-offsets") << "it was told only one of the two";
  Script unknown;
  unknown.info(unknown.open_send(-1, R"(["a"])"));
  unknown.poll(0, 2, R"([0,"a"],[1,"a"])");
  EXPECT_EQ(unknown.anomaly(), "duplicate");
  Script retried;
  retried.send(-1, R"(["a"])", 1, R"(,"tries":2)").poll(0, 2, R"([0,"a"],[1,"a"])");
  EXPECT_EQ(retried.anomaly(), "");
}

TEST(Offsets, FindsATornBatch) {
  Script order;
  order.info(order.open_send(-1, R"(["a"],["b"])"));
  order.poll(0, 2, R"([0,"b"],[1,"a"])");
  EXPECT_EQ(order.anomaly(), "torn-batch");
  Script first_is_missing;
  first_is_missing.info(first_is_missing.open_send(-1, R"(["a"],["b"])"));
  first_is_missing.poll(0, 2, R"([0,"b"])");
  EXPECT_EQ(first_is_missing.anomaly(), "torn-batch");
  Script apart;
  const int a = apart.open_send(-1, R"(["a"],["b"])");
  const int c = apart.open_send(-1, R"(["c"])");
  apart.info(a).info(c).poll(0, 3, R"([0,"a"],[1,"c"],[2,"b"])");
  EXPECT_EQ(apart.anomaly(), "torn-batch");
  Script shown_in_part;
  const int batch = shown_in_part.open_send(-1, R"(["a"],["b"],["c"])");
  shown_in_part.list("\"latest\"", "2").ok(batch, "0");
  EXPECT_EQ(shown_in_part.anomaly(), "torn-batch");
}

TEST(Offsets, NoEndStandsInsideABatchThatIsOnlyAppended) {
  const auto shown = [](bool crashes) {
    Script script;
    script.info(script.open_send(1, R"(["x"])"));
    script.send(1, R"(["a"],["b"])", 0);
    if (crashes) script.crash();
    return script.list("\"latest\"", "1").anomaly();
  };
  EXPECT_EQ(shown(false), "torn-batch");
  EXPECT_EQ(shown(true), "") << "x may be there instead";
}

TEST(Offsets, FindsAReusedOffset) {
  Script appended;
  appended.send(1, R"(["a"],["b"])", 0).send(1, R"(["c"])", 1);
  EXPECT_EQ(appended.anomaly(), "inconsistent-offsets");
  Script before;
  before.send(1, R"(["a"],["b"])", 3).send(1, R"(["c"])", 1);
  EXPECT_EQ(before.anomaly(), "offset-reused") << "given away in the wrong order";
  Script visible;
  visible.list("\"latest\"", "5").crash().send(1, R"(["c"])", 4);
  EXPECT_EQ(visible.anomaly(), "offset-reused");
  Script lost_before;
  lost_before.send(1, R"(["x"])", 0).send(1, R"(["a"],["b"])", 1).crash().send(1, R"(["c"])", 1);
  EXPECT_EQ(lost_before.anomaly(), "");
  Script concurrent;
  const int c = concurrent.open_send(1, R"(["c"])");
  concurrent.send(1, R"(["a"],["b"])", 1).ok(c, "0");
  EXPECT_EQ(concurrent.anomaly(), "");
}

TEST(Offsets, FindsAReusedOffsetOfARecordOfUnknownOutcome) {
  Script visible;
  visible.info(visible.open_send(1, R"(["a"])")).list("\"latest\"", "1");
  visible.info(visible.open_send(1, R"(["b"])")).poll(0, 1, R"([0,"b"])");
  EXPECT_EQ(visible.anomaly(), "offset-reused") << "sent when 0 was visible already";
  const auto appended = [](bool crashes) {
    Script script;
    script.info(script.open_send(1, R"(["a"])")).send(1, R"(["b"])", 1);
    script.info(script.open_send(1, R"(["c"])"));
    if (crashes) script.crash();
    script.poll(0, 1, R"([0,"c"])");
    return script.anomaly();
  };
  EXPECT_EQ(appended(false), "offset-reused");
  EXPECT_EQ(appended(true), "") << "a and b may be lost";
}

TEST(Offsets, NoCrashMakesRoomBelowARecordThatStays) {
  const auto then = [](std::string_view found) {
    Script script;
    script.send(1, R"(["a"])", 0).send(1, R"(["b"])", 1).crash().send(1, R"(["c"])", 0);
    script.poll(1, 2, found);
    return script.anomaly();
  };
  EXPECT_EQ(then(R"([1,"b"])"), "offset-reused") << "b stayed, so its offset 0 stayed as well";
  Script lost;
  lost.send(1, R"(["a"])", 0).send(1, R"(["b"])", 1).crash().send(1, R"(["c"])", 0);
  EXPECT_EQ(lost.poll(0, 1, R"([0,"c"])").anomaly(), "");
}

TEST(Offsets, NoOffsetIsTakenByNobody) {
  Script alone;
  EXPECT_EQ(alone.send(1, R"(["a"])", 1).anomaly(), "beyond-sent");
  Script end;
  EXPECT_EQ(end.send(-1, R"(["a"])", 0).list("\"latest\"", "2").anomaly(), "beyond-sent");
  Script unknown;
  unknown.info(unknown.open_send(1, R"(["a"])")).send(1, R"(["b"])", 1);
  EXPECT_EQ(unknown.anomaly(), "") << "a is at 0";
  Script failed;
  failed.fail(failed.open_send(1, R"(["a"])"));
  EXPECT_EQ(failed.send(1, R"(["b"])", 1).anomaly(), "beyond-sent");
  Script too_late;
  too_late.send(1, R"(["b"])", 1).info(too_late.open_send(1, R"(["a"])"));
  EXPECT_EQ(too_late.anomaly(), "beyond-sent");
  Script tries;
  EXPECT_EQ(tries.send(1, R"(["a"])", 1, R"(,"tries":2)").anomaly(), "");
}

TEST(Offsets, WhatACrashTookFillsNoOffsetAgain) {
  const auto then = [](int third) {
    Script script;
    script.info(script.open_send(1, R"(["a"])")).send(1, R"(["b"])", 1).crash();
    script.send(1, R"(["c"])", 0).send(1, R"(["d"])", third);
    return script.anomaly();
  };
  EXPECT_EQ(then(1), "");
  EXPECT_EQ(then(2), "beyond-sent") << "a was at 0, and was lost with b";
}

TEST(Offsets, AReadFindsNoMoreThanItAsksFor) {
  Script script("log");
  script.ok(script.open("append", "1"), "0").ok(script.open("append", "2"), "1");
  script.ok(script.open("flush", ""), "2");
  script.ok(script.open("read", "[0,1]"), R"({"hw":2,"recs":[[0,1],[1,2]]})");
  EXPECT_EQ(script.anomaly(), "protocol-error");
}

TEST(Offsets, AConnectionsBatchesKeepTheirOrder) {
  const auto pipelined = [](std::string_view first, std::string_view second) {
    Script script;
    const int a = script.open_send(1, R"(["a"])", fmt::format(R"(,"by":"{}")", first));
    const int b = script.open_send(1, R"(["b"])", fmt::format(R"(,"by":"{}")", second));
    script.ok(b, "0").ok(a, "1");
    return script.anomaly();
  };
  EXPECT_EQ(pipelined("p0.1", "p0.1"), "nonmonotonic-send");
  EXPECT_EQ(pipelined("p0.1", "p0.2"), "");
  Script found;
  found.info(found.open_send(-1, R"(["a"])", R"(,"by":1)"))
      .info(found.open_send(-1, R"(["b"])", R"(,"by":1)"));
  found.poll(0, 2, R"([0,"b"],[1,"a"])");
  EXPECT_EQ(found.anomaly(), "nonmonotonic-send");
}

TEST(Offsets, TheVisibleEndNeverGoesBack) {
  Script script;
  script.info(script.open_send(-1, R"(["a"])"));
  script.list("\"latest\"", "1").crash().list("\"latest\"", "0");
  EXPECT_EQ(script.anomaly(), "hw-regress");
  Script found;
  found.info(found.open_send(-1, R"(["a"])"));
  found.poll(0, 1, R"([0,"a"])").crash().poll(0, 0, "");
  EXPECT_EQ(found.anomaly(), "hw-regress");
  Script concurrent;
  concurrent.info(concurrent.open_send(-1, R"(["a"])"));
  const int early = concurrent.open_poll(0);
  concurrent.poll(0, 1, R"([0,"a"])").found(early, 0, "");
  EXPECT_EQ(concurrent.anomaly(), "");
}

TEST(Offsets, AnAnswerHoldsNothingPastItsOwnEnd) {
  Script script;
  script.info(script.open_send(-1, R"(["a"])")).poll(0, 0, R"([0,"a"])");
  EXPECT_EQ(script.anomaly(), "beyond-hw");
}

TEST(Offsets, AnAnswerLeavesNothingOut) {
  Script inside;
  inside.send(-1, R"(["a"],["b"],["c"])", 0).poll(0, 3, R"([0,"a"],[2,"c"])");
  EXPECT_EQ(inside.anomaly(), "int-poll-skip");
  Script front;
  front.send(-1, R"(["a"],["b"],["c"])", 0).poll(0, 3, R"([1,"b"],[2,"c"])");
  EXPECT_EQ(front.anomaly(), "int-poll-skip");
  Script back;
  back.send(-1, R"(["a"],["b"])", 0).poll(1, 2, R"([0,"a"],[1,"b"])");
  EXPECT_EQ(back.anomaly(), "int-nonmonotonic-poll");
  Script again;
  again.send(-1, R"(["a"],["b"])", 0).poll(0, 2, R"([0,"a"],[0,"a"],[1,"b"])");
  EXPECT_EQ(again.anomaly(), "int-nonmonotonic-poll");
}

TEST(Offsets, AConsumersAnswersFollowEachOther) {
  const auto then = [](std::string_view second, std::string_view by) {
    Script script;
    script.send(-1, R"(["a"],["b"],["c"])", 0);
    script.poll(0, 3, R"([0,"a"],[1,"b"],[2,"c"])");
    script.ok(script.open("poll", R"({"by":"c0"})"), R"({"hw":3,"recs":[[0,"a"]]})");
    script.ok(script.open("poll", fmt::format(R"({{"by":"{}"}})", by)),
              fmt::format(R"({{"hw":3,"recs":[{}]}})", second));
    return script.anomaly();
  };
  EXPECT_EQ(then(R"([1,"b"],[2,"c"])", "c0"), "");
  EXPECT_EQ(then(R"([2,"c"])", "c0"), "poll-skip");
  EXPECT_EQ(then(R"([0,"a"],[1,"b"],[2,"c"])", "c0"), "nonmonotonic-poll");
  EXPECT_EQ(then(R"([0,"a"],[1,"b"],[2,"c"])", "c1"), "") << "another consumer";
}

TEST(Offsets, WhatIsVisibleIsNotWithheld) {
  Script told;
  told.send(-1, R"(["a"])", 0).poll(0, 1, "");
  EXPECT_EQ(told.anomaly(), "withheld");
  Script part;  // A read of a plain log gets all that there is.
  part = Script("log");
  part.ok(part.open("append", "1"), "0").ok(part.open("append", "2"), "1");
  part.ok(part.open("flush", ""), "2");
  part.ok(part.open("read", "[0,9]"), R"({"hw":2,"recs":[[0,1]]})");
  EXPECT_EQ(part.anomaly(), "withheld");
  Script visible_meanwhile;
  visible_meanwhile.info(visible_meanwhile.open_send(-1, R"(["a"])"));
  const int early = visible_meanwhile.open_poll(0);
  visible_meanwhile.list("\"latest\"", "1").found(early, 0, "");
  EXPECT_EQ(visible_meanwhile.anomaly(), "");
}

TEST(Offsets, AnOffsetWithinTheLogIsNotRefused) {
  Script within;
  within.send(-1, R"(["a"])", 0).ok(within.open_poll(1), "\"out-of-range\"");
  EXPECT_EQ(within.anomaly(), "false-out-of-range") << "the end itself is within";
  Script past;
  past.send(-1, R"(["a"])", 0).ok(past.open_poll(2), "\"out-of-range\"");
  EXPECT_EQ(past.anomaly(), "");
}

TEST(Offsets, AnOffsetPastAllThatWasSentIsRefused) {
  Script within;
  within.info(within.open_send(-1, R"(["a"],["b"])"));
  within.poll(2, 0, "");
  EXPECT_EQ(within.anomaly(), "") << "it may be there, not yet visible";
  Script past;
  past.info(past.open_send(-1, R"(["a"],["b"])"));
  past.poll(3, 0, "");
  EXPECT_EQ(past.anomaly(), "past-end-accepted");
}

TEST(Offsets, AnAnswerThatIsNoneIsAFinding) {
  Script script;
  script.ok(script.open("protest", "\"an answer to nobody\"", "t"), "\"OK\"");
  EXPECT_EQ(script.anomaly(), "protocol-error");
}

TEST(Offsets, TimesAreFoundAsAScanFindsThem) {
  const auto listed = [](std::string_view time, std::string_view answer) {
    Script script;
    script.send(-1, R"(["a",10],["b",30],["c",20],["d",30])", 0);
    script.poll(0, 4, R"([0,"a",10],[1,"b",30],[2,"c",20],[3,"d",30])");
    return script.list(time, answer).anomaly();
  };
  EXPECT_EQ(listed("0", "[0,10]"), "");
  EXPECT_EQ(listed("10", "[0,10]"), "");
  EXPECT_EQ(listed("11", "[1,30]"), "");
  EXPECT_EQ(listed("30", "1"), "");
  EXPECT_EQ(listed("31", "-1"), "");
  EXPECT_EQ(listed("31", "[-1,-1]"), "");
  EXPECT_EQ(listed("11", "[2,20]"), "wrong-time-index");
  EXPECT_EQ(listed("20", "[1,20]"), "wrong-time-index");
  EXPECT_EQ(listed("10", "[1,30]"), "wrong-time-index");
  EXPECT_EQ(listed("30", "-1"), "wrong-time-index");
  EXPECT_EQ(listed("31", "[3,30]"), "wrong-time-index");
}

TEST(Offsets, ATimeThatBecomesVisibleMeanwhileMayBeMissed) {
  Script script;
  script.info(script.open_send(-1, R"(["a",10])"));
  script.list("5", "-1").poll(0, 1, R"([0,"a",10])").list("5", "[0,10]");
  EXPECT_EQ(script.anomaly(), "");
}

TEST(Offsets, NothingIsRemovedFromTheFront) {
  Script earliest;
  earliest.send(-1, R"(["a"],["b"])", 0).list("\"earliest\"", "1");
  EXPECT_EQ(earliest.anomaly(), "lost-write");
  Script back;
  back.ok(back.open_poll(5), R"({"hw":9,"recs":[[5,"a"]],"start":10})");
  EXPECT_EQ(back.judge().outcome, Outcome::kViolation);
}

TEST(Offsets, ATopicStays) {
  Script gone;
  gone.ok(gone.open("create_topic", "2", "t"), "\"OK\"");
  gone.crash().ok(gone.open("describe_topic", "", "t"), "0");
  EXPECT_EQ(gone.anomaly(), "lost-topic");
  Script fewer;
  fewer.ok(fewer.open("describe_topic", "", "t"), "3");
  fewer.ok(fewer.open("describe_topic", "", "t"), "2");
  EXPECT_EQ(fewer.anomaly(), "lost-topic");
  Script concurrent;
  const int early = concurrent.open("describe_topic", "", "t");
  concurrent.ok(concurrent.open("create_topic", "2", "t"), "\"OK\"").ok(early, "0");
  EXPECT_EQ(concurrent.anomaly(), "");
}

TEST(Offsets, AcknowledgedRecordsAreSeenInTheEnd) {
  Script script;
  script.send(-1, R"(["a"])", 0).send(-1, R"(["b"])", 1);
  script.poll(0, 2, R"([0,"a"])", R"(,"final":1)");
  EXPECT_EQ(script.anomaly(), "unseen");
  Script no_last_reading;
  no_last_reading.send(-1, R"(["a"])", 0).send(-1, R"(["b"])", 1).poll(0, 2, R"([0,"a"])");
  EXPECT_EQ(no_last_reading.anomaly(), "");
}

// As Jepsen has it: consumers that do not say where they begin have read all before.
TEST(Offsets, WithoutPositionsWhatIsBelowAReadRecordMustHaveBeenRead) {
  Script script;
  script.send(-1, R"(["a"])", 0).send(-1, R"(["b"])", 1).send(-1, R"(["c"])", 2);
  script.ok(script.open("poll", R"({"by":"c0"})"), R"({"hw":2,"recs":[[1,"b"]]})");
  EXPECT_EQ(script.anomaly(), "lost-write");
}

TEST(Offsets, OnlyAFlushMakesVisible) {
  const auto reading = [](bool flush_open) {
    Script script("log");
    script.ok(script.open("append", "1"), "0");
    if (flush_open) (void)script.open("flush", "");
    script.ok(script.open("read", "[0,9]"), R"({"hw":1,"recs":[[0,1]]})");
    return script.anomaly();
  };
  EXPECT_EQ(reading(true), "");
  EXPECT_EQ(reading(false), "early-visible");
}

TEST(Offsets, InTheCalmAnswersComeInTime) {
  using std::chrono::milliseconds;
  Options options;
  options.punctuality = {
      .calm_from = Micros(0), .flush_interval = milliseconds(50), .allowance = milliseconds(20)};
  const auto after = [&](int64_t micros) {
    Script script;
    const int poll = script.open_poll(0, R"(,"wait":5000)");
    script.send(1, R"(["a"])", 0).wait(micros).found(poll, 1, R"([0,"a"])");
    return script.anomaly(options);
  };
  EXPECT_EQ(after(69'000), "");
  EXPECT_EQ(after(71'000), "late");
  const auto after_seen = [&](int64_t micros) {
    Script script;
    script.info(script.open_send(-1, R"(["a"])"));
    const int poll = script.open_poll(0, R"(,"wait":5000)");
    script.list("\"latest\"", "1").wait(micros).found(poll, 1, R"([0,"a"])");
    return script.anomaly(options);
  };
  EXPECT_EQ(after_seen(19'000), "");
  EXPECT_EQ(after_seen(21'000), "late");
  Script slow;
  const int send = slow.open_send(-1, R"(["a"])");
  slow.wait(71'000).ok(send, "0");
  EXPECT_EQ(slow.anomaly(options), "late");
  options.punctuality.calm_from = Micros(1000);
  EXPECT_EQ(slow.anomaly(options), "");
}

TEST(Offsets, ValuesSentTwiceAreUndecided) {
  Script script;
  script.send(-1, R"(["a"])", 0).send(-1, R"(["a"])", 1);
  EXPECT_EQ(script.judge().outcome, Outcome::kUndecided);
}

TEST(Offsets, RefusesWhatIsNoHistoryOfALog) {
  const auto message = [](std::string_view line) {
    const auto read =
        read_hjl(std::string("{\"hdr\":\"hjl/1\",\"type\":\"kafka\"}\n") + std::string(line));
    return read ? std::string() : read.error().message();
  };
  EXPECT_NE(
      message(
          R"({"t":0,"p":0,"id":0,"e":"invoke","f":"send","k":"t-0","a":{"acks":2,"v":[["a"]]}})")
          .find("\"acks\":-1, 0 or 1"),
      std::string::npos);
  EXPECT_NE(message(R"({"t":0,"p":0,"id":0,"e":"invoke","f":"poll","k":"t-0","a":{"form":2}})")
                .find("\"from\"?"),
            std::string::npos);
  EXPECT_NE(
      message("{\"t\":0,\"p\":0,\"id\":0,\"e\":\"invoke\",\"f\":\"poll\",\"k\":\"t-0\",\"a\":{}}\n"
              R"({"t":1,"p":0,"id":0,"e":"ok","r":{"hw":-1,"recs":[]}})")
          .find("line 3"),
      std::string::npos);
  const auto crash =
      read_hjl("{\"hdr\":\"hjl/1\",\"type\":\"kv\"}\n{\"t\":0,\"p\":0,\"id\":0,\"e\":\"crash\"}");
  ASSERT_FALSE(crash);
  EXPECT_NE(crash.error().message().find("expected invoke, ok, fail or info"), std::string::npos);
}

TEST(Offsets, HugeOffsetsAreNoTrouble) {
  Script script;
  script.send(-1, R"(["a"],["b"])", 4'611'686'018'427'387'904);
  script.poll(0, 4'611'686'018'427'387'904, R"([4611686018427387904,"a"])");
  EXPECT_EQ(script.judge().outcome, Outcome::kViolation);
}

TEST(Offsets, TakesTimeInProportion) {
  Recorder recorder("kafka", 1);
  constexpr int64_t kBatches = 100'000;
  int64_t now = 0;
  for (int64_t i = 0; i < kBatches; i++) {
    const Value record[] = {Value::integer(i)};
    const Value records[] = {Value::list(record)};
    const Value members[] = {Value::text("acks"), Value::integer(-1), Value::text("v"),
                             Value::list(records)};
    recorder.ok(Micros(now),
                recorder.invoke(Micros(now), 0, Function::kSend, "t-0", Value::object(members)),
                Value::integer(i));
    now++;
  }
  // The processor's time: others may use the machine as well.
  const std::clock_t begun = std::clock();
  EXPECT_TRUE(check_offsets(recorder.history()).ok());
  EXPECT_LT(std::clock() - begun, 5 * CLOCKS_PER_SEC);
}

}  // namespace
}  // namespace seatrial::checkers
