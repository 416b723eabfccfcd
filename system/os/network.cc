#include "os/network.h"

#include <fmt/format.h>

namespace seatrial::os {

std::string to_string(const Address& address) {
  if (address.host.find(':') != std::string::npos) {
    return fmt::format("[{}]:{}", address.host, address.port);
  }
  return fmt::format("{}:{}", address.host, address.port);
}

Result<void> write_all(Stream& stream, Bytes from, MonotonicTime deadline) {
  while (!from.empty()) from.remove_prefix(TRY(stream.write(from, deadline)));
  return {};
}

}  // namespace seatrial::os
