// Small programs for nodes, shared by the simulator's tests: an echo server on port 7, and a client
// that says in words what came of a call.
#pragma once

#include "os/os.h"

#include <string>
#include <string_view>

namespace seatrial::sim {

// Serves until it is cancelled or killed.
int echo_server(os::Os& os);

// Sends `text` on a connection of its own and returns what comes back, or the error in words.
std::string echo_call(os::Os& os, std::string_view host, std::string_view text,
                      os::Duration patience = std::chrono::seconds(10));

// Opens or creates, writes from the start, syncs if asked; the first error in words, or "ok".
std::string write_file(os::Os& os, std::string_view path, std::string_view text, bool sync);

// Its whole contents, or the error in words.
std::string file_text(os::Os& os, std::string_view path);

template <typename T>
std::string outcome(const base::Result<T>& result) {
  return result ? "ok" : std::string(to_string(result.error().code()));
}

}  // namespace seatrial::sim
