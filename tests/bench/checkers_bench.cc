// What judging a history costs: the check alone, its memory, and how both grow with its length;
// beside it Porcupine (github.com/anishathalye/porcupine) on the same files in the same run, where
// SEATRIAL_PORCUPINE names a checkout of it (a work tree, or a git directory) and Go is installed.
//
// Histories are made here: clients that always have an operation open, against a plain store. Where
// SEATRIAL_SHARED names a folder with Porcupine's own files (data/porcupine), those are judged,
// too. Each measurement is a process of its own, so that its peak of memory is nobody else's. Time
// is of all processors together: on a machine with neighbours the clock says more about them.
#include "base/check.h"
#include "base/random.h"
#include "checkers/check.h"
#include "checkers/hjl.h"
#include "checkers/readers/porcupine.h"

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

constexpr int kPatienceSeconds = 20;

struct Case {
  std::string type;
  uint32_t clients = 50;
  uint64_t operations = 1000;
  uint32_t keys = 10;
};

// A store of one key, with as much of each type as the workloads use.
struct Store {
  Value text;
  int64_t number = 0;
  std::deque<int64_t> items;
  std::map<std::string, int64_t> cells;
};

class Workload {
 public:
  explicit Workload(const Case& of)
      : of_(of),
        recorder_(of.type, of.clients),
        random_(7, "checkers bench"),
        clients_(of.clients) {}

  History make() && {
    uint64_t begun = 0;
    size_t open = 0;
    while (begun < of_.operations || open > 0) {
      const auto client = static_cast<uint32_t>(random_.below(of_.clients));
      Client& state = clients_[client];
      if (!state.open) {
        if (begun == of_.operations) continue;
        state = {.open = true, .key = key()};
        choose(state);
        state.id = recorder_.invoke(now(), client, state.function, state.key, argument(state));
        begun++;
        open++;
      } else if (!state.done) {
        apply(state);
        state.done = true;
      } else {
        recorder_.ok(now(), state.id, result(state));
        state.open = false;
        open--;
      }
    }
    return std::move(recorder_).take();
  }

 private:
  struct Client {
    bool open = false;
    bool done = false;
    std::string key;
    OperationId id = 0;
    Function function = Function::kGet;
    std::string cell;
    int64_t value = 0;
    Value seen;  // kv: what a cas expects.
    Value answer;
    std::vector<Value> many;
    std::vector<std::string> names;
  };

  Micros now() { return Micros(events_++); }

  // Lists only grow: a key is left alone after some appends.
  std::string key() {
    const uint64_t key = random_.below(of_.keys);
    return fmt::format("k{}",
                       of_.type == "list" ? key + of_.keys * (values_ / (64 * of_.keys)) : key);
  }

  void choose(Client& c) {
    c.value = ++values_;
    const bool read = random_.chance(0.5);
    const double draw = random_.unit();
    const uint64_t cell = random_.below(8);
    c.cell = of_.type == "set" ? fmt::format("{}", cell) : fmt::format("f{}", cell);
    if (of_.type == "register") c.function = read ? Function::kGet : Function::kSet;
    if (of_.type == "counter") c.function = read ? Function::kGet : Function::kIncr;
    if (of_.type == "list") c.function = read ? Function::kLrange : Function::kRpush;
    if (of_.type == "queue") c.function = read ? Function::kLpop : Function::kRpush;
    if (of_.type == "kv") {
      c.function = read          ? Function::kGet
                   : draw < 0.55 ? Function::kSet
                   : draw < 0.9  ? Function::kCas
                                 : Function::kDel;
      c.seen = stores_[c.key].text;
    }
    if (of_.type == "hash") {
      c.function = read ? (draw < 0.2 ? Function::kHgetall : Function::kHget)
                        : (draw < 0.15 ? Function::kHdel : Function::kHset);
    }
    if (of_.type == "set") {
      c.function = read ? (draw < 0.2 ? Function::kSmembers : Function::kSismember)
                        : (draw < 0.6 ? Function::kSadd : Function::kSrem);
    }
  }

  Value argument(const Client& c) {
    switch (c.function) {
      case Function::kSet:
      case Function::kRpush: return Value::integer(c.value);
      case Function::kCas: pair_ = {c.seen, Value::integer(c.value)}; return Value::list(pair_);
      case Function::kHset:
        pair_ = {Value::text(c.cell), Value::integer(c.value)};
        return Value::list(pair_);
      case Function::kHget:
      case Function::kHdel: return Value::text(c.cell);
      case Function::kSadd:
      case Function::kSrem:
      case Function::kSismember: return Value::integer(std::stoll(c.cell));
      default: return {};
    }
  }

