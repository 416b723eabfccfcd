// Each anomaly of a log by a tiny history that has it, beside a neighbour that has not: what
// transactions, groups, idempotent producers and holes add to offsets_test.cc.
#include "checkers/check.h"
#include "checkers/log_findings.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>

namespace seatrial::checkers {
namespace {

// A history in few words, one event a line: "1 invoke txn {...}", "1 ok [...]", "crash". The
// number is the operation's id and its process, or "id:process"; a key stands before the argument
// as @KEY.
std::string history_of(std::string_view lines, std::string_view header = "") {
  std::string text = fmt::format("{{\"hdr\":\"hjl/1\",\"type\":\"kafka\"{}}}\n", header);
  int64_t now = 0;
  const auto word = [&lines] {
    lines.remove_prefix(std::min(lines.find_first_not_of(' '), lines.size()));
    const size_t end = std::min(lines.find_first_of(" \n"), lines.size());
    const std::string_view found = lines.substr(0, end);
    lines.remove_prefix(end);
    return found;
  };
  const auto rest = [&lines] {
    lines.remove_prefix(std::min(lines.find_first_not_of(' '), lines.size()));
    const size_t end = std::min(lines.find('\n'), lines.size());
    const std::string_view found = lines.substr(0, end);
    lines.remove_prefix(std::min(end + 1, lines.size()));
    return found;
  };
  while (!lines.empty()) {
    if (lines.front() == '\n' || lines.front() == ' ') {
      lines.remove_prefix(1);
      continue;
    }
    const std::string_view number = word();
    now += 10;
    if (number == "crash") {
      text += fmt::format("{{\"t\":{},\"e\":\"crash\"}}\n", now);
      continue;
    }
    const size_t colon = number.find(':');
    const std::string_view id = number.substr(0, colon);
    const std::string_view process =
        colon == std::string_view::npos ? id : number.substr(colon + 1);
    const std::string_view event = word();
    text += fmt::format(R"({{"t":{},"p":{},"id":{},"e":"{}")", now, process, id, event);
    if (event == "invoke") {
      text += fmt::format(R"(,"f":"{}")", word());
      std::string_view argument = rest();
      if (argument.starts_with('@')) {
        const size_t end = std::min(argument.find(' '), argument.size());
        text += fmt::format(R"(,"k":"{}")", argument.substr(1, end - 1));
        argument.remove_prefix(std::min(end + 1, argument.size()));
      }
      if (!argument.empty()) text += fmt::format(",\"a\":{}", argument);
    } else if (const std::string_view result = rest(); !result.empty()) {
      text += fmt::format(",\"r\":{}", result);
    }
    text += "}\n";
  }
  return text;
}

// The anomaly, or "" where all is well.
std::string anomaly(std::string_view lines, std::string_view header = "",
                    const Options& options = {}) {
  const Result<Verdict> verdict = check("offsets", history_of(lines, header), options);
  EXPECT_TRUE(verdict) << verdict.error().message() << "\n" << history_of(lines, header);
  if (!verdict) return "no history";
  EXPECT_NE(verdict->outcome, Outcome::kUndecided) << verdict->summary;
  EXPECT_EQ(verdict->ok(), verdict->anomaly.empty());
  return verdict->anomaly;
}

constexpr std::string_view kSparse = R"(,"offsets":"sparse")";

TEST(LogHoles, OnlyAKnownRecordCanBeMissed) {
  const auto poll = [](std::string_view found, std::string_view header) {
    return anomaly(fmt::format(R"(
1 invoke send @t-0 {{"acks":-1,"v":[["a"]]}}
1 ok 3
2 invoke send @t-0 {{"acks":-1,"v":[["b"]]}}
2 ok 5
3 invoke send @t-0 {{"acks":-1,"v":[["c"]]}}
3 ok 9
4 invoke poll @t-0 {{"from":0}}
4 ok {{"recs":[{}]}})",
                               found),
                   header);
  };
  EXPECT_EQ(poll(R"([3,"a"],[5,"b"],[9,"c"])", kSparse), "");
  EXPECT_EQ(poll(R"([3,"a"],[9,"c"])", kSparse), "int-poll-skip");
  EXPECT_EQ(poll(R"([5,"b"],[9,"c"])", kSparse), "int-poll-skip");
  EXPECT_EQ(poll(R"([3,"a"],[5,"b"],[5,"b"],[9,"c"])", kSparse), "int-nonmonotonic-poll");
  EXPECT_EQ(poll(R"([3,"a"],[5,"b"],[9,"c"])", ""), "int-poll-skip") << "offsets without holes";
}

TEST(LogHoles, AConsumerGoesOnAtTheNextRecord) {
  const auto then = [](std::string_view second) {
    return anomaly(fmt::format(R"(
1 invoke send @t-0 {{"acks":-1,"v":[["a"]]}}
1 ok 3
2 invoke send @t-0 {{"acks":-1,"v":[["b"]]}}
2 ok 5
3 invoke send @t-0 {{"acks":-1,"v":[["c"]]}}
3 ok 9
4 invoke poll @t-0 {{"by":"c"}}
4 ok {{"recs":[[3,"a"]]}}
5 invoke poll @t-0 {{"by":"c"}}
5 ok {{"recs":[{}]}}
6 invoke poll @t-0 {{"by":"d"}}
6 ok {{"recs":[[3,"a"],[5,"b"],[9,"c"]]}})",
                               second),
                   kSparse);
  };
  EXPECT_EQ(then(R"([5,"b"],[9,"c"])"), "");
  EXPECT_EQ(then(R"([9,"c"])"), "poll-skip");
  EXPECT_EQ(then(R"([3,"a"],[5,"b"])"), "nonmonotonic-poll");
}

