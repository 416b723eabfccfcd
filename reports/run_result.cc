#include "reports/run_result.h"

#include "base/check.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

namespace seatrial::reports {
namespace {

// Keys stay in the order in which DESIGN lists them.
using Json = nlohmann::ordered_json;
using std::chrono::nanoseconds;

constexpr double kNanosecondsPerSecond = 1e9;
constexpr double kNanosecondsPerMillisecond = 1e6;
// The limit of what an int64_t of nanoseconds holds, rounded down to a double.
constexpr double kNanosecondsMax = 9.2e18;

double in_unit(nanoseconds time, double unit) { return static_cast<double>(time.count()) / unit; }

std::unexpected<base::Error> invalid(std::string text) {
  return base::fail(base::Errc::kInvalidData, std::move(text));
}

// One JSON object whose keys are read once each: what is left unread at the end is not known.
class Fields {
 public:
  Fields(const Json& object, std::string where) : object_(object), where_(std::move(where)) {}

  // The value of a key, or nullptr where it may be missing and is.
  Result<const Json*> take(const char* key, bool required = true) {
    auto found = object_.find(key);
    if (found == object_.end()) {
      if (required) return invalid(fmt::format("{}: the key \"{}\" is missing", where_, key));
      return nullptr;
    }
    ++taken_;
    known_.push_back(key);
    return &*found;
  }

  Result<std::string> text(const char* key) {
    const Json* value = TRY(take(key));
    if (!value->is_string()) return mismatch(key, "a string", *value);
    return value->get<std::string>();
  }

  Result<std::string> text_or_nothing(const char* key) {
    const Json* value = TRY(take(key, false));
    if (value == nullptr || value->is_null()) return std::string();
    if (!value->is_string()) return mismatch(key, "a string or null", *value);
    return value->get<std::string>();
  }

  Result<uint64_t> count(const char* key) {
    const Json* value = TRY(take(key));
    if (!value->is_number_unsigned()) return mismatch(key, "a whole number from 0 on", *value);
    return value->get<uint64_t>();
  }

  Result<nanoseconds> time(const char* key, double unit, bool required = true) {
    const Json* value = TRY(take(key, required));
    if (value == nullptr) return nanoseconds(0);
    if (!value->is_number()) return mismatch(key, "a number", *value);
    double count = std::round(value->get<double>() * unit);
    if (!(count >= 0 && count < kNanosecondsMax)) {
      return mismatch(key, "a time from 0 to 292 years", *value);
    }
    return nanoseconds(static_cast<int64_t>(count));
  }

  Result<const Json*> array(const char* key) {
    const Json* value = TRY(take(key));
    if (!value->is_array()) return mismatch(key, "an array", *value);
    return value;
  }

  Result<const Json*> object(const char* key) {
    const Json* value = TRY(take(key));
    if (!value->is_object()) return mismatch(key, "an object", *value);
    return value;
  }

  Result<void> end() const {
    if (taken_ == object_.size()) return {};
    for (const auto& [key, value] : object_.items()) {
      if (std::find(known_.begin(), known_.end(), key) == known_.end()) {
        return invalid(fmt::format("{}: the key \"{}\" is not known", where_, key));
      }
    }
    UNREACHABLE("{} keys were read of {}", taken_, object_.size());
  }

  std::unexpected<base::Error> mismatch(std::string_view key, std::string_view expected,
                                        const Json& found) const {
    std::string shown = found.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (shown.size() > 60) shown = shown.substr(0, 57) + "...";
    return invalid(fmt::format("{}: \"{}\": expected {}, found {}", where_, key, expected, shown));
  }

 private:
  const Json& object_;
  std::string where_;
  std::vector<std::string> known_;
  size_t taken_ = 0;
};

Result<uint64_t> parse_hash(const std::string& text) {
  uint64_t hash = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), hash, 16);
  if (text.size() != 16 || error != std::errc() || end != text.data() + text.size()) {
    return invalid(fmt::format("\"hash\": expected 16 hexadecimal digits, found \"{}\"", text));
  }
  return hash;
}

Result<Violation> parse_violation(const Json& json, size_t index) {
  std::string where = fmt::format("violation {}", index + 1);
  if (!json.is_object()) return invalid(where + ": expected an object");
  Fields fields(json, where);
  Violation violation;
  violation.checker = TRY(fields.text("checker"));
  violation.summary = TRY(fields.text("summary"));
  for (const Json& op : *TRY(fields.array("ops"))) {
    if (!op.is_number_unsigned()) return fields.mismatch("ops", "numbers of operations", op);
    violation.ops.push_back(op.get<uint64_t>());
  }
  TRY(fields.end());
  return violation;
}

