// What INFO and the commands may know of the server's child.
#pragma once

#include "os/process.h"
#include "os/time.h"

#include <cstdint>
#include <optional>

namespace seatrial::kv {

enum class ChildKind : uint8_t {
  kRdbToDisk,
  kRdbToReplicas,
  kAofRewrite,
};

struct ChildStatus {
  // Of the one that was started and whose end is not settled yet; nothing: there is none.
  std::optional<ChildKind> kind;
  os::Pid pid = 0;
  os::MonotonicTime begun{};
  // Since the start of the server.
  uint64_t forks = 0;
  int64_t latest_fork_microseconds = 0;

  bool is(ChildKind which) const { return kind == which; }
};

}  // namespace seatrial::kv
