// From names to addresses of the kernel and back, for network.cc.
//
// Numeric hosts and "localhost" are known at once. Other names are asked of getaddrinfo, each on
// a thread of its own, which nobody waits for at the end: it may take as long as it likes.
#pragma once

#include "linux/parts.h"
#include "os/network.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <memory>
#include <vector>

namespace seatrial::linux {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t bytes = sizeof storage;

  sockaddr* any() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* any() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
};

// Numeric; an IPv4 address in IPv6's clothes is shown as IPv4.
os::Address to_address(const SocketAddress& address);
os::Address local_address(int fd);

// What to bind for `address`, best first. kInvalidArgument: neither numeric nor "localhost".
Result<std::vector<SocketAddress>> listen_candidates(const os::Address& address);

class Resolver {
 public:
  Resolver(Dispatcher& dispatcher, os::Fibers& fibers) : dispatcher_(dispatcher), fibers_(fibers) {}

  // Parks unless the host is numeric or "localhost". Errors: kUnreachable (no such host),
  // kExhausted (too many lookups under way), kDeadline, kCancelled.
  Result<std::vector<SocketAddress>> resolve(const os::Address& address, MonotonicTime deadline);

 private:
  static constexpr int kLookupsMax = 32;

  Result<std::vector<SocketAddress>> look_up(const os::Address& address, MonotonicTime deadline);

  Dispatcher& dispatcher_;
  os::Fibers& fibers_;
  // Shared with the threads, which may be the last to need it.
  std::shared_ptr<std::atomic<int>> lookups_ = std::make_shared<std::atomic<int>>(0);
};

}  // namespace seatrial::linux
