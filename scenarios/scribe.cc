#include "scenarios/scribe.h"

#include <fmt/format.h>

namespace seatrial::scenarios {

using checkers::OperationId;

OperationId Scribe::invoke(uint32_t client, checkers::Function function, std::string_view key,
                           const checkers::Value& argument) {
  const OperationId id = recorder_.invoke(now(), client, function, key, argument);
  note(
      fmt::format("{}: client {} {} {} {}", id, client, to_string(function), key, argument.json()));
  return id;
}

OperationId Scribe::invoke(uint32_t client, checkers::Function function,
                           const checkers::Value& argument) {
  const OperationId id = recorder_.invoke(now(), client, function, argument);
  note(fmt::format("{}: client {} {} {}", id, client, to_string(function), argument.json()));
  return id;
}

void Scribe::ok(OperationId id, const checkers::Value& result) {
  recorder_.ok(now(), id, result);
  note(fmt::format("{}: ok {}", id, result.json()));
}

void Scribe::fail(OperationId id) {
  recorder_.fail(now(), id);
  note(fmt::format("{}: fail", id));
}

void Scribe::info(OperationId id) {
  recorder_.info(now(), id);
  note(fmt::format("{}: unknown", id));
}

void Scribe::crash() {
  recorder_.crash(now());
  note("crash");
}

}  // namespace seatrial::scenarios
