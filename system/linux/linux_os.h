// Machine 1 of the boundary: a node on Linux, with real sockets, files, clocks and processes.
//
// One thread runs the fibers and waits in epoll; a few others do what would block it (file calls,
// name lookups). Everything else of this folder is private to it.
#pragma once

#include "base/error.h"
#include "base/log.h"
#include "os/os.h"

#include <functional>
#include <string>

namespace seatrial::linux {

struct LinuxOptions {
  std::string working_directory = {};  // Where relative paths begin; empty: that of the process.
  std::string log_file = {};           // Appended to; empty: standard error.
  base::LogLevel log_level = base::LogLevel::kInfo;
  unsigned disk_threads = 4;  // At least one.
};

// Runs `main` on the first fiber of a node and returns its code. When it has returned, nothing
// else of the node runs any more: file calls under way are finished, then the other fibers are
// unwound, last started first. Errors: the working directory or the log cannot be opened, or the
// system gives no descriptors.
//
// While it runs, SIGTERM and SIGINT are blocked for this thread and asked of as
// Process::stop_requested(), SIGPIPE is ignored, and a failed CHECK goes to the node's log before
// it aborts. One node at a time; call it where no other thread takes these signals.
base::Result<int> run(const LinuxOptions& options, std::move_only_function<int(os::Os&)> main);

}  // namespace seatrial::linux
