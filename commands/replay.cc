// seatrial replay: exactly one run, from a name and a seed or from a capsule, with everything
// visible: faults, processes, the clients' operations, the nodes' logs, and in the end why.
#include "base/check.h"
#include "commands/commands.h"
#include "reports/human.h"
#include "scenarios/capsule.h"
#include "scenarios/run.h"
#include "sim/trap.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

namespace seatrial::commands {
namespace {

using sim::TraceKind;

Result<scenarios::Capsule> capsule_of(const ReplayCommand& command) {
  if (!command.is_capsule()) {
    scenarios::Capsule capsule{.scenario = TRY(scenarios::load_scenario(command.target)),
                               .seed = *command.seed};
    capsule.plan = TRY(scenarios::make_plan(capsule.scenario, capsule.seed));
    return capsule;
  }
  std::ifstream file(command.target, std::ios::binary);
  if (!file) {
    return base::fail(base::Errc::kNotFound, command.target + ": cannot be read");
  }
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  auto capsule = scenarios::parse_capsule(text);
  if (!capsule) return base::fail(capsule.error().in(command.target));
  return capsule;
}

// "   1.234567 kv0      fault    process.kill at sync"
void print_line(os::Duration time, std::string_view node, std::string_view kind,
                std::string_view text) {
  fmt::print("{:>12.6f} {:<8} {:<9} {}\n", std::chrono::duration<double>(time).count(), node, kind,
             text);
}

// What a person wants to see at each level.
bool shown(TraceKind kind, base::LogLevel level) {
  switch (kind) {
    case TraceKind::kFault:
    case TraceKind::kProcess:
    case TraceKind::kNote: return level <= base::LogLevel::kWarn;
    case TraceKind::kOperation:
    case TraceKind::kChaos: return level <= base::LogLevel::kInfo;
    case TraceKind::kResume: return false;
    default: return level <= base::LogLevel::kDebug;
  }
}

scenarios::Observers observers(const ReplayCommand& command) {
  scenarios::Observers observers;
  if (command.log == base::LogLevel::kOff) return observers;
  observers.trace = [level = command.log](const sim::TraceEvent& event) {
    if (!shown(event.kind, level)) return;
    const sim::trap::Truce truce;
    print_line(event.time, event.node, to_string(event.kind), event.text);
  };
  observers.log = [level = command.log](os::Duration time, std::string_view node, base::LogLevel of,
                                        std::string_view text) {
    if (of < level) return;
    const sim::trap::Truce truce;
    print_line(time, node, base::to_string(of), text);
  };
  return observers;
}

void print_end(const scenarios::Capsule& capsule, const reports::RunResult& result) {
  fmt::print("\n{} seed {}: {}\n", result.scenario, result.seed, to_string(result.verdict));
  if (!result.message.empty()) fmt::print("  {}\n", result.message);
  for (const reports::Violation& violation : result.violations) {
    fmt::print("  {}: {}\n", violation.checker, violation.summary);
    if (!violation.ops.empty()) {
      fmt::print("  operations {}\n", fmt::join(violation.ops, ", "));
    }
  }
  fmt::print("  hash {:016x}, {} events, {} operations, {:.3f} s of virtual time\n", result.hash,
             result.events, result.ops, std::chrono::duration<double>(result.sim_time).count());
  if (capsule.hash == 0 || capsule.hash == result.hash) return;
  fmt::print(
      "  This is not the run that the capsule was made from (hash {:016x}, \"{}\"): it was "
      "made by revision {}, this is {}.\n",
      capsule.hash, capsule.expected, capsule.revision, scenarios::revision());
}

// A failed CHECK of a node ends the replay where it ends the run.
[[noreturn]] void crash(const base::CheckFailure& failure) {
  sim::trap::disarm();
  fmt::print("\ncrash: {}\n", base::to_string(failure));
  std::fflush(stdout);
  _exit(reports::exit_code(reports::Verdict::kCrash));
}

}  // namespace

int replay(const ReplayCommand& command) {
  auto capsule = capsule_of(command);
  if (!capsule) {
    fmt::print(stderr, "seatrial replay: {}\n", capsule.error().message());
    return kExitUsage;
  }
  base::set_check_handler([](const base::CheckFailure& failure) { crash(failure); });
  std::optional<os::Duration> until = command.until;
  auto result = scenarios::run_seed(capsule->scenario, capsule->seed, capsule->plan,
                                    observers(command), until);
  base::set_check_handler(nullptr);
  if (!result) {
    fmt::print(stderr, "seatrial replay: {}\n", result.error().message());
    return kExitUsage;
  }
  print_end(*capsule, *result);
  return reports::exit_code(result->verdict);
}

}  // namespace seatrial::commands
