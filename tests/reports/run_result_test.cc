#include "reports/run_result.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <nlohmann/json.hpp>

#include <string>

namespace seatrial::reports {
namespace {

using namespace std::chrono_literals;

RunResult failed_run() {
  RunResult result;
  result.scenario = "kv/watch-transfer";
  result.seed = 17;
  result.verdict = Verdict::kViolation;
  result.hash = 0x0123456789abcdef;
  result.revision = "c04457a";
  result.sim_time = 90500ms;
  result.wall_time = 12500us;
  result.cpu_time = 11ms;
  result.events = 12345;
  result.ops = 678;
  result.faults = {{"power-loss", 2}, {"sigkill", 3}};
  result.held_back = {{"disk.bit_rot", 1}};
  result.marks = {{"aof: torn tail cut", 3}};
  result.violations = {{"bank", "the total is 90, not 100", {3, 7}}};
  result.capsule = "results/capsules/kv-watch-transfer-17.json";
  return result;
}

std::string error_of(const std::string& json) {
  auto result = parse_run_result(json);
  return result ? "no error" : result.error().message();
}

// The line of failed_run() with one key changed.
std::string with(const char* key, nlohmann::ordered_json value) {
  auto json = nlohmann::ordered_json::parse(to_json(failed_run()));
  json[key] = std::move(value);
  return json.dump();
}

TEST(RunResult, WritesTheGoldenLine) {
  EXPECT_EQ(to_json(failed_run()),
            R"({"scenario":"kv/watch-transfer","seed":17,"verdict":"violation",)"
            R"("hash":"0123456789abcdef","revision":"c04457a","sim_seconds":90.5,"wall_ms":12.5,)"
            R"("cpu_ms":11.0,"events":12345,"ops":678,"faults":{"power-loss":2,"sigkill":3},)"
            R"("held_back":{"disk.bit_rot":1},)"
            R"("marks":{"aof: torn tail cut":3},"violations":[{"checker":"bank",)"
            R"("summary":"the total is 90, not 100","ops":[3,7]}],"message":"",)"
            R"("capsule":"results/capsules/kv-watch-transfer-17.json"})");
}

TEST(RunResult, ReadsBackWhatItWrote) {
  auto read = parse_run_result(to_json(failed_run()));
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(*read, failed_run());
}

TEST(RunResult, CapsuleThatIsNotThereIsNull) {
  RunResult result = failed_run();
  result.capsule.clear();
  std::string json = to_json(result);
  EXPECT_NE(json.find(R"("capsule":null)"), std::string::npos);
  EXPECT_EQ(parse_run_result(json).value(), result);
}

TEST(RunResult, BytesThatAreNoTextDoNotSpoilTheLine) {
  RunResult result = failed_run();
  result.violations[0].summary = "read \xff\"\n\x01";
  auto read = parse_run_result(to_json(result));
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->violations[0].summary, "read \xef\xbf\xbd\"\n\x01");
  EXPECT_EQ(to_json(result).find('\n'), std::string::npos);
}

TEST(RunResult, RejectsWhatIsNotJson) {
  EXPECT_NE(error_of("{\"scenario\":").find("not JSON: parse error at line 1"), std::string::npos);
  EXPECT_NE(error_of("").find("not JSON"), std::string::npos);
  EXPECT_EQ(error_of("[1]"), "a result: expected an object");
}

TEST(RunResult, NamesTheKeyThatIsMissingOrUnknown) {
  EXPECT_EQ(error_of("{}"), "a result: the key \"scenario\" is missing");
  EXPECT_EQ(error_of(with("speed", 3)), "a result: the key \"speed\" is not known");
  auto violations = nlohmann::json::parse(R"([{"checker":"a","summary":"b","ops":[],"c":1}])");
  EXPECT_EQ(error_of(with("violations", violations)), "violation 1: the key \"c\" is not known");
}

TEST(RunResult, NamesTheKeyWhoseValueIsWrong) {
  EXPECT_EQ(error_of(with("seed", "x")),
            "a result: \"seed\": expected a whole number from 0 on, found \"x\"");
  EXPECT_EQ(error_of(with("seed", -1)),
            "a result: \"seed\": expected a whole number from 0 on, found -1");
  EXPECT_EQ(error_of(with("wall_ms", -1)),
            "a result: \"wall_ms\": expected a time from 0 to 292 years, found -1");
  EXPECT_EQ(error_of(with("sim_seconds", 1e300)),
            "a result: \"sim_seconds\": expected a time from 0 to 292 years, found 1e+300");
  EXPECT_EQ(error_of(with("faults", nlohmann::json{{"a", "b"}})),
            "a result: \"faults\": expected counts, found \"b\"");
  EXPECT_EQ(error_of(with("marks", nlohmann::json{{"a", "b"}})),
            "a result: \"marks\": expected counts, found \"b\"");
  EXPECT_EQ(error_of(with("violations", nlohmann::json{7})), "violation 1: expected an object");
  EXPECT_EQ(error_of(with("hash", "12")), "\"hash\": expected 16 hexadecimal digits, found \"12\"");
  EXPECT_EQ(error_of(with("verdict", "good")),
            "\"verdict\": expected pass, violation, crash, stuck or nondeterministic, found "
            "\"good\"");
}

TEST(RunResult, LongValuesAreCutInMessages) {
  std::string message = error_of(with("seed", std::string(1000, 'x')));
  EXPECT_LT(message.size(), 200U);
  EXPECT_TRUE(message.ends_with("..."));
}

TEST(RunResult, ReasonIsTheFirstViolationThenTheMessage) {
  RunResult result = failed_run();
  EXPECT_EQ(reason(result), "bank: the total is 90, not 100");
  result.violations.clear();
  result.verdict = Verdict::kStuck;
  EXPECT_EQ(reason(result), "stuck");
  result.message = "no progress for 60 s";
  EXPECT_EQ(reason(result), "no progress for 60 s");
  EXPECT_EQ(repeat_command(result), "seatrial replay kv/watch-transfer --seed 17");
}

TEST(RunResult, VerdictsHaveTheExitCodesOfTheCommandLine) {
  EXPECT_EQ(exit_code(Verdict::kPass), 0);
  EXPECT_EQ(exit_code(Verdict::kViolation), 1);
  EXPECT_EQ(exit_code(Verdict::kNondeterministic), 3);
  EXPECT_EQ(exit_code(Verdict::kCrash), 4);
  EXPECT_EQ(exit_code(Verdict::kStuck), 5);
}

RC_GTEST_PROP(RunResultProperty, EveryResultSurvivesTheTrip, ()) {
  RunResult result = failed_run();
  // Printable text: JSON keeps all of it, where other bytes may become U+FFFD.
  auto printable = rc::gen::container<std::string>(rc::gen::inRange<char>(1, 127));
  result.scenario = *printable;
  result.message = *printable;
  result.seed = *rc::gen::arbitrary<uint64_t>();
  result.hash = *rc::gen::arbitrary<uint64_t>();
  result.verdict = static_cast<Verdict>(*rc::gen::inRange(0, kVerdicts));
  // A double of seconds is exact to the nanosecond up to here.
  constexpr int64_t kTenDays = int64_t{10} * 86400 * 1'000'000'000;
  result.sim_time = std::chrono::nanoseconds(*rc::gen::inRange<int64_t>(0, kTenDays));
  result.faults[*printable] = *rc::gen::arbitrary<uint64_t>();
  result.marks[*printable] = *rc::gen::arbitrary<uint64_t>();
  result.violations[0].ops = *rc::gen::arbitrary<std::vector<uint64_t>>();
  auto read = parse_run_result(to_json(result));
  RC_ASSERT(read.has_value());
  RC_ASSERT(*read == result);
}

RC_GTEST_PROP(RunResultProperty, NoBytesMakeTheReaderFail, (const std::string& noise)) {
  std::string line = to_json(failed_run());
  size_t at = *rc::gen::inRange<size_t>(0, line.size());
  std::string spoiled = line.substr(0, at) + noise + line.substr(std::min(line.size(), at + 3));
  auto read = parse_run_result(spoiled);
  if (!read) RC_ASSERT(!read.error().message().empty());
}

}  // namespace
}  // namespace seatrial::reports
