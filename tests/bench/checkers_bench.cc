// What judging a history costs: the check alone, its memory, and how both grow with its length;
// beside it Porcupine (github.com/anishathalye/porcupine) on the same files in the same run, where
// SEATRIAL_PORCUPINE names a checkout of it (a work tree, or a git directory) and Go is installed.
//
// Histories are made here: clients that always have an operation open, against a plain store. Where
// SEATRIAL_SHARED names a folder with Porcupine's own files (data/porcupine), those are judged,
// too. Each measurement is a process of its own, so that its peak of memory is nobody else's. Time
// is of all processors together: on a machine with neighbours the clock says more about them.
#include "base/check.h"
#include "checkers/check.h"
#include "checkers/hjl.h"
#include "checkers/readers/porcupine.h"
#include "tests/bench/checkers_workload.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace {

using namespace seatrial;
using namespace seatrial::checkers;
namespace fs = std::filesystem;
using bench::Case;
using bench::make_history;

constexpr int kPatienceSeconds = 20;

// ---- Measuring ----

struct Measured {
  std::string verdict = "failed";
  double check_ms = 0;
  double read_ms = 0;
  long peak_mib = 0;
};

double cpu_ms() {
  timespec time{};
  CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// What `work` prints, and its peak of memory.
template <typename Work>
std::pair<std::string, long> apart(const Work& work) {
  std::fflush(nullptr);
  std::array<int, 2> ends{};
  CHECK(pipe(ends.data()) == 0);
  const pid_t pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    CHECK(dup2(ends[1], STDOUT_FILENO) == STDOUT_FILENO);
    close(ends[0]);
    close(ends[1]);
    work();
    std::fflush(nullptr);
    _exit(0);
  }
  close(ends[1]);
  std::string said;
  std::array<char, 256> buffer{};
  for (ssize_t got = 0; (got = read(ends[0], buffer.data(), buffer.size())) > 0;) {
    said.append(buffer.data(), static_cast<size_t>(got));
  }
  close(ends[0]);
  int status = 0;
  rusage usage{};
  CHECK(wait4(pid, &status, 0, &usage) == pid);
  return {WIFEXITED(status) && WEXITSTATUS(status) == 0 ? said : "", usage.ru_maxrss / 1024};
}

// Short checks are repeated, and the mean is told.
void judge(const std::string& model, const std::string& path) {
  const std::string bytes = read_file(path);
  const double begin = cpu_ms();
  const auto history = is_jepsen_register_log(bytes) ? read_jepsen_register_log(bytes)
                       : is_porcupine_kv(bytes)      ? read_porcupine_kv(bytes)
                                                     : read_hjl(bytes);
  CHECK_MSG(history, "{}: {}", path, history.error().message());
  const double read = cpu_ms() - begin;
  Options options;
  options.explain = false;
  int rounds = 0;
  double spent = 0;
  std::string outcome;
  for (; rounds == 0 || (spent < 50 && rounds < 2000); rounds++) {
    const double before = cpu_ms();
    const auto verdict = check(model, *history, options);
    const double took = cpu_ms() - before;
    CHECK(verdict);
    outcome = to_string(verdict->outcome);
    spent += took;
  }
  fmt::print("{} {} {}\n", outcome, spent / rounds, read);
}

Measured ours(const std::string& model, const std::string& path) {
  Measured result;
  const auto [said, peak] = apart([&] { judge(model, path); });
  result.peak_mib = peak;
  std::istringstream(said) >> result.verdict >> result.check_ms >> result.read_ms;
  return result;
}

Measured porcupine(const std::string& driver, const std::string& model, const std::string& path) {
  Measured result;
  const auto [said, peak] = apart([&] {
    const std::string patience = fmt::format("{}", kPatienceSeconds);
    execl(driver.c_str(), driver.c_str(), model.c_str(), path.c_str(), patience.c_str(), nullptr);
    _exit(2);
  });
  double wall = 0;
  result.peak_mib = peak;
  std::istringstream(said) >> result.verdict >> wall >> result.check_ms;
  return result;
}

// Builds the driver beside Porcupine in `folder`; empty where that cannot be.
std::string build_driver(const fs::path& folder) {
  const char* checkout = std::getenv("SEATRIAL_PORCUPINE");
  if (checkout == nullptr) {
    fmt::print("Porcupine is not measured: SEATRIAL_PORCUPINE names no checkout of it\n");
    return {};
  }
  const fs::path driver = folder / "driver";
  fs::create_directories(driver);
  fs::create_directories(folder / "porcupine");
  const fs::path sources = fs::path(SEATRIAL_SOURCE_DIR) / "tests/bench/porcupine";
  for (const auto& file : fs::directory_iterator(sources)) {
    fs::copy_file(file.path(), driver / file.path().filename(),
                  fs::copy_options::overwrite_existing);
  }
  std::ofstream(driver / "go.mod") << "module seatrial/porcupine-driver\n\ngo 1.16\n\n"
                                      "require github.com/anishathalye/porcupine v0.0.0\n\n"
                                      "replace github.com/anishathalye/porcupine => ../porcupine\n";
  const std::string build = fmt::format(
      "git -C '{}' archive HEAD | tar -x -C '{}' && cd '{}' && "
      "GOFLAGS=-mod=mod GOPROXY=off go build -o porcupine-driver .",
      checkout, (folder / "porcupine").string(), driver.string());
  if (std::system(build.c_str()) != 0) {
    fmt::print("Porcupine is not measured: its driver could not be built from {}\n", checkout);
    return {};
  }
  return driver / "porcupine-driver";
}

