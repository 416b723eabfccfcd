#include "checkers/log_groups.h"

#include "base/check.h"
#include "checkers/linearizability.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace seatrial::checkers {
namespace {

const Value& member(const Operation& operation, std::string_view name) {
  const Value* value = operation.argument.find(name);
  CHECK(value != nullptr);
  return *value;
}

std::string_view topic_of(std::string_view partition) {
  return partition.substr(0, partition.rfind('-'));
}

// One generation of one group.
struct Generation {
  std::map<std::string_view, const Operation*> owners;  // By partition.
  std::set<std::string> members;                        // That have joined.
  std::set<std::string_view> topics;                    // Of all of them.
  const Operation* first = nullptr;
  const Operation* last = nullptr;
  int64_t size = 0;  // Members, where one of them told.
};

// The joins of all groups.
class Joins {
 public:
  Joins(const History& history, const LogFacts& facts, LogFindings& findings)
      : history_(history), facts_(facts), findings_(findings) {}

  void run() {
    std::vector<const Operation*> events(history_.events());
    for (const Operation& operation : history_.operations()) {
      if (operation.function != Function::kJoin && operation.function != Function::kCommit) {
        continue;
      }
      events[operation.invoke_at] = &operation;
      if (operation.ok()) events[operation.complete_at] = &operation;
    }
    for (uint32_t at = 0; at < events.size(); at++) {
      if (events[at] == nullptr || events[at]->failed()) continue;
      const Operation& operation = *events[at];
      Newest& newest = newest_[member(operation, "group").json()];
      if (operation.invoke_at == at) {
        known_[operation.invoke_at] = newest;
      } else if (operation.function == Function::kJoin) {
        join(operation, newest);
      } else {
        judge_commit(operation);
      }
    }
    for (const auto& [name, generation] : generations_) judge_cover(name.first, generation);
  }

 private:
  struct Newest {
    int64_t generation = -1;
    const Operation* by = nullptr;
  };

  void join(const Operation& operation, Newest& newest) {
    const std::string group = member(operation, "group").json();
    const int64_t number = operation.result.find("generation")->as_integer();
    const Newest& known = known_[operation.invoke_at];
    if (number < known.generation) {
      findings_.add("generation-regress", operation,
                    fmt::format("operation {} joins generation {} of group {}, after operation {} "
                                "had joined generation {}",
                                operation.id, number, group, known.by->id, known.generation),
                    known.by);
    }
    if (number > newest.generation) newest = {number, &operation};
    Generation& generation = generations_[{group, number}];
    if (generation.first == nullptr) generation.first = &operation;
    generation.last = &operation;
    const std::string name = member(operation, "member").json();
    generation.members.insert(name);
    if (const Value* size = operation.result.find("members")) generation.size = size->as_integer();
    for (const Value& topic : member(operation, "topics").items()) {
      generation.topics.insert(topic.as_text());
    }
    for (const Value& partition : operation.result.find("owned")->items()) {
      const auto [at, fresh] = generation.owners.emplace(partition.as_text(), &operation);
      if (fresh || member(*at->second, "member") == member(operation, "member")) continue;
      findings_.add("double-owner", operation,
                    fmt::format("operation {} makes {} the owner of {} in generation {} of group "
                                "{}, and operation {} {}",
                                operation.id, name, partition.as_text(), number, group,
                                at->second->id, member(*at->second, "member").json()),
                    at->second);
    }
  }

  void judge_commit(const Operation& commit) {
    const Value* generation = commit.argument.find("generation");
    const Newest& known = known_[commit.invoke_at];
    if (generation == nullptr || generation->as_integer() >= known.generation) return;
    findings_.add("stale-commit", commit,
                  fmt::format("operation {} commits in generation {} of group {}, after operation "
                              "{} had joined generation {}",
                              commit.id, generation->as_integer(), member(commit, "group").json(),
                              known.by->id, known.generation),
                  known.by);
  }

  // Once all members are known, each partition of their topics has an owner.
  void judge_cover(const std::string& group, const Generation& generation) {
    if (generation.size == 0 || static_cast<int64_t>(generation.members.size()) < generation.size) {
      return;
    }
    for (const TopicTold& told : facts_.topics()) {
      const std::string_view topic = history_.key_name(told.operation->key);
      if (!generation.topics.contains(topic)) continue;
      if (told.operation->complete_at > generation.first->invoke_at) continue;
      for (int64_t i = 0; i < told.partitions; i++) {
        const std::string partition = fmt::format("{}-{}", topic, i);
        if (generation.owners.contains(partition)) continue;
        findings_.add("unowned", *generation.last,
                      fmt::format("nobody owns {} in the generation of group {} that operation {} "
                                  "joins, the last of its {} members",
                                  partition, group, generation.last->id, generation.size),
                      told.operation);
        return;
      }
    }
  }

