#include "command_line.h"
#include "base/alike.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <numeric>

namespace seatrial {
namespace {

using base::Errc;
using std::chrono::nanoseconds;

constexpr std::string_view kFooter = R"(
Examples:
  seatrial list                                   what there is to run
  seatrial run smoke --seeds 1..500 --out results
  seatrial replay kv/register --seed 17           one run, with everything visible
  seatrial server --port 6379 --appendonly yes    real sockets, real disks
  seatrial broker server.properties               the same for Kafka's clients

Exit codes: 0 all held, 1 a violation was found, 2 bad usage or input, 3 not deterministic,
4 a node crashed, 5 it did not heal in time.)";

constexpr std::string_view kServerHelp = R"(Serve Redis clients on real sockets.
Usage: seatrial server [redis.conf] [--OPTION VALUE...]...

The file and the options are Redis's own; an option outweighs the file:
  seatrial server --port 6380
  seatrial server redis.conf --appendonly yes --appendfsync always --dir /var/lib/seatrial
)";

constexpr std::string_view kBrokerHelp = R"(Serve Kafka clients on real sockets.
Usage: seatrial broker [server.properties] [--override KEY=VALUE]...

The file and the settings are Kafka's own; an override outweighs the file:
  seatrial broker --override log.dirs=/var/lib/seatrial --override num.partitions=4
  seatrial broker server.properties --override listeners=PLAINTEXT://:9092

Records are visible to consumers, and acks=all is answered, once they are flushed to disk.
)";

// What CLI11 fills in; the values are read from these texts afterwards, so that our own messages
// say what is wrong with them.
struct Texts {
  std::string seeds;
  std::string time;
  std::string jobs;
  std::string shard;
  std::string share;
  std::string seed;
  std::string until;
  std::string log = "info";
};

std::unexpected<base::Error> expected(std::string_view what, std::string_view found) {
  return base::fail(Errc::kInvalidArgument, fmt::format("expected {}, found '{}'", what, found));
}

template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

// The whole grammar. Reading is a method, so that the structs that CLI11 writes into outlive it.
class Grammar {
 public:
  explicit Grammar(uint32_t cores) : cores_(cores) {
    app_.require_subcommand(1);
    app_.footer(std::string(kFooter));
    list_app_ = app_.add_subcommand("list", "List what there is to run, to break and to check");
    list_app_->add_option("TOPIC", list_.topics,
                          "suites, scenarios, workloads, faults, checkers, or a fault's kind");
    define_run();
    define_replay();
    define_check();
    // Its arguments never reach CLI11: see parse().
    app_.add_subcommand("server", "Serve Redis clients on real sockets");
    app_.add_subcommand("broker", "Serve Kafka clients on real sockets");
  }

  Command parse(std::span<const std::string> arguments) {
    if (arguments.empty()) return Printed{kExitUsage, app_.help()};
    if (Printed* wrong = unknown_subcommand(arguments[0])) return *wrong;
    if (arguments[0] == "server") return server(arguments.subspan(1));
    if (arguments[0] == "broker") return broker(arguments.subspan(1));
    // CLI11 wants them last first.
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    try {
      app_.parse(std::move(reversed));
    } catch (const CLI::CallForHelp&) {
      return Printed{kExitGood, help()};
    } catch (const CLI::ParseError& error) {
      return mistake(error.what());
    }
    return finish();
  }

