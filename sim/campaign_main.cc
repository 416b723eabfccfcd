// The ready main() of a campaign: its options, what it prints, its exit codes.
#include "base/alike.h"
#include "sim/campaign.h"
#include "sim/trap.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <thread>

namespace seatrial::sim {

using base::Errc;
using base::fail;

namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr int kExitUsage = 2;

constexpr std::string_view kHelp = R"(
Runs seeds of a simulated system, each in a process of its own, and tells which did not hold.

  --seeds A..B          these seeds (default 1..100); one number N: 1..N
  --seed N              this one, in this process, with its trace on standard output
  --plan FILE           under this plan instead of the one that a seed draws
  --save-plan FILE      with --seed: write the seed's plan as JSON, to read and to edit
  --no-trace            with --seed: only the verdict
  --until SECONDS       with --seed: stop there, in virtual time, and judge nothing
  --check-determinism   each seed twice, in processes that share nothing; hashes must agree
  --jobs N              so many at once (default: the number of cores)
  --fail-fast           stop after the first that did not hold
  --watchdog SECONDS    of wall time for one seed (default 60)
  --help                this

Exit: 0 all held, 1 a violation, 2 bad usage, 3 not deterministic, 4 a crash, 5 stuck.
)";

struct Options {
  CampaignOptions campaign;
  std::optional<uint64_t> seed;     // One of them, watched.
  std::optional<uint64_t> run_one;  // For --check-determinism: its result as a line.
  std::string events_path;
  std::string plan_path;
  std::string save_plan_path;
  std::optional<VirtualTime> until;
  bool trace = true;
  bool help = false;
};

Result<uint64_t> parse_number(std::string_view option, std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return number;
  return fail(Errc::kInvalidArgument,
              fmt::format("{} takes a whole number, not '{}'", option, text));
}

Result<void> parse_seeds(std::string_view text, CampaignOptions& options) {
  const size_t dots = text.find("..");
  if (dots == std::string_view::npos) {
    options.first_seed = 1;
    options.last_seed = TRY(parse_number("--seeds", text));
  } else {
    options.first_seed = TRY(parse_number("--seeds", text.substr(0, dots)));
    options.last_seed = TRY(parse_number("--seeds", text.substr(dots + 2)));
  }
  if (options.first_seed <= options.last_seed) return {};
  return fail(Errc::kInvalidArgument, fmt::format("--seeds {}: there are none", text));
}

// Each option: its name, whether a value follows, and what it sets.
struct Option {
  std::string_view name;
  bool has_value;
  Result<void> (*set)(Options& options, std::string_view value);
};

constexpr Option kOptions[] = {
    {"--seeds", true, [](Options& o, std::string_view v) { return parse_seeds(v, o.campaign); }},
    {"--seed", true,
     [](Options& o, std::string_view v) -> Result<void> {
       o.seed = TRY(parse_number("--seed", v));
       return {};
     }},
    {"--run-one", true,
     [](Options& o, std::string_view v) -> Result<void> {
       o.run_one = TRY(parse_number("--run-one", v));
       return {};
     }},
    {"--events", true,
     [](Options& o, std::string_view v) -> Result<void> {
       o.events_path = v;
       return {};
     }},
    {"--plan", true,
     [](Options& o, std::string_view v) -> Result<void> {
       o.plan_path = v;
       return {};
     }},
    {"--save-plan", true,
     [](Options& o, std::string_view v) -> Result<void> {
       o.save_plan_path = v;
       return {};
     }},
    {"--until", true,
     [](Options& o, std::string_view v) -> Result<void> {
       o.until = std::chrono::seconds(TRY(parse_number("--until", v)));
       return {};
     }},
    {"--jobs", true,
     [](Options& o, std::string_view v) -> Result<void> {
       const uint64_t jobs = TRY(parse_number("--jobs", v));
       if (jobs < 1 || jobs > 1024) return fail(Errc::kInvalidArgument, "--jobs: from 1 to 1024");
       o.campaign.jobs = static_cast<uint32_t>(jobs);
       return {};
     }},
    {"--watchdog", true,
     [](Options& o, std::string_view v) -> Result<void> {
       o.campaign.watchdog = std::chrono::seconds(TRY(parse_number("--watchdog", v)));
       return {};
     }},
    {"--no-trace", false,
     [](Options& o, std::string_view) -> Result<void> {
       o.trace = false;
       return {};
     }},
    {"--check-determinism", false,
     [](Options& o, std::string_view) -> Result<void> {
       o.campaign.check_determinism = true;
       return {};
     }},
    {"--fail-fast", false,
     [](Options& o, std::string_view) -> Result<void> {
       o.campaign.fail_fast = true;
       return {};
     }},
    {"--help", false,
     [](Options& o, std::string_view) -> Result<void> {
       o.help = true;
       return {};
     }},
};

