// A small replicated register, after Attiya, Bar-Noy and Dolev: no leader, no log. Whoever is asked
// coordinates: it asks a majority for their newest version, and has a majority store what it
// answers with. Written against seatrial's os/ only, so that it runs on real sockets and disks
// (node.cc) and in the simulator (trial.cc) alike.
#pragma once

#include "os/os.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace example {

namespace base = seatrial::base;
namespace os = seatrial::os;

inline constexpr uint16_t kPort = 4000;

// What may be wrong with it.
enum class Bug {
  kNone,
  kReadsWithoutWriteBack,   // A read answers with what perhaps only a minority has stored.
  kAcknowledgesBeforeSync,  // A replica says that it has stored what its disk may lose.
};

// Runs one node until it is asked to stop. All nodes are told the same names, their own included.
int run_node(os::Os& os, const std::vector<std::string>& nodes, Bug bug);

// A client's calls, to any node. An error of write() leaves open whether it took effect.
base::Result<std::optional<int64_t>> read(os::Os& os, const std::string& node,
                                          os::MonotonicTime deadline);
base::Result<void> write(os::Os& os, const std::string& node, int64_t value,
                         os::MonotonicTime deadline);

}  // namespace example