TEST(LogHoles, WhatExpiredIsNotMissed) {
  const auto poll = [](int64_t start) {
    return anomaly(fmt::format(R"(
1 invoke send @t-0 {{"acks":-1,"v":[["a"]]}}
1 ok 3
2 invoke send @t-0 {{"acks":-1,"v":[["b"]]}}
2 ok 5
3 invoke poll @t-0 {{"from":0,"final":1}}
3 ok {{"recs":[[5,"b"]],"start":{}}})",
                               start),
                   kSparse);
  };
  EXPECT_EQ(poll(4), "");
  EXPECT_EQ(poll(3), "int-poll-skip") << "and so unseen";
  EXPECT_EQ(anomaly(R"(
1 invoke list_offsets @t-0 "earliest"
1 ok 7
2 invoke list_offsets @t-0 "earliest"
2 ok 5)",
                    kSparse),
            "log-bounds");
}

TEST(LogHoles, AReadRecordShowsThatThoseBeforeItAreLost) {
  const auto read = [](std::string_view found) {
    return anomaly(fmt::format(R"(
1 invoke send @t-0 {{"acks":-1,"v":[["a"]]}}
1 ok 3
2 invoke send @t-0 {{"acks":-1,"v":[["b"]]}}
2 ok 5
3 invoke poll @t-0 {{}}
3 ok {{"recs":[{}]}})",
                               found),
                   kSparse);
  };
  EXPECT_EQ(read(R"([3,"a"],[5,"b"])"), "");
  EXPECT_EQ(read(R"([5,"b"])"), "lost-write");
  EXPECT_EQ(read(R"([3,"a"])"), "") << "the other may come yet";
}

TEST(LogConsumers, AChoiceMayMoveTheConsumer) {
  const auto between = [](std::string_view choice) {
    return anomaly(fmt::format(R"(
1 invoke send @t-0 {{"acks":-1,"v":[["a"],["b"],["c"]]}}
1 ok 0
2:9 invoke assign {{"by":"c","keys":["t-0","t-1"]}}
2:9 ok "OK"
3:9 invoke poll @t-0 {{"by":"c"}}
3:9 ok {{"recs":[[0,"a"]]}}
4:9 invoke {}
4:9 ok "OK"
5:9 invoke poll @t-0 {{"by":"c"}}
5:9 ok {{"recs":[[2,"c"]]}}
6 invoke poll @t-0 {{"from":0}}
6 ok {{"recs":[[0,"a"],[1,"b"],[2,"c"]]}})",
                               choice));
  };
  EXPECT_EQ(between(R"(assign {"by":"c","keys":["t-0"]})"), "poll-skip") << "it keeps t-0";
  EXPECT_EQ(between(R"(assign {"by":"c","keys":["t-1"]})"), "");
  EXPECT_EQ(between(R"(subscribe {"by":"c","topics":["t"]})"), "");
  EXPECT_EQ(between(R"(subscribe {"by":"d","topics":["t"]})"), "poll-skip") << "another's";
}

