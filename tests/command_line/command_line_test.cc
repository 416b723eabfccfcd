#include "command_line.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace seatrial {
namespace {

using namespace std::chrono_literals;

Command parse(std::vector<std::string> arguments) { return parse_command_line(arguments, 2); }

// The message of a command line that must be refused.
std::string mistake(std::vector<std::string> arguments) {
  Command command = parse(std::move(arguments));
  const Printed* printed = std::get_if<Printed>(&command);
  if (printed == nullptr) return "it was accepted";
  EXPECT_EQ(printed->code, 2);
  return printed->text;
}

std::string help(std::vector<std::string> arguments) {
  Command command = parse(std::move(arguments));
  const Printed* printed = std::get_if<Printed>(&command);
  if (printed == nullptr) return "it was accepted";
  EXPECT_EQ(printed->code, 0);
  return printed->text;
}

std::string error_of(const auto& result) { return result ? "no error" : result.error().message(); }

TEST(ParseSeeds, TakesACountOrARange) {
  EXPECT_EQ(parse_seeds("500").value(), (SeedRange{1, 500}));
  EXPECT_EQ(parse_seeds("7..9").value(), (SeedRange{7, 9}));
  EXPECT_EQ(parse_seeds("0..0").value(), (SeedRange{0, 0}));
  EXPECT_EQ(parse_seeds("0..18446744073709551615").value().count(), UINT64_MAX);
  EXPECT_EQ(parse_seeds("7..9").value().count(), 3U);
}

TEST(ParseSeeds, RefusesWhatIsNoRange) {
  for (const char* text : {"", "x", "1..", "..5", "1...5", "-3", "1-5", "1..5..9", " 1", "1..x",
                           "18446744073709551616"}) {
    EXPECT_EQ(error_of(parse_seeds(text)),
              fmt::format("expected N or A..B, for example 1..500, found '{}'", text));
  }
  EXPECT_EQ(error_of(parse_seeds("0")), "expected at least one seed, found '0'");
  EXPECT_EQ(error_of(parse_seeds("9..7")), "'9..7' ends before it begins; did you mean 7..9?");
}

TEST(ParseShard, TakesOneOfMany) {
  EXPECT_EQ(parse_shard("1/1").value(), (Shard{1, 1}));
  EXPECT_EQ(parse_shard("3/4").value(), (Shard{3, 4}));
}

TEST(ParseShard, RefusesWhatIsNoShard) {
  EXPECT_EQ(error_of(parse_shard("5/3")), "'5/3': shards of 3 are 1/3 to 3/3");
  EXPECT_EQ(error_of(parse_shard("0/3")), "'0/3': shards of 3 are 1/3 to 3/3");
  EXPECT_EQ(error_of(parse_shard("1/0")), "expected at least one shard, found '1/0'");
  for (const char* text : {"", "3", "/", "1/", "/4", "a/b", "1/2/3", "-1/2"}) {
    EXPECT_EQ(error_of(parse_shard(text)),
              fmt::format("expected I/N, for example 1/4, found '{}'", text));
  }
}

TEST(ParseDuration, TakesUnitsFromLargeToSmall) {
  EXPECT_EQ(parse_duration("500ms").value(), 500ms);
  EXPECT_EQ(parse_duration("90s").value(), 90s);
  EXPECT_EQ(parse_duration("10m").value(), 10min);
  EXPECT_EQ(parse_duration("1h30m").value(), 90min);
  EXPECT_EQ(parse_duration("2d1us").value(), 48h + 1us);
}

TEST(ParseDuration, RefusesWhatIsNoTime) {
  for (const char* text : {"", "10", "m", "10x", "30m1h", "1h1h", "-1s", "1.5s", "1 s", "0s"}) {
    EXPECT_EQ(error_of(parse_duration(text)),
              fmt::format("expected a time such as 500ms, 90s, 10m or 1h30m, found '{}'", text));
  }
  EXPECT_EQ(error_of(parse_duration("200000d")),
            "expected a time of less than 292 years, found '200000d'");
  EXPECT_EQ(error_of(parse_duration("106751d24h")),
            "expected a time of less than 292 years, found '106751d24h'");
}

TEST(CommandLine, RunHasDefaults) {
  Command command = parse({"run", "smoke"});
  const RunCommand& run = std::get<RunCommand>(command);
  EXPECT_EQ(run.names, std::vector<std::string>{"smoke"});
  EXPECT_EQ(run.seeds, (SeedRange{1, 100}));
  EXPECT_FALSE(run.seeds_given);
  EXPECT_FALSE(run.time);
  EXPECT_EQ(run.jobs, 2U);
  EXPECT_EQ(run.shard, (Shard{1, 1}));
  EXPECT_EQ(run.out, "");
  EXPECT_FALSE(run.fail_fast);
  EXPECT_EQ(run.determinism_share, 0);
  EXPECT_EQ(run.against, "");
}

TEST(CommandLine, RunTakesEverything) {
  Command command = parse({"run", "kv/register", "kv/watch-transfer", "--seeds", "5..9", "--time",
                           "10m", "--jobs", "3", "--shard", "2/4", "--out", "results",
                           "--fail-fast", "--check-determinism"});
  const RunCommand& run = std::get<RunCommand>(command);
  EXPECT_EQ(run.names, (std::vector<std::string>{"kv/register", "kv/watch-transfer"}));
  EXPECT_EQ(run.seeds, (SeedRange{5, 9}));
  EXPECT_TRUE(run.seeds_given);
  EXPECT_EQ(run.time, 10min);
  EXPECT_EQ(run.jobs, 3U);
  EXPECT_EQ(run.shard, (Shard{2, 4}));
  EXPECT_EQ(run.out, "results");
  EXPECT_TRUE(run.fail_fast);
  EXPECT_EQ(run.determinism_share, 1);
}

TEST(CommandLine, SeedsAreRunTwiceAllOrAShare) {
  const auto share = [](std::vector<std::string> words) {
    words.insert(words.begin(), {"run", "smoke"});
    return std::get<RunCommand>(parse(words)).determinism_share;
  };
  EXPECT_EQ(share({"--check-determinism"}), 1);
  EXPECT_EQ(share({"--check-determinism", "--fail-fast"}), 1);
  EXPECT_EQ(share({"--check-determinism", "0.05"}), 0.05);
  EXPECT_EQ(share({"--check-determinism=0.5", "--against", "other"}), 0.5);
  EXPECT_NE(mistake({"run", "smoke", "--check-determinism", "2"}).find("found '2'"),
            std::string::npos);
  EXPECT_NE(mistake({"run", "smoke", "--check-determinism", "some"}).find("found 'some'"),
            std::string::npos);
  EXPECT_NE(mistake({"run", "smoke", "--against", "x"}).find("only with --check-determinism"),
            std::string::npos);
}

TEST(CommandLine, OptionsMayStandBeforeNames) {
  Command command = parse({"run", "--seeds", "7", "smoke", "--jobs=1"});
  EXPECT_EQ(std::get<RunCommand>(command).names, std::vector<std::string>{"smoke"});
  EXPECT_EQ(std::get<RunCommand>(command).jobs, 1U);
}

TEST(CommandLine, TimeAloneMeansAsManySeedsAsItAllows) {
  Command command = parse({"run", "smoke", "--time", "1m"});
  EXPECT_EQ(std::get<RunCommand>(command).seeds, (SeedRange{1, UINT64_MAX}));
}

TEST(CommandLine, MistakesOfRunNameTheOption) {
  EXPECT_EQ(mistake({"run", "smoke", "--seeds", "9..7"}),
            "seatrial run: --seeds: '9..7' ends before it begins; did you mean 7..9?\n"
            "Try `seatrial run --help`.\n");
  EXPECT_TRUE(mistake({"run", "smoke", "--shard", "5/3"}).starts_with("seatrial run: --shard: "));
  EXPECT_TRUE(mistake({"run", "smoke", "--time", "x"}).starts_with("seatrial run: --time: "));
  EXPECT_TRUE(mistake({"run", "smoke", "--jobs", "0"})
                  .starts_with("seatrial run: --jobs: expected a number from 1 to 1024"));
  EXPECT_NE(mistake({"run"}).find("NAME is required"), std::string::npos);
  EXPECT_NE(mistake({"run", "smoke", "--sedes", "3"}).find("--sedes"), std::string::npos);
  EXPECT_NE(mistake({"run", "smoke", "--out"}).find("--out"), std::string::npos);
}

TEST(CommandLine, ReplayTakesAScenarioAndASeed) {
  Command command =
      parse({"replay", "kv/register", "--seed", "17", "--until", "12s", "--log", "debug"});
  const ReplayCommand& replay = std::get<ReplayCommand>(command);
  EXPECT_EQ(replay.target, "kv/register");
  EXPECT_FALSE(replay.is_capsule());
  EXPECT_EQ(replay.seed, 17U);
  EXPECT_EQ(replay.until, 12s);
  EXPECT_EQ(replay.log, base::LogLevel::kDebug);
}

TEST(CommandLine, ReplayTakesACapsule) {
  Command command = parse({"replay", "results/capsules/a-1.json"});
  const ReplayCommand& replay = std::get<ReplayCommand>(command);
  EXPECT_TRUE(replay.is_capsule());
  EXPECT_FALSE(replay.seed);
  EXPECT_EQ(replay.log, base::LogLevel::kInfo);
}

TEST(CommandLine, MistakesOfReplaySayWhatToDo) {
  EXPECT_EQ(mistake({"replay", "kv/register"}),
            "seatrial replay: which seed? For example: seatrial replay kv/register --seed 1\n"
            "Try `seatrial replay --help`.\n");
  EXPECT_NE(mistake({"replay", "c.json", "--seed", "1"}).find("has its own seed"),
            std::string::npos);
  EXPECT_NE(mistake({"replay", "a", "--seed", "x"}).find("--seed: expected a whole number"),
            std::string::npos);
  EXPECT_NE(mistake({"replay", "a", "--seed", "1", "--log", "loud"})
                .find("--log: expected debug, info, warn, error or off, found 'loud'"),
            std::string::npos);
  EXPECT_NE(mistake({"replay", "a", "b", "--seed", "1"}).find("b"), std::string::npos);
}

TEST(CommandLine, CheckTakesAModelAndAHistory) {
  Command command = parse({"check", "register", "h.jsonl"});
  EXPECT_EQ(std::get<CheckCommand>(command).model, "register");
  EXPECT_EQ(std::get<CheckCommand>(command).history, "h.jsonl");
  EXPECT_NE(mistake({"check", "register"}).find("HISTORY is required"), std::string::npos);
}

TEST(CommandLine, BrokerTakesAFileAndOverrides) {
  const std::vector<std::string> arguments = {"broker", "server.properties", "--override",
                                              "a=b",    "--override",        "c=d"};
  const auto command = std::get<BrokerCommand>(parse_command_line(arguments, 1));
  EXPECT_EQ(command.file, "server.properties");
  EXPECT_EQ(command.overrides, (std::vector<std::string>{"a=b", "c=d"}));

  const auto refused = [](std::vector<std::string> words) {
    words.insert(words.begin(), "broker");
    return std::get<Printed>(parse_command_line(words, 1)).code;
  };
  EXPECT_EQ(refused({"--override"}), kExitUsage);
  EXPECT_EQ(refused({"--port", "9092"}), kExitUsage);
  EXPECT_EQ(refused({"server.properties", "another"}), kExitUsage);
}

TEST(CommandLine, ServerKeepsItsArgumentsAsTheyAre) {
  std::vector<std::string> own = {"redis.conf", "--port", "6380", "--save", "", "--bind", "a", "b"};
  std::vector<std::string> arguments = {"server"};
  arguments.insert(arguments.end(), own.begin(), own.end());
  Command command = parse(arguments);
  EXPECT_EQ(std::get<ServerCommand>(command).arguments, own);
}

TEST(CommandLine, ListTakesTopics) {
  EXPECT_TRUE(std::get<ListCommand>(parse({"list"})).topics.empty());
  EXPECT_EQ(std::get<ListCommand>(parse({"list", "faults", "net.cut"})).topics,
            (std::vector<std::string>{"faults", "net.cut"}));
  EXPECT_NE(mistake({"list", "--x"}).find("x"), std::string::npos);
}

TEST(CommandLine, HelpIsNoMistake) {
  EXPECT_NE(help({"--help"}).find("Exit codes"), std::string::npos);
  EXPECT_NE(help({"run", "--help"}).find("--check-determinism"), std::string::npos);
  EXPECT_NE(help({"replay", "-h"}).find("--until"), std::string::npos);
  EXPECT_NE(help({"server", "--help"}).find("redis.conf"), std::string::npos);
  EXPECT_NE(help({"broker", "--help"}).find("server.properties"), std::string::npos);
}

TEST(CommandLine, NothingGivenShowsTheHelp) {
  EXPECT_NE(mistake({}).find("Usage: seatrial"), std::string::npos);
}

TEST(CommandLine, AnUnknownCommandSuggestsTheNearest) {
  EXPECT_EQ(mistake({"rnu", "smoke"}),
            "seatrial: there is no command 'rnu'\nDid you mean `seatrial run`?\n");
  EXPECT_EQ(mistake({"frobnicate"}),
            "seatrial: there is no command 'frobnicate'\nTry `seatrial --help`.\n");
  EXPECT_NE(mistake({"--frob"}).find("Try `seatrial --help`"), std::string::npos);
}

RC_GTEST_PROP(ParseProperty, EveryRangeIsReadBack, (uint64_t a, uint64_t b)) {
  auto [first, last] = std::minmax(a, b);
  RC_ASSERT(parse_seeds(fmt::format("{}..{}", first, last)).value() == (SeedRange{first, last}));
}

RC_GTEST_PROP(ParseProperty, NoWordMakesTheParsersFail, (const std::string& word)) {
  if (auto seeds = parse_seeds(word)) RC_ASSERT(seeds->first <= seeds->last);
  if (auto shard = parse_shard(word)) RC_ASSERT(shard->index <= shard->count);
  if (auto time = parse_duration(word)) RC_ASSERT(*time > 0ns);
  RC_ASSERT(parse({word, word}).index() < std::variant_size_v<Command>);
}

}  // namespace
}  // namespace seatrial
