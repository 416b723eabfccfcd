#include "sim/faults/border.h"

#include "sim/machine/network.h"
#include "sim/world.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace seatrial::sim {
namespace {

std::string_view without_direction(std::string_view target) {
  if (direction_of(target) != Direction::kBoth) target.remove_prefix(1);
  return target;
}

}  // namespace

Direction direction_of(std::string_view target) {
  if (target.starts_with('>')) return Direction::kOut;
  if (target.starts_with('<')) return Direction::kIn;
  return Direction::kBoth;
}

std::vector<Border::Nodes> groups_of(World& world, std::string_view target) {
  std::vector<Border::Nodes> groups(1);
  for (std::string_view rest = without_direction(target); !rest.empty();) {
    const size_t end = rest.find_first_of(",|");
    if (Node* node = world.find_node(rest.substr(0, end))) groups.back().push_back(node->index());
    if (end == std::string_view::npos) break;
    if (rest[end] == '|') groups.emplace_back();
    rest.remove_prefix(end + 1);
  }
  return groups;
}

Border border_of(World& world, std::string_view target) {
  const std::vector<Border::Nodes> groups = groups_of(world, target);
  const Direction direction = direction_of(target);
  return groups.size() < 2 ? Border::around(groups[0], direction)
                           : Border::between(groups[0], groups[1], direction);
}

std::string draw_border(base::RandomStream& random, const Stage& stage) {
  std::string target = draw_direction(random, 0.5);
  const std::string& one = draw_name(random, stage.servers);
  target += one;
  if (!random.chance(1.0 / 3)) return target;
  std::vector<std::string> others = stage.clients;
  for (const std::string& server : stage.servers) {
    if (server != one) others.push_back(server);
  }
  if (others.empty()) return target;
  return target + '|' + draw_name(random, others);
}

std::string draw_direction(base::RandomStream& random, double one_way_chance) {
  const bool one_way = random.chance(one_way_chance);
  const bool inward_open = random.chance(0.5);
  return !one_way ? "" : inward_open ? ">" : "<";
}

std::string join_names(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, ","));
}

void shuffle(base::RandomStream& random, std::vector<std::string>& names) {
  for (size_t left = names.size(); left > 1; --left) {
    std::swap(names[left - 1], names[random.below(left)]);
  }
}

void stand(World& world, const FaultStep& step, Obstacle obstacle) {
  const std::vector<Border::Nodes> groups = groups_of(world, step.target);
  if (std::ranges::any_of(groups, &Border::Nodes::empty)) return;
  obstacle.border = border_of(world, step.target);
  const bool counts = obstacle.kind < Obstacle::Kind::kRefuses;
  const Barrier barrier = world.net().put_up(std::move(obstacle));
  // A shut door is counted by those who come to it.
  if (counts) world.count(step.kind);
  world.sleep(step.lasts);
}

}  // namespace seatrial::sim
