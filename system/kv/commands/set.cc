// Step 4: sets: members without an order, each of them once.
#include "kv/command_table.h"
#include "kv/commands/scan.h"
#include "kv/data/set_value.h"
#include "kv/errors.h"
#include "kv/state.h"
#include "resp/number.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace seatrial::kv {
namespace {

// nullptr: a key that is not there, as good as an empty set.
using Sets = std::vector<const SetValue*>;

const SetValue* set_of(const Entry* entry) {
  return entry == nullptr ? nullptr : &static_cast<const SetValue&>(entry->collection());
}
SetValue& set_of(Entry& entry) { return static_cast<SetValue&>(entry.collection()); }

// The set to read; nullptr: there is none, or `wrong_type` was answered.
const SetValue* find_set(Context& context, bool& wrong_type) {
  return set_of(context.find(context.args[1], Type::kSet, wrong_type));
}

// nullopt: one of the keys holds something else, which was answered.
std::optional<Sets> find_sets(Context& context, resp::Args keys) {
  Sets sets;
  for (const std::string_view key : keys) {
    bool wrong_type = false;
    sets.push_back(set_of(context.find(key, Type::kSet, wrong_type)));
    if (wrong_type) return std::nullopt;
  }
  return sets;
}

std::unique_ptr<SetValue> make_set(Context& context) {
  return std::make_unique<SetValue>(context.state.keyspace.collections().seed);
}

size_t numbers_max(Context& context) {
  return context.state.keyspace.collections().set_numbers_max;
}

// Under a key that is not there.
Entry* insert_set(Context& context, std::string_view key, std::unique_ptr<SetValue> set) {
  return context.database().insert(Entry::make_collection(key, std::move(set), std::nullopt));
}

// The number of those that were not there.
int64_t add_members(Context& context, Entry* entry, resp::Args members) {
  int64_t added = 0;
  context.database().edit(entry, [&] {
    for (const std::string_view member : members) {
      added += set_of(*entry).add(member, numbers_max(context)) ? 1 : 0;
    }
  });
  return added;
}

// The number of those that were there. A set goes with its last member.
int64_t remove_members(Context& context, Entry* entry, resp::Args members) {
  const std::string_view key = context.args[1];
  int64_t removed = 0;
  context.database().edit(entry, [&] {
    for (const std::string_view member : members) {
      removed += set_of(*entry).erase(member) ? 1 : 0;
    }
  });
  if (set_of(*entry).size() == 0) {
    context.state.keyspace.erase(context.database_index(), key);
  } else if (removed > 0) {
    context.changed(key);
  }
  return removed;
}

void answer_members(Context& context, const SetValue* set) {
  context.reply.array(set == nullptr ? 0 : set->size());
  if (set == nullptr) return;
  set->for_each([&](std::string_view member) { context.reply.bulk(member); });
}

void answer_list(Context& context, const std::vector<std::string>& members) {
  context.reply.array(members.size());
  for (const std::string& member : members) context.reply.bulk(member);
}

void sadd(Context& context) {
  bool wrong_type = false;
  Entry* entry = context.find(context.args[1], Type::kSet, wrong_type);
  if (wrong_type) return;
  if (entry == nullptr) entry = insert_set(context, context.args[1], make_set(context));
  const int64_t added = add_members(context, entry, context.args.subspan(2));
  if (added > 0) {
    context.changed(context.args[1]);
    context.propagate();
  }
  context.reply.integer(added);
}

void srem(Context& context) {
  bool wrong_type = false;
  Entry* const entry = context.find(context.args[1], Type::kSet, wrong_type);
  if (wrong_type) return;
  const int64_t removed =
      entry == nullptr ? 0 : remove_members(context, entry, context.args.subspan(2));
  if (removed > 0) context.propagate();
  context.reply.integer(removed);
}

void scard(Context& context) {
  bool wrong_type = false;
  const SetValue* const set = find_set(context, wrong_type);
  if (wrong_type) return;
  context.reply.integer(set == nullptr ? 0 : static_cast<int64_t>(set->size()));
}

void sismember(Context& context) {
  bool wrong_type = false;
  const SetValue* const set = find_set(context, wrong_type);
  if (wrong_type) return;
  context.reply.integer(set != nullptr && set->contains(context.args[2]) ? 1 : 0);
}

void smismember(Context& context) {
  bool wrong_type = false;
  const SetValue* const set = find_set(context, wrong_type);
  if (wrong_type) return;
  const resp::Args members = context.args.subspan(2);
  context.reply.array(members.size());
  for (const std::string_view member : members) {
    context.reply.integer(set != nullptr && set->contains(member) ? 1 : 0);
  }
}

void smembers(Context& context) {
  bool wrong_type = false;
  const SetValue* const set = find_set(context, wrong_type);
  if (!wrong_type) answer_members(context, set);
}

void smove(Context& context) {
  const resp::Args args = context.args;
  // Without a source it does not matter what the destination is.
  Entry* const found = context.find(args[1]);
  Entry* to = context.find(args[2]);
  if (found == nullptr) return context.reply.integer(0);
  if (found->type() != Type::kSet || (to != nullptr && to->type() != Type::kSet)) {
    return context.reply.error(kWrongType);
  }
  const resp::Args member = args.subspan(3, 1);
  const bool is_member = set_of(*found).contains(member[0]);
  if (!is_member || found == to) return context.reply.integer(is_member ? 1 : 0);
  remove_members(context, found, member);
  if (to == nullptr) to = insert_set(context, args[2], make_set(context));
  if (add_members(context, to, member) > 0) context.changed(args[2]);
  context.propagate();
  context.reply.integer(1);
}

// Takes up to `count` members out, at random. They are what the effect tells.
std::vector<std::string> pop_members(Context& context, Entry* entry, uint64_t count) {
  const std::string_view key = context.args[1];
  SetValue& set = set_of(*entry);
  std::vector<std::string> popped;
  if (count >= set.size()) {
    set.for_each([&](std::string_view member) { popped.emplace_back(member); });
    context.state.keyspace.erase(context.database_index(), key);
    context.propagate({"DEL", key});
    return popped;
  }
  context.database().edit(entry, [&] {
    while (popped.size() < count) {
      set.sample(context.state.choices,
                 [&](std::string_view member) { popped.emplace_back(member); });
      set.erase(popped.back());
    }
  });
  std::vector<std::string_view> effect = {"SREM", key};
  effect.insert(effect.end(), popped.begin(), popped.end());
  context.changed(key);
  context.propagate(effect);
  return popped;
}

void spop(Context& context) {
  const resp::Args args = context.args;
  if (args.size() > 3) return context.reply.error(kSyntaxError);
  const bool counted = args.size() == 3;
  const auto count = counted ? resp::parse_integer(args[2]) : 1;
  if (!count || *count < 0) return context.reply.error(kNotPositive);
  bool wrong_type = false;
  Entry* const entry = context.find(args[1], Type::kSet, wrong_type);
  if (wrong_type) return;
  if (entry == nullptr || *count == 0)
    return counted ? context.reply.array(0) : context.reply.null();
  const auto popped = pop_members(context, entry, static_cast<uint64_t>(*count));
  counted ? answer_list(context, popped) : context.reply.bulk(popped[0]);
}

// `count` members, each drawn from all.
std::vector<std::string> draw_any(Context& context, const SetValue& set, uint64_t count) {
  std::vector<std::string> drawn;
  while (drawn.size() < count) {
    set.sample(context.state.choices, [&](std::string_view member) { drawn.emplace_back(member); });
  }
  return drawn;
}

// Up to `count` different members. Few of many are drawn until they are enough; else they are the
// first ones of a shuffled list of all.
std::vector<std::string> draw_different(Context& context, const SetValue& set, uint64_t count) {
  constexpr uint64_t kFew = 3;  // A third of them.
  base::RandomStream& choices = context.state.choices;
  std::vector<std::string> drawn;
  if (count < set.size() / kFew) {
    std::set<std::string, std::less<>> seen;
    while (drawn.size() < count) {
      set.sample(choices, [&](std::string_view member) {
        if (seen.emplace(member).second) drawn.emplace_back(member);
      });
    }
    return drawn;
  }
  drawn.reserve(set.size());
  set.for_each([&](std::string_view member) { drawn.emplace_back(member); });
  if (count >= drawn.size()) return drawn;
  for (size_t i = 0; i < count; i++) {
    std::swap(drawn[i], drawn[i + choices.below(drawn.size() - i)]);
  }
  drawn.resize(count);
  return drawn;
}

void srandmember(Context& context) {
  const resp::Args args = context.args;
  if (args.size() > 3) return context.reply.error(kSyntaxError);
  int64_t count = 1;
  if (args.size() == 3 && !context.integer(args[2], count)) return;
  if (count == INT64_MIN) return context.reply.error(kNotInRange);
  bool wrong_type = false;
  const SetValue* const set = find_set(context, wrong_type);
  if (wrong_type) return;
  if (args.size() == 2) {
    if (set == nullptr) return context.reply.null();
    return context.reply.bulk(draw_any(context, *set, 1)[0]);
  }
  if (set == nullptr) return context.reply.array(0);
  const auto wanted = static_cast<uint64_t>(std::abs(count));
  answer_list(context,
              count < 0 ? draw_any(context, *set, wanted) : draw_different(context, *set, wanted));
}

// Visits what is in all of the sets until `enough` were found, or a few more. Their number.
template <typename Visit>
uint64_t intersect(Sets sets, uint64_t enough, Visit visit) {
  if (std::ranges::find(sets, nullptr) != sets.end()) return 0;
  std::ranges::stable_sort(sets, {}, [](const SetValue* set) { return set->size(); });
  const SetValue& smallest = *sets[0];
  std::erase(sets, &smallest);
  uint64_t found = 0;
  uint64_t cursor = 0;
  do {
    cursor = smallest.scan(cursor, [&](std::string_view member) {
      const auto has = [&](const SetValue* set) { return set->contains(member); };
      if (!std::ranges::all_of(sets, has)) return;
      found++;
      visit(member);
    });
  } while (cursor != 0 && found < enough);
  return found;
}

std::unique_ptr<SetValue> intersection(Context& context, Sets sets) {
  auto result = make_set(context);
  intersect(std::move(sets), UINT64_MAX,
            [&](std::string_view member) { result->add(member, numbers_max(context)); });
  return result;
}

std::unique_ptr<SetValue> union_of(Context& context, Sets sets) {
  auto result = make_set(context);
  for (const SetValue* const set : sets) {
    if (set == nullptr) continue;
    set->for_each([&](std::string_view member) { result->add(member, numbers_max(context)); });
  }
  return result;
}

// What is in the first set and in no other: its members are looked for in the others, or the
// others' taken out of a copy. Which one is Redis's choice, since it shows: a copy that was a table
// stays one.
std::unique_ptr<SetValue> difference(Context& context, Sets sets) {
  auto result = make_set(context);
  const SetValue* const first = sets[0];
  sets.erase(sets.begin());
  std::erase(sets, nullptr);
  if (first == nullptr || std::ranges::find(sets, first) != sets.end()) return result;
  size_t total = first->size();
  for (const SetValue* const set : sets) total += set->size();
  if (first->size() * (sets.size() + 1) / 2 > total) {
    first->for_each([&](std::string_view member) { result->add(member, numbers_max(context)); });
    for (const SetValue* const set : sets) {
      set->for_each([&](std::string_view member) { result->erase(member); });
    }
    return result;
  }
  first->for_each([&](std::string_view member) {
    const auto has = [&](const SetValue* set) { return set->contains(member); };
    if (std::ranges::none_of(sets, has)) result->add(member, numbers_max(context));
  });
  return result;
}

using Combine = std::unique_ptr<SetValue> (*)(Context& context, Sets sets);

template <Combine combine>
void answer(Context& context) {
  if (const auto sets = find_sets(context, context.args.subspan(1))) {
    answer_members(context, combine(context, *sets).get());
  }
}

// Puts what comes of the sets in the place of whatever the first key held.
template <Combine combine>
void store(Context& context) {
  const auto sets = find_sets(context, context.args.subspan(2));
  if (!sets) return;
  auto result = combine(context, *sets);
  const auto size = static_cast<int64_t>(result->size());
  const std::string_view key = context.args[1];
  const bool replaces = context.find(key) != nullptr;
  if (replaces) context.state.keyspace.erase(context.database_index(), key);
  if (size > 0) {
    insert_set(context, key, std::move(result));
    context.changed(key);
  }
  if (replaces || size > 0) context.propagate();
  context.reply.integer(size);
}

// SINTERCARD count key [key ...] [LIMIT limit]
void sintercard(Context& context) {
  const resp::Args args = context.args;
  const auto keys = resp::parse_integer(args[1]);
  if (!keys || *keys < 1) return context.reply.error("ERR numkeys should be greater than 0");
  if (*keys > static_cast<int64_t>(args.size() - 2)) {
    return context.reply.error("ERR Number of keys can't be greater than number of args");
  }
  const auto count = static_cast<size_t>(*keys);
  uint64_t limit = 0;
  for (size_t i = 2 + count; i < args.size(); i += 2) {
    if (!equals_ignoring_case(args[i], "limit") || i + 1 == args.size()) {
      return context.reply.error(kSyntaxError);
    }
    const auto number = resp::parse_integer(args[i + 1]);
    if (!number || *number < 0) return context.reply.error("ERR LIMIT can't be negative");
    limit = static_cast<uint64_t>(*number);
  }
  const auto sets = find_sets(context, args.subspan(2, count));
  if (!sets) return;
  if (limit == 0) limit = UINT64_MAX;
  const uint64_t found = intersect(*sets, limit, [](std::string_view) {});
  context.reply.integer(static_cast<int64_t>(std::min(found, limit)));
}

void sscan(Context& context) {
  ScanOptions options;
  if (!parse_scan_cursor(context, 2, options)) return;
  bool wrong_type = false;
  const SetValue* const set = find_set(context, wrong_type);
  if (wrong_type) return;
  if (set == nullptr) return begin_scan_reply(context, 0, 0);
  if (!parse_scan_options(context, 2, options)) return;
  std::vector<std::string> found;
  int64_t looked_at = 0;
  uint64_t cursor = options.cursor;
  do {
    cursor = set->scan(cursor, [&](std::string_view member) {
      looked_at++;
      if (options.matches(member)) found.emplace_back(member);
    });
  } while (cursor != 0 && looked_at < options.count);
  begin_scan_reply(context, cursor, found.size());
  for (const std::string& member : found) context.reply.bulk(member);
}

constexpr KeyRange kOneKey{1, 1, 1};
constexpr KeyRange kTwoKeys{1, 2, 1};
constexpr KeyRange kAllKeys{1, -1, 1};
constexpr KeyRange kCountedKeys{.counted_at = 1};
constexpr std::string_view kAnyOrder = "nondeterministic_output_order";
constexpr std::string_view kAnyOutput = "nondeterministic_output";

constexpr Command kCommands[] = {
    {"sadd", sadd, -3, kWrite | kDenyOom | kFast, Group::kSet, "1.0.0", "Adds members", kOneKey,
     "RW insert"},
    {"scard", scard, 2, kReadOnly | kFast, Group::kSet, "1.0.0", "Counts the members", kOneKey,
     "RO"},
    {"sdiff", answer<difference>, -2, kReadOnly, Group::kSet, "1.0.0",
     "Answers what is in the first set and in no other", kAllKeys, "RO access", kAnyOrder},
    {"sdiffstore", store<difference>, -3, kWrite | kDenyOom, Group::kSet, "1.0.0",
     "Stores what is in the first set and in no other", kAllKeys, "OW update | RO access"},
    {"sinter", answer<intersection>, -2, kReadOnly, Group::kSet, "1.0.0",
     "Answers what is in all sets", kAllKeys, "RO access", kAnyOrder},
    {"sintercard", sintercard, -3, kReadOnly, Group::kSet, "7.0.0", "Counts what is in all sets",
     kCountedKeys, "RO access"},
    {"sinterstore", store<intersection>, -3, kWrite | kDenyOom, Group::kSet, "1.0.0",
     "Stores what is in all sets", kAllKeys, "RW update | RO access"},
    {"sismember", sismember, 3, kReadOnly | kFast, Group::kSet, "1.0.0",
     "Answers whether a member is there", kOneKey, "RO"},
    {"smembers", smembers, 2, kReadOnly, Group::kSet, "1.0.0", "Answers all members", kOneKey,
     "RO access", kAnyOrder},
    {"smismember", smismember, -3, kReadOnly | kFast, Group::kSet, "6.2.0",
     "Answers which of several members are there", kOneKey, "RO access"},
    {"smove", smove, 4, kWrite | kFast, Group::kSet, "1.0.0",
     "Moves a member from one set to another", kTwoKeys, "RW access delete | RW insert"},
    {"spop", spop, -2, kWrite | kFast, Group::kSet, "1.0.0", "Takes members out at random", kOneKey,
     "RW access delete", kAnyOutput},
    {"srandmember", srandmember, -2, kReadOnly, Group::kSet, "1.0.0", "Answers members at random",
     kOneKey, "RO access", kAnyOutput},
    {"srem", srem, -3, kWrite | kFast, Group::kSet, "1.0.0", "Removes members", kOneKey,
     "RW delete"},
    {"sscan", sscan, -3, kReadOnly, Group::kSet, "2.8.0", "Answers members bit by bit", kOneKey,
     "RO access", kAnyOutput},
    {"sunion", answer<union_of>, -2, kReadOnly, Group::kSet, "1.0.0",
     "Answers what is in any of the sets", kAllKeys, "RO access", kAnyOrder},
    {"sunionstore", store<union_of>, -3, kWrite | kDenyOom, Group::kSet, "1.0.0",
     "Stores what is in any of the sets", kAllKeys, "OW update | RO access"},
};

}  // namespace

std::span<const Command> set_commands() { return kCommands; }

}  // namespace seatrial::kv
