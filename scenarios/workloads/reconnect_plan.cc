#include "scenarios/workloads/reconnect_plan.h"

#include "scenarios/workloads/pace.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>
#include <utility>

namespace seatrial::scenarios {

using base::Errc;
using base::fail;
using base::RandomStream;
using nlohmann::json;

namespace {

using Words = std::vector<std::string>;

std::string node_name(uint64_t index) { return fmt::format("kv{}", index); }

// What an operator does: some moves, each of a few commands.
class OperatorPlan {
 public:
  OperatorPlan(const Scenario& scenario, RandomStream random)
      : scenario_(scenario), random_(std::move(random)) {}

  std::vector<std::string> draw() {
    // Many runs keep the topology that they begin with.
    if (random_.chance(0.35)) return {};
    const uint64_t moves = 1 + random_.below(5);
    for (uint64_t i = 0; i < moves; ++i) {
      rest_ = os::Duration(
          random_.between(0, scenario_.storm.count() * 3 / 2 / static_cast<int64_t>(moves)));
      move();
    }
    return std::move(lines_);
  }

 private:
  void ask(uint64_t node, Words words) {
    json line;
    line["think_us"] = std::chrono::duration_cast<std::chrono::microseconds>(rest_).count();
    line["f"] = "ask";
    line["at"] = node_name(node);
    line["words"] = std::move(words);
    lines_.push_back(line.dump());
    // The next one of this move; sometimes somebody is forgotten for a while.
    rest_ = os::Duration(random_.between(0, random_.chance(0.8) ? 300'000'000 : 3'000'000'000));
  }
  void follow(uint64_t node, uint64_t primary) {
    ask(node, {"REPLICAOF", node_name(primary), "6379"});
  }
  uint64_t any() { return random_.below(scenario_.servers); }
  uint64_t other(uint64_t than) {
    return (than + 1 + random_.below(scenario_.servers - 1)) % scenario_.servers;
  }

  void move() {
    const uint64_t lot = random_.below(100);
    const uint64_t node = any();
    if (lot < 25) return follow(node, other(node));
    if (lot < 50) return promote(node);
    if (lot < 65) return ask(node, {"SHUTDOWN", random_.chance(0.5) ? "SAVE" : "NOSAVE"});
    if (lot < 75) return ask(node, {"BGSAVE"});
    if (lot < 80) return ask(node, {"BGREWRITEAOF"});
    if (lot < 90) {
      return ask(node, {"CLIENT", "KILL", "TYPE", random_.chance(0.5) ? "replica" : "master"});
    }
    // A node becomes a primary for a moment and comes back.
    ask(node, {"REPLICAOF", "NO", "ONE"});
    follow(node, other(node));
  }

  // One is the primary now; the others, the old one among them, are told one after the other.
  void promote(uint64_t node) {
    ask(node, {"REPLICAOF", "NO", "ONE"});
    const uint64_t first = random_.below(scenario_.servers);
    for (uint64_t i = 0; i < scenario_.servers; ++i) {
      const uint64_t each = (first + i) % scenario_.servers;
      if (each != node) follow(each, node);
    }
  }

  const Scenario& scenario_;
  RandomStream random_;
  os::Duration rest_{0};
  std::vector<std::string> lines_;
};

class WriterPlan {
 public:
  WriterPlan(const Scenario& scenario, RandomStream random)
      : scenario_(scenario),
        random_(std::move(random)),
        keys_(static_cast<uint64_t>(parameter(scenario, "keys", 4))),
        count_(parameter(scenario, "operations", 60)),
        // Some seeds write much at once, so that a short absence overruns a small backlog.
        padded_(random_.chance(0.5) ? 0.3 : 0.02) {}

  std::vector<std::string> draw() {
    std::vector<std::string> lines;
    for (int64_t i = 0; i < count_; ++i) {
      json line;
      line["think_us"] = draw_think(random_, scenario_, count_).count() / 1000;
      write(line);
      if (random_.chance(0.2)) {
        line["wait"] = random_.between(1, scenario_.servers - 1);
        line["timeout_ms"] = random_.between(20, 1000);
      }
      lines.push_back(line.dump());
    }
    return lines;
  }

 private:
  std::string key(char kind) {
    const uint64_t database = random_.below(kReconnectDatabases);
    return fmt::format("{}/{}{}", database, kind, random_.below(keys_));
  }

  void write(json& line) {
    const uint64_t lot = random_.below(100);
    if (lot < 40) return set(line);
    line["f"] = lot < 55 ? "incr" : lot < 65 ? "append" : lot < 72 ? "del" : "expire";
    if (lot < 80) {
      line["k"] = key(lot < 55 ? 'n' : 'k');
      if (lot >= 72) line["px"] = random_.between(1, 3000);
    } else if (lot < 98) {
      line["f"] = "unit";
      line["do"] = unit();
    } else {
      line["f"] = "flush";
    }
  }

  void set(json& line) {
    line["f"] = "set";
    line["k"] = key('k');
    if (random_.chance(0.3)) line["px"] = random_.between(1, 3000);
    if (random_.chance(padded_)) line["pad"] = random_.between(500, 6000);
  }

  // Changes of a few keys, each once, across databases.
  Words unit() {
    std::set<std::string> used;
    Words commands;
    const uint64_t wanted = 2 + random_.below(4);
    for (uint64_t i = 0; i < wanted; ++i) {
      const bool counts = random_.chance(0.3);
      std::string name = key(counts ? 'n' : 'k');
      const uint64_t lot = random_.below(10);
      const std::string_view f = counts ? "incr" : lot < 6 ? "set" : lot < 8 ? "append" : "del";
      if (used.insert(name).second) commands.push_back(fmt::format("{} {}", f, name));
    }
    return commands;
  }

  const Scenario& scenario_;
  RandomStream random_;
  uint64_t keys_;
  int64_t count_;
  double padded_;
};

std::vector<std::string> plan_reader(const Scenario& scenario, RandomStream random) {
  const auto keys = static_cast<uint64_t>(parameter(scenario, "keys", 4));
  const int64_t count = parameter(scenario, "operations", 60);
  const auto draw_keys = [&](uint64_t most) {
    const uint64_t database = random.below(kReconnectDatabases);
    std::set<std::string> drawn;
    const uint64_t wanted = 1 + random.below(most);
    for (uint64_t i = 0; i < wanted; ++i) {
      // One after the other: arguments are evaluated in an order of the compiler's own.
      const uint64_t key = random.below(keys);
      const char kind = random.chance(0.3) ? 'n' : 'k';
      drawn.insert(fmt::format("{}/{}{}", database, kind, key));
    }
    return Words(drawn.begin(), drawn.end());
  };
  std::string node = node_name(random.below(scenario.servers));
  std::vector<std::string> lines;
  for (int64_t i = 0; i < count; ++i) {
    if (random.chance(0.1)) node = node_name(random.below(scenario.servers));
    json line;
    line["think_us"] = draw_think(random, scenario, count).count() / 1000;
    line["at"] = node;
    const uint64_t lot = random.below(100);
    line["f"] = lot < 45 ? "get" : lot < 65 ? "exec" : "watch";
    line["keys"] = draw_keys(lot < 45 ? 1 : 4);
    if (lot >= 65) {
      line["pause_us"] = random.between(0, random.chance(0.5) ? 20'000 : 1'500'000);
    }
    lines.push_back(line.dump());
  }
  return lines;
}

Result<Words> words_member(const json& operation, std::string_view name) {
  const auto it = operation.find(name);
  if (it == operation.end()) return Words();
  Words words;
  if (it->is_array() && std::ranges::all_of(*it, [](const json& w) { return w.is_string(); })) {
    for (const json& word : *it) words.push_back(word.get<std::string>());
    return words;
  }
  return fail(Errc::kInvalidData, fmt::format("an operation's \"{}\" must be a list of strings, "
                                              "found {}",
                                              name, operation.dump()));
}

bool is_key(std::string_view text) {
  const size_t slash = text.find('/');
  return slash == 1 && text[0] >= '0' && text[0] < '0' + kReconnectDatabases && text.size() > 2;
}

// Whether each function has what it needs.
bool complete(const ReconnectRequest& request) {
  if (request.f == "ask") return !request.node.empty() && !request.words.empty();
  if (request.f == "flush") return true;
  if (request.keys.empty()) return false;
  if (request.f == "unit") {
    return std::ranges::all_of(request.keys, [](std::string_view command) {
      return is_key(command.substr(std::min(command.find(' '), command.size() - 1) + 1));
    });
  }
  if (!std::ranges::all_of(request.keys, is_key)) return false;
  constexpr std::string_view kReads[] = {"get", "exec", "watch"};
  if (std::ranges::find(kReads, request.f) != std::end(kReads)) return !request.node.empty();
  constexpr std::string_view kWrites[] = {"set", "incr", "append", "del", "expire"};
  return std::ranges::find(kWrites, request.f) != std::end(kWrites);
}

}  // namespace

std::vector<std::string> plan_reconnect(const Scenario& scenario, uint32_t client,
                                        RandomStream random) {
  if (client == 0) return OperatorPlan(scenario, std::move(random)).draw();
  if (client <= parameter(scenario, "writers", 2)) {
    return WriterPlan(scenario, std::move(random)).draw();
  }
  return plan_reader(scenario, std::move(random));
}

Result<ReconnectRequest> parse_reconnect(std::string_view line) {
  const json parsed = json::parse(line, nullptr, false);
  ReconnectRequest request;
  request.f = TRY(text_member(parsed, "f"));
  request.node = TRY(text_member(parsed, "at"));
  request.words = TRY(words_member(parsed, "words"));
  request.keys = TRY(words_member(parsed, request.f == "unit" ? "do" : "keys"));
  if (const std::string key = TRY(text_member(parsed, "k")); !key.empty()) {
    request.keys.push_back(key);
  }
  request.px = TRY(number_member(parsed, "px"));
  request.pad = TRY(number_member(parsed, "pad"));
  request.replicas = TRY(number_member(parsed, "wait"));
  request.timeout_ms = TRY(number_member(parsed, "timeout_ms"));
  request.think = std::chrono::microseconds(TRY(number_member(parsed, "think_us")));
  request.pause = std::chrono::microseconds(TRY(number_member(parsed, "pause_us")));
  if (complete(request)) return request;
  return fail(Errc::kInvalidData,
              fmt::format("reconnect-storm: an operation lacks what its \"f\" needs: {}", line));
}

}  // namespace seatrial::scenarios
