// The pen of a run: what clients ask and see goes into the history, with virtual time, and into
// the trace, where it is part of the hash.
#pragma once

#include "checkers/history.h"
#include "sim/world.h"

namespace seatrial::scenarios {

class Scribe {
 public:
  Scribe(sim::World& world, std::string type, uint32_t clients, std::string header_members)
      : world_(world), recorder_(std::move(type), clients, std::move(header_members)) {}

  checkers::OperationId invoke(uint32_t client, checkers::Function function, std::string_view key,
                               const checkers::Value& argument = {});
  // For functions without a key.
  checkers::OperationId invoke(uint32_t client, checkers::Function function,
                               const checkers::Value& argument);
  void ok(checkers::OperationId id, const checkers::Value& result);
  void fail(checkers::OperationId id);
  void info(checkers::OperationId id);
  // Every log may have lost what it had not made durable.
  void crash();
  // The client goes on as another process: what it watched is forgotten.
  void reconnect(uint32_t client) { recorder_.reconnect(client); }

  const checkers::History& history() const { return recorder_.history(); }

 private:
  checkers::Micros now() const {
    return std::chrono::duration_cast<checkers::Micros>(world_.now_virtual());
  }
  void note(std::string_view text) { world_.note({}, sim::TraceKind::kOperation, text); }
  sim::World& world_;
  checkers::Recorder recorder_;
};

}  // namespace seatrial::scenarios
