#include "sim/plan.h"

#include "base/alike.h"
#include "os/chaos.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

namespace seatrial::sim {

using base::Errc;
using base::fail;
using nlohmann::json;
using nlohmann::ordered_json;

namespace {

constexpr std::pair<Moment, std::string_view> kMoments[] = {
    {Moment::kAny, "any"},       {Moment::kSync, "sync"},   {Moment::kWrite, "write"},
    {Moment::kRename, "rename"}, {Moment::kChild, "child"}, {Moment::kAfterChild, "after_child"}};

// The members of a Weather, by family and name, for reading and for writing. Durations are in
// microseconds, and their names say so.
template <typename WeatherType, typename Visitor>
void visit(WeatherType& w, Visitor&& v) {
  v("network", "latency_min_us", w.network.latency_min);
  v("network", "latency_max_us", w.network.latency_max);
  v("network", "slow_chance", w.network.slow_chance);
  v("network", "slow_latency_max_us", w.network.slow_latency_max);
  v("network", "tail_chance", w.network.tail_chance);
  v("network", "distance_max_us", w.network.distance_max);
  v("network", "loss_chance", w.network.loss_chance);
  v("network", "bandwidth_kib", w.network.bandwidth_kib);
  v("network", "split_chance", w.network.split_chance);
  v("network", "short_read_chance", w.network.short_read_chance);
  v("network", "short_write_chance", w.network.short_write_chance);
  v("network", "cut_chance", w.network.cut_chance);
  v("network", "refuse_chance", w.network.refuse_chance);
  v("network", "buffer_bytes", w.network.buffer_bytes);
  v("disk", "call_min_us", w.disk.call_min);
  v("disk", "call_max_us", w.disk.call_max);
  v("disk", "sync_min_us", w.disk.sync_min);
  v("disk", "sync_max_us", w.disk.sync_max);
  v("disk", "stall_chance", w.disk.stall_chance);
  v("disk", "stall_max_us", w.disk.stall_max);
  v("disk", "short_write_chance", w.disk.short_write_chance);
  v("disk", "short_read_chance", w.disk.short_read_chance);
  v("disk", "sync_error_chance", w.disk.sync_error_chance);
  v("disk", "write_error_chance", w.disk.write_error_chance);
  v("disk", "read_error_chance", w.disk.read_error_chance);
  v("disk", "name_error_chance", w.disk.name_error_chance);
  v("disk", "sector_kept", w.disk.sector_kept);
  v("disk", "sector_torn", w.disk.sector_torn);
  v("disk", "garbage_chance", w.disk.garbage_chance);
  v("disk", "name_kept", w.disk.name_kept);
  v("process", "fork_failure_chance", w.process.fork_failure_chance);
  v("process", "fork_pause_per_kib_us", w.process.fork_pause_per_kib);
  v("process", "reap_delay_max_us", w.process.reap_delay_max);
  v("process", "pids", w.process.pids);
  v("clock", "skew_max_us", w.clock.skew_max);
  v("clock", "drift_per_second_max_us", w.clock.drift_per_second_max);
  v("chaos", "site_armed", w.chaos.site_armed);
  v("chaos", "site_fires", w.chaos.site_fires);
  v("chaos", "knob_shaken", w.chaos.knob_shaken);
}

ordered_json weather_json(const Weather& weather) {
  ordered_json out = ordered_json::object();
  visit(weather, [&](const char* family, const char* name, const auto& value) {
    if constexpr (std::is_same_v<std::decay_t<decltype(value)>, os::Duration>) {
      out[family][name] = to_micros(value);
    } else {
      out[family][name] = value;
    }
  });
  return out;
}

// Of microseconds, this is eleven days.
constexpr double kNumberMax = 1e12;

// Reads members one by one and remembers the first thing that is wrong.
class Reader {
 public:
  Reader(const json& from, std::string place) : from_(from), place_(std::move(place)) {
    if (!from_.is_object()) wrong("", "an object", from_);
  }

