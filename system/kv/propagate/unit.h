// Step 6: one unit of effects as bytes: RESP commands that a reader executes as a whole. The log
// and the replication stream are made of these, each with a UnitEncoder of its own, because each
// has its own selected database.
//
//   [SELECT] <effect>                                  a single effect
//   [SELECT] MULTI <effect> [SELECT] <effect> … EXEC   several
//
// SELECT stands only where the database changes, and the first one before MULTI, so that the
// database is right also for who skips the rest. It is written in small letters, by which the log
// tells our part of a file from what Redis has appended to it (restore/aof_replay.h).
#pragma once

#include "kv/propagate/effect.h"
#include "resp/buffer.h"

#include <string>

namespace seatrial::kv {

// The command SELECT, encoded.
std::string select_command(int database);

class UnitEncoder {
 public:
  static constexpr int kUnknown = -1;

  // Appends one unit to `to`; returns its length. Nothing is appended for no effects.
  size_t append(const Effects& effects, resp::Buffer& to);
  // Appends a SELECT of the database that is selected already (0 if that is unknown): bytes
  // without effect. Returns their length.
  size_t append_idle(resp::Buffer& to);

  // The database that a reader has selected behind the last unit; kUnknown: the next unit begins
  // with a SELECT.
  int database() const { return database_; }
  // From here on reads somebody who knows nothing of what came before, or who was told of
  // `database`.
  void restart(int database = kUnknown) { database_ = database; }

 private:
  int database_ = kUnknown;
};

}  // namespace seatrial::kv