  void apply(Client& c) {
    Store& store = stores_[c.key];
    const auto flag = [&](bool yes) { c.answer = Value::integer(yes ? 1 : 0); };
    switch (c.function) {
      case Function::kGet:
        c.answer = of_.type == "counter" ? Value::integer(store.number) : store.text;
        break;
      case Function::kIncr: c.answer = Value::integer(++store.number); break;
      case Function::kSet:
        store.text = Value::integer(c.value);
        c.answer = Value::text("OK");
        break;
      case Function::kCas:
        flag(store.text == c.seen);
        if (store.text == c.seen) store.text = Value::integer(c.value);
        break;
      case Function::kDel:
        flag(!store.text.is_nil());
        store.text = {};
        break;
      case Function::kRpush:
        store.items.push_back(c.value);
        c.answer = Value::integer(static_cast<int64_t>(store.items.size()));
        break;
      case Function::kLpop:
        c.answer = store.items.empty() ? Value() : Value::integer(store.items.front());
        if (!store.items.empty()) store.items.pop_front();
        break;
      case Function::kLrange:
        for (int64_t item : store.items) c.many.push_back(Value::integer(item));
        break;
      case Function::kHset:
      case Function::kSadd: flag(store.cells.insert_or_assign(c.cell, c.value).second); break;
      case Function::kHdel:
      case Function::kSrem: flag(store.cells.erase(c.cell) > 0); break;
      case Function::kSismember: flag(store.cells.contains(c.cell)); break;
      case Function::kHget:
        if (store.cells.contains(c.cell)) c.answer = Value::integer(store.cells[c.cell]);
        break;
      default:  // Reads of all.
        for (const auto& [name, value] : store.cells) {
          c.names.push_back(name);
          c.many.push_back(Value::integer(value));
        }
    }
  }

  Value result(Client& c) {
    if (c.function == Function::kLrange) return Value::list(c.many);
    if (c.function != Function::kHgetall && c.function != Function::kSmembers) return c.answer;
    members_.clear();
    for (size_t i = 0; i < c.names.size(); i++) {
      if (c.function == Function::kSmembers) {
        members_.push_back(Value::integer(std::stoll(c.names[i])));
      } else {
        members_.push_back(Value::text(c.names[i]));
        members_.push_back(c.many[i]);
      }
    }
    return c.function == Function::kHgetall ? Value::object(members_) : Value::list(members_);
  }

  const Case& of_;
  Recorder recorder_;
  base::RandomStream random_;
  std::vector<Client> clients_;
  std::map<std::string, Store> stores_;
  std::array<Value, 2> pair_;
  std::vector<Value> members_;
  int64_t values_ = 0;
  int64_t events_ = 0;
};

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
  fs::copy_file(fs::path(SEATRIAL_SOURCE_DIR) / "tests/bench/porcupine/main.go", driver / "main.go",
                fs::copy_options::overwrite_existing);
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
    fmt::print("{:<34} {:>9} {:>10} {:>9} {:>6}", "history", "verdict", "check ms", "read ms",
               "MiB");
    if (!driver_.empty())
      fmt::print(" | {:>8} {:>10} {:>6} {:>8}", "Porcupine", "ms", "MiB", "ratio");
    fmt::print("\n");
  }

  bool run(const Case& of) {
    const std::string path = folder_ / "history.jsonl";
    apart([&] { std::ofstream(path, std::ios::binary) << write_hjl(Workload(of).make()); });
    return row(
        fmt::format("{} {} clients {} ops {} keys", of.type, of.clients, of.operations, of.keys),
        of.type, path);
  }

  bool row(const std::string& name, const std::string& model, const std::string& path) {
    const Measured us = ours(model, path);
    fmt::print("{:<34} {:>9} {:>10.3f} {:>9.1f} {:>6}", name, us.verdict, us.check_ms, us.read_ms,
               us.peak_mib);
    ours_ms_ += us.check_ms;
    if (!driver_.empty()) {
      const Measured them = porcupine(driver_, model, path);
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
    fmt::print("{:<34} {:>9} {:>10.3f} ms", name, "", ours_ms_);
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

void run_porcupine_files(Bench& bench) {
  const char* shared = std::getenv("SEATRIAL_SHARED");
  const fs::path files = fs::path(shared == nullptr ? "" : shared) / "data" / "porcupine";
  if (shared == nullptr || !fs::exists(files)) return;
  std::vector<fs::path> names;
  for (const auto& entry : fs::directory_iterator(files)) {
    const fs::path& path = entry.path();
    if (path.extension() == ".log" || path.extension() == ".txt") names.push_back(path);
  }
  std::ranges::sort(names);
  bench.forget();
  for (const fs::path& path : names) {
    if (path.extension() == ".txt" && path.stem() == "README") continue;
    bench.row(path.filename(), "kv", path);
  }
  bench.sum("Porcupine's own files together");
}

}  // namespace

int main(int count, char** arguments) {
  const bool quick = count > 1 && std::strcmp(arguments[1], "--quick") == 0;
  const fs::path folder = fs::temp_directory_path() / fmt::format("seatrial-bench-{}", getpid());
  fs::create_directories(folder);
  bool good = true;
  {
    Bench bench(folder);
    const std::vector<uint64_t> sizes =
        quick ? std::vector<uint64_t>{1000}
              : std::vector<uint64_t>{1000, 10'000, 100'000, 1'000'000};
    for (const char* type : {"register", "kv", "counter", "list", "queue", "hash", "set"}) {
      for (uint64_t operations : sizes)
        good = bench.run({.type = type, .operations = operations}) && good;
    }
    for (const char* type : {"register", "kv", "hash"}) {
      good = bench.run({.type = type, .operations = quick ? 1000U : 10'000U, .keys = 1}) && good;
    }
    if (!quick) run_porcupine_files(bench);
  }
  fs::remove_all(folder);
  return good ? 0 : 1;
}
