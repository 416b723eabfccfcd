// One replica of ours, as long as its connection lives: the writing side of that connection. Its
// reading side stays with the connection, which executes what the replica sends (REPLCONF ACK).
//
// A fiber of its own sends the answer to PSYNC, the snapshot where one is due, and then the stream
// from the backlog: a slow replica delays nobody else. What waits for it there is bounded by
// client-output-buffer-limit; one that exceeds it is cut.
#pragma once

#include "kv/replication/control.h"
#include "kv/replication/full_sync.h"
#include "kv/replication/status.h"
#include "os/os.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace seatrial::kv {

class Primary;

class ReplicaLink final : public ReplicaAttachment {
 public:
  enum class Phase : uint8_t { kWaitStart, kWaitEnd, kSendBulk, kOnline };

  ReplicaLink(Primary& primary, Session& session);
  ~ReplicaLink() override;
  ReplicaLink(const ReplicaLink&) = delete;
  ReplicaLink& operator=(const ReplicaLink&) = delete;

  // One of these, once: its stream goes on behind `offset`; or it gets everything first.
  void continue_from(uint64_t offset);
  void synchronize(bool plain_sync);

  void acknowledge(uint64_t offset);
  // Ends the connection, for this reason.
  void cut(std::string_view reason);

  // The size of what waits for it, now, is more than the limits allow.
  bool exceeds_limit();
  // Notices what its connection has received since the last time.
  void listen();

  Phase phase() const { return phase_; }
  bool online() const { return phase_ == Phase::kOnline && !cut_; }
  std::string_view phase_name() const;
  // By what they say of themselves.
  bool same_server(const ReplicaLink& other) const {
    return port() != 0 && port() == other.port() && address() == other.address();
  }
  const std::string& address() const { return address_; }
  int64_t port() const { return traits_.port; }
  std::string name() const;
  uint64_t acknowledged() const { return acknowledged_; }
  os::MonotonicTime heard() const { return heard_; }
  uint64_t waiting_bytes() const { return cursor_ ? cursor_->left() : 0; }

 private:
  void run(bool full);
  base::Result<void> send_snapshot();
  base::Result<void> await_job();
  base::Result<void> await_end();
  base::Result<void> send_file();
  base::Result<void> send_pieces();
  base::Result<void> send_stream();
  void go_online();
  // Writes, each piece within repl-timeout.
  base::Result<void> write(base::Bytes bytes);
  os::MonotonicTime patience() const;

  Primary& primary_;
  Session& session_;
  os::Stream& stream_;
  const ReplicaTraits traits_;
  std::string address_;
  Phase phase_ = Phase::kOnline;
  bool plain_sync_ = false;
  bool cut_ = false;
  std::string greeting_;
  uint64_t asked_ = 0;  // For a snapshot, under this number.
  bool refused_ = false;
  std::shared_ptr<SnapshotJob> job_;
  uint64_t pieces_taken_ = 0;
  std::optional<Backlog::Cursor> cursor_;
  bool starts_on_ack_ = false;  // Its stream begins once it has loaded the snapshot.
  uint64_t acknowledged_ = 0;
  os::MonotonicTime heard_;
  uint64_t received_ = 0;
  std::optional<os::MonotonicTime> over_soft_limit_since_;
  os::WaitQueue changed_;
  std::optional<os::FiberGroup> fiber_;
};

}  // namespace seatrial::kv
