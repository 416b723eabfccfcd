// One client's conversation with the server: its database, transaction, watches and name, from
// its first byte to its last. Each request goes through execute(); see dispatch.h.
#pragma once

#include "kv/command.h"
#include "kv/propagate/gate.h"
#include "kv/replication/control.h"
#include "kv/replication/status.h"
#include "kv/watch.h"
#include "os/clock.h"
#include "os/network.h"
#include "resp/service.h"

#include <cstdint>
#include <functional>
#include <memory>
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
  bool needs_fresh = false;  // One of them does not run on stale data.
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
  uint64_t received = 0;  // Since it began.
};

// Whose requests these are. Those of the log and of the primary were accepted once and are obeyed:
// nothing refuses them, and nothing has expired for them but what they delete themselves.
enum class SessionKind : uint8_t { kClient, kLog, kPrimary };

class Session final : public resp::Session {
 public:
  // `clock` and `gate` are null for a session without a client.
  Session(State& state, os::Clock* clock, ReplyGate* gate, Peer peer,
          SessionKind kind = SessionKind::kClient);
  ~Session() override;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void foresee(std::span<const resp::Args> requests) override;
  resp::Next execute(resp::Args args, resp::Writer& reply) override;
  base::Result<void> await(resp::Writer& reply) override;
  base::Result<void> release() override;

  // As it was when it began, but for its id: RESET.
  void reset();
  void discard_transaction();

  bool obeyed() const { return kind_ != SessionKind::kClient; }
  // As CLIENT names the kinds.
  ClientKind client_kind() const;
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
  bool was_cut = false;
  bool in_exec = false;         // Its transaction is being executed.
  uint64_t seen_offset = 0;     // Of the replication stream, after its last request,
  uint64_t seen_demotions = 0;  // and how often the server had become a replica by then.
  // What next == kAwait asks for: parks, and answers.
  std::move_only_function<base::Result<void>(resp::Writer&)> awaited;
  // For a connection that becomes a replica. The stream outlives the attachment.
  os::Stream* stream = nullptr;
  std::move_only_function<void()> becomes_replica;
  ReplicaTraits traits;
  std::unique_ptr<ReplicaAttachment> attachment;
  std::function<Buffered()> buffered;

 private:
  State& state_;
  os::Clock* clock_;
  ReplyGate* gate_;
  Peer peer_;
  SessionKind kind_;
  uint64_t id_;
  Ticket ticket_;
  WallMs now_ = 0;
  bool batch_begun_ = false;  // The time was read for the requests executed since release().
};

WallMs wall_ms(const os::Clock& clock);

}  // namespace seatrial::kv