  template <typename T>
  void number(const char* name, T& into) {
    const json* value = member(name);
    if (value == nullptr) return;
    if (!value->is_number() || (!std::is_floating_point_v<T> && !value->is_number_integer())) {
      return wrong(name, std::is_floating_point_v<T> ? "a number" : "a whole number", *value);
    }
    if (value->get<double>() < 0) return wrong(name, "a number of 0 or more", *value);
    if (value->get<double>() > kNumberMax) return wrong(name, "a number of 1e12 at most", *value);
    into = value->get<T>();
  }

  // A whole number that may be below zero.
  void whole(const char* name, int64_t& into) {
    const json* value = member(name);
    if (value == nullptr) return;
    if (!value->is_number_integer()) return wrong(name, "a whole number", *value);
    if (std::abs(value->get<double>()) > kNumberMax) {
      return wrong(name, "a number between -1e12 and 1e12", *value);
    }
    into = value->get<int64_t>();
  }

  void duration(const char* name, VirtualTime& into) {
    int64_t count = 0;
    number(name, count);
    into = std::chrono::microseconds(count);
  }

  void text(const char* name, std::string& into) {
    const json* value = member(name);
    if (value == nullptr) return;
    if (!value->is_string()) return wrong(name, "a string", *value);
    into = value->get<std::string>();
  }

  const json* array(const char* name) {
    const json* value = member(name);
    if (value != nullptr && !value->is_array()) wrong(name, "an array", *value);
    return error_.empty() ? value : nullptr;
  }

  bool has(const char* name) const { return from_.is_object() && from_.contains(name); }

  // Known, though it may be missing.
  void may_take(const char* name) { taken_.insert(name); }

  const json* member(const char* name) {
    if (!error_.empty()) return nullptr;
    auto it = from_.find(name);
    if (it == from_.end()) {
      error_ = fmt::format("{}: \"{}\" is missing", place_, name);
      return nullptr;
    }
    taken_.insert(name);
    return &*it;
  }

  // Everything was there, of the right kind, and nothing else.
  Result<void> finish() {
    if (!error_.empty()) return fail(Errc::kInvalidData, error_);
    for (const auto& [name, value] : from_.items()) {
      if (taken_.contains(name)) continue;
      return fail(Errc::kInvalidData, fmt::format("{}: \"{}\" is not known; known are {}", place_,
                                                  name, fmt::join(taken_, ", ")));
    }
    return {};
  }

 private:
  void wrong(const char* name, const char* expected, const json& value) {
    if (!error_.empty()) return;
    error_ = fmt::format("{}{}{}: expected {}, found {}", place_, *name != '\0' ? "." : "", name,
                         expected, value.dump().substr(0, 40));
  }

