// seatrial list: everything that other commands can be asked for, by name.
#include "checkers/check.h"
#include "commands/commands.h"
#include "os/chaos.h"
#include "scenarios/scenario.h"
#include "scenarios/workloads/workload.h"
#include "sim/faults/fault.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace seatrial::commands {
namespace {

struct Row {
  std::string name;
  std::string text;
};

void print_section(std::string_view title, const std::vector<Row>& rows) {
  size_t width = 0;
  for (const Row& row : rows) width = std::max(width, row.name.size());
  fmt::print("{}\n", title);
  for (const Row& row : rows) fmt::print("  {:<{}}  {}\n", row.name, width, row.text);
  fmt::print("\n");
}

std::vector<Row> rows_of(const std::vector<scenarios::Listing>& listings) {
  std::vector<Row> rows;
  for (const scenarios::Listing& each : listings) rows.push_back({each.name, each.summary});
  return rows;
}

void list_suites() {
  print_section("suites (seatrial run NAME --seeds N)", rows_of(scenarios::list_suites()));
}

void list_scenarios() {
  print_section("scenarios (seatrial run NAME, seatrial replay NAME --seed N)",
                rows_of(scenarios::list_scenarios()));
}

void list_workloads() {
  std::vector<Row> rows;
  for (const scenarios::Workload* workload : scenarios::all_workloads()) {
    rows.push_back({std::string(workload->name()), std::string(workload->description())});
  }
  print_section("workloads ([workload] name, in a scenario)", rows);
}

void list_checkers() {
  std::vector<Row> rows;
  for (const checkers::CheckerInfo& info : checkers::list_checkers()) {
    rows.push_back({std::string(info.model), std::string(info.description)});
  }
  print_section("checkers (seatrial check NAME HISTORY.jsonl)", rows);
}

// A fault in one line, as the overview of all shows it.
void list_fault_names() {
  std::vector<Row> rows;
  for (const sim::Fault* fault : sim::all_faults()) {
    rows.push_back({std::string(fault->info().kind), std::string(fault->info().description)});
  }
  print_section("faults (seatrial list faults: with their parameters)", rows);
}

void print_fault(const sim::FaultInfo& fault) {
  std::string notes = fault.ambient ? "ambient" : fmt::format("rate {}", fault.rate);
  notes += fmt::format(", chance {}", fault.chance);
  if (fault.opt_in) notes += ", only where a scenario names it";
  if (fault.harms_disk) notes += ", only for expendable servers";
  fmt::print("{}: {}\n    ({})\n", fault.kind, fault.description, notes);
  if (!fault.modes.empty()) fmt::print("    mode: {}\n", fmt::join(fault.modes, ", "));
  for (const sim::Parameter& parameter : fault.parameters) {
    const std::string range = parameter.low == parameter.high
                                  ? fmt::format("{}", parameter.low)
                                  : fmt::format("[{}, {}]", parameter.low, parameter.high);
    fmt::print("    {:<22} = {:<16} {}\n", parameter.name, range, parameter.meaning);
  }
}

constexpr std::string_view kFaultsHelp = R"(
In a scenario, [storm] says which may strike, all but those opted in unless it says otherwise:
    faults = ["network", "process.kill"]   families and kinds, and nothing else
    without = ["clock"]                    but these
    with = ["disk.lying_sync"]             and these, which must be named
    expendable = ["kv1"]                   servers whose disks may be destroyed
and a table sets what it draws, a number or [least, most]:
    [fault."net.partition"]
    chance = 0.9          how many of the seeds that have its family have it; 1: all seeds
    rate = 2              steps in five seconds of the storm
    lasts_ms = [10, 500]
Ambient ones set a plan's "weather", the others are its "faults".
)";

void list_faults() {
  for (const sim::Fault* fault : sim::all_faults()) print_fault(fault->info());
  fmt::print("{}", kFaultsHelp);
}

// By name: link order tells nothing.
void list_chaos() {
  std::vector<Row> rows;
  for (const os::ChanceSite& site : os::all_chances()) {
    rows.push_back({site.name, fmt::format("{}:{}", site.file, site.line)});
  }
  std::ranges::sort(rows, {}, &Row::name);
  print_section("chance sites (a plan's servers[].armed: how often each comes true)", rows);
  rows.clear();
  for (const os::KnobSite& knob : os::all_knobs()) {
    rows.push_back({knob.name, fmt::format("{}  {}:{}", fmt::join(knob.values(), ", "), knob.file,
                                           knob.line)});
  }
  std::ranges::sort(rows, {}, &Row::name);
  print_section("knobs (a plan's servers[].knobs: what each is turned to)", rows);
}

struct Topic {
  std::string_view name;
  void (*print)();
};

constexpr Topic kTopics[] = {{"suites", list_suites},       {"scenarios", list_scenarios},
                             {"workloads", list_workloads}, {"faults", list_faults},
                             {"chaos", list_chaos},         {"checkers", list_checkers}};

}  // namespace

int list(const ListCommand& command) {
  if (command.topics.empty()) {
    for (const Topic& topic : kTopics) {
      if (topic.name == "chaos") continue;  // Of no use to somebody who looks around.
      topic.name == "faults" ? list_fault_names() : topic.print();
    }
  }
  for (const std::string& name : command.topics) {
    const auto* topic = std::ranges::find(kTopics, name, &Topic::name);
    if (topic != std::end(kTopics)) {
      topic->print();
    } else if (const sim::Fault* fault = sim::find_fault(name)) {
      print_fault(fault->info());
    } else {
      const std::string_view like = sim::most_alike(name);
      fmt::print(
          stderr,
          "seatrial list: nothing is called '{}'{}; topics are suites, scenarios, workloads, "
          "faults, chaos, checkers, and any fault's kind\n",
          name, like.empty() ? "" : fmt::format(", did you mean {}?", like));
      return kExitUsage;
    }
  }
  return kExitGood;
}

}  // namespace seatrial::commands