TEST(LogConsumers, ARebalanceMeanwhileExcusesJumps) {
  const auto poll = [](std::string_view more) {
    return anomaly(fmt::format(R"(
1 invoke send @t-0 {{"acks":-1,"v":[["a"],["b"],["c"]]}}
1 ok 0
2 invoke poll @t-0 {{"by":"c"}}
2 ok {{"recs":[[0,"a"],[2,"c"]]{}}}
3 invoke poll @t-0 {{"from":1}}
3 ok {{"recs":[[1,"b"],[2,"c"]]}})",
                               more));
  };
  EXPECT_EQ(poll(""), "int-poll-skip");
  EXPECT_EQ(poll(R"(,"rebalanced":1)"), "");
}

TEST(LogTransactions, FindNothingOfTheirOwn) {
  const auto found = [](std::string_view what) {
    return anomaly(fmt::format(R"(
1 invoke send @t-0 {{"acks":-1,"v":[["a"]]}}
1 ok 0
2 invoke txn {{"ops":[["send","t-0",{{"v":[["b"]]}}],["poll","t-0",{{}}]]}}
2 ok [1,{{"recs":[{}]}}])",
                               what));
  };
  EXPECT_EQ(found(R"([0,"a"])"), "");
  EXPECT_EQ(found(R"([0,"a"],[1,"b"])"), "precommitted-read");
}

TEST(LogTransactions, AbortedOnesAreNotFound) {
  const auto ended = [](std::string_view how) {
    return anomaly(fmt::format(R"(
1 invoke txn {{"ops":[["send","t-0",{{"v":[["a"]]}}]]}}
1 {}
2 invoke poll @t-0 {{}}
2 ok {{"recs":[[0,"a"]]}})",
                               how));
  };
  EXPECT_EQ(ended("ok [0]"), "");
  EXPECT_EQ(ended("ok [null]"), "") << "its offset is not told";
  EXPECT_EQ(ended("info"), "") << "it may have been committed";
  EXPECT_EQ(ended("fail"), "aborted-read");
}

TEST(LogTransactions, OffsetsOfOneRiseWithItsSends) {
  const auto told = [](std::string_view offsets) {
    return anomaly(fmt::format(R"(
1 invoke txn {{"ops":[["send","t-0",{{"v":[["a"]]}}],["send","t-0",{{"v":[["b"]]}}]]}}
1 ok {})",
                               offsets));
  };
  EXPECT_EQ(told("[0,1]"), "");
  EXPECT_EQ(told("[0,5]"), "") << "others' records may lie between";
  EXPECT_EQ(told("[1,0]"), "int-nonmonotonic-send");
}

TEST(LogTransactions, TheirPollsFollowEachOther) {
  const auto second = [](std::string_view found) {
    return anomaly(fmt::format(R"(
1 invoke send @t-0 {{"acks":-1,"v":[["a"],["b"],["c"]]}}
1 ok 0
2 invoke txn {{"ops":[["poll","t-0",{{}}],["poll","t-0",{{}}]]}}
2 ok [{{"recs":[[0,"a"]]}},{{"recs":[{}]}}]
3 invoke poll @t-0 {{}}
3 ok {{"recs":[[0,"a"],[1,"b"],[2,"c"]]}})",
                               found));
  };
  EXPECT_EQ(second(R"([1,"b"])"), "");
  EXPECT_EQ(second(R"([2,"c"])"), "int-poll-skip");
  EXPECT_EQ(second(R"([0,"a"])"), "int-nonmonotonic-poll");
}

