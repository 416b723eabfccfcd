// All that a node is given of the world: one Os a process, passed to its constructor. There is no
// other way out: no globals, no "am I simulated?", no descriptor, errno or thread above it.
#pragma once

#include "base/log.h"
#include "os/chaos.h"
#include "os/clock.h"
#include "os/disk.h"
#include "os/fiber.h"
#include "os/mark.h"
#include "os/network.h"
#include "os/process.h"
#include "os/random.h"
#include "os/sync.h"

namespace seatrial::os {

struct Os {
  Clock& clock;
  Fibers& fibers;
  Network& network;
  Disk& disk;
  Process& process;
  Random& random;
  Chaos& chaos;
  base::Log& log;
};

}  // namespace seatrial::os