 private:
  void define_run() {
    run_app_ = app_.add_subcommand("run", "Run scenarios or suites on many seeds");
    run_app_->add_option("NAME", run_.names, "Scenarios or suites: `seatrial list` shows them")
        ->required();
    run_app_->add_option("--seeds", texts_.seeds, "N (1 to N) or A..B; default 1..100")
        ->type_name("RANGE");
    run_app_->add_option("--time", texts_.time, "Begin no seed after this time: 90s, 10m, 1h30m")
        ->type_name("TIME");
    run_app_->add_option("--jobs,-j", texts_.jobs, "Seeds at once; default: the cores")
        ->type_name("N");
    run_app_->add_option("--shard", texts_.shard, "Only this part of the seeds: 1/4 ... 4/4")
        ->type_name("I/N");
    run_app_->add_option("--out", run_.out, "Folder for results.jsonl, junit.xml and capsules")
        ->type_name("DIR");
    run_app_->add_flag("--fail-fast", run_.fail_fast, "End with the first seed that fails");
    twice_ = run_app_
                 ->add_option("--check-determinism", texts_.share,
                              "Run seeds twice and compare: all of them, or a share like 0.05")
                 ->type_name("[SHARE]")
                 ->expected(0, 1);
    run_app_
        ->add_option("--against", run_.against,
                     "The second of the two runs is made by this binary: another build")
        ->type_name("BINARY");
  }

  void define_replay() {
    replay_app_ = app_.add_subcommand("replay", "Repeat one run with everything visible");
    replay_app_->add_option("TARGET", replay_.target, "A scenario, or a capsule (*.json)")
        ->required();
    replay_app_->add_option("--seed", texts_.seed, "The seed; a capsule has its own")
        ->type_name("N");
    replay_app_->add_option("--until", texts_.until, "End at this virtual time: 1500ms, 12s")
        ->type_name("TIME");
    replay_app_->add_option("--log", texts_.log, "debug, info (default), warn, error or off")
        ->type_name("LEVEL");
  }

  void define_check() {
    check_app_ = app_.add_subcommand("check", "Check a history that was recorded anywhere");
    check_app_->add_option("MODEL", check_.model, "What it must be explained by")->required();
    check_app_->add_option("HISTORY", check_.history, "A file of hjl/1, or of Jepsen or Porcupine")
        ->required();
    check_app_->add_option("--dot", check_.dot, "Draw the cycles found, for Graphviz");
    check_app_->add_option("--html", check_.html, "Draw history and verdict, for a browser");
  }

  Command server(std::span<const std::string> arguments) const {
    if (arguments.size() == 1 && (arguments[0] == "--help" || arguments[0] == "-h")) {
      return Printed{kExitGood, std::string(kServerHelp)};
    }
    return ServerCommand{{arguments.begin(), arguments.end()}};
  }

  // Kafka's own way: the file first, then overrides.
  Command broker(std::span<const std::string> arguments) const {
    BrokerCommand command;
    for (size_t i = 0; i < arguments.size(); ++i) {
      const std::string& word = arguments[i];
      if (word == "--help" || word == "-h") return Printed{kExitGood, std::string(kBrokerHelp)};
      if (word == "--override" && i + 1 < arguments.size()) {
        command.overrides.push_back(arguments[++i]);
      } else if (!word.starts_with('-') && i == 0) {
        command.file = word;
      } else {
        return Printed{kExitUsage, fmt::format("seatrial broker: expected [server.properties] "
                                               "[--override KEY=VALUE]..., found '{}'\n"
                                               "Try `seatrial broker --help`.\n",
                                               word)};
      }
    }
    return command;
  }

  Command finish() {
    if (run_app_->parsed()) return finish_run();
    if (replay_app_->parsed()) return finish_replay();
    if (check_app_->parsed()) return check_;
    return list_;
  }