// Each finds what the other sent: neither can have been committed first.
TEST(LogTransactions, CircularInformationFlowIsNamed) {
  const auto second = [](std::string_view found) {
    return anomaly(fmt::format(R"(
1 invoke txn {{"ops":[["send","t-0",{{"v":[["a"]]}}],["poll","t-1",{{}}]]}}
2 invoke txn {{"ops":[["send","t-1",{{"v":[["b"]]}}],["poll","t-0",{{}}]]}}
1 ok [0,{{"recs":[[0,"b"]]}}]
2 ok [0,{{"recs":[{}]}}])",
                               found));
  };
  EXPECT_EQ(second(""), "");
  EXPECT_EQ(second(R"([0,"a"])"), "G1c");
}

// 3 found what 2 sent, so 2 was committed before 3 ended; but 2 found what 1 sent, which began only
// after 3 had ended.
TEST(LogTransactions, ACycleThroughRealTimeIsNamed) {
  const auto run = [](std::string_view process, std::string_view found) {
    return anomaly(fmt::format(R"(
2 invoke txn {{"ops":[["send","t-0",{{"v":[["b"]]}}],["poll","t-1",{{}}]]}}
3:{0} invoke txn {{"ops":[["poll","t-0",{{}}]]}}
3:{0} ok [{{"recs":[[0,"b"]]}}]
1:{0} invoke txn {{"ops":[["send","t-1",{{"v":[["a"]]}}]]}}
1:{0} ok [0]
2 ok [0,{{"recs":[{1}]}}])",
                               process, found));
  };
  const std::string same = run("7", R"([0,"a"])");
  EXPECT_EQ(same, "G1c-process");
  EXPECT_EQ(run("7", ""), "");
  EXPECT_EQ(anomaly(R"(
2 invoke txn {"ops":[["send","t-0",{"v":[["b"]]}],["poll","t-1",{}]]}
3 invoke txn {"ops":[["poll","t-0",{}]]}
3 ok [{"recs":[[0,"b"]]}]
1 invoke txn {"ops":[["send","t-1",{"v":[["a"]]}]]}
1 ok [0]
2 ok [0,{"recs":[[0,"a"]]}])"),
            "G1c-realtime");
}

TEST(LogIdempotence, ABatchIsStoredOnce) {
  const auto again = [](std::string_view told, std::string_view found) {
    return anomaly(fmt::format(R"(
1 invoke send @t-0 {{"acks":-1,"v":[["a"]],"pid":7,"epoch":0,"seq":0}}
1 ok 0
2 invoke send @t-0 {{"acks":-1,"v":[["a"]],"pid":7,"epoch":0,"seq":0}}
2 ok {}
3 invoke poll @t-0 {{"from":0}}
3 ok {{"recs":[{}]}})",
                               told, found));
  };
  EXPECT_EQ(again("0", R"([0,"a"])"), "");
  EXPECT_EQ(again("1", R"([0,"a"])"), "duplicate");
  EXPECT_EQ(again("0", R"([0,"a"],[1,"a"])"), "inconsistent-offsets") << "told once, stored twice";
}

TEST(LogIdempotence, ARetryCountsWhateverTheFirstAttemptWasTold) {
  const auto first = [](std::string_view how, std::string_view second) {
    return anomaly(fmt::format(R"(
1 invoke send @t-0 {{"acks":-1,"v":[["a"]],"pid":7,"epoch":0,"seq":0}}
1 {}
2 invoke send @t-0 {{"acks":-1,"v":[["a"]],"pid":7,"epoch":0,"seq":0}}
2 {}
3 invoke poll @t-0 {{"from":0}}
3 ok {{"recs":[[0,"a"]]}})",
                               how, second));
  };
  EXPECT_EQ(first("info", "ok 0"), "");
  EXPECT_EQ(first("fail", "ok 0"), "");
  EXPECT_EQ(first("fail", "info"), "");
  EXPECT_EQ(first("fail", "fail"), "aborted-read");
}

