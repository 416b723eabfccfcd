#include "scenarios/determinism.h"

#include "base/random.h"
#include "reports/run_result.h"
#include "scenarios/run.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

namespace seatrial::scenarios {

using reports::RunResult;
using reports::Verdict;

namespace {

// Bytes that malloc() leaves in fresh memory: two different ones.
constexpr const char* kPoison[2] = {"MALLOC_PERTURB_=85", "MALLOC_PERTURB_=170"};

std::string scratch_path(uint64_t seed, std::string_view what) {
  return fmt::format("/tmp/seatrial.{}.{}.{}", getpid(), seed, what);
}

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The two runs of a seed, each in a process that shares nothing with this one.
struct Runs {
  const Scenario& scenario;
  uint64_t seed;
  std::string toml_path;
  std::string binaries[2];
  std::string names[2];
};

// Returns its result's line.
std::string run_apart(const Runs& runs, int which, const std::string& events_path) {
  const Scenario& scenario = runs.scenario;
  const uint64_t seed = runs.seed;
  const std::string output_path = scratch_path(seed, "output");
  const pid_t pid = fork();
  if (pid < 0) return {};
  if (pid == 0) {
    // Where the watchdog ends our parent, nobody else would end us.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int fd = open(output_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(fd, STDOUT_FILENO);
    const std::string seed_text = std::to_string(seed);
    std::vector<const char*> arguments{
        "seatrial",        "run-one", runs.toml_path.c_str(), "--seed",
        seed_text.c_str(), "--name",  scenario.name.c_str()};
    if (!events_path.empty()) {
      arguments.push_back("--events");
      arguments.push_back(events_path.c_str());
    }
    arguments.push_back(nullptr);
    const char* environment[] = {kPoison[which], nullptr};
    execve(runs.binaries[which].c_str(), const_cast<char* const*>(arguments.data()),
           const_cast<char* const*>(environment));
    _exit(127);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  std::string output = read_text(output_path);
  unlink(output_path.c_str());
  return output.substr(0, output.find('\n'));
}

// Runs it twice more, with traces. What differs by chance (an address) may agree this time, so a
// few tries are made.
std::string difference_in_traces(const Runs& runs) {
  constexpr int kTries = 10;
  const std::string paths[2] = {scratch_path(runs.seed, "events.a"),
                                scratch_path(runs.seed, "events.b")};
  std::string difference;
  for (int i = 0; i < kTries && difference.empty(); ++i) {
    for (int j = 0; j < 2; ++j) run_apart(runs, j, paths[j]);
    difference = first_difference(paths[0], paths[1], runs.names);
  }
  for (const std::string& path : paths) unlink(path.c_str());
  return difference.empty() ? fmt::format("{} more pairs of runs agreed", kTries) : difference;
}

}  // namespace

bool is_compared(uint64_t seed, double share) {
  // A stream of its own: a seed's other draws do not tell which ones these are.
  return base::RandomStream(seed, "is compared").chance(share);
}

std::string first_difference(const std::string& path_a, const std::string& path_b,
                             const std::string (&names)[2]) {
  std::ifstream a(path_a);
  std::ifstream b(path_b);
  std::string before = "the beginning";
  std::string line_a;
  std::string line_b;
  for (;;) {
    const bool more_a = static_cast<bool>(std::getline(a, line_a));
    const bool more_b = static_cast<bool>(std::getline(b, line_b));
    if (!more_a && !more_b) return {};
    if (more_a && more_b && line_a == line_b) {
      before = line_a;
      continue;
    }
    return fmt::format("after [{}], {} had [{}], {} had [{}]", before, names[0],
                       more_a ? line_a : "its end", names[1], more_b ? line_b : "its end");
  }
}

void write_event(std::FILE* file, const sim::TraceEvent& event) {
  fmt::print(file, "{} {:016x} {} {} {} {}\n", event.number, event.hash, event.time.count(),
             event.node.empty() ? "-" : event.node, to_string(event.kind), event.text);
}

int run_twice(const Scenario& scenario, uint64_t seed, int output_fd, const std::string& against) {
  Runs runs{.scenario = scenario, .seed = seed, .toml_path = scratch_path(seed, "toml")};
  for (std::string& binary : runs.binaries) binary = "/proc/self/exe";
  runs.names[0] = "one run";
  runs.names[1] = "the other";
  if (!against.empty()) {
    runs.binaries[1] = against;
    runs.names[0] = "this binary";
    runs.names[1] = against;
  }
  {
    std::ofstream file(runs.toml_path, std::ios::binary);
    file << scenario.text;
  }
  std::string lines[2];
  for (int i = 0; i < 2; ++i) lines[i] = run_apart(runs, i, {});
  auto a = reports::parse_run_result(lines[0]);
  auto b = reports::parse_run_result(lines[1]);
  RunResult result;
  if (!a || !b) {
    result.scenario = scenario.name;
    result.seed = seed;
    result.revision = revision();
    result.verdict = Verdict::kCrash;
    result.message =
        fmt::format("no result from {}: \"{}\"", runs.names[a ? 1 : 0], lines[a ? 1 : 0]);
  } else {
    result = *a;
    if (a->hash != b->hash || a->events != b->events || a->verdict != b->verdict) {
      result.verdict = Verdict::kNondeterministic;
      result.message = fmt::format("hash {:016x} and then {:016x}: {}", a->hash, b->hash,
                                   difference_in_traces(runs));
    }
  }
  unlink(runs.toml_path.c_str());
  const std::string line = to_json(result) + "\n";
  const ssize_t written = write(output_fd, line.data(), line.size());
  return written == static_cast<ssize_t>(line.size()) ? exit_code(result.verdict) : 127;
}

}  // namespace seatrial::scenarios
