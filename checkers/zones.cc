#include "checkers/zones.h"

#include "base/check.h"

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <unordered_set>

namespace seatrial::checkers {
namespace {

// A write and the reads of its value. Positions are event numbers; the initial write of nil
// lies at -1, a return that never comes at infinity.
struct Cluster {
  static constexpr int64_t kInfinity = std::numeric_limits<int64_t>::max();

  const Operation* write = nullptr;  // Null: the initial nil.
  const Operation* first_return_by = nullptr;
  const Operation* last_call_by = nullptr;
  int64_t first_return = kInfinity;
  int64_t last_call = -1;
  bool read = false;

  void add(const Operation& operation, bool ok) {
    if (ok && operation.complete_at < first_return) {
      first_return = operation.complete_at;
      first_return_by = &operation;
    }
    if (operation.invoke_at >= last_call) {
      last_call = operation.invoke_at;
      last_call_by = &operation;
    }
  }
  bool forward() const { return first_return < last_call; }
  int64_t low() const { return std::min(first_return, last_call); }
  int64_t high() const { return std::max(first_return, last_call); }
};

void name(const Cluster& cluster, std::vector<const Operation*>& conflict) {
  for (const Operation* operation :
       {cluster.write, cluster.first_return_by, cluster.last_call_by}) {
    if (operation != nullptr && std::ranges::find(conflict, operation) == conflict.end()) {
      conflict.push_back(operation);
    }
  }
}

ZonesResult conflict_of(std::initializer_list<const Cluster*> clusters) {
  ZonesResult result{.linearizable = false, .conflict = {}};
  for (const Cluster* cluster : clusters) name(*cluster, result.conflict);
  std::ranges::sort(result.conflict, {}, &Operation::invoke_at);
  return result;
}

ZonesResult check_clusters(const std::vector<Cluster>& clusters) {
  std::vector<const Cluster*> forward;
  for (const Cluster& cluster : clusters) {
    if (cluster.forward()) forward.push_back(&cluster);
  }
  std::ranges::sort(forward, {}, &Cluster::low);
  for (size_t i = 1; i < forward.size(); i++) {
    if (forward[i]->low() < forward[i - 1]->high()) {
      return conflict_of({forward[i - 1], forward[i]});
    }
  }
  for (const Cluster& cluster : clusters) {
    if (cluster.forward()) continue;
    // Forward zones are disjoint here: only the last that begins before can contain this one.
    const auto after = std::ranges::upper_bound(forward, cluster.low(), {}, &Cluster::low);
    if (after == forward.begin()) continue;
    const Cluster* around = *(after - 1);
    if (cluster.high() < around->high()) return conflict_of({around, &cluster});
  }
  return {};
}

}  // namespace

bool zones_apply(std::span<const Claim> operations) {
  std::unordered_set<Value, ValueHash> written;
  for (const auto& [operation, completion] : operations) {
    if (operation->function == Function::kGet) continue;
    if (operation->function != Function::kSet || operation->argument.is_object()) return false;
    if (completion == Completion::kOk && operation->result != Value::text("OK")) return false;
    if (!written.insert(canonical(operation->argument)).second) return false;
  }
  return true;
}

ZonesResult check_zones(std::span<const Claim> operations) {
  std::unordered_map<Value, Cluster, ValueHash> by_value;
  for (const auto& [operation, completion] : operations) {
    if (operation->function != Function::kSet) continue;
    Cluster& cluster = by_value[canonical(operation->argument)];
    CHECK(cluster.write == nullptr);
    cluster.write = operation;
    cluster.add(*operation, completion == Completion::kOk);
  }
  by_value[Value()].first_return = -1;
  for (const auto& [operation, completion] : operations) {
    if (operation->function != Function::kGet || completion != Completion::kOk) continue;
    const auto found = by_value.find(canonical(operation->result));
    if (found == by_value.end()) return {.linearizable = false, .conflict = {operation}};
    Cluster& cluster = found->second;
    if (cluster.write != nullptr && operation->complete_at < cluster.write->invoke_at) {
      return {.linearizable = false, .conflict = {operation, cluster.write}};
    }
    cluster.read = true;
    cluster.add(*operation, true);
  }
  std::vector<Cluster> clusters;
  for (const auto& [value, cluster] : by_value) {
    // What perhaps happened and nobody saw constrains nothing.
    if (!cluster.read && cluster.first_return == Cluster::kInfinity) continue;
    if (cluster.write == nullptr && !cluster.read) continue;
    clusters.push_back(cluster);
  }
  // The map's order must not show in which conflict is named.
  std::ranges::sort(clusters, {}, &Cluster::low);
  return check_clusters(clusters);
}

}  // namespace seatrial::checkers
