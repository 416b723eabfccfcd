#include "reports/results_folder.h"
#include "tests/reports/scratch_folder.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <vector>

namespace seatrial::reports {
namespace {

RunResult run(uint64_t seed, Verdict verdict = Verdict::kPass) {
  RunResult result;
  result.scenario = "kv/register";
  result.seed = seed;
  result.verdict = verdict;
  return result;
}

std::vector<uint64_t> seeds_in(const std::string& path) {
  std::vector<uint64_t> seeds;
  auto read = for_each_result(path, [&](const RunResult& result) -> Result<void> {
    seeds.push_back(result.seed);
    return {};
  });
  EXPECT_TRUE(read) << read.error().message();
  return seeds;
}

TEST(ResultsFolder, LinesAreThereBeforeTheEnd) {
  ScratchFolder scratch;
  auto folder = ResultsFolder::create(scratch / "deep/results");
  ASSERT_TRUE(folder) << folder.error().message();
  ASSERT_TRUE(folder->add(run(1)));
  EXPECT_EQ(seeds_in(folder->results_path()), (std::vector<uint64_t>{1}));
  ASSERT_TRUE(folder->add(run(2)));
  EXPECT_EQ(seeds_in(folder->results_path()), (std::vector<uint64_t>{1, 2}));
}

TEST(ResultsFolder, FinishWritesJunit) {
  ScratchFolder scratch;
  auto folder = ResultsFolder::create(scratch / "results");
  ASSERT_TRUE(folder);
  ASSERT_TRUE(folder->add(run(1, Verdict::kCrash)));
  ASSERT_TRUE(folder->finish());
  std::string xml = ScratchFolder::read(scratch / "results/junit.xml");
  EXPECT_NE(xml.find("<error type=\"crash\""), std::string::npos) << xml;
}

TEST(ResultsFolder, OpeningAnewReplacesTheSuiteBefore) {
  ScratchFolder scratch;
  {
    auto folder = ResultsFolder::create(scratch / "results");
    ASSERT_TRUE(folder);
    ASSERT_TRUE(folder->add(run(1)));
    ASSERT_TRUE(folder->finish());
  }
  auto folder = ResultsFolder::create(scratch / "results");
  ASSERT_TRUE(folder);
  EXPECT_EQ(seeds_in(folder->results_path()), std::vector<uint64_t>{});
  EXPECT_FALSE(std::filesystem::exists(scratch / "results/junit.xml"));
}

TEST(ResultsFolder, CapsulesAreNamedByScenarioAndSeed) {
  ScratchFolder scratch;
  auto folder = ResultsFolder::create(scratch / "results");
  ASSERT_TRUE(folder);
  auto path = folder->write_capsule("kv/register", 17, "{}\n");
  ASSERT_TRUE(path) << path.error().message();
  EXPECT_EQ(*path, scratch / "results/capsules/kv-register-17.json");
  EXPECT_EQ(ScratchFolder::read(*path), "{}\n");
}

TEST(ResultsFolder, AFileInTheWayIsAClearError) {
  ScratchFolder scratch;
  std::ofstream(scratch / "results") << "x";
  auto folder = ResultsFolder::create(scratch / "results");
  ASSERT_FALSE(folder);
  EXPECT_NE(folder.error().message().find(scratch / "results"), std::string::npos);
  EXPECT_NE(folder.error().message().find("folder"), std::string::npos);
}

TEST(ResultsFolder, AFullDiskIsNoticed) {
  auto file = OutputFile::create("/dev/full");
  ASSERT_TRUE(file) << file.error().message();
  auto written = file->write("x");
  if (written) written = file->flush();
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().message(), "cannot write /dev/full: No space left on device");
}

TEST(ResultsFile, AMissingFileIsNamed) {
  ScratchFolder scratch;
  auto read = for_each_result(scratch / "none", [](const RunResult&) { return Result<void>(); });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message(),
            "cannot read " + (scratch / "none") + ": No such file or directory");
}

TEST(ResultsFile, AMalformedLineIsNamedByItsNumber) {
  ScratchFolder scratch;
  std::string path = scratch / "results.jsonl";
  std::ofstream(path) << to_json(run(1)) << "\n" << to_json(run(2)) << "\n{\"scenario\":3}\n";
  int visited = 0;
  auto read = for_each_result(path, [&](const RunResult&) {
    ++visited;
    return Result<void>();
  });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message(),
            path + ":3: a result: \"scenario\": expected a string, found 3");
  EXPECT_EQ(visited, 2);
}

TEST(ResultsFile, ALineCutShortIsAnError) {
  ScratchFolder scratch;
  std::string path = scratch / "results.jsonl";
  std::ofstream(path) << to_json(run(1)).substr(0, 40);
  auto read = for_each_result(path, [](const RunResult&) { return Result<void>(); });
  ASSERT_FALSE(read);
  EXPECT_TRUE(read.error().message().starts_with(path + ":1: not JSON: "));
}

TEST(ResultsFile, TheVisitorsErrorEndsTheReading) {
  ScratchFolder scratch;
  std::string path = scratch / "results.jsonl";
  std::ofstream(path) << to_json(run(1)) << "\n" << to_json(run(2)) << "\n";
  int visited = 0;
  auto read = for_each_result(path, [&](const RunResult&) -> Result<void> {
    ++visited;
    return base::fail(base::Errc::kBusy);
  });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error(), base::Errc::kBusy);
  EXPECT_EQ(visited, 1);
}

}  // namespace
}  // namespace seatrial::reports
