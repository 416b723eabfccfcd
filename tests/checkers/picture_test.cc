#include "checkers/picture.h"
#include "checkers/check.h"
#include "tests/checkers/support/generate.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>

namespace seatrial::checkers {
namespace {

using Json = nlohmann::json;

History read(std::string_view text) {
  Result<History> history = read_history(text);
  EXPECT_TRUE(history) << history.error().message();
  return *std::move(history);
}

// What the page draws from.
Json data_of(const std::string& page) {
  const std::string open = "<script type=\"application/json\" id=\"data\">";
  const size_t begin = page.find(open);
  EXPECT_NE(begin, std::string::npos);
  const size_t end = page.find("</script>", begin);
  return Json::parse(page.substr(begin + open.size(), end - begin - open.size()));
}

size_t count(const std::string& text, std::string_view word) {
  size_t found = 0;
  for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) found++;
  return found;
}

std::vector<OperationId> ids_of(const Json& operations) {
  std::vector<OperationId> ids;
  for (const Json& operation : operations) ids.push_back(operation.at("id").get<OperationId>());
  return ids;
}

bool holds(const std::vector<OperationId>& ids, OperationId id) {
  return std::ranges::find(ids, id) != ids.end();
}

constexpr std::string_view kStale = R"({"hdr":"hjl/1","type":"kv"}
{"t":10,"p":0,"id":1,"e":"invoke","f":"set","k":"x","a":1}
{"t":20,"p":0,"id":1,"e":"ok","r":"OK"}
{"t":30,"p":0,"id":2,"e":"invoke","f":"set","k":"x","a":2}
{"t":35,"p":2,"id":9,"e":"invoke","f":"set","k":"y","a":7}
{"t":40,"p":0,"id":2,"e":"ok","r":"OK"}
{"t":50,"p":1,"id":3,"e":"invoke","f":"get","k":"x"}
{"t":55,"p":2,"id":9,"e":"info"}
{"t":60,"p":1,"id":3,"e":"ok","r":1}
)";

TEST(Picture, ShowsWhatTheVerdictSays) {
  const History history = read(kStale);
  const Verdict verdict = *check("kv", history);
  const Json data = data_of(draw_picture(history, verdict));
  EXPECT_EQ(data.at("outcome"), "violation");
  EXPECT_EQ(data.at("anomaly"), "stale-read");
  EXPECT_EQ(data.at("summary").at("text"), verdict.summary);
  EXPECT_EQ(ids_of(data.at("operations")), (std::vector<OperationId>{1, 2, 9, 3}));
  EXPECT_EQ(data.at("misfit"), 3) << "the read is what fits nowhere";
  for (OperationId id : verdict.sub_history) {
    EXPECT_TRUE(holds(data.at("named").get<std::vector<OperationId>>(), id));
  }
  EXPECT_EQ(data.at("order").get<std::vector<OperationId>>(), verdict.linearized);
  ASSERT_EQ(data.at("sentences").size(), verdict.explanation.size());
  const Json& last = data.at("sentences").back();
  EXPECT_EQ(last.at("text"), "2 precedes 3: it had completed before the other was invoked");
  EXPECT_EQ(last.at("operations"), (std::vector<OperationId>{2, 3}));
  const Json& unknown = data.at("operations").at(2);
  EXPECT_EQ(unknown.at("outcome"), "unknown");
  EXPECT_EQ(unknown.at("keys"), std::vector<std::string>{"y"});
  EXPECT_EQ(data.at("operations").at(3).at("label"), "get → 1");
}

TEST(Picture, NeedsNothingFromOutside) {
  const History history = read(kStale);
  const std::string page = draw_picture(history, *check("kv", history));
  for (std::string_view word : {"src=", "href=", "@import", "url(http", "fetch(", "import(",
                                "XMLHttpRequest", "<link", "<iframe"}) {
    EXPECT_EQ(page.find(word), std::string::npos) << word;
  }
  EXPECT_NE(page.find("default-src 'none'"), std::string::npos) << "and a browser holds it to that";
  EXPECT_EQ(count(page, "http"), 2U) << "the policy's own name and the namespace of SVG";
  EXPECT_EQ(page.find("{{"), std::string::npos) << "a place that was not filled";
  EXPECT_EQ(page.find("innerHTML"), std::string::npos) << "texts are shown as texts";
}