  const History& history_;
  const LogFacts& facts_;
  LogFindings& findings_;
  std::map<std::string, Newest> newest_;        // By group.
  std::unordered_map<uint32_t, Newest> known_;  // By the event that invoked an operation.
  std::map<std::pair<std::string, int64_t>, Generation> generations_;
};

// The committed offsets as registers: commit is set, committed is get.
History registers_of(const History& history) {
  HistoryBuilder builder("kv");
  std::vector<const Operation*> events(history.events());
  for (const Operation& operation : history.operations()) {
    if (operation.function != Function::kCommit && operation.function != Function::kCommitted) {
      continue;
    }
    events[operation.invoke_at] = &operation;
    if (operation.complete_at != kNeverAt) events[operation.complete_at] = &operation;
  }
  for (uint32_t at = 0; at < events.size(); at++) {
    if (events[at] == nullptr) continue;
    const Operation& operation = *events[at];
    const bool commits = operation.function == Function::kCommit;
    Result<void> done;
    if (operation.invoke_at == at) {
      const std::string key = fmt::format("{} in {}", member(operation, "group").json(),
                                          history.key_name(operation.key));
      done = builder.invoke(operation.invoke_time, operation.id, operation.process,
                            commits ? Function::kSet : Function::kGet, key, true,
                            commits ? member(operation, "offset") : Value());
    } else {
      const bool nil = operation.result == Value::integer(-1);
      done = builder.complete(operation.complete_time, operation.id, operation.process,
                              operation.completion, nil ? Value() : operation.result);
    }
    CHECK_MSG(done, "{}", done.error().message());
  }
  return std::move(builder).take();
}

bool judge_committed(const History& history, const Options& options, LogFindings& findings) {
  const History registers = registers_of(history);
  if (registers.operations().empty()) return true;
  const Verdict verdict = check_linearizability(registers, options);
  if (verdict.outcome != Outcome::kViolation) return verdict.ok();
  std::vector<const Operation*> operations;
  for (OperationId id : verdict.sub_history) operations.push_back(history.find(id));
  const bool from_nowhere = verdict.anomaly == "phantom-read" ||
                            verdict.anomaly == "aborted-read" || verdict.anomaly == "future-read";
  std::string blamed;
  for (OperationId id : verdict.operations) {
    blamed += (blamed.empty() ? "" : "; ") + describe(history, *history.find(id));
  }
  findings.add(from_nowhere ? "phantom-commit" : "lost-commit", operations,
               fmt::format("the offsets that were committed and told are in no order: {}", blamed),
               verdict.explanation);
  return true;
}

// What a group has found in one partition, and committed.
struct Delivery {
  std::unordered_map<int64_t, uint32_t> first;  // By offset, the event that first delivered it.
  std::vector<const Operation*> commits;
};

// A commit says that everything below it was delivered to the group, from where it began.
class Deliveries {
 public:
  Deliveries(const History& history, const LogFacts& facts, LogFindings& findings)
      : history_(history), facts_(facts), findings_(findings) {
    for (uint32_t i = 0; i < facts.partitions().size(); i++) {
      for (const LogReading& reading : facts.partitions()[i].readings) {
        if (reading.group.is_nil()) continue;
        Delivery& delivery = deliveries_[{reading.group.json(), facts.partitions()[i].name}];
        for (const Value& record : reading.records) {
          delivery.first.emplace(record.items()[0].as_integer(), reading.operation->complete_at);
        }
      }
    }
    for (const Operation& operation : history.operations()) {
      if (operation.function != Function::kCommit || !operation.ok()) continue;
      const auto at =
          deliveries_.find({member(operation, "group").json(), history.key_name(operation.key)});
      if (at != deliveries_.end()) at->second.commits.push_back(&operation);
    }
  }

  void run() {
    for (const LogPartition& partition : facts_.partitions()) {
      std::vector<int64_t> known;
      for (const LogRecord& record : partition.records) {
        if (record.seen != kNoOffset) known.push_back(record.seen);
      }
      std::ranges::sort(known);
      for (auto& [name, delivery] : deliveries_) {
        if (name.second == partition.name) judge(name.first, partition, known, delivery);
      }
    }
  }

