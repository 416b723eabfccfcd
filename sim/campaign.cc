#include "sim/campaign.h"

#include "base/check.h"
#include "sim/seed_process.h"
#include "sim/trap.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <csignal>
#include <fstream>
#include <utility>

namespace seatrial::sim {

using base::Errc;
using base::fail;
using nlohmann::json;

namespace {

constexpr std::string_view kNames[kFindings] = {"held", "violation", "stuck", "crash",
                                                "not deterministic"};

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(fd, text.data(), text.size());
    if (count <= 0) return;
    text.remove_prefix(static_cast<size_t>(count));
  }
}

// What a failed CHECK needs to know: there is one run in a process.
struct Current {
  const Told* told = nullptr;
  uint64_t seed = 0;
} g_current;

[[noreturn]] void report_crash(const base::CheckFailure& failure) {
  trap::disarm();
  const SeedResult result{
      .seed = g_current.seed, .finding = Finding::kCrash, .reason = base::to_string(failure)};
  if (*g_current.told) (*g_current.told)(result);
  _exit(exit_code(result.finding));
}

// A child's result, whatever became of it.
SeedResult result_of(const SeedEnd& end) {
  auto parsed = parse_seed_result(std::string_view(end.output).substr(0, end.output.find('\n')));
  if (parsed && !end.timed_out && end.signal == 0) {
    // A sanitizer speaks up after the result has been written.
    if (end.exit_code != exit_code(parsed->finding)) {
      parsed->finding = Finding::kCrash;
      parsed->reason = fmt::format("exit code {}: {}", end.exit_code, end.complaints);
    }
    return *std::move(parsed);
  }
  SeedResult result{.seed = end.seed, .finding = end.timed_out ? Finding::kStuck : Finding::kCrash};
  if (end.timed_out) {
    result.reason = "the watchdog ended it: no result within its wall time";
  } else if (end.signal != 0) {
    result.reason = fmt::format("killed by signal {} ({})", end.signal, strsignal(end.signal));
  } else {
    result.reason = fmt::format("left with code {} and no result", end.exit_code);
  }
  if (!end.complaints.empty()) result.reason += ": " + end.complaints;
  return result;
}

// ---- The same seed twice

// Bytes that malloc() leaves in fresh memory: two different ones.
constexpr const char* kPoison[2] = {"85", "170"};

std::string read_to_end(int fd) {
  std::string text;
  char buffer[4096];
  for (ssize_t count = 0; (count = read(fd, buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<size_t>(count));
  }
  return text;
}

// In a process that shares nothing with this one; returns its result's line. Events, if a path is
// given, go there.
std::string run_apart(const CampaignOptions& options, uint64_t seed, const char* poison,
                      const std::string& events) {
  std::vector<std::string> words = options.command;
  words.insert(words.end(), {"--run-one", std::to_string(seed)});
  if (!events.empty()) words.insert(words.end(), {"--events", events});
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return {};
  const pid_t pid = fork();
  if (pid == 0) {
    // Where the watchdog ends our parent, nobody else would end us.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(ends[1], STDOUT_FILENO);
    setenv("MALLOC_PERTURB_", poison, 1);
    execv("/proc/self/exe", arguments.data());
    _exit(127);
  }
  close(ends[1]);
  std::string output = pid < 0 ? std::string() : read_to_end(ends[0]);
  close(ends[0]);
  if (pid > 0) waitpid(pid, nullptr, 0);
  return output.substr(0, output.find('\n'));
}

// The first line in which the two differ, with the one before it; empty where they do not.
std::string first_difference(const std::string& path_a, const std::string& path_b) {
  std::ifstream a(path_a);
  std::ifstream b(path_b);
  std::string before = "the start";
  std::string line_a;
  std::string line_b;
  for (;;) {
    const bool more_a = static_cast<bool>(std::getline(a, line_a));
    const bool more_b = static_cast<bool>(std::getline(b, line_b));
    if (!more_a && !more_b) return {};
    if (!more_a || !more_b || line_a != line_b) {
      return fmt::format("after [{}], one run had [{}], the other [{}]", before,
                         more_a ? line_a : "its end", more_b ? line_b : "its end");
    }
    before = line_a;
  }
}

// Runs it twice more, with traces. What differs by chance (an address) may agree this time, so a
// few tries are made.
std::string difference_in_traces(const CampaignOptions& options, uint64_t seed) {
  constexpr int kTries = 10;
  std::string paths[2];
  for (int i = 0; i < 2; ++i) {
    paths[i] = fmt::format("/tmp/seatrial.{}.{}.events.{}", getpid(), seed, i);
  }
  std::string difference;
  for (int i = 0; i < kTries && difference.empty(); ++i) {
    for (int j = 0; j < 2; ++j) run_apart(options, seed, kPoison[j], paths[j]);
    difference = first_difference(paths[0], paths[1]);
  }
  for (const std::string& path : paths) unlink(path.c_str());
  return difference.empty() ? fmt::format("{} more pairs of runs agreed", kTries) : difference;
}

SeedResult run_twice(const CampaignOptions& options, uint64_t seed) {
  std::string lines[2];
  for (int i = 0; i < 2; ++i) lines[i] = run_apart(options, seed, kPoison[i], {});
  const auto a = parse_seed_result(lines[0]);
  const auto b = parse_seed_result(lines[1]);
  if (!a || !b) {
    return {.seed = seed,
            .finding = Finding::kCrash,
            .reason = fmt::format("no result from a process of its own: \"{}\"", lines[a ? 1 : 0])};
  }
  SeedResult result = *b;
  if (a->hash != b->hash || a->events != b->events || a->finding != b->finding) {
    result.finding = Finding::kNondeterministic;
    result.reason = fmt::format("hash {:016x} and then {:016x}: {}", a->hash, b->hash,
                                difference_in_traces(options, seed));
  }
  return result;
}

}  // namespace

