// Step 3 on a replica: its primary's stream, unit by unit. A unit is one command, or all from MULTI
// to EXEC: it is executed as a whole once all of it is there, then the offset moves behind it and
// its bytes go on to sub-replicas. Nothing else moves the offset, so equal offsets of a history
// mean equal data at every moment that anybody can see.
#pragma once

#include "kv/replication/feed.h"
#include "kv/session.h"
#include "kv/state.h"
#include "resp/buffer.h"
#include "resp/parser.h"
#include "resp/writer.h"

#include <functional>
#include <memory>
#include <string>

namespace seatrial::kv {

class StreamReader {
 public:
  StreamReader(State& state, Feed& feed);

  // Whoever speaks now is known to clients by this session. What a link before it has left of a
  // unit is forgotten; the selected database stays.
  Session& open(Peer peer);
  void close();
  bool is_open() const { return session_ != nullptr; }

  // Executes the whole units at the front of `input`, and removes them. Does not park. After an
  // error the link is of no use: kInvalidData, with whether what it did is uncertain.
  base::Result<void> execute(resp::Buffer& input);
  // Some of a unit was executed and some refused: the data is that of no offset.
  bool diverged() const { return diverged_; }

  // The primary has asked for an acknowledgement since the last call.
  bool take_acknowledgement_request() { return std::exchange(asked_, false); }

  int database() const { return database_; }
  void set_database(int database) { database_ = database; }

 private:
  base::Result<void> execute_unit(base::Bytes unit, bool transaction);
  base::Result<void> execute_command(resp::Args args);
  base::Error refuse(std::string_view what) const;

  State& state_;
  Feed& feed_;
  std::unique_ptr<Session> session_;
  resp::Parser parser_;
  resp::Parser unit_parser_;
  resp::Writer reply_;
  size_t scanned_ = 0;  // Bytes of a unit that is not whole: requests up to here are.
  bool in_transaction_ = false;
  bool asked_ = false;
  bool diverged_ = false;
  int database_ = 0;  // That the stream has selected.
};

}  // namespace seatrial::kv