TEST(LogIdempotence, TriesOfAnIdempotentProducerLeaveNoDuplicates) {
  const auto tried = [](std::string_view sequence) {
    return anomaly(fmt::format(R"(
1 invoke send @t-0 {{"acks":-1,"v":[["a"]],"tries":2{}}}
1 info
2 invoke poll @t-0 {{"from":0}}
2 ok {{"recs":[[0,"a"],[1,"a"]]}})",
                               sequence));
  };
  EXPECT_EQ(tried(""), "");
  EXPECT_EQ(tried(R"(,"pid":7,"epoch":0,"seq":0)"), "duplicate");
}

TEST(LogIdempotence, DifferentRecordsUnderOneSequenceAreUndecided) {
  const Result<Verdict> verdict = check("offsets", history_of(R"(
1 invoke send @t-0 {"acks":-1,"v":[["a"]],"pid":7,"epoch":0,"seq":0}
2 invoke send @t-0 {"acks":-1,"v":[["b"]],"pid":7,"epoch":0,"seq":0})"));
  ASSERT_TRUE(verdict) << verdict.error().message();
  EXPECT_EQ(verdict->outcome, Outcome::kUndecided);
}

TEST(LogKeys, RecordsOfOneKeyStayTogether) {
  const auto second = [](std::string_view partition, std::string_view before = "") {
    return anomaly(fmt::format(R"(
5 invoke create_topic @t 2
5 ok "OK"
1 invoke send @t-0 {{"acks":-1,"v":[["a"]],"key":"k"}}
1 ok 0
{}
2 invoke send @{} {{"acks":-1,"v":[["b"]],"key":"k"}}
2 info)",
                               before, partition));
  };
  EXPECT_EQ(second("t-0"), "");
  EXPECT_EQ(second("t-1"), "key-moved");
  EXPECT_EQ(second("u-1"), "") << "another topic";
  EXPECT_EQ(second("t-1", "6 invoke describe_topic @t\n6 ok 3"), "") << "there are more partitions";
}

std::string join(int id, std::string_view name, int generation, std::string_view owned,
                 std::string_view more = "") {
  return fmt::format(
      "{0} invoke join {{\"group\":\"g\",\"member\":\"{1}\",\"topics\":[\"t\"]}}\n"
      "{0} ok {{\"generation\":{2},\"owned\":[{3}]{4}}}\n",
      id, name, generation, owned, more);
}

TEST(LogGroups, APartitionHasOneOwnerInAGeneration) {
  const auto second = [](std::string_view name, int generation, std::string_view owned) {
    return anomaly(join(1, "m1", 1, R"("t-0")") + join(2, name, generation, owned));
  };
  EXPECT_EQ(second("m2", 1, R"("t-1")"), "");
  EXPECT_EQ(second("m2", 2, R"("t-0")"), "");
  EXPECT_EQ(second("m1", 1, R"("t-0")"), "");
  EXPECT_EQ(second("m2", 1, R"("t-0")"), "double-owner");
}

TEST(LogGroups, EachPartitionHasAnOwnerOnceAllHaveJoined) {
  const auto second = [](std::string_view owned, int members) {
    return anomaly("8 invoke create_topic @t 3\n8 ok \"OK\"\n" +
                   join(1, "m1", 1, R"("t-0")", fmt::format(",\"members\":{}", members)) +
                   join(2, "m2", 1, owned));
  };
  EXPECT_EQ(second(R"("t-1","t-2")", 2), "");
  EXPECT_EQ(second(R"("t-1")", 2), "unowned");
  EXPECT_EQ(second(R"("t-1")", 3), "") << "a third may own it";
}

TEST(LogGroups, GenerationsOnlyRise) {
  EXPECT_EQ(anomaly(join(1, "m1", 2, "") + join(2, "m1", 3, "")), "");
  EXPECT_EQ(anomaly(join(1, "m1", 2, "") + join(2, "m1", 1, "")), "generation-regress");
}

TEST(LogGroups, AnEarlierGenerationCommitsNoMore) {
  const auto commit = [](int generation, std::string_view end) {
    return anomaly(join(1, "m1", 1, "") + join(2, "m2", 2, "") +
                   fmt::format("3 invoke commit @t-0 "
                               "{{\"group\":\"g\",\"offset\":4,\"generation\":{}}}\n3 {}\n",
                               generation, end));
  };
  EXPECT_EQ(commit(2, "ok \"OK\""), "");
  EXPECT_EQ(commit(1, "fail"), "");
  EXPECT_EQ(commit(1, "info"), "");
  EXPECT_EQ(commit(1, "ok \"OK\""), "stale-commit");
}