class Bench {
 public:
  explicit Bench(const fs::path& folder) : folder_(folder), driver_(build_driver(folder)) {
    fmt::print("{:<48} {:>9} {:>10} {:>9} {:>6}", "history", "verdict", "check ms", "read ms",
               "MiB");
    if (!driver_.empty())
      fmt::print(" | {:>8} {:>10} {:>6} {:>8}", "Porcupine", "ms", "MiB", "ratio");
    fmt::print("\n");
  }

  bool run(const Case& of) {
    const std::string path = folder_ / "history.jsonl";
    apart([&] { std::ofstream(path, std::ios::binary) << write_hjl(make_history(of)); });
    return row(fmt::format("{}{}, {} clients, {} ops, {} keys", of.type,
                           of.lengths ? " with lengths" : "", of.clients, of.operations, of.keys),
               of.type == "log" ? "offsets" : of.type, path);
  }

  // `their_model`: Porcupine's, where it is not the same.
  bool row(const std::string& name, const std::string& model, const std::string& path,
           const std::string& their_model = {}) {
    const Measured us = ours(model, path);
    fmt::print("{:<48} {:>9} {:>10.3f} {:>9.1f} {:>6}", name, us.verdict, us.check_ms, us.read_ms,
               us.peak_mib);
    ours_ms_ += us.check_ms;
    if (!driver_.empty() && model != "offsets") {  // Porcupine has no logs.
      const Measured them = porcupine(driver_, their_model.empty() ? model : their_model, path);
      theirs_ms_ += them.check_ms;
      fmt::print(" | {:>9} {:>10.3f} {:>6} {:>7.1f}x", them.verdict, them.check_ms, them.peak_mib,
                 them.check_ms / std::max(us.check_ms, 1e-6));
    }
    fmt::print("\n");
    std::fflush(stdout);
    return us.verdict == "ok" || us.verdict == "violation";
  }

  void forget() { ours_ms_ = theirs_ms_ = 0; }

  void sum(const std::string& name) {
    fmt::print("{:<48} {:>9} {:>10.3f} ms", name, "", ours_ms_);
    if (!driver_.empty()) {
      fmt::print(" | Porcupine {:.3f} ms, {:.1f}x", theirs_ms_,
                 theirs_ms_ / std::max(ours_ms_, 1e-6));
    }
    fmt::print("\n");
    forget();
  }

 private:
  fs::path folder_;
  std::string driver_;
  double ours_ms_ = 0;
  double theirs_ms_ = 0;
};

// Porcupine's own files: those that lie in a checkout of it, or where SEATRIAL_SHARED has them.
void run_porcupine_files(Bench& bench, const fs::path& folder) {
  if (!fs::exists(folder)) return;
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const fs::path& path = entry.path();
    const bool history = path.extension() == ".log" || path.extension() == ".txt";
    if (history && path.stem() != "README") files.push_back(path);
  }
  std::ranges::sort(files);
  bench.forget();
  for (const fs::path& path : files) bench.row(path.filename(), "kv", path);
  bench.sum("Porcupine's own files together");
  // Without splitting by key, as a model that cannot be split is judged.
  for (const fs::path& path : files) {
    if (path.filename() == "c10-ok.txt")
      bench.row("c10-ok.txt, Porcupine by no key", "kv", path, "kv-whole");
  }
}

std::vector<Case> cases(bool quick) {
  const std::vector<uint64_t> sizes =
      quick ? std::vector<uint64_t>{1000} : std::vector<uint64_t>{1000, 10'000, 100'000, 1'000'000};
  const uint64_t some = quick ? 1000 : 10'000;
  std::vector<Case> cases;
  for (const char* type : {"register", "kv", "counter", "list", "queue", "hash", "set"}) {
    for (uint64_t operations : sizes) cases.push_back({.type = type, .operations = operations});
    cases.push_back({.type = type, .operations = some, .keys = 1});
  }
  cases.push_back({.type = "queue", .operations = some, .lengths = true});
  cases.push_back({.type = "txn", .clients = 10, .operations = 1000, .keys = 6});
  cases.push_back({.type = "appendtxn", .clients = 20, .operations = 3000, .keys = 6});
  for (uint64_t operations : sizes) cases.push_back({.type = "log", .operations = operations});
  if (quick) return cases;
  for (uint64_t operations : {10'000, 100'000}) {
    cases.push_back({.type = "txn", .clients = 10, .operations = operations, .keys = 6});
  }
  for (uint64_t operations : {10'000, 100'000, 1'000'000}) {
    cases.push_back({.type = "appendtxn", .clients = 20, .operations = operations, .keys = 6});
  }
  return cases;
}

}  // namespace

// `--quick`: short histories alone; names of types (or "files"): only those.
int main(int count, char** arguments) {
  std::vector<std::string> only(arguments + 1, arguments + count);
  const bool quick = std::erase(only, "--quick") > 0;
  const auto wanted = [&](const std::string& type) {
    return only.empty() || std::ranges::find(only, type) != only.end();
  };
  const fs::path folder = fs::temp_directory_path() / fmt::format("seatrial-bench-{}", getpid());
  fs::create_directories(folder);
  bool good = true;
  {
    Bench bench(folder);
    for (const Case& each : cases(quick)) {
      if (wanted(each.type)) good = bench.run(each) && good;
    }
    if (!quick && wanted("files")) {
      const char* shared = std::getenv("SEATRIAL_SHARED");
      if (shared != nullptr) run_porcupine_files(bench, fs::path(shared) / "data" / "porcupine");
      run_porcupine_files(bench, folder / "porcupine" / "test_data" / "kv");
    }
  }
  fs::remove_all(folder);
  return good ? 0 : 1;
}
