#include "scenarios/capsule.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace seatrial::scenarios {

using base::Errc;
using base::fail;
using nlohmann::json;
using nlohmann::ordered_json;

std::string to_json(const Capsule& capsule) {
  ordered_json out;
  out["capsule"] = kCapsuleVersion;
  out["scenario"] = capsule.scenario.name;
  out["seed"] = capsule.seed;
  out["revision"] = capsule.revision;
  out["hash"] = fmt::format("{:016x}", capsule.hash);
  out["expected"] = capsule.expected;
  out["toml"] = capsule.scenario.text;
  out["plan"] = ordered_json::parse(sim::to_json(capsule.plan));
  return out.dump(1) + "\n";
}

Result<Capsule> parse_capsule(std::string_view text) {
  const json parsed = json::parse(text, nullptr, false);
  if (parsed.is_discarded() || !parsed.is_object()) {
    return fail(Errc::kInvalidData, "not a capsule: expected a JSON object");
  }
  if (!parsed.contains("capsule") || parsed["capsule"] != kCapsuleVersion) {
    return fail(Errc::kInvalidData,
                fmt::format("a capsule of version {}, this binary reads version {}",
                            parsed.contains("capsule") ? parsed["capsule"].dump() : "none",
                            kCapsuleVersion));
  }
  constexpr std::string_view kMembers[] = {"capsule", "scenario", "seed", "revision",
                                           "hash",    "expected", "toml", "plan"};
  for (const auto& [key, value] : parsed.items()) {
    if (std::ranges::find(kMembers, key) == std::end(kMembers)) {
      return fail(Errc::kInvalidData, fmt::format("capsule: \"{}\" is not known", key));
    }
  }
  for (const char* member : {"scenario", "revision", "hash", "expected", "toml"}) {
    if (parsed.contains(member) && parsed[member].is_string()) continue;
    return fail(Errc::kInvalidData, fmt::format("capsule: \"{}\" must be a string", member));
  }
  if (!parsed.contains("seed") || !parsed["seed"].is_number_unsigned()) {
    return fail(Errc::kInvalidData, "capsule: \"seed\" must be a whole number");
  }
  if (!parsed.contains("plan")) return fail(Errc::kInvalidData, "capsule: \"plan\" is missing");
  Capsule capsule;
  capsule.scenario =
      TRY(parse_scenario(parsed["scenario"].get<std::string>(), parsed["toml"].get<std::string>()));
  capsule.seed = parsed["seed"].get<uint64_t>();
  capsule.revision = parsed["revision"].get<std::string>();
  capsule.hash = std::strtoull(parsed["hash"].get<std::string>().c_str(), nullptr, 16);
  capsule.expected = parsed["expected"].get<std::string>();
  capsule.plan = TRY(sim::parse_plan(parsed["plan"]));
  return capsule;
}

}  // namespace seatrial::scenarios
