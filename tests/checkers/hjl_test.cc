#include "checkers/hjl.h"
#include "tests/checkers/support/generate.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace seatrial::checkers {
namespace {

constexpr std::string_view kHeader = R"({"hdr":"hjl/1","type":"kv","clients":2,"ops":2})";

std::string error_of(std::string_view lines, std::string_view header = kHeader) {
  const Result<History> history = read_hjl(std::string(header) + "\n" + std::string(lines));
  return history ? "" : history.error().message();
}

TEST(Hjl, ReadsOperations) {
  const Result<History> history = read_hjl(std::string(kHeader) + R"(
{"t":5,"p":0,"id":7,"e":"invoke","f":"cas","k":"x","a":[null,"v"]}
{"t":6,"p":1,"id":8,"e":"invoke","f":"get","k":"y"}
{"t":9,"p":0,"id":7,"e":"ok","r":1}
{"t":9,"p":1,"id":8,"e":"info"}
)");
  ASSERT_TRUE(history) << history.error().message();
  ASSERT_EQ(history->operations().size(), 2U);
  const Operation& cas = history->operations()[0];
  EXPECT_EQ(cas.id, 7);
  EXPECT_EQ(cas.function, Function::kCas);
  EXPECT_EQ(history->key_name(cas.key), "x");
  EXPECT_EQ(cas.argument.json(), "[null,\"v\"]");
  EXPECT_EQ(cas.result, Value::integer(1));
  EXPECT_EQ(cas.invoke_time, Micros(5));
  EXPECT_EQ(cas.complete_time, Micros(9));
  EXPECT_TRUE(history->operations()[1].unknown());
  EXPECT_EQ(history->find(9), nullptr);
}

// Each line that is no history is named, with what was expected there.
TEST(Hjl, MalformedLinesAreNamed) {
  const std::string invoke = R"({"t":5,"p":0,"id":1,"e":"invoke","f":"get","k":"x"})";
  const auto after_invoke = [&](std::string_view line) {
    return error_of(invoke + "\n" + std::string(line));
  };
  EXPECT_EQ(error_of(R"({"t":5,"p":0,"id":1,"e":"ok","r":null})"),
            "line 2: completion without invocation: no operation 1 was invoked");
  EXPECT_EQ(after_invoke(R"({"t":4,"p":0,"id":1,"e":"ok","r":null})"),
            "line 3: time runs back: t is 4, the event before has 5");
  EXPECT_EQ(after_invoke(R"({"t":5,"p":1,"id":1,"e":"invoke","f":"get","k":"x"})"),
            "line 3: duplicate id 1: an operation of that id was invoked before");
  EXPECT_EQ(after_invoke(R"({"t":5,"p":0,"id":2,"e":"invoke","f":"get","k":"x"})"),
            "line 3: process 0 has operation 1 open, expected its completion first");
  EXPECT_EQ(after_invoke(R"({"t":5,"p":1,"id":1,"e":"ok","r":null})"),
            "line 3: operation 1 was invoked by process 0, but completed by 1");
  EXPECT_EQ(after_invoke("{\"t\":5,\"p\":0,\"id\":1,\"e\":\"info\"}\n"
                         R"({"t":6,"p":0,"id":2,"e":"invoke","f":"get","k":"x"})"),
            "line 4: process 0 is used again after an operation of it ended as info, expected a "
            "new number");
  EXPECT_EQ(after_invoke("{\"t\":5,\"p\":0,\"id\":1,\"e\":\"fail\"}\n"
                         R"({"t":6,"p":0,"id":1,"e":"fail"})"),
            "line 4: operation 1 is completed a second time");
  EXPECT_EQ(error_of(R"({"t":5,"p":0,"id":1,"e":"invoke","f":"hget","k":"x"})"),
            "line 2: unknown function \"hget\", a history of type kv has get, set, cas, del, "
            "incr, getset, append");
}

TEST(Hjl, WrongTypesAreNamed) {
  EXPECT_EQ(error_of(R"({"t":"5","p":0,"id":1,"e":"invoke","f":"get","k":"x"})"),
            "line 2: t is \"5\", expected a number");
  EXPECT_EQ(error_of(R"({"t":5,"p":0,"id":1,"e":"invoke","f":"get","k":7})"),
            "line 2: k is 7, expected a text");
  EXPECT_EQ(error_of(R"({"t":5,"p":0,"id":1,"e":"invoke","f":"set","k":"x","a":null})"),
            "line 2: argument of set is null, expected a number or a text");
  EXPECT_EQ(error_of(R"({"t":5,"p":0,"id":1,"e":"invoke","f":"set","k":"x","a":1.5})"),
            "line 2: 1.5 is no whole number");
  EXPECT_EQ(error_of(R"({"t":5,"p":0,"id":1,"e":"invoke","f":"cas","k":"x","a":[1]})"),
            "line 2: argument of cas is [1], expected [old, new], old perhaps null");
  EXPECT_EQ(error_of(R"({"t":5,"p":0,"id":1,"e":"invoke","f":"get"})"), "line 2: get needs a key");
  EXPECT_EQ(error_of("{\"t\":5,\"p\":0,\"id\":1,\"e\":\"invoke\",\"f\":\"del\",\"k\":\"x\"}\n"
                     R"({"t":5,"p":0,"id":1,"e":"ok","r":"OK"})"),
            "line 3: result of del is \"OK\", expected 1 or 0");
  EXPECT_EQ(error_of(R"({"t":5,"p":0,"id":1,"e":"crash"})"),
            "line 2: event \"crash\", expected invoke, ok, fail or info");
  EXPECT_EQ(error_of(R"({"t":5,"p":0,"id":1,"e":"ok","x":1})"),
            "line 2: unknown member \"x\", expected t, p, id, e, f, k, a or r");
  EXPECT_EQ(error_of(R"({"t":5,"p":0,"id":1)").substr(0, 16), "line 2: not JSON");
  EXPECT_EQ(error_of("[]"), "line 2: expected an object");
  EXPECT_EQ(error_of("7"), "line 2: expected an object");
  EXPECT_EQ(error_of(R"({"t":5,"p":0,"id":1,"e":"invoke","f":"set","k":"x","a":true})"),
            "line 2: true or false is no value of a history");
}

TEST(Hjl, HeadersAreChecked) {
  EXPECT_EQ(error_of("", "{}"), "line 1: expected the header {\"hdr\":\"hjl/1\",\"type\":...}");
  EXPECT_EQ(error_of("", R"({"hdr":"hjl/2","type":"kv"})"),
            "line 1: hdr is \"hjl/2\", expected \"hjl/1\"");
  EXPECT_TRUE(error_of("", R"({"hdr":"hjl/1","type":"bag"})")
                  .starts_with("line 1: unknown type of history \"bag\", expected one of "
                               "register, kv, kvx, counter"));
  EXPECT_EQ(error_of("", R"({"hdr":"hjl/1"})"),
            "line 1: the header has no type, expected \"type\":\"register\" or the like");
  const Result<History> nothing = read_hjl("");
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().message(),
            "line 1: empty, expected the header {\"hdr\":\"hjl/1\",...}");
}

