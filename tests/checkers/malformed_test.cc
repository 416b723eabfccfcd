// What is no history, as whoever runs `seatrial check` on it is told: the line, what is wrong there
// and what was expected.
#include "checkers/check.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace seatrial::checkers {
namespace {

struct Malformed {
  std::string_view what;
  std::string text;
  std::string_view message;
  std::string_view model = "kv";
};

constexpr std::string_view kHeader = "{\"hdr\":\"hjl/1\",\"type\":\"kv\"}\n";
constexpr std::string_view kInvoke =
    "{\"t\":5,\"p\":0,\"id\":1,\"e\":\"invoke\",\"f\":\"get\",\"k\":\"x\"}\n";

std::string kv(std::string_view lines) { return std::string(kHeader) + std::string(lines); }
std::string after_invoke(std::string_view line) { return kv(kInvoke) + std::string(line); }

// Headers, and events in an order in which they cannot be.
std::vector<Malformed> misplaced() {
  return {
      {"nothing", "", "line 1: empty, expected the header {\"hdr\":\"hjl/1\",...}"},
      {"no header", std::string(kInvoke),
       "line 1: expected the header {\"hdr\":\"hjl/1\",\"type\":...}"},
      {"a header cut off", R"({"hdr":"hjl/1","ty)",
       "line 1: expected the header {\"hdr\":\"hjl/1\",\"type\":...}"},
      {"another version", R"({"hdr":"hjl/9","type":"kv"})",
       "line 1: hdr is \"hjl/9\", expected \"hjl/1\""},
      {"a type of another kind", R"({"hdr":"hjl/1","type":7})",
       "line 1: the header has no type, expected \"type\":\"register\" or the like"},
      {"a completion without invocation", kv(R"({"t":5,"p":0,"id":1,"e":"ok","r":null})"),
       "line 2: completion without invocation: no operation 1 was invoked"},
      {"time running back", after_invoke(R"({"t":4,"p":0,"id":1,"e":"ok","r":null})"),
       "line 3: time runs back: t is 4, the event before has 5"},
      {"an id twice", after_invoke(R"({"t":5,"p":1,"id":1,"e":"invoke","f":"get","k":"x"})"),
       "line 3: duplicate id 1: an operation of that id was invoked before"},
      {"an id twice, the first one over",
       after_invoke("{\"t\":5,\"p\":0,\"id\":1,\"e\":\"ok\",\"r\":null}\n"
                    R"({"t":6,"p":0,"id":1,"e":"invoke","f":"get","k":"x"})"),
       "line 4: duplicate id 1: an operation of that id was invoked before"},
      {"two open operations of a process",
       after_invoke(R"({"t":5,"p":0,"id":2,"e":"invoke","f":"get","k":"x"})"),
       "line 3: process 0 has operation 1 open, expected its completion first"},
      {"a process that goes on after info",
       after_invoke("{\"t\":5,\"p\":0,\"id\":1,\"e\":\"info\"}\n"
                    R"({"t":6,"p":0,"id":2,"e":"invoke","f":"get","k":"x"})"),
       "line 4: process 0 is used again after an operation of it ended as info, expected a new "
       "number"},
      {"a second completion",
       after_invoke("{\"t\":5,\"p\":0,\"id\":1,\"e\":\"fail\"}\n"
                    R"({"t":6,"p":0,"id":1,"e":"fail"})"),
       "line 4: operation 1 is completed a second time"},
      {"a completion by somebody else", after_invoke(R"({"t":5,"p":1,"id":1,"e":"ok","r":null})"),
       "line 3: operation 1 was invoked by process 0, but completed by 1"},
  };
}

