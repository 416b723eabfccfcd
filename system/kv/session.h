// One client's conversation with the server: its database, transaction, watches and name, from
// its first byte to its last. Each request goes through execute(); see dispatch.h.
#pragma once

#include "kv/command.h"
#include "kv/propagate/gate.h"
#include "kv/watch.h"
#include "os/clock.h"
#include "resp/service.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace seatrial::kv {

// A request kept for EXEC.
class QueuedRequest {
 public:
  QueuedRequest(const Command& command, resp::Args args);
  const Command& command() const { return *command_; }
  // Views into this request.
  void args(std::vector<std::string_view>& into) const;
  size_t bytes() const { return bytes_.size(); }

 private:
  const Command* command_;
  std::string bytes_;
  std::vector<size_t> ends_;
};

struct Transaction {
  bool open = false;
  bool broken = false;  // A request could not be queued: EXEC will refuse.
  bool writes = false;
  std::vector<QueuedRequest> requests;
  size_t bytes = 0;
};

enum class ReplyMode : uint8_t { kOn, kOff, kSkipNext, kSkipThis };

// What is known of the other end, for CLIENT and INFO.
struct Peer {
  std::string address;
  std::string local_address;
  WallMs connected = 0;
};

// Bytes that its connection holds.
struct Buffered {
  size_t input = 0;
  size_t input_room = 0;
  size_t output = 0;
  size_t output_room = 0;
};

class Session final : public resp::Session {
 public:
  // `clock` and `gate` are null for a session without a client: the log's replay.
  Session(State& state, os::Clock* clock, ReplyGate* gate, Peer peer);
  ~Session() override;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void foresee(std::span<const resp::Args> requests) override;
  resp::Next execute(resp::Args args, resp::Writer& reply) override;
  base::Result<void> release() override;

  // As it was when it began, but for its id: RESET.
  void reset();
  void discard_transaction();

  bool replaying() const { return clock_ == nullptr; }
  uint64_t id() const { return id_; }
  const Peer& peer() const { return peer_; }

  int database = 0;
  std::string name;
  Transaction transaction;
  Watcher watcher;
  ReplyMode reply_mode = ReplyMode::kOn;
  resp::Next next = resp::Next::kContinue;  // What the current request wants of its connection.
  bool no_evict = false;
  const Command* last_command = nullptr;
  WallMs last_used = 0;
  // Ends the connection from outside: CLIENT KILL. Empty for the replay.
  std::move_only_function<void()> cut;
  std::function<Buffered()> buffered;

 private:
  State& state_;
  os::Clock* clock_;
  ReplyGate* gate_;
  Peer peer_;
  uint64_t id_;
  Ticket ticket_;
  WallMs now_ = 0;
  bool batch_begun_ = false;  // The time was read for the requests executed since release().
};

WallMs wall_ms(const os::Clock& clock);

}  // namespace seatrial::kv