const Option* find_option(std::string_view name) {
  for (const Option& option : kOptions) {
    if (option.name == name) return &option;
  }
  return nullptr;
}

std::string_view most_alike_option(std::string_view word) {
  std::string_view best;
  size_t least = 4;
  for (const Option& option : kOptions) {
    const size_t distance = base::edit_distance(word, option.name);
    if (distance >= least) continue;
    best = option.name;
    least = distance;
  }
  return best;
}

// "--seed 7" and "--seed=7".
Result<Options> parse_options(int argc, char** argv) {
  Options options;
  options.campaign.jobs = std::max(1U, std::thread::hardware_concurrency());
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const std::string_view name = word.substr(0, word.find('='));
    const Option* option = find_option(name);
    if (option == nullptr) {
      const std::string_view like = most_alike_option(name);
      return fail(Errc::kInvalidArgument,
                  fmt::format("there is no option '{}'{}", word,
                              like.empty() ? "" : fmt::format(", did you mean {}?", like)));
    }
    std::string_view value;
    if (name.size() < word.size()) {
      if (!option->has_value) {
        return fail(Errc::kInvalidArgument, fmt::format("{} takes no value", name));
      }
      value = word.substr(name.size() + 1);
    } else if (option->has_value) {
      if (++i == argc) return fail(Errc::kInvalidArgument, fmt::format("{} needs a value", name));
      value = argv[i];
    }
    TRY(option->set(options, value));
  }
  return options;
}

Result<std::string> read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Errc::kNotFound, path + ": cannot be read");
  return std::string{std::istreambuf_iterator<char>(file), {}};
}

// This program's own command line, without what this file understands: what it was called with.
std::vector<std::string> own_command() {
  auto text = read_text("/proc/self/cmdline");
  std::vector<std::string> words;
  for (size_t at = 0; text && at < text->size();) {
    const std::string word = text->c_str() + at;
    at += word.size() + 1;
    const std::string_view name = std::string_view(word).substr(0, word.find('='));
    const Option* option = words.empty() ? nullptr : find_option(name);
    if (option == nullptr) {
      words.push_back(word);
    } else if (option->has_value && name.size() == word.size() && at < text->size()) {
      at += std::string_view(text->c_str() + at).size() + 1;
    }
  }
  return words;
}

std::string line_to_copy(const Options& options, uint64_t seed) {
  return fmt::format("{} --seed {}", fmt::join(options.campaign.command, " "), seed);
}

void print_event(std::FILE* file, const TraceEvent& event) {
  fmt::print(file, "{:>14.6f} {:<10} {:<9} {}\n", Seconds(event.time).count(),
             event.node.empty() ? "-" : event.node, to_string(event.kind), event.text);
}

// One seed, watched by a person.
int replay(const Options& options, const SubjectFactory& make, const Plan* plan) {
  const uint64_t seed = *options.seed;
  if (!options.save_plan_path.empty()) {
    std::ofstream file(options.save_plan_path, std::ios::binary);
    file << to_json(plan != nullptr ? *plan : draw_plan(*make(), seed));
    if (!file.flush()) {
      fmt::print(stderr, "{}: cannot be written\n", options.save_plan_path);
      return kExitUsage;
    }
  }
  Watcher watcher{.until = options.until};
  if (options.trace) {
    watcher.trace = [](const TraceEvent& event) { print_event(stdout, event); };
    watcher.log = [](VirtualTime time, std::string_view node, base::LogLevel,
                     std::string_view text) {
      fmt::print("{:>14.6f} {:<10} log       {}\n", Seconds(time).count(), node, text);
    };
  }
  const Told told = [](const SeedResult& result) {
    if (!result.reason.empty()) fmt::print("{}\n", result.reason);
    fmt::print("seed {}: {}, {} events in {:.3f} s, hash {:016x}\n", result.seed,
               to_string(result.finding), result.events, Seconds(result.sim_time).count(),
               result.hash);
    std::fflush(stdout);
  };
  return exit_code(run_one(make, seed, plan, watcher, told).finding);
}