// Lines that say nothing, or too much.
std::vector<Malformed> misshapen() {
  return {
      {"a last line cut off", after_invoke(R"({"t":6,"p":0,"id":1)"),
       "line 3: not JSON at column 20, expected one object a line"},
      {"a last line cut off inside a text", after_invoke(R"({"t":6,"p":0,"id":1,"e":"o)"),
       "line 3: not JSON at column 27, expected one object a line"},
      {"two objects on a line", after_invoke(R"({"t":6,"p":0,"id":1,"e":"fail"}{"t":7})"),
       "line 3: not JSON at column 32, expected one object a line"},
      {"a time that is a text", kv(R"({"t":"5","p":0,"id":1,"e":"invoke","f":"get","k":"x"})"),
       "line 2: t is \"5\", expected a number"},
      {"a time with a fraction", kv(R"({"t":5.5,"p":0,"id":1,"e":"invoke","f":"get","k":"x"})"),
       "line 2: 5.5 is no whole number"},
      {"an id beyond all numbers",
       kv(R"({"t":5,"p":0,"id":99999999999999999999,"e":"invoke","f":"get","k":"x"})"),
       "line 2: 99999999999999999999 is no whole number"},
      {"no time", kv(R"({"p":0,"id":1,"e":"invoke","f":"get","k":"x"})"),
       "line 2: no member t, expected a time in microseconds"},
      {"no process", kv(R"({"t":5,"id":1,"e":"invoke","f":"get","k":"x"})"),
       "line 2: no member p, expected the process's number"},
      {"no event", kv(R"({"t":5,"p":0,"id":1})"),
       "line 2: no member e, expected invoke, ok, fail or info"},
      {"an unknown event", kv(R"({"t":5,"p":0,"id":1,"e":"maybe"})"),
       "line 2: event \"maybe\", expected invoke, ok, fail or info"},
      {"an unknown member", kv(R"({"t":5,"p":0,"id":1,"e":"ok","x":1})"),
       "line 2: unknown member \"x\", expected t, p, id, e, f, k, a or r"},
      {"an unknown function", kv(R"({"t":5,"p":0,"id":1,"e":"invoke","f":"pop","k":"x"})"),
       "line 2: unknown function \"pop\", a history of type kv has get, set, cas, del, incr, "
       "getset, append"},
      {"no key", kv(R"({"t":5,"p":0,"id":1,"e":"invoke","f":"get"})"), "line 2: get needs a key"},
      {"an argument of another shape",
       kv(R"({"t":5,"p":0,"id":1,"e":"invoke","f":"cas","k":"x","a":[1]})"),
       "line 2: argument of cas is [1], expected [old, new], old perhaps null"},
      {"no result", after_invoke(R"({"t":5,"p":0,"id":1,"e":"ok"})"),
       "line 3: an ok without r, expected the operation's result"},
      {"a result of another shape", after_invoke(R"({"t":5,"p":0,"id":1,"e":"ok","r":[1]})"),
       "line 3: result of get is [1], expected a number, a text or null"},
      {"a crash where there are none", kv(R"({"t":5,"p":0,"id":1,"e":"crash"})"),
       "line 2: event \"crash\", expected invoke, ok, fail or info"},
      {"a header of a log that says what there is not",
       R"({"hdr":"hjl/1","type":"log","offsets":"few"})",
       "line 1: offsets is \"few\", expected \"dense\" or \"sparse\"", "offsets"},
  };
}

std::vector<Malformed> table() {
  std::vector<Malformed> rows = misplaced();
  std::ranges::move(misshapen(), std::back_inserter(rows));
  return rows;
}

TEST(Malformed, IsNamedWithItsLine) {
  for (const Malformed& row : table()) {
    const Result<Verdict> verdict = check(row.model, row.text);
    ASSERT_FALSE(verdict) << row.what;
    EXPECT_EQ(verdict.error().message(), row.message) << row.what;
  }
}

// Also with what some editors and systems leave in a file.
TEST(Malformed, EmptyLinesAndAMissingLastEndAreNotWrong) {
  const std::string text = std::string(kHeader) + "\n" + std::string(kInvoke) +
                           R"({"t":6,"p":0,"id":1,"e":"ok","r":null})";
  const Result<Verdict> verdict = check("kv", text);
  ASSERT_TRUE(verdict) << verdict.error().message();
  EXPECT_TRUE(verdict->ok());
}

TEST(Malformed, AnOperationThatIsNeverCompletedIsUnknownAndNotWrong) {
  const Result<Verdict> verdict = check("kv", after_invoke(""));
  ASSERT_TRUE(verdict) << verdict.error().message();
  EXPECT_TRUE(verdict->ok());
}

// What the guide promises to say is what is said.
TEST(Malformed, TheGuideQuotesRealMessages) {
  std::ifstream file(SEATRIAL_SOURCE_DIR "/checkers/README.md");
  std::string line;
  int quoted = 0;
  while (std::getline(file, line)) {
    const size_t begin = line.find("| `line ");
    if (begin == std::string::npos) continue;
    const std::string message = line.substr(begin + 3, line.rfind('`') - begin - 3);
    quoted++;
    EXPECT_TRUE(std::ranges::any_of(table(), [&](const Malformed& row) {
      return row.message == message;
    })) << message;
  }
  EXPECT_GE(quoted, 8);
}

}  // namespace
}  // namespace seatrial::checkers
