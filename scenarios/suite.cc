#include "scenarios/suite.h"

#include "base/check.h"
#include "scenarios/determinism.h"
#include "scenarios/run.h"
#include "sim/seed_process.h"
#include "sim/trap.h"

#include <fmt/format.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>

namespace seatrial::scenarios {

using reports::RunResult;
using reports::Verdict;

namespace {

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(fd, text.data(), text.size());
    if (count <= 0) return;
    text.remove_prefix(static_cast<size_t>(count));
  }
}

// What a failed CHECK needs to know: there is one run in a process.
struct Current {
  int output_fd = -1;
  RunResult result;
} g_current;

[[noreturn]] void report_crash(const base::CheckFailure& failure) {
  sim::trap::disarm();
  g_current.result.verdict = Verdict::kCrash;
  g_current.result.message = base::to_string(failure);
  write_all(g_current.output_fd, to_json(g_current.result) + "\n");
  _exit(exit_code(Verdict::kCrash));
}

// A child's result, whatever became of it.
RunResult result_of(const Scenario& scenario, const sim::SeedEnd& end) {
  auto parsed =
      reports::parse_run_result(std::string_view(end.output).substr(0, end.output.find('\n')));
  if (parsed && !end.timed_out && end.signal == 0) {
    // A sanitizer speaks up after the result has been written.
    if (end.exit_code != exit_code(parsed->verdict)) {
      parsed->verdict = Verdict::kCrash;
      parsed->message = fmt::format("exit code {}: {}", end.exit_code, end.complaints);
    }
    return *std::move(parsed);
  }
  RunResult result;
  result.scenario = scenario.name;
  result.seed = end.seed;
  result.revision = revision();
  result.verdict = end.timed_out ? Verdict::kStuck : Verdict::kCrash;
  if (end.timed_out) {
    result.message = "the watchdog ended it: no result within its wall time";
  } else if (end.signal != 0) {
    result.message = fmt::format("killed by signal {} ({})", end.signal, strsignal(end.signal));
  } else {
    result.message = fmt::format("left with code {} and no result", end.exit_code);
  }
  if (!end.complaints.empty()) result.message += ": " + end.complaints;
  return result;
}

// Of so many failing runs of a suite the course is kept.
constexpr size_t kCoursesMax = 20;

// Repeats the run in a child, which may crash as it did before.
std::optional<Course> record_course(const Capsule& capsule, std::chrono::nanoseconds watchdog) {
  using Memory = CourseRecorder::Memory;
  void* const shared =
      mmap(nullptr, sizeof(Memory), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return {};
  auto* const memory = new (shared) Memory;
  sim::SeedProcesses child(watchdog);
  const auto started = child.start(capsule.seed, [&](int output_fd) {
    CourseRecorder recorder(*memory);
    base::set_check_handler([](const base::CheckFailure&) { _exit(0); });
    const Observers observers{
        .trace = [&](const sim::TraceEvent& event) { recorder.heard(event); }};
    (void)run_seed(capsule.scenario, capsule.seed, capsule.plan, observers);
    write_all(output_fd, "done\n");
    return 0;
  });
  sim::SeedEnd end;
  const bool ended = started && child.wait(2 * watchdog, end) && !end.timed_out;
  std::optional<Course> course;
  if (ended) course = CourseRecorder::course(*memory);
  munmap(shared, sizeof(Memory));
  return course;
}

// The seeds of a range that belong to this shard, one after the other.
class Seeds {
 public:
  explicit Seeds(const SuiteOptions& options) : options_(options), next_(options.first_seed) {
    skip();
  }
  bool done() const { return options_.last_seed && next_ > *options_.last_seed; }
  uint64_t take() {
    const uint64_t seed = next_++;
    skip();
    return seed;
  }

 private:
  void skip() {
    while (next_ % options_.shards != options_.shard - 1) ++next_;
  }
  const SuiteOptions& options_;
  uint64_t next_;
};

}  // namespace

int run_one(const Scenario& scenario, uint64_t seed, const sim::Plan* given, int output_fd,
            const std::string& events_path) {
  g_current.output_fd = output_fd;
  g_current.result.scenario = scenario.name;
  g_current.result.seed = seed;
  g_current.result.revision = revision();
  base::set_check_handler([](const base::CheckFailure& failure) { report_crash(failure); });
  sim::Plan plan;
  if (given != nullptr) {
    plan = *given;
  } else if (auto made = make_plan(scenario, seed)) {
    plan = *std::move(made);
  } else {
    std::fprintf(stderr, "%s\n", made.error().message().c_str());
    return 2;
  }
  Observers observers;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> events(nullptr, std::fclose);
  if (!events_path.empty()) {
    events.reset(std::fopen(events_path.c_str(), "w"));
    if (!events) {
      std::fprintf(stderr, "%s: cannot be written\n", events_path.c_str());
      return 2;
    }
    observers.trace = [&](const sim::TraceEvent& event) { write_event(events.get(), event); };
  }
  auto result = run_seed(scenario, seed, plan, observers);
  base::set_check_handler(nullptr);
  if (!result) {
    std::fprintf(stderr, "%s\n", result.error().message().c_str());
    return 2;
  }
  write_all(output_fd, to_json(*result) + "\n");
  return exit_code(result->verdict);
}

Result<void> run_suite(const Suite& suite, const SuiteOptions& options, const SuiteHooks& hooks) {
  using Clock = std::chrono::steady_clock;
  // What a scenario's author got wrong shows with any seed: say so once, and not for each.
  for (const Suite::Entry& entry : suite.entries) {
    TRY(make_plan(entry.scenario, options.first_seed));
  }
  const Clock::time_point started = Clock::now();
  sim::SeedProcesses children(options.watchdog);
  Seeds seeds(options);
  bool failed = false;
  size_t courses = 0;
  const auto stop = [&] {
    return seeds.done() || (failed && options.fail_fast) ||
           (options.time_limit && Clock::now() - started >= *options.time_limit) ||
           (hooks.interrupted && hooks.interrupted());
  };
  while (!stop() || children.running() > 0) {
    while (children.running() < options.jobs && !stop()) {
      const uint64_t seed = seeds.take();
      const Scenario& scenario = suite.of(seed);
      TRY(children.start(seed, [&](int output_fd) {
        if (is_compared(seed, options.determinism_share)) {
          return run_twice(scenario, seed, output_fd, options.against);
        }
        return run_one(scenario, seed, nullptr, output_fd);
      }));
    }
    sim::SeedEnd end;
    if (children.wait(std::chrono::milliseconds(100), end)) {
      const Scenario& scenario = suite.of(end.seed);
      RunResult result = result_of(scenario, end);
      if (result.verdict == Verdict::kPass) {
        hooks.ended(result, nullptr);
      } else {
        failed = true;
        auto plan = TRY(make_plan(scenario, end.seed));
        Capsule capsule{scenario,        end.seed,
                        std::move(plan), std::string(revision()),
                        result.hash,     reports::reason(result)};
        // A run more for each failing seed; what hung would hang again.
        if (!end.timed_out && courses++ < kCoursesMax) {
          capsule.course = record_course(capsule, options.watchdog);
        }
        hooks.ended(result, &capsule);
      }
    }
    if (hooks.tick) hooks.tick();
  }
  return {};
}

}  // namespace seatrial::scenarios
