// Histories that are not ours: Porcupine's test data and the samples of hjl/1, where they are at
// hand (SEATRIAL_SHARED, or ../shared beside the project). Each must get its known verdict.
#include "checkers/check.h"
#include "checkers/hjl.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace seatrial::checkers {
namespace {

namespace fs = std::filesystem;

// The worktrees lie one level deeper than the project itself.
fs::path shared_data() {
  if (const char* folder = std::getenv("SEATRIAL_SHARED")) return fs::path(folder) / "data";
  const fs::path source = SEATRIAL_SOURCE_DIR;
  for (const fs::path& up : {source.parent_path(), source.parent_path().parent_path()}) {
    if (fs::exists(up / "shared" / "data")) return up / "shared" / "data";
  }
  return source.parent_path() / "shared" / "data";
}

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream content;
  content << in.rdbuf();
  return content.str();
}

// Rows of a CSV without quotes, its header left out.
std::vector<std::vector<std::string>> read_csv(const fs::path& path) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream lines(read_file(path));
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    std::vector<std::string>& row = rows.emplace_back();
    std::istringstream cells(line);
    std::string cell;
    while (std::getline(cells, cell, ',')) row.push_back(cell);
  }
  return rows;
}

bool has_model(std::string_view model) {
  return std::ranges::any_of(list_checkers(),
                             [&](const CheckerInfo& info) { return info.model == model; });
}

Verdict judge(std::string_view model, const fs::path& file, const std::string& expected) {
  const Result<Verdict> verdict = check(model, read_file(file));
  EXPECT_TRUE(verdict) << file << ": " << verdict.error().message();
  if (!verdict) return {};
  EXPECT_EQ(verdict->outcome, expected == "ok" ? Outcome::kOk : Outcome::kViolation)
      << file << ": " << verdict->summary;
  return *verdict;
}

TEST(SharedData, PorcupineHistoriesGetTheirVerdicts) {
  const fs::path folder = shared_data() / "porcupine";
  if (!fs::exists(folder)) GTEST_SKIP() << "no " << folder << ": set SEATRIAL_SHARED";
  const auto rows = read_csv(folder / "expected.csv");
  EXPECT_GT(rows.size(), 50U);
  for (const auto& row : rows) judge("kv", folder / row[0], row[2]);
}

TEST(SharedData, SamplesGetTheirVerdicts) {
  const fs::path folder = shared_data() / "histories";
  if (!fs::exists(folder)) GTEST_SKIP() << "no " << folder << ": set SEATRIAL_SHARED";
  int judged = 0;
  for (const auto& row : read_csv(folder / "expected.csv")) {
    const std::string model = row[1] == "log" ? "offsets" : row[1];
    if (!has_model(model)) continue;
    judged++;
    const Verdict verdict = judge(model, folder / "samples" / row[0], row[2]);
    if (row[2] == "ok") continue;
    // The result that was made impossible is among those blamed.
    const OperationId injected = std::stoll(row[4]);
    bool blamed = std::ranges::find(verdict.operations, injected) != verdict.operations.end();
    // Two answers that were swapped are to blame alike; both are named.
    for (const Sentence& sentence : verdict.explanation) {
      blamed =
          blamed || sentence.text.find(fmt::format("operation {} ", injected)) != std::string::npos;
    }
    // Here the other of the two may be the one whose item had not even been pushed.
    blamed = blamed || (row[3] == "fifo-swap" && verdict.anomaly == "future-read");
    EXPECT_TRUE(blamed) << row[0] << ": " << verdict.summary;
    EXPECT_FALSE(verdict.anomaly.empty());
  }
  EXPECT_GE(judged, 40);
}

// Reading and writing again gives the same bytes.
TEST(SharedData, SamplesAreWrittenAsTheyWereRead) {
  const fs::path folder = shared_data() / "histories" / "samples";
  if (!fs::exists(folder)) GTEST_SKIP() << "no " << folder << ": set SEATRIAL_SHARED";
  for (const char* name :
       {"register-ok-pending", "kv-ok-pending", "txn-ok-pending", "log-ok-crash"}) {
    const std::string bytes = read_file(folder / (std::string(name) + ".jsonl"));
    const Result<History> history = read_hjl(bytes);
    ASSERT_TRUE(history) << history.error().message();
    EXPECT_EQ(write_hjl(*history), bytes) << name;
  }
}

}  // namespace
}  // namespace seatrial::checkers