TEST(LogGroups, TheCommittedOffsetIsTheLastThatWasCommitted) {
  const auto fetched = [](std::string_view second, std::string_view told) {
    return anomaly(fmt::format(R"(
1 invoke commit @t-0 {{"group":"g","offset":4}}
1 ok "OK"
2 invoke commit @t-0 {{"group":"g","offset":6}}
2 {}
crash
3 invoke committed @t-0 {{"group":"g"}}
3 ok {})",
                               second, told));
  };
  EXPECT_EQ(fetched("ok \"OK\"", "6"), "");
  EXPECT_EQ(fetched("ok \"OK\"", "4"), "lost-commit");
  EXPECT_EQ(fetched("ok \"OK\"", "-1"), "lost-commit");
  EXPECT_EQ(fetched("info", "4"), "");
  EXPECT_EQ(fetched("info", "6"), "");
  EXPECT_EQ(fetched("fail", "6"), "phantom-commit");
  EXPECT_EQ(fetched("ok \"OK\"", "5"), "phantom-commit");
}

TEST(LogGroups, CommittedOffsetsDoNotGoBack) {
  const auto twice = [](std::string_view second) {
    return anomaly(fmt::format(R"(
1 invoke commit @t-0 {{"group":"g","offset":4}}
1 ok "OK"
2 invoke commit @t-0 {{"group":"g","offset":6}}
3 invoke committed @t-0 {{"group":"g"}}
3 ok 6
4 invoke committed @t-0 {{"group":"g"}}
4 ok {})",
                               second));
  };
  EXPECT_EQ(twice("6"), "");
  EXPECT_EQ(twice("4"), "lost-commit") << "6 had been seen";
}

TEST(LogGroups, WhatIsCommittedWasDelivered) {
  const auto commit = [](std::string_view found, std::string_view group, int offset) {
    return anomaly(fmt::format(R"(
1 invoke send @t-0 {{"acks":-1,"v":[["a"],["b"],["c"]]}}
1 ok 0
2 invoke poll @t-0 {{"group":"{}"}}
2 ok {{"recs":[{}]}}
3 invoke commit @t-0 {{"group":"g","offset":{}}}
3 ok "OK"
4 invoke poll @t-0 {{"group":"g"}}
4 ok {{"recs":[[0,"a"],[1,"b"],[2,"c"]]}})",
                               group, found, offset));
  };
  EXPECT_EQ(commit(R"([0,"a"],[1,"b"])", "g", 2), "");
  EXPECT_EQ(commit(R"([0,"a"],[1,"b"])", "g", 3), "undelivered") << "it came only later";
  EXPECT_EQ(commit(R"([0,"a"],[1,"b"],[2,"c"])", "g", 3), "");
  EXPECT_EQ(commit(R"([0,"a"],[1,"b"],[2,"c"])", "h", 3), "undelivered") << "to another group";
}

TEST(LogLiveness, InTheCalmNobodyWaitsLongerThanItWanted) {
  Options options;
  options.punctuality = {.calm_from = Micros(0), .allowance = Micros(1000)};
  const auto poll = [&](int64_t micros) {
    const std::string text = fmt::format(
        "{{\"hdr\":\"hjl/1\",\"type\":\"kafka\"}}\n"
        R"({{"t":0,"p":0,"id":0,"e":"invoke","f":"poll","k":"t-0","a":{{"wait":5}}}})"
        "\n"
        R"({{"t":{},"p":0,"id":0,"e":"ok","r":{{"recs":[]}}}})",
        micros);
    return check("offsets", text, options)->anomaly;
  };
  EXPECT_EQ(poll(6000), "");
  EXPECT_EQ(poll(6001), "late");
  const auto rebalance = [&](int64_t micros) {
    const std::string text = fmt::format(
        "{{\"hdr\":\"hjl/1\",\"type\":\"kafka\"}}\n"
        R"({{"t":0,"p":0,"id":0,"e":"invoke","f":"join","a":{{"group":"g","member":"m",)"
        R"("topics":[],"wait":5}}}})"
        "\n"
        R"({{"t":{},"p":0,"id":0,"e":"ok","r":{{"generation":1,"owned":[]}}}})",
        micros);
    return check("offsets", text, options)->anomaly;
  };
  EXPECT_EQ(rebalance(6000), "");
  EXPECT_EQ(rebalance(6001), "late");
}

