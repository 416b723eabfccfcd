// All that the wire side asks of a server. A connection knows nothing of commands; a server knows
// nothing of sockets.
#pragma once

#include "base/error.h"
#include "resp/request.h"
#include "resp/writer.h"

#include <span>

namespace seatrial::resp {

enum class Next : unsigned char {
  kContinue,
  kClose,  // Send what was answered so far, then close.
  kCut,    // Close at once; nothing more is sent.
  kAwait,  // Send what was answered so far; then await() before the next request.
};

// One client's conversation.
class Session {
 public:
  virtual ~Session() = default;

  // The requests that execute() will get next, as far as they have come: a hint, to fetch the
  // memory of all of them at once. Nothing may depend on it.
  virtual void foresee(std::span<const Args> requests) { static_cast<void>(requests); }

  // Executes one request and answers into `reply`. Never parks, so that requests of one pipeline
  // and of different connections are each atomic.
  virtual Next execute(Args args, Writer& reply) = 0;

  // After execute() has asked for it: parks until the request is carried out, and answers it. An
  // error: the connection is cut.
  virtual base::Result<void> await(Writer& reply) {
    static_cast<void>(reply);
    return {};
  }

  // Parks until everything that execute() answered may be seen outside. An error: it may never
  // be, and the connection is cut without sending it.
  virtual base::Result<void> release() = 0;
};

}  // namespace seatrial::resp
