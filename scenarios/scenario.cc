#include "scenarios/scenario.h"

#include "base/random.h"
#include "scenarios/embedded.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cstdio>
#include <memory>

namespace seatrial::scenarios {

using base::Errc;
using base::fail;

namespace {

// Reads a table key by key; what nobody asked for is an error.
class Table {
 public:
  Table(const toml::table& table, std::string place) : table_(table), place_(std::move(place)) {}

  Result<std::string> text(std::string_view key, std::string_view otherwise = {}) {
    return get<std::string>(key, "a string", std::string(otherwise));
  }
  Result<int64_t> integer(std::string_view key, int64_t otherwise, int64_t low, int64_t high) {
    const int64_t value = TRY(get<int64_t>(key, "a whole number", otherwise));
    if (value < low || value > high) {
      return fail(Errc::kInvalidData, fmt::format("{}: {} must be between {} and {}, is {}",
                                                  where(key), key, low, high, value));
    }
    return value;
  }
  Result<double> number(std::string_view key, double otherwise, double low, double high) {
    const double value = TRY(get<double>(key, "a number", otherwise));
    if (!(value >= low && value <= high)) {
      return fail(Errc::kInvalidData, fmt::format("{}: {} must be between {} and {}, is {}",
                                                  where(key), key, low, high, value));
    }
    return value;
  }
  Result<std::vector<std::string>> texts(std::string_view key) {
    taken_.emplace_back(key);
    std::vector<std::string> values;
    const toml::node* node = table_.get(key);
    if (node == nullptr) return values;
    const toml::array* array = node->as_array();
    if (array == nullptr) return wrong(key, "a list of strings");
    for (const toml::node& item : *array) {
      if (!item.is_string()) return wrong(key, "a list of strings");
      values.push_back(*item.value<std::string>());
    }
    return values;
  }
  Result<std::vector<std::vector<std::string>>> text_lists(std::string_view key) {
    taken_.emplace_back(key);
    std::vector<std::vector<std::string>> lists;
    const toml::node* node = table_.get(key);
    if (node == nullptr) return lists;
    constexpr std::string_view kExpected = "a list of lists of strings";
    if (!node->is_array()) return wrong(key, kExpected);
    for (const toml::node& list : *node->as_array()) {
      if (!list.is_array()) return wrong(key, kExpected);
      std::vector<std::string>& texts = lists.emplace_back();
      for (const toml::node& item : *list.as_array()) {
        if (!item.is_string()) return wrong(key, kExpected);
        texts.push_back(*item.value<std::string>());
      }
    }
    return lists;
  }
  Result<Table> table(std::string_view key) {
    taken_.emplace_back(key);
    static const toml::table kEmpty;
    const toml::node* node = table_.get(key);
    if (node == nullptr) return Table(kEmpty, fmt::format("{}: [{}]", place_, key));
    if (!node->is_table()) return wrong(key, "a table");
    return Table(*node->as_table(), place_);
  }
  Result<std::map<std::string, int64_t, std::less<>>> rest_as_integers() {
    std::map<std::string, int64_t, std::less<>> values;
    for (const auto& [key, node] : table_) {
      if (std::ranges::find(taken_, key.str()) != taken_.end()) continue;
      if (!node.is_integer()) return wrong(key.str(), "a whole number");
      values.emplace(key.str(), *node.value<int64_t>());
      taken_.emplace_back(key.str());
    }
    return values;
  }
  Result<std::map<std::string, std::vector<std::string>>> rest_as_texts() {
    std::map<std::string, std::vector<std::string>> values;
    for (const auto& [key, node] : table_) {
      values.emplace(key.str(), TRY(texts(key.str())));
    }
    return values;
  }
  bool has(std::string_view key) const { return table_.contains(key); }
  std::vector<std::string> keys() const {
    std::vector<std::string> keys;
    for (const auto& [key, node] : table_) keys.emplace_back(key.str());
    return keys;
  }
  // [low, high], or one number for both.
  Result<sim::Range> range(std::string_view key, double most) {
    taken_.emplace_back(key);
    const toml::node* node = table_.get(key);
    const auto at = [&](const toml::node* of) {
      return of == nullptr || !of->is_number() ? std::nullopt : of->value<double>();
    };
    const toml::array* pair = node->as_array();
    const auto low = at(pair != nullptr && pair->size() == 2 ? pair->get(0) : node);
    const auto high = at(pair != nullptr && pair->size() == 2 ? pair->get(1) : node);
    if (!low || !high || *low < 0 || *high < *low || *high > most) {
      return wrong(key, fmt::format("a number, or [least, most], from 0 to {}", most));
    }
    return sim::Range{*low, *high};
  }
  std::unexpected<base::Error> unknown_fault(std::string_view key, std::string_view name) const {
    const std::string_view like = sim::most_alike(name);
    return fail(
        Errc::kInvalidData,
        fmt::format("{}: no fault is called \"{}\"{}; `seatrial list faults` names them",
                    where(key), name, like.empty() ? "" : fmt::format(", did you mean {}?", like)));
  }
  std::string where(std::string_view key) const {
    const toml::node* node = table_.get(key);
    return node == nullptr ? place_ : fmt::format("{}:{}", place_, node->source().begin.line);
  }
  // Somebody else reads this key.
  void take(std::string_view key) { taken_.emplace_back(key); }
  Result<void> finish() const {
    for (const auto& [key, node] : table_) {
      if (std::ranges::find(taken_, key.str()) != taken_.end()) continue;
      return fail(Errc::kInvalidData,
                  fmt::format("{}:{}: \"{}\" is not known here; known are {}", place_,
                              node.source().begin.line, key.str(), fmt::join(taken_, ", ")));
    }
    return {};
  }