std::string_view to_string(Finding finding) { return kNames[static_cast<size_t>(finding)]; }

int exit_code(Finding finding) {
  switch (finding) {
    case Finding::kHeld: return 0;
    case Finding::kViolation: return 1;
    case Finding::kNondeterministic: return 3;
    case Finding::kCrash: return 4;
    case Finding::kStuck: return 5;
  }
  UNREACHABLE("finding {}", static_cast<int>(finding));
}

std::string to_json(const SeedResult& result) {
  const json line = {{"seed", result.seed},     {"finding", to_string(result.finding)},
                     {"reason", result.reason}, {"hash", fmt::format("{:016x}", result.hash)},
                     {"events", result.events}, {"sim_ns", result.sim_time.count()},
                     {"counts", result.counts}};
  return line.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<SeedResult> parse_seed_result(std::string_view line) {
  const json parsed = json::parse(line, nullptr, false);
  if (!parsed.is_object()) return fail(Errc::kInvalidData, "not a result");
  SeedResult result;
  try {
    result.seed = parsed.at("seed").get<uint64_t>();
    const auto name = parsed.at("finding").get<std::string>();
    for (int i = 0; i < kFindings; ++i) {
      if (kNames[i] == name) result.finding = static_cast<Finding>(i);
    }
    result.reason = parsed.at("reason").get<std::string>();
    result.hash = std::strtoull(parsed.at("hash").get<std::string>().c_str(), nullptr, 16);
    result.events = parsed.at("events").get<uint64_t>();
    result.sim_time = VirtualTime(parsed.at("sim_ns").get<int64_t>());
    result.counts = parsed.at("counts").get<std::map<std::string, uint64_t>>();
  } catch (const json::exception& error) {
    return fail(Errc::kInvalidData, error.what());
  }
  return result;
}

SeedResult run_one(const SubjectFactory& make, uint64_t seed, const Plan* plan,
                   const Watcher& watcher, const Told& told) {
  g_current = {&told, seed};
  const base::CheckHandler before =
      base::set_check_handler([](const base::CheckFailure& failure) { report_crash(failure); });
  const std::unique_ptr<Subject> subject = make();
  const SubjectReport report =
      run_subject(*subject, seed, plan != nullptr ? *plan : draw_plan(*subject, seed), watcher);
  base::set_check_handler(before);
  SeedResult result{.seed = seed,
                    .hash = report.trial.hash,
                    .events = report.trial.events,
                    .sim_time = report.trial.sim_time,
                    .counts = report.trial.counts};
  result.reason = report.trial.message;
  if (!result.reason.empty()) result.finding = Finding::kStuck;
  // What the clients saw counts, whether or not they came to an end.
  if (!report.violations.empty()) {
    result.finding = Finding::kViolation;
    result.reason = fmt::format("{}", fmt::join(report.violations, "\n"));
  }
  if (told) told(result);
  return result;
}

Result<void> run_campaign(const SubjectFactory& make, const CampaignOptions& options,
                          const Told& told) {
  SeedProcesses children(options.watchdog);
  uint64_t next = options.first_seed;
  bool failed = false;
  const auto over = [&] {
    return next > options.last_seed || next < options.first_seed || (failed && options.fail_fast);
  };
  while (!over() || children.running() > 0) {
    while (children.running() < options.jobs && !over()) {
      const uint64_t seed = next++;
      TRY(children.start(seed, [&](int fd) {
        const Told tell = [fd](const SeedResult& result) { write_all(fd, to_json(result) + "\n"); };
        if (!options.check_determinism) {
          return exit_code(run_one(make, seed, options.plan, {}, tell).finding);
        }
        const SeedResult result = run_twice(options, seed);
        tell(result);
        return exit_code(result.finding);
      }));
    }
    SeedEnd end;
    if (!children.wait(std::chrono::milliseconds(100), end)) continue;
    const SeedResult result = result_of(end);
    failed = failed || result.finding != Finding::kHeld;
    told(result);
  }
  return {};
}

}  // namespace seatrial::sim
