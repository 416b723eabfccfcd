// seatrial run: suites and scenarios over a range of seeds, with live progress, results on disk
// and a summary.
#include "commands/commands.h"
#include "os/mark.h"
#include "reports/progress.h"
#include "reports/results_folder.h"
#include "reports/summary.h"
#include "scenarios/suite.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>

namespace seatrial::commands {
namespace {

using Clock = std::chrono::steady_clock;

volatile sig_atomic_t g_interrupted = 0;

void interrupt(int) {
  // The second one is meant: it ends the process at once.
  g_interrupted = 1;
  signal(SIGINT, SIG_DFL);
}

std::vector<std::string> mark_catalog() {
  std::vector<std::string> names;
  for (const os::Mark& mark : os::all_marks()) names.emplace_back(mark.name);
  return names;
}

void print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

// One invocation of `run`, whatever the number of names.
class Runner {
 public:
  Runner(const RunCommand& command, std::optional<reports::ResultsFolder> folder)
      : command_(command),
        folder_(std::move(folder)),
        paint_{isatty(STDOUT_FILENO) == 1},
        summary_(mark_catalog()),
        started_(Clock::now()) {}

  Result<void> run(const std::vector<scenarios::Suite>& suites) {
    reports::ProgressOptions options{.terminal = isatty(STDOUT_FILENO) == 1, .paint = paint_};
    if (command_.seeds_given || !command_.time) {
      options.runs_total = seeds_of_shard() * suites.size();
    }
    options.time_total = command_.time;
    progress_.emplace(options);
    for (const scenarios::Suite& suite : suites) {
      TRY(scenarios::run_suite(suite, suite_options(), hooks()));
      must_hit_.insert(must_hit_.end(), suite.must_hit.begin(), suite.must_hit.end());
      if (g_interrupted || !error_.empty()) break;
    }
    if (!error_.empty()) return base::fail(base::Errc::kIo, error_);
    if (folder_) TRY(folder_->finish());
    return {};
  }

  int conclude() {
    print(progress_->clear());
    print(summary_.text(Clock::now() - started_, paint_));
    if (folder_) print(fmt::format("results: {}\n", folder_->path()));
    if (g_interrupted) print("interrupted: the seeds that had begun are in the summary\n");
    int code = summary_.exit_code();
    const std::vector<std::string> never = summary_.marks_never_hit();
    for (const std::string& mark : must_hit_) {
      if (summary_.runs() < kRunsForMarks || std::ranges::find(never, mark) == never.end())
        continue;
      print(fmt::format("the suite must hit \"{}\", and no run did\n", mark));
      if (code == kExitGood) code = reports::exit_code(reports::Verdict::kViolation);
    }
    return code;
  }

 private:
  // Fewer runs than this need not have seen every branch.
  static constexpr uint64_t kRunsForMarks = 200;

  uint64_t seeds_of_shard() const {
    const uint64_t share = command_.seeds.count() / command_.shard.count;
    const uint64_t rest = command_.seeds.count() % command_.shard.count;
    uint64_t left_over = 0;
    for (uint64_t i = 0; i < rest; ++i) {
      const uint64_t at = (command_.seeds.first + i) % command_.shard.count;
      left_over += at == command_.shard.index - 1 ? 1 : 0;
    }
    return share + left_over;
  }

  // What is left of the time for all of them, where there is such a limit.
  std::optional<std::chrono::nanoseconds> time_left() const {
    if (!command_.time) return {};
    return std::max(*command_.time - (Clock::now() - started_), std::chrono::nanoseconds(0));
  }

  scenarios::SuiteOptions suite_options() const {
    scenarios::SuiteOptions options;
    options.first_seed = command_.seeds.first;
    options.last_seed = command_.seeds.last;
    if (command_.time && !command_.seeds_given) options.last_seed.reset();
    options.time_limit = time_left();
    options.jobs = command_.jobs;
    options.shard = command_.shard.index;
    options.shards = command_.shard.count;
    options.fail_fast = command_.fail_fast;
    options.determinism_share = command_.determinism_share;
    options.against = command_.against;
    return options;
  }

  scenarios::SuiteHooks hooks() {
    return {.ended = [this](auto& result, auto* capsule) { ended(result, capsule); },
            .tick = [this] { tick(); },
            .interrupted = [this] { return g_interrupted != 0 || !error_.empty(); }};
  }

  void ended(reports::RunResult& result, const scenarios::Capsule* capsule) {
    if (capsule != nullptr && folder_) {
      auto path = folder_->write_capsule(result.scenario, result.seed, to_json(*capsule));
      if (path) {
        result.capsule = *path;
      } else {
        error_ = path.error().message();
      }
    }
    if (folder_) {
      if (auto added = folder_->add(result); !added) error_ = added.error().message();
    }
    summary_.add(result);
    if (result.verdict != reports::Verdict::kPass && summary_.failures() <= kFailuresTold) {
      print(progress_->clear());
      print(fmt::format("{} seed {}: {}: {}\n  {}\n", result.scenario, result.seed,
                        to_string(result.verdict), reports::reason(result),
                        reports::repeat_command(result)));
    }
  }

  void tick() {
    print(progress_->update(summary_.runs(), summary_.failures(), Clock::now() - started_));
  }

  static constexpr uint64_t kFailuresTold = 5;

  const RunCommand& command_;
  std::optional<reports::ResultsFolder> folder_;
  reports::Paint paint_;
  reports::Summary summary_;
  std::optional<reports::Progress> progress_;
  Clock::time_point started_;
  std::vector<std::string> must_hit_;
  std::string error_;
};

int fail_usage(const base::Error& error) {
  fmt::print(stderr, "seatrial run: {}\n", error.message());
  return kExitUsage;
}

}  // namespace

int run(const RunCommand& command) {
  std::vector<scenarios::Suite> suites;
  for (const std::string& name : command.names) {
    auto suite = scenarios::load_suite(name);
    if (!suite) return fail_usage(suite.error());
    suites.push_back(*std::move(suite));
  }
  if (!command.against.empty() && access(command.against.c_str(), X_OK) != 0) {
    return fail_usage(base::Error(base::Errc::kNotFound,
                                  "--against: no program is called \"" + command.against + "\""));
  }
  std::optional<reports::ResultsFolder> folder;
  if (!command.out.empty()) {
    auto created = reports::ResultsFolder::create(command.out);
    if (!created) return fail_usage(created.error());
    folder = *std::move(created);
  }
  signal(SIGINT, interrupt);
  Runner runner(command, std::move(folder));
  auto done = runner.run(suites);
  const int code = runner.conclude();
  return done ? code : fail_usage(done.error());
}

}  // namespace seatrial::commands
