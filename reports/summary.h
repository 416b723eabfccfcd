// What a suite came to, for a person: counts by scenario and verdict, what struck, marks hit and
// never hit, the failing seeds with the command that repeats each, and the speed.
//
// Holds counts, and the first failures only: its size does not grow with the number of seeds.
#pragma once

#include "reports/human.h"
#include "reports/run_result.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace seatrial::reports {

class Summary {
 public:
  static constexpr size_t kFailuresShownMax = 10;

  // `catalog` names all marks that there are; those that no run hit are listed.
  explicit Summary(std::vector<std::string> catalog = {});

  void add(const RunResult& result);

  uint64_t runs() const { return runs_; }
  uint64_t count(Verdict verdict) const { return total_.verdicts[static_cast<size_t>(verdict)]; }
  uint64_t failures() const { return runs_ - count(Verdict::kPass); }
  // Of the gravest verdict: violation, crash, nondeterministic, stuck, pass.
  int exit_code() const;
  // Sorted.
  std::vector<std::string> marks_never_hit() const;

  // The whole summary, several lines. `elapsed` is the suite's wall time, which with several jobs
  // is less than the sum of the runs' own.
  std::string text(std::chrono::nanoseconds elapsed, const Paint& paint) const;

 private:
  struct Row {
    std::array<uint64_t, kVerdicts> verdicts{};
    uint64_t events = 0;
    uint64_t ops = 0;
    std::chrono::nanoseconds sim_time{};
    std::chrono::nanoseconds wall_time{};

    void add(const RunResult& result);
    uint64_t runs() const;
  };
  struct Failure {
    std::string scenario;
    uint64_t seed;
    Verdict verdict;
    std::string reason;
    std::string repeat;
    std::string capsule;
  };

  std::vector<std::string> cells(const std::string& name, const Row& row) const;
  std::string table(const Paint& paint) const;
  std::string faults_text(const Paint& paint) const;
  std::string marks_text(const Paint& paint) const;
  std::string failures_text(const Paint& paint) const;
  std::string speed_text(std::chrono::nanoseconds elapsed, const Paint& paint) const;

  std::set<std::string> catalog_;
  std::map<std::string, uint64_t> hit_;  // How often, in all runs.
  std::map<std::string, Row> rows_;
  Row total_;
  std::map<std::string, uint64_t> faults_;
  std::map<std::string, uint64_t> held_back_;
  std::vector<Failure> first_failures_;
  uint64_t runs_ = 0;
};

}  // namespace seatrial::reports