  const json& from_;
  std::string place_;
  std::string error_;
  std::set<std::string, std::less<>> taken_;
};

// What can be written down and makes no sense all the same.
Result<void> check_weather(Weather& weather) {
  std::string error;
  const auto refuse = [&](std::string_view family, std::string_view name, std::string_view why) {
    if (error.empty()) error = fmt::format("plan.weather.{}.{}: {}", family, name, why);
  };
  os::Duration least{0};
  visit(weather, [&](std::string_view family, std::string_view name, auto& value) {
    using Value = std::decay_t<decltype(value)>;
    if constexpr (std::is_same_v<Value, double>) {
      if (value > 1) refuse(family, name, "expected a chance between 0 and 1");
    } else if constexpr (std::is_same_v<Value, os::Duration>) {
      if (name.ends_with("_min_us")) least = value;
      const bool of_pair =
          name == "latency_max_us" || name == "call_max_us" || name == "sync_max_us";
      if (of_pair && value < least) refuse(family, name, "less than its minimum");
    } else if (value == 0 && name != "bandwidth_kib") {
      refuse(family, name, "expected at least 1");
    }
  });
  if (!error.empty()) return fail(Errc::kInvalidData, error);
  return {};
}

Result<Weather> parse_weather(const json& from) {
  Weather weather;
  Reader families(from, "plan.weather");
  std::set<std::string_view> known;
  visit(weather, [&](std::string_view family, const char*, auto&) { known.insert(family); });
  for (const std::string_view family : known) {
    const std::string name_of(family);
    if (!families.has(name_of.c_str())) continue;
    const json* members = families.member(name_of.c_str());
    if (members == nullptr) break;
    Reader reader(*members, fmt::format("plan.weather.{}", family));
    visit(weather, [&](std::string_view of, const char* name, auto& value) {
      if (of != family) return;
      reader.may_take(name);
      if (!reader.has(name)) return;
      if constexpr (std::is_same_v<std::decay_t<decltype(value)>, os::Duration>) {
        reader.duration(name, value);
      } else {
        reader.number(name, value);
      }
    });
    TRY(reader.finish());
  }
  TRY(families.finish());
  TRY(check_weather(weather));
  return weather;
}

Result<FaultStep> parse_step(const json& from, size_t index) {
  FaultStep step;
  Reader reader(from, fmt::format("plan.faults[{}]", index));
  std::string moment;
  reader.duration("at_us", step.at);
  reader.text("kind", step.kind);
  reader.text("target", step.target);
  reader.duration("lasts_us", step.lasts);
  reader.text("moment", moment);
  reader.duration("delay_us", step.delay);
  if (reader.has("count")) reader.number("count", step.count);
  if (reader.has("mode")) reader.text("mode", step.mode);
  if (reader.has("amount")) reader.whole("amount", step.amount);
  TRY(reader.finish());
  for (const auto& [value, name] : kMoments) {
    if (name != moment) continue;
    step.moment = value;
    return step;
  }
  return fail(Errc::kInvalidData, fmt::format("plan.faults[{}].moment: expected any, sync, write, "
                                              "rename, child or after_child, found \"{}\"",
                                              index, moment));
}

template <typename Sites>
std::unexpected<base::Error> unknown_site(const std::string& place, std::string_view what,
                                          std::string_view name, const Sites& sites) {
  std::string_view like;
  size_t least = std::max<size_t>(name.size() / 2, 2);
  for (const auto& site : sites) {
    const size_t distance = base::edit_distance(name, site.name);
    if (distance >= least) continue;
    like = site.name;
    least = distance;
  }
  return fail(
      Errc::kInvalidData,
      fmt::format("{}.{}: no {} is called so{}; `seatrial list chaos` names them", place, name,
                  what, like.empty() ? "" : fmt::format(", did you mean \"{}\"?", like)));
}

// A server's "armed" and "knobs".
Result<void> parse_chaos(Reader& of_server, const std::string& server, ChaosPlan& chaos) {
  const auto has = [](const auto& sites, const std::string& name) {
    return std::ranges::any_of(sites, [&](const auto& site) { return name == site.name; });
  };
  of_server.may_take("armed");
  of_server.may_take("knobs");
  if (const json* found = of_server.has("armed") ? of_server.member("armed") : nullptr) {
    const json& armed = *found;
    const std::string place = server + ".armed";
    Reader reader(armed, place);
    for (const auto& [name, value] : armed.items()) {
      if (!armed.is_object()) break;
      if (!has(os::all_chances(), name)) {
        return unknown_site(place, "chance site", name, os::all_chances());
      }
      double& chance = chaos.armed[name];
      reader.number(name.c_str(), chance);
      if (chance > 1) {
        return fail(
            Errc::kInvalidData,
            fmt::format("{}.{}: expected a chance between 0 and 1, found {}", place, name, chance));
      }
    }
    TRY(reader.finish());
  }
  if (const json* found = of_server.has("knobs") ? of_server.member("knobs") : nullptr) {
    const json& knobs = *found;
    const std::string place = server + ".knobs";
    Reader reader(knobs, place);
    for (const auto& [name, value] : knobs.items()) {
      if (!knobs.is_object()) break;
      if (!has(os::all_knobs(), name)) {
        return unknown_site(place, "knob", name, os::all_knobs());
      }
      reader.number(name.c_str(), chaos.knobs[name]);
    }
    TRY(reader.finish());
  }
  return {};
}

Result<ServerPlan> parse_server(const json& from, size_t index) {
  ServerPlan server;
  const std::string place = fmt::format("plan.servers[{}]", index);
  Reader reader(from, place);
  reader.text("server", server.server);
  if (const json* options = reader.array("options")) {
    for (const json& option : *options) {
      if (!option.is_string()) {
        return fail(Errc::kInvalidData, fmt::format("{}.options: expected strings, found {}", place,
                                                    option.dump().substr(0, 40)));
      }
      server.options.push_back(option.get<std::string>());
    }
  }
  TRY(parse_chaos(reader, place, server.chaos));
  TRY(reader.finish());
  return server;
}

Result<ClientPlan> parse_client(const json& from, size_t index) {
  ClientPlan client;
  Reader reader(from, fmt::format("plan.clients[{}]", index));
  reader.text("client", client.client);
  if (const json* operations = reader.array("operations")) {
    for (const json& operation : *operations) client.operations.push_back(operation.dump());
  }
  TRY(reader.finish());
  return client;
}

}  // namespace

ServerPlan& plan_of(Plan& plan, std::string_view server) {
  const auto found = std::ranges::find(plan.servers, server, &ServerPlan::server);
  if (found != plan.servers.end()) return *found;
  return plan.servers.emplace_back(ServerPlan{.server = std::string(server)});
}

std::string_view to_string(Moment moment) { return kMoments[static_cast<size_t>(moment)].second; }

std::string to_json(const Plan& plan) {
  ordered_json out;
  out["storm_us"] = to_micros(plan.storm);
  out["calm_limit_us"] = to_micros(plan.calm_limit);
  out["weather"] = weather_json(plan.weather);
  out["faults"] = ordered_json::array();
  for (const FaultStep& step : plan.faults) {
    ordered_json line = {{"at_us", to_micros(step.at)},
                         {"kind", step.kind},
                         {"target", step.target},
                         {"lasts_us", to_micros(step.lasts)},
                         {"moment", to_string(step.moment)},
                         {"delay_us", to_micros(step.delay)}};
    if (step.count != 0) line["count"] = step.count;
    if (!step.mode.empty()) line["mode"] = step.mode;
    if (step.amount != 0) line["amount"] = step.amount;
    out["faults"].push_back(std::move(line));
  }
  out["servers"] = ordered_json::array();
  for (const ServerPlan& server : plan.servers) {
    ordered_json line = {{"server", server.server}, {"options", server.options}};
    if (!server.chaos.armed.empty()) line["armed"] = server.chaos.armed;
    if (!server.chaos.knobs.empty()) line["knobs"] = server.chaos.knobs;
    out["servers"].push_back(std::move(line));
  }
  out["clients"] = ordered_json::array();
  for (const ClientPlan& client : plan.clients) {
    ordered_json operations = ordered_json::array();
    for (const std::string& operation : client.operations) {
      operations.push_back(ordered_json::parse(operation));
    }
    out["clients"].push_back({{"client", client.client}, {"operations", operations}});
  }
  return out.dump(1);
}

Result<Plan> parse_plan(std::string_view text) {
  const json parsed = json::parse(text, nullptr, false);
  if (parsed.is_discarded()) return fail(Errc::kInvalidData, "plan: not JSON");
  return parse_plan(parsed);
}

Result<Plan> parse_plan(const json& from) {
  Plan plan;
  Reader reader(from, "plan");
  reader.duration("storm_us", plan.storm);
  reader.duration("calm_limit_us", plan.calm_limit);
  const json* weather = reader.member("weather");
  const json* faults = reader.array("faults");
  const json* servers = reader.has("servers") ? reader.array("servers") : nullptr;
  const json* clients = reader.array("clients");
  TRY(reader.finish());
  plan.weather = TRY(parse_weather(*weather));
  for (size_t i = 0; i < faults->size(); ++i) {
    plan.faults.push_back(TRY(parse_step((*faults)[i], i)));
  }
  for (size_t i = 0; servers != nullptr && i < servers->size(); ++i) {
    plan.servers.push_back(TRY(parse_server((*servers)[i], i)));
  }
  for (size_t i = 0; i < clients->size(); ++i) {
    plan.clients.push_back(TRY(parse_client((*clients)[i], i)));
  }
  return plan;
}

}  // namespace seatrial::sim
