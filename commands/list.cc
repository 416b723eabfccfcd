// seatrial list: everything that other commands can be asked for, by name.
#include "checkers/check.h"
#include "commands/commands.h"
#include "scenarios/scenario.h"
#include "scenarios/workloads/workload.h"
#include "sim/faults/fault.h"
#include "sim/swarm.h"

#include <fmt/format.h>

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

}  // namespace

int list(const ListCommand&) {
  print_section("suites (seatrial run NAME --seeds N)", rows_of(scenarios::list_suites()));
  print_section("scenarios (seatrial run NAME, seatrial replay NAME --seed N)",
                rows_of(scenarios::list_scenarios()));
  std::vector<Row> rows;
  for (const scenarios::Workload* workload : scenarios::all_workloads()) {
    rows.push_back({std::string(workload->name()), std::string(workload->description())});
  }
  print_section("workloads ([workload] name, in a scenario)", rows);
  rows.clear();
  for (const sim::Fault* fault : sim::all_faults()) {
    rows.push_back({std::string(fault->info().kind), std::string(fault->info().description)});
  }
  print_section("faults ([storm] faults, and a plan's steps)", rows);
  rows.clear();
  for (std::string_view family : sim::ambient_families()) rows.push_back({std::string(family), ""});
  print_section("ambient weather ([storm] ambient)", rows);
  rows.clear();
  for (const checkers::CheckerInfo& info : checkers::list_checkers()) {
    rows.push_back({std::string(info.model), std::string(info.description)});
  }
  print_section("checkers (seatrial check NAME HISTORY.jsonl)", rows);
  return kExitGood;
}

}  // namespace seatrial::commands
