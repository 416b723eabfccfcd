#include "checkers/readers/jepsen.h"
#include "checkers/check.h"
#include "checkers/hjl.h"
#include "checkers/readers/edn.h"

#include <gtest/gtest.h>

namespace seatrial::checkers {
namespace {

std::string printed(std::string_view text) {
  EdnReader reader(text);
  const Result<Edn> form = reader.next();
  return form ? form->print() : form.error().message();
}

TEST(Edn, ReadsWhatHistoriesUse) {
  EXPECT_EQ(printed("nil"), "nil");
  EXPECT_EQ(printed("[true, false -7 +7 12N]"), "[true false -7 7 12]");
  EXPECT_EQ(printed("1.5e3"), "1.5e3");
  EXPECT_EQ(printed("99999999999999999999"), "99999999999999999999");
  EXPECT_EQ(printed("(:a/b sym \\c #{1 2})"), "[:a/b sym \"c\" [1 2]]");
  EXPECT_EQ(printed("{:a 1, \"b\" [2 [3]]}"), "{:a 1 \"b\" [2 [3]]}");
  EXPECT_EQ(printed("#jepsen.history.Op{:f :txn}"), "{:f :txn}");
  EXPECT_EQ(printed("; a comment\n [1 ; another\n #_ [skipped {}] 2]"), "[1 2]");
  EXPECT_EQ(printed("\"tab\\t quote\\\" \\u00e9\""), "\"tab\t quote\" \xc3\xa9\"");
}

TEST(Edn, SaysWhatIsWrongAndWhere) {
  EXPECT_NE(printed("\n\n[1 2").find("line 3: the end, expected ] for what opens in line 3"),
            std::string::npos);
  EXPECT_NE(printed("{:a 1\n :b}").find("line 2: \"}\", expected a value for the last key"),
            std::string::npos);
  EXPECT_NE(printed("[1 }").find("expected a value"), std::string::npos);
  EXPECT_NE(printed("\"abc").find("a string without end"), std::string::npos);
  EXPECT_NE(printed("\"a\\q\"").find("expected an escape"), std::string::npos);
  EXPECT_NE(printed("[:]").find("expected a keyword"), std::string::npos);
  EXPECT_NE(printed(std::string(100, '[')).find("deeper"), std::string::npos);
}

History read(std::string_view bytes) {
  EXPECT_TRUE(is_jepsen_edn(bytes)) << bytes;
  Result<History> history = read_jepsen_edn(bytes);
  EXPECT_TRUE(history) << history.error().message();
  if (!history) return History("kv");
  return std::move(*history);
}

TEST(Jepsen, ListAppend) {
  const History history = read(
      "{:type :invoke, :f :txn, :value [[:append 3 1] [:r 3 nil]], :process 0, :time 1000}\n"
      "{:type :info, :f :start-partition, :process :nemesis, :time 1500, :value nil}\n"
      "{:type :ok, :f :txn, :value [[:append 3 1] [:r 3 [1]]], :process 0, :time 2000}\n"
      "#jepsen.history.Op{:index 4, :type :invoke, :f :txn, :value [[:r 3 nil] [:r :y nil]], "
      ":process 1, :time 3000}\n"
      "{:type :ok, :f :txn, :value [[:r 3 [1]] [:r :y nil]], :process 1, :time 4000}\n"
      "{:type :invoke, :f :txn, :value [[:append 3 2]], :process 1, :time 5000}\n"
      "{:type :info, :f :txn, :value [[:append 3 2]], :process 1, :time 6000, :error :timeout}\n");
  EXPECT_EQ(write_hjl(history),
            "{\"hdr\":\"hjl/1\",\"type\":\"appendtxn\",\"ops\":3}\n"
            "{\"t\":1,\"p\":0,\"id\":0,\"e\":\"invoke\",\"f\":\"exec\",\"a\":[[\"rpush\",\"3\",1],"
            "[\"lrange\",\"3\"]]}\n"
            "{\"t\":2,\"p\":0,\"id\":0,\"e\":\"ok\",\"r\":[\"OK\",[1]]}\n"
            "{\"t\":3,\"p\":1,\"id\":1,\"e\":\"invoke\",\"f\":\"exec\",\"a\":[[\"lrange\",\"3\"],"
            "[\"lrange\",\"y\"]]}\n"
            "{\"t\":4,\"p\":1,\"id\":1,\"e\":\"ok\",\"r\":[[1],[]]}\n"
            "{\"t\":5,\"p\":1,\"id\":2,\"e\":\"invoke\",\"f\":\"exec\",\"a\":[[\"rpush\",\"3\",2]]}"
            "\n"
            "{\"t\":6,\"p\":1,\"id\":2,\"e\":\"info\"}\n");
}

TEST(Jepsen, ReadWriteRegistersInAVector) {
  const History history = read(
      "[{:process 0, :type :invoke, :f :txn, :value [[:w :x 1] [:r :y nil]]}\n"
      " {:process 0, :type :ok, :f :txn, :value [[:w :x 1] [:r :y nil]]}]\n");
  EXPECT_EQ(history.type(), "rwtxn");
  EXPECT_EQ(describe(history, history.operations()[0]),
            R"(0: exec [["set","x",1],["get","y"]] -> ["OK",null])");
}

TEST(Jepsen, RegistersAlone) {
  const std::string_view bytes =
      "{:process 0, :type :invoke, :f :write, :value 3}\n"
      "{:process 0, :type :ok, :f :write, :value 3}\n"
      "{:process 1, :type :invoke, :f :cas, :value [3 4]}\n"
      "{:process 1, :type :ok, :f :cas, :value [3 4]}\n"
      "{:process 1, :type :invoke, :f :cas, :value [3 5]}\n"
      "{:process 1, :type :fail, :f :cas, :value [3 5]}\n"
      "{:process 0, :type :invoke, :f :read, :value nil}\n"
      "{:process 0, :type :ok, :f :read, :value 4}\n";
  EXPECT_EQ(check("kv", bytes)->outcome, Outcome::kOk);
  std::string stale(bytes);
  stale[stale.rfind('4')] = '3';
  EXPECT_EQ(check("kv", stale)->outcome, Outcome::kViolation);
}

TEST(Jepsen, IndependentRegisters) {
  const History history = read(
      "{:process 0, :type :invoke, :f :write, :value [7 3]}\n"
      "{:process 0, :type :ok, :f :write, :value [7 3]}\n"
      "{:process 1, :type :invoke, :f :cas, :value [7 [3 4]]}\n"
      "{:process 1, :type :ok, :f :cas, :value [7 [3 4]]}\n"
      "{:process 0, :type :invoke, :f :read, :value [7 nil]}\n"
      "{:process 0, :type :ok, :f :read, :value [7 4]}\n");
  ASSERT_EQ(history.operations().size(), 3U);
  EXPECT_EQ(describe(history, history.operations()[0]), "0: set 7 3 -> \"OK\"");
  EXPECT_EQ(describe(history, history.operations()[1]), "1: cas 7 [3,4] -> 1");
  EXPECT_EQ(describe(history, history.operations()[2]), "2: get 7 -> 4");
  EXPECT_EQ(check("kv", history)->outcome, Outcome::kOk);
}

TEST(Jepsen, ViolationsAreFound) {
  const auto verdict = check("appendtxn",
                             "{:process 0 :type :invoke :f :txn :value [[:append :x 1]]}\n"
                             "{:process 0 :type :ok :f :txn :value [[:append :x 1]]}\n"
                             "{:process 1 :type :invoke :f :txn :value [[:r :x nil]]}\n"
                             "{:process 1 :type :ok :f :txn :value [[:r :x nil]]}\n");
  ASSERT_TRUE(verdict) << verdict.error().message();
  EXPECT_EQ(verdict->anomaly, "G-single-realtime");
}

void expect_error(std::string_view bytes, std::string_view expected) {
  const Result<History> history = read_jepsen_edn(bytes);
  ASSERT_FALSE(history) << bytes;
  EXPECT_NE(history.error().message().find(expected), std::string::npos)
      << history.error().message();
}

TEST(Jepsen, MalformedHistoriesAreNamed) {
  const std::string invoke = "{:process 0, :type :invoke, :f :txn, :value [[:append 1 1]]}\n";
  expect_error(invoke + "7", "line 2: 7, expected an operation");
  expect_error(invoke + "{:type :ok, :f :txn}", "line 2: an operation without :process");
  expect_error(invoke + "{:process 1, :type :ok, :f :txn, :value []}",
               "completion without invocation");
  expect_error(invoke + "{:process 0, :type :ok, :f :txn, :value []}",
               "expected the 1 micro-operations");
  expect_error(invoke + "{:process 0, :type :ok, :f :txn, :value [[:append 2 1]]}",
               "expected the answer to [:append 1 1]");
  expect_error(invoke + "{:process 0, :type :done, :f :txn, :value [[:append 1 1]]}",
               "expected :invoke, :ok, :fail or :info");
  expect_error(invoke + "{:process 1, :type :invoke, :f :txn, :value [[:w 1 1]]}",
               "expected [:r key value] or [:append key value]");
  expect_error("{:process 0, :type :invoke, :f :enqueue, :value 1}",
               ":f :enqueue, expected :read, :write or :cas");
  expect_error(
      "{:process 0, :type :invoke, :f :read, :value nil, :time 9000}\n"
      "{:process 0, :type :ok, :f :read, :value nil, :time 1000}",
      "time runs back");
}

TEST(Jepsen, OtherFormatsAreNotTakenForIt) {
  EXPECT_FALSE(is_jepsen_edn("{\"hdr\":\"hjl/1\",\"type\":\"kv\"}"));
  EXPECT_FALSE(is_jepsen_edn("INFO jepsen.util - 0 :invoke :read nil"));
  EXPECT_TRUE(is_jepsen_edn("; stored by a test\n[{:process 0}]"));
}

}  // namespace
}  // namespace seatrial::checkers