  Command finish_run() {
    run_.seeds_given = !texts_.seeds.empty();
    run_.jobs = cores_;
    if (!texts_.time.empty()) {
      auto time = parse_duration(texts_.time);
      if (!time) return mistake("--time: " + time.error().message());
      run_.time = *time;
      // As many as there is time for.
      run_.seeds = {1, std::numeric_limits<uint64_t>::max()};
    }
    if (run_.seeds_given) {
      auto seeds = parse_seeds(texts_.seeds);
      if (!seeds) return mistake("--seeds: " + seeds.error().message());
      run_.seeds = *seeds;
    }
    if (!texts_.jobs.empty()) {
      auto jobs = parse_number<uint32_t>(texts_.jobs);
      if (!jobs || *jobs < 1 || *jobs > kJobsMax) {
        return mistake(fmt::format("--jobs: expected a number from 1 to {}, found '{}'", kJobsMax,
                                   texts_.jobs));
      }
      run_.jobs = *jobs;
    }
    if (!texts_.shard.empty()) {
      auto shard = parse_shard(texts_.shard);
      if (!shard) return mistake("--shard: " + shard.error().message());
      run_.shard = *shard;
    }
    if (twice_->count() > 0) {
      const auto share = parse_share(texts_.share);
      if (!share) {
        return mistake(
            fmt::format("--check-determinism: expected nothing, or a share of the seeds "
                        "above 0 and up to 1, found '{}'",
                        texts_.share));
      }
      run_.determinism_share = *share;
    }
    if (!run_.against.empty() && twice_->count() == 0) {
      return mistake("--against: only with --check-determinism");
    }
    return run_;
  }

  Command finish_replay() {
    if (!texts_.seed.empty()) {
      replay_.seed = parse_number<uint64_t>(texts_.seed);
      if (!replay_.seed) {
        return mistake(
            fmt::format("--seed: expected a whole number from 0 on, found '{}'", texts_.seed));
      }
    }
    if (replay_.is_capsule() && replay_.seed) {
      return mistake("--seed: a capsule has its own seed; leave the option out");
    }
    if (!replay_.is_capsule() && !replay_.seed) {
      return mistake(
          fmt::format("which seed? For example: seatrial replay {} --seed 1", replay_.target));
    }
    if (!texts_.until.empty()) {
      auto until = parse_duration(texts_.until);
      if (!until) return mistake("--until: " + until.error().message());
      replay_.until = *until;
    }
    auto level = parse_log_level(texts_.log);
    if (!level) return mistake("--log: " + level.error().message());
    replay_.log = *level;
    return replay_;
  }

  // Of the subcommand that was asked, or of all.
  std::string help() const {
    auto chosen = app_.get_subcommands();
    return chosen.empty() ? app_.help() : chosen[0]->help("seatrial");
  }

  // CLI11's own sentences, and ours, with the way to help.
  Printed mistake(std::string_view what) const {
    auto chosen = app_.get_subcommands();
    std::string command = chosen.empty() ? "seatrial" : "seatrial " + chosen[0]->get_name();
    return {kExitUsage, fmt::format("{}: {}\nTry `{} --help`.\n", command, what, command)};
  }

  // Null when the word is one, or an option.
  Printed* unknown_subcommand(const std::string& word) {
    if (word.starts_with('-')) return nullptr;
    const CLI::App* nearest = nullptr;
    size_t nearest_distance = 3;  // Further off is another word.
    for (const CLI::App* known : app_.get_subcommands({})) {
      if (known->get_name() == word) return nullptr;
      size_t distance = base::edit_distance(known->get_name(), word);
      if (distance >= nearest_distance) continue;
      nearest = known;
      nearest_distance = distance;
    }
    std::string hint = nearest == nullptr
                           ? "Try `seatrial --help`."
                           : fmt::format("Did you mean `seatrial {}`?", nearest->get_name());
    wrong_ = {kExitUsage, fmt::format("seatrial: there is no command '{}'\n{}\n", word, hint)};
    return &wrong_;
  }

  // Without a word: all.
  static std::optional<double> parse_share(const std::string& text) {
    if (text.empty()) return 1.0;
    double share = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), share);
    if (error != std::errc() || end != text.data() + text.size()) return {};
    return share > 0 && share <= 1 ? std::optional(share) : std::nullopt;
  }

  static constexpr uint32_t kJobsMax = 1024;

  uint32_t cores_;
  CLI::App app_{"One binary: a server, and a simulator that takes it out into bad weather.",
                "seatrial"};
  CLI::App* list_app_ = nullptr;
  CLI::App* run_app_ = nullptr;
  CLI::App* replay_app_ = nullptr;
  CLI::App* check_app_ = nullptr;
  CLI::Option* twice_ = nullptr;
  Texts texts_;
  ListCommand list_;
  RunCommand run_;
  ReplayCommand replay_;
  CheckCommand check_;
  Printed wrong_;
};