 private:
  std::unexpected<base::Error> wrong(std::string_view key, std::string_view expected) const {
    return fail(Errc::kInvalidData, fmt::format("{}: {} must be {}", where(key), key, expected));
  }
  template <typename T>
  Result<T> get(std::string_view key, std::string_view expected, T otherwise) {
    taken_.emplace_back(key);
    const toml::node* node = table_.get(key);
    if (node == nullptr) return otherwise;
    // A truth value is no number.
    const auto value = node->is_boolean() ? std::nullopt : node->value<T>();
    if (!value) return wrong(key, expected);
    return *value;
  }

  const toml::table& table_;
  std::string place_;
  std::vector<std::string> taken_;
};

Result<toml::table> parse_toml(std::string_view name, std::string_view text) {
  try {
    return toml::parse(text, name);
  } catch (const toml::parse_error& error) {
    return fail(Errc::kInvalidData,
                fmt::format("{}:{}: {}", name, error.source().begin.line, error.description()));
  }
}

const EmbeddedFile* find_embedded(std::string_view path) {
  for (const EmbeddedFile& file : embedded_files()) {
    if (file.path == path) return &file;
  }
  return nullptr;
}

Result<std::string> read_outside(const std::string& path) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  if (!file) return fail(Errc::kNotFound, fmt::format("{}: cannot be read", path));
  std::string text;
  char buffer[4096];
  while (const size_t count = std::fread(buffer, 1, sizeof buffer, file.get())) {
    text.append(buffer, count);
  }
  return text;
}

// Its text and the name to show for it. Scenarios and suites alike.
Result<std::string> read_either(std::string_view name, std::string_view folder) {
  if (name.ends_with(".toml")) return read_outside(std::string(name));
  const EmbeddedFile* file = find_embedded(fmt::format("{}{}.toml", folder, name));
  if (file == nullptr) return fail(Errc::kNotFound);
  return std::string(file->text);
}

std::unexpected<base::Error> unknown(std::string_view name) {
  std::string known;
  for (const Listing& each : list_suites()) known += " " + each.name;
  for (const Listing& each : list_scenarios()) known += " " + each.name;
  return fail(Errc::kNotFound, fmt::format("no scenario or suite is called \"{}\"; there are:{} "
                                           "(or give the path of a .toml file)",
                                           name, known));
}

Result<Suite> parse_suite(std::string_view name, std::string_view text) {
  const toml::table parsed = TRY(parse_toml(name, text));
  Table top(parsed, std::string(name));
  Suite suite;
  suite.name = name;
  suite.summary = TRY(top.text("summary"));
  suite.must_hit = TRY(top.texts("must_hit"));
  const toml::array* entries = parsed["scenario"].as_array();
  if (entries == nullptr || entries->empty()) {
    return fail(Errc::kInvalidData, fmt::format("{}: a suite lists [[scenario]] tables", name));
  }
  for (const toml::node& node : *entries) {
    if (!node.is_table()) {
      return fail(Errc::kInvalidData, fmt::format("{}: [[scenario]] must be a table", name));
    }
    Table entry(*node.as_table(), std::string(name));
    const std::string scenario = TRY(entry.text("name"));
    const int64_t share = TRY(entry.integer("share", 1, 1, 1000));
    TRY(entry.finish());
    suite.entries.push_back({TRY(load_scenario(scenario)), static_cast<uint32_t>(share)});
  }
  top.take("scenario");
  TRY(top.finish());
  return suite;
}

Result<void> check_fault_names(const Table& storm, const Scenario& scenario) {
  const auto known = [](std::string_view name, bool kinds_only) {
    return std::ranges::any_of(sim::all_faults(), [&](const sim::Fault* fault) {
      return fault->info().kind == name || (!kinds_only && fault->info().family == name);
    });
  };
  const std::pair<const char*, const std::vector<std::string>*> lists[] = {
      {"faults", &scenario.faults}, {"with", &scenario.with}, {"without", &scenario.without}};
  for (const auto& [key, list] : lists) {
    for (const std::string& name : *list) {
      if (!known(name, key == std::string_view("with"))) return storm.unknown_fault(key, name);
    }
  }
  for (const std::string& name : scenario.expendable) {
    const std::vector<std::string> servers = scenario.server_names();
    if (std::ranges::find(servers, name) != servers.end()) continue;
    return fail(Errc::kInvalidData,
                fmt::format("{}: no server is called \"{}\"; there are: {}",
                            storm.where("expendable"), name, fmt::join(servers, ", ")));
  }
  return {};
}

Result<sim::FaultSettings> parse_settings_of(Table table, const sim::FaultInfo& fault) {
  sim::FaultSettings settings;
  if (table.has("chance")) settings.chance = TRY(table.number("chance", 0, 0, 1));
  if (!fault.ambient && table.has("rate")) settings.rate = TRY(table.number("rate", 0, 0, 1000));
  for (const sim::Parameter& parameter : fault.parameters) {
    if (!table.has(parameter.name)) continue;
    const double most = parameter.name.ends_with("_chance") ? 1 : 1e9;
    settings.ranges.emplace(parameter.name, TRY(table.range(parameter.name, most)));
  }
  TRY(table.finish());
  return settings;
}

Result<std::map<std::string, sim::FaultSettings, std::less<>>> parse_fault_settings(Table faults) {
  std::map<std::string, sim::FaultSettings, std::less<>> settings;
  for (const std::string& kind : faults.keys()) {
    const sim::Fault* fault = sim::find_fault(kind);
    if (fault == nullptr) return faults.unknown_fault(kind, kind);
    settings[kind] = TRY(parse_settings_of(TRY(faults.table(kind)), fault->info()));
  }
  return settings;
}

Result<void> parse_topology(Table topology, Scenario& scenario) {
  scenario.servers = static_cast<uint32_t>(TRY(topology.integer("servers", 1, 1, 1000)));
  scenario.clients = static_cast<uint32_t>(TRY(topology.integer("clients", 3, 1, 1000)));
  scenario.server = TRY(topology.text("server", "kv"));
  scenario.server_options = TRY(topology.texts("options"));
  scenario.releases = TRY(topology.text_lists("releases"));
  scenario.node_options = TRY(TRY(topology.table("node")).rest_as_texts());
  scenario.drawn_options = TRY(TRY(topology.table("drawn")).rest_as_texts());
  for (const auto& [option, values] : scenario.drawn_options) {
    if (!values.empty()) continue;
    return fail(Errc::kInvalidData, fmt::format("{}: [topology.drawn] {} lists no value to draw",
                                                scenario.name, option));
  }
  for (const auto& [node, options] : scenario.node_options) {
    const std::vector<std::string> servers = scenario.server_names();
    if (std::ranges::find(servers, node) != servers.end()) continue;
    return fail(Errc::kInvalidData,
                fmt::format("{}: [topology.node] {}: no server is called that; there are {}, from "
                            "{}0 on",
                            scenario.name, node, scenario.servers, scenario.server));
  }
  return topology.finish();
}

Result<void> parse_storm(Table storm, Scenario& scenario) {
  scenario.storm = std::chrono::seconds(TRY(storm.integer("seconds", 20, 0, 86'400)));
  scenario.calm_limit = std::chrono::seconds(TRY(storm.integer("calm_seconds", 60, 1, 86'400)));
  scenario.intensity = TRY(storm.number("intensity", 1.0, 0, 1000));
  scenario.faults = TRY(storm.texts("faults"));
  scenario.with = TRY(storm.texts("with"));
  scenario.without = TRY(storm.texts("without"));
  scenario.expendable = TRY(storm.texts("expendable"));
  TRY(check_fault_names(storm, scenario));
  return storm.finish();
}

}  // namespace

std::vector<std::string> Scenario::server_names() const {
  std::vector<std::string> names;
  for (uint32_t i = 0; i < servers; ++i) names.push_back(fmt::format("{}{}", server, i));
  return names;
}

Result<Scenario> parse_scenario(std::string_view name, std::string_view text) {
  const toml::table parsed = TRY(parse_toml(name, text));
  Scenario scenario;
  scenario.name = name;
  scenario.text = text;
  Table top(parsed, std::string(name));
  scenario.summary = TRY(top.text("summary"));

  TRY(parse_topology(TRY(top.table("topology")), scenario));
  Table workload = TRY(top.table("workload"));
  scenario.workload = TRY(workload.text("name"));
  scenario.parameters = TRY(workload.rest_as_integers());

  TRY(parse_storm(TRY(top.table("storm")), scenario));
  scenario.fault_settings = TRY(parse_fault_settings(TRY(top.table("fault"))));
  TRY(top.finish());
  return scenario;
}

Result<Scenario> load_scenario(std::string_view name) {
  auto text = read_either(name, "");
  if (text) return parse_scenario(name, *text);
  if (text.error() == Errc::kNotFound && text.error().detail().empty()) return unknown(name);
  return fail(text.error());
}

Result<Suite> load_suite(std::string_view name) {
  auto text = read_either(name, "suites/");
  if (text && text->find("[[scenario]]") != std::string::npos) return parse_suite(name, *text);
  Suite suite;
  suite.name = name;
  suite.entries.push_back({TRY(load_scenario(name)), 1});
  suite.summary = suite.entries[0].scenario.summary;
  return suite;
}

const Scenario& Suite::of(uint64_t seed) const {
  uint64_t total = 0;
  for (const Entry& entry : entries) total += entry.share;
  // Mixed, so that the seeds of one shard (their remainder) are not all of one scenario.
  uint64_t at = base::mix64(seed) % total;
  for (const Entry& entry : entries) {
    if (at < entry.share) return entry.scenario;
    at -= entry.share;
  }
  return entries.back().scenario;
}

namespace {

std::vector<Listing> list_below(bool suites) {
  constexpr std::string_view kFolder = "suites/";
  std::vector<Listing> listings;
  for (const EmbeddedFile& file : embedded_files()) {
    if (file.path.starts_with(kFolder) != suites) continue;
    std::string_view name = file.path.substr(0, file.path.size() - 5);
    if (suites) name.remove_prefix(kFolder.size());
    auto parsed = parse_toml(file.path, file.text);
    std::string summary = parsed ? (*parsed)["summary"].value_or(std::string()) : "does not parse";
    listings.push_back({std::string(name), std::move(summary)});
  }
  return listings;
}

}  // namespace

std::vector<Listing> list_scenarios() { return list_below(false); }
std::vector<Listing> list_suites() { return list_below(true); }

}  // namespace seatrial::scenarios