// Whatever stands in a history stays a text.
TEST(Picture, HostileTextsStayTexts) {
  const std::string evil = "</script><script>alert(1)</script><img src=x onerror=alert(1)>&\"'";
  Recorder recorder("kv", 1);
  const OperationId id = recorder.invoke(Micros(1), 0, Function::kGet, evil);
  recorder.ok(Micros(2), id, Value::text(evil + "\xff\xe2\x80\xa8"));
  const Verdict verdict = *check("kv", recorder.history());
  ASSERT_EQ(verdict.outcome, Outcome::kViolation);
  const std::string page = draw_picture(recorder.history(), verdict);
  EXPECT_EQ(page.find("alert(1)</script>"), std::string::npos);
  EXPECT_EQ(page.find("<img"), std::string::npos);
  EXPECT_EQ(count(page, "</script>"), 2U) << "the data's and the program's";
  const Json data = data_of(page);
  EXPECT_EQ(data.at("operations").at(0).at("keys").at(0), evil);
  EXPECT_NE(data.at("operations").at(0).at("text").get<std::string>().find(evil.substr(0, 20)),
            std::string::npos);
}

TEST(Picture, LargeHistoriesAreCutAroundTheViolation) {
  Recorder recorder("register", 2);
  constexpr int kWrites = 3000;
  OperationId middle = 0;
  for (int i = 0; i < kWrites; i++) {
    const OperationId set =
        recorder.invoke(Micros(4 * i), 0, Function::kSet, "x", Value::integer(i));
    recorder.ok(Micros(4 * i + 1), set, Value::text("OK"));
    const OperationId get = recorder.invoke(Micros(4 * i + 2), 1, Function::kGet, "x");
    recorder.ok(Micros(4 * i + 3), get, Value::integer(i == kWrites / 2 ? i - 1 : i));
    if (i == kWrites / 2) middle = get;
  }
  const Verdict verdict = *check("register", recorder.history());
  ASSERT_EQ(verdict.outcome, Outcome::kViolation);
  const Json data = data_of(draw_picture(recorder.history(), verdict, {.operations_max = 50}));
  EXPECT_EQ(data.at("total"), 2 * kWrites);
  const std::vector<OperationId> drawn = ids_of(data.at("operations"));
  ASSERT_EQ(drawn.size(), 50U);
  for (OperationId id : verdict.sub_history) EXPECT_TRUE(holds(drawn, id)) << id;
  EXPECT_TRUE(holds(drawn, middle));
  EXPECT_TRUE(holds(drawn, middle + 10)) << "its neighbours";
  EXPECT_FALSE(holds(drawn, 0));
  for (const Json& id : data.at("order")) EXPECT_TRUE(holds(drawn, id.get<OperationId>()));
}

TEST(Picture, CyclesComeAsAGraph) {
  const auto invoke = [](int id, std::string_view steps) {
    return fmt::format(R"({{"t":{0},"p":{0},"id":{0},"e":"invoke","f":"txn","a":{{"ops":[{1}]}}}})"
                       "\n",
                       id, steps);
  };
  const History history =
      read("{\"hdr\":\"hjl/1\",\"type\":\"kafka\"}\n" +
           invoke(1, R"(["send","t-0",{"v":[["a"]]}],["poll","t-1",{}])") +
           invoke(2, R"(["send","t-1",{"v":[["b"]]}],["poll","t-0",{}])") +
           "{\"t\":3,\"p\":1,\"id\":1,\"e\":\"ok\",\"r\":[0,{\"recs\":[[0,\"b\"]]}]}\n"
           "{\"t\":4,\"p\":2,\"id\":2,\"e\":\"ok\",\"r\":[0,{\"recs\":[[0,\"a\"]]}]}\n");
  const Verdict verdict = *check("offsets", history);
  ASSERT_EQ(verdict.anomaly, "G1c");
  const Json data = data_of(draw_picture(history, verdict));
  const Json& graph = data.at("graph");
  ASSERT_EQ(graph.at("edges").size(), 2U);
  EXPECT_EQ(graph.at("edges").at(0).at("kind"), "wr");
  EXPECT_EQ(graph.at("edges").at(0).at("from"), graph.at("edges").at(1).at("to"));
  ASSERT_EQ(graph.at("nodes").size(), 2U);
  const Json& node = graph.at("nodes").at(1);
  EXPECT_EQ(node.at("id"), 1);
  EXPECT_EQ(node.at("lines"), (std::vector<std::string>{"send t-0 a → 0", "poll t-1 → 0:b"}));
  EXPECT_FALSE(data.contains("misfit")) << "none of them alone is to blame";
  EXPECT_EQ(data.at("operations").at(0).at("keys"), (std::vector<std::string>{"t-0", "t-1"}));
}

