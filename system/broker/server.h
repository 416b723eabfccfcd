// The Kafka-compatible broker as one node: made of its Os and its settings, it recovers its logs,
// listens, serves until it is asked to stop, and leaves in order.
#pragma once

#include "broker/config.h"
#include "os/os.h"

namespace seatrial::broker {

// Runs on a fiber; parks until the broker has ended. Returns the process's exit code: 0 after a
// stop request, 1 if it could not start or had to give up; the log says why.
int serve(os::Os& os, const Config& config);

}  // namespace seatrial::broker
