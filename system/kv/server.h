// The Redis-compatible server as one node: made of its Os and its settings, it restores its data,
// listens, serves until it is asked to stop, and leaves in order.
#pragma once

#include "kv/config.h"
#include "os/os.h"

namespace seatrial::kv {

class Observer;

// Runs on a fiber; parks until the server has ended. Returns the process's exit code: 0 after a
// stop request or SHUTDOWN, 1 if it could not start or had to give up; the log says why.
// `observer` may be null.
int serve(os::Os& os, const Config& config, Observer* observer = nullptr);

}  // namespace seatrial::kv
