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

// Each transaction at once, in the order given; its id is its number, from 1 on.
History transactions(std::string_view type,
                     const std::vector<std::pair<std::string_view, std::string_view>>& asked) {
  std::string text = fmt::format("{{\"hdr\":\"hjl/1\",\"type\":\"{}\"}}\n", type);
  for (size_t i = 0; i < asked.size(); i++) {
    text += fmt::format(R"({{"t":{0},"p":{1},"id":{1},"e":"invoke","f":"exec","a":{2}}})"
                        "\n",
                        i, i + 1, asked[i].first);
  }
  for (size_t i = 0; i < asked.size(); i++) {
    text += fmt::format(R"({{"t":{0},"p":{1},"id":{1},"e":"ok","r":{2}}})"
                        "\n",
                        asked.size() + i, i + 1, asked[i].second);
  }
  return read(text);
}

// "1>2 ww" for each edge of the graph that is drawn.
std::vector<std::string> edges_of(std::string_view model, const History& history) {
  const Verdict verdict = *check(model, history);
  EXPECT_EQ(verdict.outcome, Outcome::kViolation) << verdict.summary;
  std::vector<std::string> edges;
  const Json data = data_of(draw_picture(history, verdict));
  for (const Json& edge : data.at("graph").at("edges")) {
    edges.push_back(fmt::format("{}>{} {}", edge.at("from").get<int>(), edge.at("to").get<int>(),
                                edge.at("kind").get<std::string>()));
  }
  return edges;
}

using Edges = std::vector<std::string>;

TEST(Picture, EdgesOfListsAreOfTheirKind) {
  EXPECT_EQ(
      edges_of("appendtxn",
               transactions("appendtxn", {{R"([["lrange","y"],["rpush","x",1]])", "[[],1]"},
                                          {R"([["lrange","x"],["rpush","y",1]])", "[[],1]"},
                                          {R"([["lrange","x"],["lrange","y"]])", "[[1],[1]]"}})),
      (Edges{"2>1 rw", "1>2 rw"}));
  EXPECT_EQ(edges_of("appendtxn",
                     transactions("appendtxn",
                                  {{R"([["rpush","x",1],["rpush","y",1]])", "[1,2]"},
                                   {R"([["rpush","x",2],["rpush","y",2]])", "[2,1]"},
                                   {R"([["lrange","x"],["lrange","y"]])", "[[1,2],[2,1]]"}})),
            (Edges{"2>1 ww", "1>2 ww"}));
}

// The words alone do not tell: "1 read x = null, which 2 replaced" is an rw, and keys and values
// may be called like any of them.
TEST(Picture, EdgesOfRegistersAreOfTheirKind) {
  EXPECT_EQ(edges_of("rwtxn", transactions("rwtxn", {{R"([["get","x"],["get","replaced"]])",
                                                      "[null,\"did not see\"]"},
                                                     {R"([["get","x"],["set","x",1],)"
                                                      R"(["set","replaced","did not see"]])",
                                                      R"([null,"OK","OK"])"}})),
            (Edges{"1>2 rw", "2>1 wr"}));
}

// A cycle among transactions with watches comes with the kinds that it is made of, and each
// sentence with the third operation that it speaks of.
TEST(Picture, EdgesOfWatchedTransactionsAreOfTheirKind) {
  const History history = read(R"({"hdr":"hjl/1","type":"txn"}
{"t":1,"p":0,"id":1,"e":"invoke","f":"exec","a":[["set","x",1],["set","y",1]]}
{"t":2,"p":0,"id":1,"e":"ok","r":["OK","OK"]}
{"t":3,"p":0,"id":2,"e":"invoke","f":"exec","a":[["set","x",2],["set","y",2]]}
{"t":4,"p":0,"id":2,"e":"ok","r":["OK","OK"]}
{"t":5,"p":1,"id":3,"e":"invoke","f":"get","k":"x"}
{"t":6,"p":1,"id":3,"e":"ok","r":1}
)");
  const Verdict verdict = *check("txn", history);
  ASSERT_EQ(verdict.anomaly, "stale-read");
  EXPECT_EQ(edges_of("txn", history), (Edges{"1>2 real time", "2>1 ww"}));
  const Sentence& second = verdict.explanation.at(1);
  EXPECT_EQ(second.text,
            "2 < 1 because 3, invoked after it had completed, found the other's x = 1");
  EXPECT_EQ(second.operations, (std::vector<OperationId>{2, 1, 3}));
}

TEST(Picture, OrdersThatAreKnownAlreadyAreDrawnOnce) {
  const History history = read(kStale);
  Verdict verdict;
  for (OperationId to : {2, 2, 77}) {
    verdict.explanation.push_back(because({1, to, Dependency::kWriteWrite, "it did"}));
  }
  verdict.explanation.push_back(because({1, 2, Dependency::kOther, "it did"}));
  EXPECT_EQ(verdict.explanation.front().text, "1 < 2 because it did");
  const Json data = data_of(draw_picture(history, verdict));
  const Json& edges = data.at("graph").at("edges");
  ASSERT_EQ(edges.size(), 2U) << "77 is none of the history";
  EXPECT_EQ(edges.at(0).at("kind"), "ww");
  EXPECT_EQ(edges.at(0).at("why"), "it did");
  EXPECT_EQ(edges.at(1).at("kind"), "order");
  EXPECT_EQ(data.at("sentences").at(2).at("operations"), std::vector<OperationId>{1});
}

// Numbers in the words are no operations unless they are meant as such.
TEST(Picture, SentencesPointAtWhatTheySpeakOf) {
  const History history =
      transactions("rwtxn", {{R"([["set","x",2]])", R"(["OK"])"}, {R"([["get","x"]])", "[3]"}});
  const Json data = data_of(draw_picture(history, *check("rwtxn", history)));
  ASSERT_EQ(data.at("sentences").size(), 2U);
  EXPECT_EQ(data.at("sentences").at(0).at("text"), "garbage: 2 read x = 3, which nobody else set");
  for (const Json& sentence : data.at("sentences")) {
    EXPECT_EQ(sentence.at("operations"), std::vector<OperationId>{2});
  }
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