TEST(Hjl, DeepNestingIsRefused) {
  const std::string deep(100'000, '[');
  EXPECT_EQ(error_of(R"({"t":5,"p":0,"id":1,"e":"invoke","f":"set","k":"x","a":)" + deep),
            "line 2: values nest deeper than 16");
}

TEST(Hjl, DamagedBytesAreWrittenAndReadable) {
  Recorder recorder("kv", 1);
  const OperationId id = recorder.invoke(Micros(1), 0, Function::kGet, "x");
  recorder.ok(Micros(2), id, Value::text("\xff\x01\"\\é"));
  const Result<History> back = read_hjl(write_hjl(recorder.history()));
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(back->operations()[0].result.as_text(), "\xc3\xbf\x01\"\\é");
}

TEST(Hjl, OnlyChosenOperationsAreWritten) {
  Recorder recorder("kv", 2);
  const OperationId first = recorder.invoke(Micros(1), 0, Function::kGet, "x");
  const OperationId second = recorder.invoke(Micros(1), 1, Function::kIncr, "x");
  recorder.info(Micros(2), first);
  recorder.ok(Micros(3), second, Value::integer(1));
  EXPECT_EQ(write_hjl(recorder.history(), std::vector{second}),
            R"({"hdr":"hjl/1","type":"kv","clients":2,"ops":2})"
            "\n"
            R"({"t":1,"p":1,"id":1,"e":"invoke","f":"incr","k":"x"})"
            "\n"
            R"({"t":3,"p":1,"id":1,"e":"ok","r":1})"
            "\n");
}

TEST(Recorder, ClientsGoOnUnderNewNumbersAfterUnknownOutcomes) {
  Recorder recorder("kv", 2);
  recorder.info(Micros(1), recorder.invoke(Micros(1), 1, Function::kGet, "x"));
  const OperationId id = recorder.invoke(Micros(2), 1, Function::kGet, "x");
  EXPECT_EQ(recorder.history().find(id)->process, 3);
  EXPECT_TRUE(recorder.history().find(id)->unknown());
}

TEST(RecorderDeathTest, MisuseIsABug) {
  Recorder recorder("kv", 1);
  const OperationId id = recorder.invoke(Micros(5), 0, Function::kGet, "x");
  EXPECT_DEATH(recorder.invoke(Micros(6), 0, Function::kGet, "x"), "has operation 0 open");
  EXPECT_DEATH(recorder.ok(Micros(4), id, Value()), "time runs back");
  EXPECT_DEATH(recorder.ok(Micros(6), 9, Value()), "operation 9");
}

RC_GTEST_PROP(HjlProperty, WrittenHistoriesAreReadAsTheyWere, (uint64_t seed)) {
  for (const char* type : {"register", "kv", "kvx", "txn"}) {
    base::RandomStream random(seed, type);
    const History history = Generator(type, {}, random).make();
    const std::string bytes = write_hjl(history);
    const Result<History> back = read_hjl(bytes);
    RC_ASSERT(back.has_value());
    RC_ASSERT(write_hjl(*back) == bytes);
  }
}

// Whatever the damage, reading ends in a history or in an error with its line.
RC_GTEST_PROP(HjlProperty, DamagedHistoriesAreRefusedOrRead, (uint64_t seed)) {
  base::RandomStream random(seed, "damage");
  std::string bytes = write_hjl(Generator("kvx", {}, random).make());
  for (int i = 0; i < 3; i++) {
    bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
  }
  const Result<History> history = read_hjl(bytes);
  RC_ASSERT(history.has_value() || history.error().message().starts_with("line "));
}

}  // namespace
}  // namespace seatrial::checkers
