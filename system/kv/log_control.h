// What may be asked of the append-only log as a whole: to be written anew, to be on or off, to
// begin anew with other data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace seatrial::kv {

class LogControl {
 public:
  virtual ~LogControl() = default;

  enum class Rewrite : uint8_t {
    kStarted,
    kScheduled,  // It begins when it can.
    kRunning,    // One is under way already.
    kFailed,     // The fork failed; the log says why.
  };
  // BGREWRITEAOF. `later`: not at this instant, as a transaction is being executed. Does not park.
  virtual Rewrite rewrite(bool later) = 0;
  // CONFIG SET appendonly. False: the fork failed, and the log stays off. Does not park.
  virtual bool switch_on(bool later) = 0;
  virtual void switch_off() = 0;
  // A full resync has replaced all data: what is logged from now on belongs to a new log. Called at
  // the instant when the keyspace is the new data and nothing was executed on it yet, and no
  // effect is unlogged; does not park. `snapshot`: the path of an RDB with exactly this data, on
  // the log's file system, whole and synced; it is taken away to be the base. Without it, or where
  // it cannot be used, a child is forked to write the base. Until the new log is complete a crash
  // finds the old one, whole, with the old data; never a part of either with the other. Without
  // effect if the log is off.
  virtual void restart_with(std::optional<std::string> snapshot) = 0;
};

}  // namespace seatrial::kv
