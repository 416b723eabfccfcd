// seatrial replay: exactly one run, from a name and a seed or from a capsule, with everything
// visible: faults, processes, the clients' operations, the nodes' logs, and in the end why.
#include "base/check.h"
#include "commands/commands.h"
#include "reports/human.h"
#include "scenarios/capsule.h"
#include "scenarios/course.h"
#include "scenarios/json_place.h"
#include "scenarios/run.h"
#include "sim/trap.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

namespace seatrial::commands {
namespace {

using sim::TraceKind;

// `text`: of the capsule's file, where there is one.
Result<scenarios::Capsule> capsule_of(const ReplayCommand& command, std::string& text) {
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
  text.assign(std::istreambuf_iterator<char>(file), {});
  return scenarios::read_capsule(command.target, text);
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

void print_end(const reports::RunResult& result) {
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
}

// Whether this was the run that the capsule was made from, and if not, where it departs.
void print_course(const scenarios::Capsule& capsule, const scenarios::CourseFollower* follower,
                  uint64_t hash, bool ended) {
  if (capsule.expected.empty()) return;  // No capsule: a seed.
  const std::string departure = follower == nullptr ? "" : follower->departure(ended);
  if (!departure.empty()) {
    fmt::print("  {}\n", departure);
  } else if (ended && (capsule.hash == hash || (capsule.hash == 0 && follower != nullptr))) {
    fmt::print("  same run (hash {:016x})\n", hash);
  } else if (ended && follower != nullptr) {
    fmt::print("  departs after the {} events that its capsule knows of\n",
               capsule.course->hashes.size());
  } else if (ended && capsule.hash != 0) {
    fmt::print("  not the same run: then its hash was {:016x}\n", capsule.hash);
  } else {
    return;
  }
  if (capsule.revision != scenarios::revision()) {
    fmt::print("  the capsule was made by revision {}, this is {}\n", capsule.revision,
               scenarios::revision());
  }
}

// And whether it came to the same end.
void print_comparison(const scenarios::Capsule& capsule, bool failed, std::string_view reason) {
  if (capsule.expected.empty()) return;
  if (!failed) {
    fmt::print("  passes; then it failed: {}\n", capsule.expected);
  } else if (reason == capsule.expected) {
    fmt::print("  still fails the same way\n");
  } else {
    fmt::print("  still fails, but not the same way; then it was: {}\n", capsule.expected);
  }
}

// What a failed CHECK needs to know: there is one replay in a process.
const scenarios::Capsule* g_capsule = nullptr;
const scenarios::CourseFollower* g_follower = nullptr;

// A failed CHECK of a node ends the replay where it ends the run.
[[noreturn]] void crash(const base::CheckFailure& failure) {
  sim::trap::disarm();
  fmt::print("\ncrash: {}\n", base::to_string(failure));
  print_course(*g_capsule, g_follower, 0, false);
  print_comparison(*g_capsule, true, base::to_string(failure));
  std::fflush(stdout);
  _exit(reports::exit_code(reports::Verdict::kCrash));
}

}  // namespace

int replay(const ReplayCommand& command) {
  std::string text;
  auto capsule = capsule_of(command, text);
  if (!capsule) {
    fmt::print(stderr, "seatrial replay: {}\n", capsule.error().message());
    return kExitUsage;
  }
  scenarios::Observers watching = observers(command);
  std::optional<scenarios::CourseFollower> follower;
  if (capsule->course) {
    follower.emplace(*capsule->course);
    watching.trace = [&follower, told = std::move(watching.trace)](const sim::TraceEvent& event) {
      follower->heard(event);
      if (told) told(event);
    };
  }
  g_capsule = &*capsule;
  g_follower = follower ? &*follower : nullptr;
  base::set_check_handler([](const base::CheckFailure& failure) { crash(failure); });
  auto result =
      scenarios::run_seed(capsule->scenario, capsule->seed, capsule->plan, watching, command.until);
  base::set_check_handler(nullptr);
  if (!result) {
    const base::Error error = command.is_capsule()
                                  ? scenarios::placed(result.error(), command.target, text)
                                  : result.error();
    fmt::print(stderr, "seatrial replay: {}\n", error.message());
    return kExitUsage;
  }
  print_end(*result);
  print_course(*capsule, g_follower, result->hash, !command.until.has_value());
  if (!command.until) {
    print_comparison(*capsule, result->verdict != reports::Verdict::kPass,
                     reports::reason(*result));
  }
  return reports::exit_code(result->verdict);
}

}  // namespace seatrial::commands