TEST(LogLiveness, TellsHowStaleAnAnswerWas) {
  const Result<Verdict> verdict = check("offsets", history_of(R"(
1 invoke send @t-0 {"acks":-1,"v":[["a"]]}
1 ok 0
2 invoke poll @t-0 {}
2 ok {"recs":[[0,"a"]]}
3 invoke send @t-0 {"acks":-1,"v":[["b"]]}
3 ok 1
4 invoke poll @t-0 {"by":"slow"}
4 ok {"recs":[[0,"a"]]})"));
  ASSERT_TRUE(verdict && verdict->ok());
  EXPECT_NE(verdict->summary.find("operation 4 is the stalest, at least 10 us behind"),
            std::string::npos)
      << verdict->summary;
}

TEST(LogFlushes, TheDurableEndNeverGoesBack) {
  const auto second = [](int end) {
    const std::string text = fmt::format(
        "{{\"hdr\":\"hjl/1\",\"type\":\"log\"}}\n"
        R"({{"t":0,"p":0,"id":0,"e":"invoke","f":"append","k":"p","a":1}})"
        "\n"
        R"({{"t":1,"p":0,"id":0,"e":"ok","r":0}})"
        "\n"
        R"({{"t":2,"p":0,"id":1,"e":"invoke","f":"flush","k":"p"}})"
        "\n"
        R"({{"t":3,"p":0,"id":1,"e":"ok","r":1}})"
        "\n"
        R"({{"t":4,"p":0,"id":2,"e":"invoke","f":"flush","k":"p"}})"
        "\n"
        R"({{"t":5,"p":0,"id":2,"e":"ok","r":{}}})",
        end);
    return check("offsets", text)->anomaly;
  };
  EXPECT_EQ(second(1), "");
  EXPECT_EQ(second(0), "hw-regress");
}

TEST(LogShapes, WhatIsWrongIsNamedWithItsLine) {
  const auto message = [](std::string_view lines, std::string_view header = "") {
    const Result<Verdict> verdict = check("offsets", history_of(lines, header));
    return verdict ? std::string() : verdict.error().message();
  };
  EXPECT_EQ(message("", R"(,"offsets":"odd")"),
            "line 1: offsets is \"odd\", expected \"dense\" or \"sparse\"");
  EXPECT_TRUE(message(R"(1 invoke txn {"ops":[["pull","t-0",{}]]})")
                  .starts_with("line 2: argument of txn is"));
  EXPECT_TRUE(message("1 invoke txn {\"ops\":[[\"poll\",\"t-0\",{}]]}\n1 ok [0]")
                  .starts_with("line 3: result of txn is [0], expected a list with"));
  EXPECT_TRUE(message(R"(1 invoke commit @t-0 {"group":"g"})")
                  .starts_with("line 2: argument of commit is {\"group\":\"g\"}, expected"));
  EXPECT_TRUE(message(R"(1 invoke join @t-0 {"group":"g","member":"m","topics":[]})")
                  .starts_with("line 2: join does not take a key"));
  EXPECT_TRUE(message(R"(1 invoke send @t-0 {"acks":1,"v":[["a"]],"pid":1})")
                  .starts_with("line 2: argument of send is"))
      << "a pid without a sequence";
}

// The names that there are: each stands in offsets.h with what it means.
TEST(LogFindings, EachNameIsExplained) {
  std::ifstream file(SEATRIAL_SOURCE_DIR "/checkers/offsets.h");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  for (std::string_view name : log_anomalies()) {
    EXPECT_NE(text.find(fmt::format("//   {}", name)), std::string::npos)
        << name << " is not explained in offsets.h";
  }
}

}  // namespace
}  // namespace seatrial::checkers
