#include "scenarios/json_place.h"

#include <gtest/gtest.h>

namespace seatrial::scenarios {
namespace {

constexpr std::string_view kText = R"({
  "seed": 7,
  "plan": {
    "faults": [
      {"kind": "a"},
      {
        "kind": "b",
        "at_us":
          12
      }
    ],
    "numbers": [
      1,
      2
    ],
    "armed": {"aof: late": 1,
      "aof: short": 2}
  }
})";

TEST(LineOf, EachPath) {
  EXPECT_EQ(line_of(kText, "seed"), 2U);
  EXPECT_EQ(line_of(kText, "plan"), 3U);
  EXPECT_EQ(line_of(kText, "plan.faults"), 4U);
  EXPECT_EQ(line_of(kText, "plan.faults[0]"), 5U);
  EXPECT_EQ(line_of(kText, "plan.faults[0].kind"), 5U);
  EXPECT_EQ(line_of(kText, "plan.faults[1]"), 6U);
  EXPECT_EQ(line_of(kText, "plan.faults[1].kind"), 7U);
  EXPECT_EQ(line_of(kText, "plan.faults[1].at_us"), 8U);
  EXPECT_EQ(line_of(kText, "plan.numbers[0]"), 13U);
  EXPECT_EQ(line_of(kText, "plan.numbers[1]"), 14U);
  EXPECT_EQ(line_of(kText, "plan.armed.aof: short"), 17U);
}

TEST(LineOf, NothingForWhatIsNotThere) {
  for (const char* path : {"", "kind", "plan.faults[2]", "plan.fault", "plan.faults[1].kind.x"}) {
    EXPECT_EQ(line_of(kText, path), std::nullopt) << path;
  }
  EXPECT_EQ(line_of("no JSON", "plan"), std::nullopt);
}

TEST(SyntaxError, NamesItsLine) {
  EXPECT_EQ(syntax_error(kText), std::nullopt);
  EXPECT_TRUE(syntax_error("{\n \"a\": 1,\n \"b\" 2}")->starts_with("3: not JSON: "))
      << *syntax_error("{\n \"a\": 1,\n \"b\" 2}");
  EXPECT_TRUE(syntax_error("")->starts_with("1: not JSON: "));
}

std::string placed_text(std::string_view message) {
  return placed(base::Error(base::Errc::kInvalidData, std::string(message)), "f.json", kText)
      .message();
}

TEST(Placed, FileAndLineComeFirst) {
  EXPECT_EQ(placed_text("plan.faults[1].kind: no such"), "f.json:7: plan.faults[1].kind: no such");
  EXPECT_EQ(placed_text("plan.armed.aof: short: too often"),
            "f.json:17: plan.armed.aof: short: too often");
  EXPECT_EQ(placed_text("plan.faults[1]: \"at_us\" is not known"),
            "f.json:8: plan.faults[1]: \"at_us\" is not known");
  EXPECT_EQ(placed_text("plan.faults[0]: \"at_us\" is missing"),
            "f.json:5: plan.faults[0]: \"at_us\" is missing");
  EXPECT_EQ(placed_text("something else"), "f.json: something else");
}

}  // namespace
}  // namespace seatrial::scenarios
