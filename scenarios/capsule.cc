#include "scenarios/capsule.h"

#include "scenarios/json_place.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <span>

namespace seatrial::scenarios {

using base::Errc;
using base::fail;
using nlohmann::json;
using nlohmann::ordered_json;

namespace {

std::unexpected<base::Error> wrong(std::string_view member, std::string_view expected,
                                   const json& of) {
  if (!of.contains(member)) {
    return fail(Errc::kInvalidData, fmt::format("capsule: \"{}\" is missing", member));
  }
  return fail(Errc::kInvalidData, fmt::format("{}: expected {}, found {}", member, expected,
                                              of.at(std::string(member)).dump().substr(0, 40)));
}

Result<void> only_known(const json& of, std::string_view place,
                        std::span<const std::string_view> known) {
  for (const auto& [key, value] : of.items()) {
    if (std::ranges::find(known, key) != known.end()) continue;
    return fail(Errc::kInvalidData, fmt::format("{}{}: it is not known here; known are {}", place,
                                                key, fmt::join(known, ", ")));
  }
  return {};
}

Result<Course> parse_course(const json& from) {
  constexpr std::string_view kMembers[] = {"events", "hashes", "kinds"};
  if (!from.is_object()) return fail(Errc::kInvalidData, "course: expected an object");
  TRY(only_known(from, "course.", kMembers));
  if (!from.contains("events") || !from["events"].is_number_unsigned()) {
    return fail(Errc::kInvalidData, "course.events: expected a whole number");
  }
  for (const char* member : {"hashes", "kinds"}) {
    if (from.contains(member) && from[member].is_string()) continue;
    return fail(Errc::kInvalidData, fmt::format("course.{}: expected a string", member));
  }
  Course course;
  course.events = from["events"].get<uint64_t>();
  course.kinds = from["kinds"].get<std::string>();
  auto hashes = parse_hashes(from["hashes"].get_ref<const std::string&>());
  if (!hashes) return fail(Errc::kInvalidData, "course.hashes: " + hashes.error().message());
  course.hashes = *std::move(hashes);
  const size_t kept = std::min<size_t>(course.events, Course::kEventsMax);
  if (course.hashes.size() != kept) {
    return fail(Errc::kInvalidData, fmt::format("course.hashes: expected those of {} events, found "
                                                "{}",
                                                kept, course.hashes.size()));
  }
  const auto odd = std::ranges::find_if(course.kinds, [](char c) { return !kind_of(c); });
  if (course.kinds.size() != kept || odd != course.kinds.end()) {
    return fail(Errc::kInvalidData,
                fmt::format("course.kinds: expected a letter for each of {} events", kept));
  }
  return course;
}

}  // namespace

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
  if (capsule.course) {
    out["course"] = {{"events", capsule.course->events},
                     {"hashes", hashes_text(*capsule.course)},
                     {"kinds", capsule.course->kinds}};
  }
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
  constexpr std::string_view kMembers[] = {"capsule",  "scenario", "seed", "revision", "hash",
                                           "expected", "toml",     "plan", "course"};
  TRY(only_known(parsed, "", kMembers));
  for (const char* member : {"scenario", "revision", "hash", "expected", "toml"}) {
    if (!parsed.contains(member) || !parsed[member].is_string()) {
      return wrong(member, "a string", parsed);
    }
  }
  if (!parsed.contains("seed") || !parsed["seed"].is_number_unsigned()) {
    return wrong("seed", "a whole number", parsed);
  }
  if (!parsed.contains("plan")) return wrong("plan", "an object", parsed);
  const auto& hash = parsed["hash"].get_ref<const std::string&>();
  if (hash.empty() || hash.size() > 16 ||
      hash.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return wrong("hash", "1 to 16 hexadecimal digits", parsed);
  }
  Capsule capsule;
  auto scenario =
      parse_scenario(parsed["scenario"].get<std::string>(), parsed["toml"].get<std::string>());
  if (!scenario) return fail(Errc::kInvalidData, "toml: " + scenario.error().message());
  capsule.scenario = *std::move(scenario);
  capsule.seed = parsed["seed"].get<uint64_t>();
  capsule.revision = parsed["revision"].get<std::string>();
  capsule.hash = std::strtoull(parsed["hash"].get<std::string>().c_str(), nullptr, 16);
  capsule.expected = parsed["expected"].get<std::string>();
  capsule.plan = TRY(sim::parse_plan(parsed["plan"]));
  if (parsed.contains("course")) capsule.course = TRY(parse_course(parsed["course"]));
  return capsule;
}

Result<Capsule> read_capsule(std::string_view file, std::string_view text) {
  if (const auto why = syntax_error(text)) {
    return fail(Errc::kInvalidData, fmt::format("{}:{}", file, *why));
  }
  auto capsule = parse_capsule(text);
  if (!capsule) return std::unexpected(placed(capsule.error(), file, text));
  return capsule;
}

}  // namespace seatrial::scenarios