 private:
  void judge(const std::string& group, const LogPartition& partition,
             const std::vector<int64_t>& known, Delivery& delivery) {
    if (delivery.first.empty()) return;
    int64_t begins = std::numeric_limits<int64_t>::max();
    for (const auto& [offset, event] : delivery.first) begins = std::min(begins, offset);
    begins = std::max(begins, partition.greatest_start);
    std::ranges::stable_sort(delivery.commits, {}, [](const Operation* commit) {
      return member(*commit, "offset").as_integer();
    });
    // The latest of all first deliveries below a commit, and where that was.
    uint32_t latest = 0;
    int64_t where = kNoOffset;
    auto next = std::ranges::lower_bound(known, begins);
    for (const Operation* commit : delivery.commits) {
      for (; next != known.end() && *next < member(*commit, "offset").as_integer(); ++next) {
        const auto at = delivery.first.find(*next);
        const uint32_t event = at == delivery.first.end() ? kNeverAt : at->second;
        if (where != kNoOffset && event <= latest) continue;
        latest = event;
        where = *next;
      }
      if (where == kNoOffset || latest < commit->invoke_at) continue;
      findings_.add("undelivered", *commit,
                    fmt::format("operation {} commits {} on {}, but offset {} had not been "
                                "delivered to group {}",
                                commit->id, member(*commit, "offset").as_integer(), partition.name,
                                where, group));
      return;
    }
  }

  const History& history_;
  const LogFacts& facts_;
  LogFindings& findings_;
  std::map<std::pair<std::string, std::string_view>, Delivery> deliveries_;
};

// A rebalance ends within the time that its member gave it.
void judge_waits(const History& history, const Punctuality& punctuality, LogFindings& findings) {
  if (punctuality.calm_from == Micros::max()) return;
  constexpr int64_t kWaitMax = int64_t{1} << 42;
  for (const Operation& join : history.operations()) {
    if (join.function != Function::kJoin || !join.ok()) continue;
    const Value* wait = join.argument.find("wait");
    if (wait == nullptr || wait->as_integer() > kWaitMax) continue;
    if (join.invoke_time < punctuality.calm_from) continue;
    const Micros took = join.complete_time - join.invoke_time;
    if (took <= std::chrono::milliseconds(wait->as_integer()) + punctuality.allowance) continue;
    findings.add("late", join,
                 fmt::format("operation {} joins its group after {} us, and was to wait for {} ms",
                             join.id, took.count(), wait->as_integer()));
  }
}

}  // namespace

bool judge_groups(const History& history, const LogFacts& facts, const Options& options,
                  LogFindings& findings) {
  const auto concerns = [](const Operation& operation) {
    return operation.function == Function::kJoin || operation.function == Function::kCommit ||
           operation.function == Function::kCommitted;
  };
  if (std::ranges::none_of(history.operations(), concerns)) return true;
  Joins(history, facts, findings).run();
  Deliveries(history, facts, findings).run();
  judge_waits(history, options.punctuality, findings);
  return judge_committed(history, options, findings);
}

void judge_keys(const History& history, LogFindings& findings) {
  std::map<std::pair<std::string_view, std::string>, const Operation*> first;
  std::set<std::string_view> resized;  // Topics whose partitions became more.
  std::map<std::string_view, int64_t> partitions;
  for (const Operation& operation : history.operations()) {
    if (operation.function != Function::kCreateTopic &&
        operation.function != Function::kDescribeTopic) {
      continue;
    }
    if (!operation.ok()) continue;
    const std::string_view topic = history.key_name(operation.key);
    const int64_t count = operation.function == Function::kCreateTopic
                              ? operation.argument.as_integer()
                              : operation.result.as_integer();
    const auto [at, fresh] = partitions.emplace(topic, count);
    if (!fresh && at->second != count && at->second != 0) resized.insert(topic);
  }
  for (const Operation& send : history.operations()) {
    if (send.function != Function::kSend) continue;
    const Value* key = send.argument.find("key");
    if (key == nullptr) continue;
    const std::string_view topic = topic_of(history.key_name(send.key));
    if (resized.contains(topic)) continue;
    const auto [at, fresh] = first.emplace(std::pair(topic, key->json()), &send);
    if (fresh || at->second->key == send.key) continue;
    findings.add("key-moved", send,
                 fmt::format("operation {} sends records of key {} to {}, operation {} sent such "
                             "to {}",
                             send.id, key->json(), history.key_name(send.key), at->second->id,
                             history.key_name(at->second->key)),
                 at->second);
  }
}

}  // namespace seatrial::checkers