Result<std::map<std::string, uint64_t>> parse_counts(Fields& fields, const char* name) {
  std::map<std::string, uint64_t> counts;
  for (const auto& [kind, count] : TRY(fields.object(name))->items()) {
    if (!count.is_number_unsigned()) return fields.mismatch(name, "counts", count);
    counts[kind] = count.get<uint64_t>();
  }
  return counts;
}

Result<void> parse_lists(Fields& fields, RunResult& result) {
  result.faults = TRY(parse_counts(fields, "faults"));
  result.held_back = TRY(parse_counts(fields, "held_back"));
  result.marks = TRY(parse_counts(fields, "marks"));
  for (const Json& violation : *TRY(fields.array("violations"))) {
    result.violations.push_back(TRY(parse_violation(violation, result.violations.size())));
  }
  return {};
}

Result<Json> parse_json(std::string_view text) {
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    // Its own message begins with a number of its class, which says nothing to our reader.
    std::string_view what = error.what();
    if (size_t end = what.find("] "); end != std::string_view::npos) what.remove_prefix(end + 2);
    return invalid(fmt::format("not JSON: {}", what));
  }
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass: return "pass";
    case Verdict::kViolation: return "violation";
    case Verdict::kCrash: return "crash";
    case Verdict::kStuck: return "stuck";
    case Verdict::kNondeterministic: return "nondeterministic";
  }
  UNREACHABLE("verdict {}", static_cast<int>(verdict));
}

Result<Verdict> parse_verdict(std::string_view text) {
  for (int i = 0; i < kVerdicts; ++i) {
    if (to_string(static_cast<Verdict>(i)) == text) return static_cast<Verdict>(i);
  }
  return invalid(fmt::format(
      "\"verdict\": expected pass, violation, crash, stuck or nondeterministic, found \"{}\"",
      text));
}

int exit_code(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass: return 0;
    case Verdict::kViolation: return 1;
    case Verdict::kNondeterministic: return 3;
    case Verdict::kCrash: return 4;
    case Verdict::kStuck: return 5;
  }
  UNREACHABLE("verdict {}", static_cast<int>(verdict));
}

std::string to_json(const RunResult& result) {
  Json violations = Json::array();
  for (const Violation& violation : result.violations) {
    violations.push_back(
        {{"checker", violation.checker}, {"summary", violation.summary}, {"ops", violation.ops}});
  }
  Json json = {
      {"scenario", result.scenario},
      {"seed", result.seed},
      {"verdict", to_string(result.verdict)},
      {"hash", fmt::format("{:016x}", result.hash)},
      {"revision", result.revision},
      {"sim_seconds", in_unit(result.sim_time, kNanosecondsPerSecond)},
      {"wall_ms", in_unit(result.wall_time, kNanosecondsPerMillisecond)},
      {"cpu_ms", in_unit(result.cpu_time, kNanosecondsPerMillisecond)},
      {"events", result.events},
      {"ops", result.ops},
      {"faults", result.faults},
      {"held_back", result.held_back},
      {"marks", result.marks},
      {"violations", std::move(violations)},
      {"message", result.message},
      {"capsule", result.capsule.empty() ? Json(nullptr) : Json(result.capsule)},
  };
  // A summary may quote bytes of a client that are no UTF-8: they become U+FFFD.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<RunResult> parse_run_result(std::string_view text) {
  Json json = TRY(parse_json(text));
  if (!json.is_object()) return invalid("a result: expected an object");
  Fields fields(json, "a result");
  RunResult result;
  result.scenario = TRY(fields.text("scenario"));
  result.seed = TRY(fields.count("seed"));
  std::string verdict = TRY(fields.text("verdict"));
  result.verdict = TRY(parse_verdict(verdict));
  std::string hash = TRY(fields.text("hash"));
  result.hash = TRY(parse_hash(hash));
  result.revision = TRY(fields.text("revision"));
  result.sim_time = TRY(fields.time("sim_seconds", kNanosecondsPerSecond));
  result.wall_time = TRY(fields.time("wall_ms", kNanosecondsPerMillisecond));
  result.cpu_time = TRY(fields.time("cpu_ms", kNanosecondsPerMillisecond, false));
  result.events = TRY(fields.count("events"));
  result.ops = TRY(fields.count("ops"));
  TRY(parse_lists(fields, result));
  result.message = TRY(fields.text_or_nothing("message"));
  result.capsule = TRY(fields.text_or_nothing("capsule"));
  TRY(fields.end());
  return result;
}

std::string reason(const RunResult& result) {
  if (!result.violations.empty()) {
    const Violation& first = result.violations.front();
    return fmt::format("{}: {}", first.checker, first.summary);
  }
  if (!result.message.empty()) return result.message;
  return std::string(to_string(result.verdict));
}

std::string repeat_command(const RunResult& result) {
  return fmt::format("seatrial replay {} --seed {}", result.scenario, result.seed);
}

}  // namespace seatrial::reports