TEST(Picture, SentencesNameTheirOperations) {
  const History history = read(kStale);
  const auto told = [&](std::string_view sentence) { return operations_told(history, sentence); };
  using Ids = std::vector<OperationId>;
  EXPECT_EQ(told("2: set x 3 -> \"OK\""), (Ids{2})) << "3 is a value";
  EXPECT_EQ(told("2 precedes 3: it had completed"), (Ids{2, 3}));
  EXPECT_EQ(told("2 < 3 because 3 read x = 1"), (Ids{2, 3}));
  EXPECT_EQ(told("G-single: 2 < 3 because 3 read x = 1"), (Ids{2, 3}));
  EXPECT_EQ(told("1 and 2 both found x = 9 and both replaced it"), (Ids{1, 2}));
  EXPECT_EQ(told("also late: operation 9 waits 1 us"), (Ids{9}));
  EXPECT_EQ(told("operations 1, 2 and 3 contradict operation 9"), (Ids{1, 2, 3, 9}));
  EXPECT_EQ(told("operation 77 is none of the history"), (Ids{}));
  EXPECT_EQ(told("operation"), (Ids{}));
  EXPECT_EQ(told("k = 1, and 2"), (Ids{})) << "numbers that are no operations";
}

TEST(Picture, EdgesAreOfTheKindThatTheirReasonSays) {
  const History history = read(kStale);
  Verdict verdict;
  verdict.explanation = {
      "1 < 2 because 1 had completed before 2 was invoked",
      "1 < 2 because process 0 ran 1 first",
      "1 < 2 because the other replaced its x = 1",
      "1 < 3 because 3 read x with 2 elements, the last of which 1 appended",
      "3 < 2 because 3 read x with 1 elements and did not see 2, which 2 appended",
      "G0: 1 < 2 because 1 appended element 1 of x, and 2 appended 2 behind it",
      "1 < 77 because 77 is not there",
      "1 < because nothing"};
  std::vector<std::string> kinds;
  for (const PictureEdge& edge : edges_told(history, verdict)) kinds.push_back(edge.kind);
  EXPECT_EQ(kinds, (std::vector<std::string>{"real time", "process", "ww", "wr", "rw"}));
}

TEST(Picture, EmptyAndGoodHistoriesAreDrawnToo) {
  const History empty("kv");
  EXPECT_EQ(data_of(draw_picture(empty, *check("kv", empty))).at("operations").size(), 0U);
  for (const CheckerInfo& info : list_checkers()) {
    const History history(std::string(info.types.substr(0, info.types.find(' '))));
    const Json data = data_of(draw_picture(history, *check(info.model, history)));
    EXPECT_EQ(data.at("outcome"), "ok") << info.model;
    EXPECT_TRUE(data.at("named").empty());
  }
}

// Of any verdict: all that it names is drawn, the order is one of drawn operations, and a second
// drawing gives the same bytes.
RC_GTEST_PROP(PictureProperty, WhatAVerdictNamesIsDrawn, (uint64_t seed)) {
  for (const char* model : {"kv", "kvx", "txn"}) {
    base::RandomStream random(seed, model);
    const History history = Generator(model, {.spoilt = 0.2}, random).make();
    const Verdict verdict = *check(model, history);
    const std::string page = draw_picture(history, verdict);
    const Json data = data_of(page);
    const std::vector<OperationId> drawn = ids_of(data.at("operations"));
    for (OperationId id : verdict.sub_history) RC_ASSERT(holds(drawn, id));
    for (OperationId id : verdict.operations) RC_ASSERT(holds(drawn, id));
    RC_ASSERT(data.at("order").get<std::vector<OperationId>>() == verdict.linearized);
    for (const Json& sentence : data.at("sentences")) {
      for (const Json& id : sentence.at("operations")) {
        RC_ASSERT(holds(drawn, id.get<OperationId>()));
      }
    }
    RC_ASSERT(draw_picture(history, verdict) == page);
  }
}

}  // namespace
}  // namespace seatrial::checkers
