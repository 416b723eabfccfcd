// Byte streams between named hosts, in the manner of TCP.
//
// A stream is bytes, not messages: any read may return fewer than asked for, any write may take
// fewer than offered, and the stream may be cut after any byte. The network may also never
// answer, so whoever cannot wait for ever gives a deadline; keepalive is the node's own work.
// A call may let other fibers run also where it has something to return at once, so that a busy
// stream keeps nobody from the rest; in a cancelled fiber it returns kCancelled even then.
// One fiber reads and one writes at a time. Nobody else's memory is touched after a call returns.
#pragma once

#include "base/bytes.h"
#include "base/error.h"
#include "os/time.h"

#include <cstdint>
#include <memory>
#include <string>

namespace seatrial::os {

using base::Bytes;
using base::MutableBytes;
using base::Result;

struct Address {
  std::string host;  // A name or a numeric address; empty in listen(): all interfaces.
  uint16_t port = 0;

  friend bool operator==(const Address&, const Address&) = default;
};

std::string to_string(const Address& address);  // "host:port", "[::1]:port"

class Stream {
 public:
  // Closes. The peer reads end of stream after all that was written, or a reset where bytes of
  // its own were still unread here.
  virtual ~Stream() = default;

  // Parks until at least one byte, the end, or an error is there; returns the number of bytes
  // put into `into` (not empty); 0: the peer has shut down its writing side.
  // Errors: kReset, kClosed (closed on this side, also while parked), kDeadline (nothing was
  // taken; the stream goes on), kCancelled.
  virtual Result<size_t> read(MutableBytes into, MonotonicTime deadline = kNever) = 0;

  // Parks while the stream takes nothing; returns how many bytes it took (at least one, if
  // `from` is not empty). Taken is not delivered: the peer may never see them, and a failed or
  // cut stream does not say how many it saw. Errors as for read().
  virtual Result<size_t> write(Bytes from, MonotonicTime deadline = kNever) = 0;

  // Half-close: the peer reads end of stream after what was written; reading goes on here.
  virtual void shutdown_write() = 0;

  // Ends both directions now, does not park; parked readers and writers of this side return
  // kClosed. Safe to call again.
  virtual void close() = 0;

  // As close(), but the peer gets kReset and may lose bytes that were under way.
  virtual void reset() = 0;

  virtual const Address& local() const = 0;
  virtual const Address& peer() const = 0;
};

class Listener {
 public:
  // Stops listening; connections that nobody accepted are reset.
  virtual ~Listener() = default;

  // Parks until a connection is there. Errors: kClosed, kDeadline, kCancelled, kExhausted (no
  // descriptor is left: wait a little and go on).
  virtual Result<std::unique_ptr<Stream>> accept(MonotonicTime deadline = kNever) = 0;

  // As the destructor; parked and later accept() return kClosed. Safe to call again.
  virtual void close() = 0;
  // As given to listen(), with the port that was given for port 0.
  virtual const Address& local() const = 0;
};

class Network {
 public:
  virtual ~Network() = default;

  // Does not park. Errors: kAddressInUse, kPermission, kInvalidArgument (neither an address of
  // this host nor "localhost"). `backlog`: connections that may wait for accept(); beyond it a
  // caller waits in the network.
  virtual Result<std::unique_ptr<Listener>> listen(const Address& address, int backlog = 511) = 0;

  // Parks until connected. Errors: kRefused, kUnreachable, kReset, kDeadline, kCancelled. Without
  // a deadline it may take as long as the system's own limit (minutes).
  virtual Result<std::unique_ptr<Stream>> connect(const Address& address,
                                                  MonotonicTime deadline = kNever) = 0;
};

// Writes all of `from`, in as many writes as it takes. On an error some may have been taken.
Result<void> write_all(Stream& stream, Bytes from, MonotonicTime deadline = kNever);

}  // namespace seatrial::os
