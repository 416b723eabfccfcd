#include "scenarios/scribe.h"

#include <fmt/format.h>

namespace seatrial::scenarios {

using checkers::OperationId;

void Scribe::catch_up() {
  for (; incidents_ < world_.incidents().size(); ++incidents_) {
    const sim::Incident& incident = world_.incidents()[incidents_];
    if (incident.kind != sim::Incident::Kind::kPowerLost) continue;
    if (!checkers::has_crashes(history().type())) continue;
    recorder_.crash(std::chrono::duration_cast<checkers::Micros>(incident.at));
  }
}

OperationId Scribe::invoke(uint32_t client, checkers::Function function, std::string_view key,
                           const checkers::Value& argument) {
  catch_up();
  const OperationId id = recorder_.invoke(now(), client, function, key, argument);
  note(
      fmt::format("{}: client {} {} {} {}", id, client, to_string(function), key, argument.json()));
  return id;
}

OperationId Scribe::invoke(uint32_t client, checkers::Function function,
                           const checkers::Value& argument) {
  catch_up();
  const OperationId id = recorder_.invoke(now(), client, function, argument);
  note(fmt::format("{}: client {} {} {}", id, client, to_string(function), argument.json()));
  return id;
}

void Scribe::ok(OperationId id, const checkers::Value& result) {
  catch_up();
  recorder_.ok(now(), id, result);
  note(fmt::format("{}: ok {}", id, result.json()));
}

void Scribe::fail(OperationId id) {
  catch_up();
  recorder_.fail(now(), id);
  note(fmt::format("{}: fail", id));
}

void Scribe::info(OperationId id) {
  catch_up();
  recorder_.info(now(), id);
  note(fmt::format("{}: unknown", id));
}

}  // namespace seatrial::scenarios