// One seed, for a process that compares.
int run_for_parent(const Options& options, const SubjectFactory& make, const Plan* plan) {
  Watcher watcher;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> events(nullptr, std::fclose);
  if (!options.events_path.empty()) {
    events.reset(std::fopen(options.events_path.c_str(), "w"));
    if (!events) return kExitUsage;
    watcher.trace = [&](const TraceEvent& event) { print_event(events.get(), event); };
  }
  const Told told = [&events](const SeedResult& result) {
    if (events) std::fflush(events.get());
    fmt::print("{}\n", to_json(result));
    std::fflush(stdout);
  };
  return exit_code(run_one(make, *options.run_one, plan, watcher, told).finding);
}

// What a person wants to know of many seeds.
struct Tally {
  uint64_t findings[kFindings] = {};
  uint64_t events = 0;
  VirtualTime simulated{0};
  std::map<std::string, uint64_t> counts;

  void add(const SeedResult& result) {
    ++findings[static_cast<size_t>(result.finding)];
    events += result.events;
    simulated += result.sim_time;
    for (const auto& [kind, count] : result.counts) counts[kind] += count;
  }
  uint64_t of(Finding finding) const { return findings[static_cast<size_t>(finding)]; }
  // Of several findings the gravest.
  int code() const {
    for (Finding finding :
         {Finding::kViolation, Finding::kCrash, Finding::kNondeterministic, Finding::kStuck}) {
      if (of(finding) > 0) return exit_code(finding);
    }
    return 0;
  }
  void print(Seconds elapsed) const {
    uint64_t runs = 0;
    std::string text;
    for (int i = 0; i < kFindings; ++i) {
      runs += findings[i];
      if (findings[i] > 0 || i == 0) {
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ", findings[i],
                            to_string(static_cast<Finding>(i)));
      }
    }
    std::string struck;
    for (const auto& [kind, count] : counts) struck += fmt::format(" {} {},", kind, count);
    if (!struck.empty()) struck.pop_back();
    fmt::print("{} seeds in {:.1f} s, {:.0f} s simulated, {} events\nstruck:{}\n{}\n", runs,
               elapsed.count(), Seconds(simulated).count(), events, struck, text);
  }
};

Result<int> run_many(const Options& options, const SubjectFactory& make) {
  const Clock::time_point started = Clock::now();
  Tally tally;
  TRY(run_campaign(make, options.campaign, [&](const SeedResult& result) {
    tally.add(result);
    if (result.finding == Finding::kHeld) return;
    fmt::print("seed {}: {}: {}\n    repeat it: {}\n", result.seed, to_string(result.finding),
               result.reason, line_to_copy(options, result.seed));
    std::fflush(stdout);
  }));
  tally.print(Clock::now() - started);
  return tally.code();
}

Result<int> go(Options& options, const SubjectFactory& make) {
  std::optional<Plan> plan;
  if (!options.plan_path.empty()) {
    auto parsed = parse_plan(TRY(read_text(options.plan_path)));
    if (parsed) {
      if (auto fits = check_plan(*make(), *parsed); !fits) parsed = fail(fits.error());
    }
    if (!parsed) return fail(parsed.error().in(options.plan_path));
    plan = *std::move(parsed);
    options.campaign.plan = &*plan;
    options.campaign.command.insert(options.campaign.command.end(), {"--plan", options.plan_path});
  }
  if (options.run_one) return run_for_parent(options, make, options.campaign.plan);
  if (options.seed) return replay(options, make, options.campaign.plan);
  return run_many(options, make);
}

}  // namespace

int campaign_main(int argc, char** argv, const SubjectFactory& make) {
  auto options = parse_options(argc, argv);
  if (!options) {
    fmt::print(stderr, "{}: {}; --help lists what there is\n", argv[0], options.error().message());
    return kExitUsage;
  }
  if (options->help) {
    fmt::print("Usage: {} [OPTIONS]\n{}", argv[0], kHelp);
    return 0;
  }
  options->campaign.command = own_command();
  auto code = go(*options, make);
  if (code) return *code;
  fmt::print(stderr, "{}: {}\n", argv[0], code.error().message());
  return kExitUsage;
}

}  // namespace seatrial::sim
