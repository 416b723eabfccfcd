#include "reports/junit.h"
#include "reports/results_file.h"
#include "tests/reports/scratch_folder.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cstdlib>
#include <fstream>
#include <span>

namespace seatrial::reports {
namespace {

using namespace std::chrono_literals;

RunResult run(std::string scenario, uint64_t seed, Verdict verdict = Verdict::kPass) {
  RunResult result;
  result.scenario = std::move(scenario);
  result.seed = seed;
  result.verdict = verdict;
  result.wall_time = 20ms;
  return result;
}

std::string junit_of(const ScratchFolder& scratch, std::span<const RunResult> results) {
  std::ofstream lines(scratch / "results.jsonl");
  for (const RunResult& result : results) lines << to_json(result) << "\n";
  lines.close();
  auto written = write_junit(scratch / "results.jsonl", scratch / "junit.xml");
  EXPECT_TRUE(written) << written.error().message();
  return ScratchFolder::read(scratch / "junit.xml");
}

// Whether a real XML parser takes the file.
bool well_formed(const std::string& path) {
  std::string command =
      "python3 -c 'import sys, xml.dom.minidom as d; d.parse(sys.argv[1])' '" + path + "'";
  return std::system(command.c_str()) == 0;
}

TEST(Junit, WritesTheGoldenFile) {
  ScratchFolder scratch;
  RunResult violation = run("kv/register", 2, Verdict::kViolation);
  violation.violations = {{"linearizability", "read <3> of \"x\" & no write", {1}}};
  violation.capsule = "c.json";
  RunResult stuck = run("kv/watch-transfer", 1, Verdict::kStuck);
  stuck.message = "not healed after 60 s";
  RunResult results[] = {run("kv/register", 1), stuck, violation};
  EXPECT_EQ(junit_of(scratch, results), R"(<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="seatrial" tests="3" failures="1" errors="1" time="0.060">
  <testsuite name="kv/register" tests="2" failures="1" errors="0" time="0.040">
    <testcase classname="kv/register" name="seed 1" time="0.020"/>
    <testcase classname="kv/register" name="seed 2" time="0.020">
      <failure type="violation" message=")"
                                        R"(linearizability: read &lt;3&gt; of &quot;x&quot; )"
                                        R"(&amp; no write">)"
                                        R"(linearizability: read &lt;3&gt; of &quot;x&quot; )"
                                        R"(&amp; no write&#10;)"
                                        R"(repeat: seatrial replay kv/register --seed 2&#10;)"
                                        R"(capsule: c.json&#10;</failure>
    </testcase>
  </testsuite>
  <testsuite name="kv/watch-transfer" tests="1" failures="0" errors="1" time="0.020">
    <testcase classname="kv/watch-transfer" name="seed 1" time="0.020">
      <error type="stuck" message="not healed after 60 s">not healed after 60 s&#10;)"
                                        R"(repeat: seatrial replay kv/watch-transfer --seed 1&#10;)"
                                        R"(</error>
    </testcase>
  </testsuite>
</testsuites>
)");
  EXPECT_TRUE(well_formed(scratch / "junit.xml"));
}

TEST(Junit, AnyBytesGiveWellFormedXml) {
  ScratchFolder scratch;
  RunResult result = run("a\"<&>'", 1, Verdict::kCrash);
  for (int c = 0; c < 256; ++c) result.message += static_cast<char>(c);
  result.message += "\xef\xbf\xbf \xed\xa0\x80 \xf4\x90\x80\x80 ]]>";
  junit_of(scratch, {&result, 1});
  EXPECT_TRUE(well_formed(scratch / "junit.xml"));
}

TEST(Junit, NoResultsGiveAnEmptySuite) {
  ScratchFolder scratch;
  std::string xml = junit_of(scratch, {});
  EXPECT_NE(xml.find("tests=\"0\""), std::string::npos);
  EXPECT_TRUE(well_formed(scratch / "junit.xml"));
}

TEST(Junit, AMalformedResultIsNamed) {
  ScratchFolder scratch;
  std::ofstream(scratch / "results.jsonl") << "{\n";
  auto written = write_junit(scratch / "results.jsonl", scratch / "junit.xml");
  ASSERT_FALSE(written);
  EXPECT_TRUE(written.error().message().starts_with((scratch / "results.jsonl") + ":1: "));
}

TEST(EscapeXml, KeepsTextAndReplacesWhatXmlForbids) {
  EXPECT_EQ(escape_xml("gr\xc3\xbc\xc3\x9f \xf0\x9f\x9a\xa2"),
            "gr\xc3\xbc\xc3\x9f \xf0\x9f\x9a\xa2");
  EXPECT_EQ(escape_xml("a\x01z"), "a\xef\xbf\xbdz");
  EXPECT_EQ(escape_xml("\xc3"), "\xef\xbf\xbd");                  // Cut short.
  EXPECT_EQ(escape_xml("\xc0\xaf"), "\xef\xbf\xbd\xef\xbf\xbd");  // Longer than it need be.
  EXPECT_EQ(escape_xml("\r\n\t"), "&#13;&#10;&#9;");
}

RC_GTEST_PROP(EscapeXmlProperty, NoSpecialCharacterIsLeft, (const std::string& text)) {
  std::string escaped = escape_xml(text);
  RC_ASSERT(escaped.find_first_of("<>\"") == std::string::npos);
  for (char c : escaped) RC_ASSERT(static_cast<unsigned char>(c) >= 0x20);
}

}  // namespace
}  // namespace seatrial::reports