struct Unit {
  std::string_view name;
  nanoseconds length;
};

// Largest first: the order in which they are written.
constexpr std::array<Unit, 6> kUnits = {{{"d", std::chrono::hours(24)},
                                         {"h", std::chrono::hours(1)},
                                         {"m", std::chrono::minutes(1)},
                                         {"s", std::chrono::seconds(1)},
                                         {"ms", std::chrono::milliseconds(1)},
                                         {"us", std::chrono::microseconds(1)}}};

}  // namespace

Command parse_command_line(std::span<const std::string> arguments, uint32_t cores) {
  return Grammar(std::max(cores, 1U)).parse(arguments);
}

Result<SeedRange> parse_seeds(std::string_view text) {
  size_t dots = text.find("..");
  if (dots == std::string_view::npos) {
    auto count = parse_number<uint64_t>(text);
    if (!count) return expected("N or A..B, for example 1..500", text);
    if (*count == 0) return expected("at least one seed", text);
    return SeedRange{1, *count};
  }
  auto first = parse_number<uint64_t>(text.substr(0, dots));
  auto last = parse_number<uint64_t>(text.substr(dots + 2));
  if (!first || !last) return expected("N or A..B, for example 1..500", text);
  if (*first > *last) {
    return base::fail(
        Errc::kInvalidArgument,
        fmt::format("'{}' ends before it begins; did you mean {}..{}?", text, *last, *first));
  }
  return SeedRange{*first, *last};
}

Result<Shard> parse_shard(std::string_view text) {
  size_t slash = text.find('/');
  if (slash == std::string_view::npos) return expected("I/N, for example 1/4", text);
  auto index = parse_number<uint32_t>(text.substr(0, slash));
  auto count = parse_number<uint32_t>(text.substr(slash + 1));
  if (!index || !count) return expected("I/N, for example 1/4", text);
  if (*count == 0) return expected("at least one shard", text);
  if (*index < 1 || *index > *count) {
    return base::fail(Errc::kInvalidArgument, fmt::format("'{}': shards of {} are 1/{} to {}/{}",
                                                          text, *count, *count, *count, *count));
  }
  return Shard{*index, *count};
}

Result<nanoseconds> parse_duration(std::string_view text) {
  constexpr std::string_view kExpected = "a time such as 500ms, 90s, 10m or 1h30m";
  std::string_view rest = text;
  nanoseconds total{0};
  size_t next_unit = 0;
  while (!rest.empty()) {
    size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
    auto count = parse_number<int64_t>(rest.substr(0, digits));
    rest.remove_prefix(digits);
    size_t letters = std::min(rest.find_first_of("0123456789"), rest.size());
    std::string_view name = rest.substr(0, letters);
    rest.remove_prefix(letters);
    const Unit* unit = std::find_if(kUnits.begin() + next_unit, kUnits.end(),
                                    [&](const Unit& known) { return known.name == name; });
    if (!count || unit == kUnits.end()) return expected(kExpected, text);
    next_unit = static_cast<size_t>(unit - kUnits.begin()) + 1;
    int64_t part = 0;
    int64_t sum = 0;
    if (__builtin_mul_overflow(*count, unit->length.count(), &part) ||
        __builtin_add_overflow(total.count(), part, &sum)) {
      return expected("a time of less than 292 years", text);
    }
    total = nanoseconds(sum);
  }
  if (total <= nanoseconds(0)) return expected(kExpected, text);
  return total;
}

Result<base::LogLevel> parse_log_level(std::string_view text) {
  using base::LogLevel;
  for (LogLevel level :
       {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarn, LogLevel::kError, LogLevel::kOff}) {
    if (base::to_string(level) == text) return level;
  }
  return expected("debug, info, warn, error or off", text);
}

}  // namespace seatrial
