#include "linux/resolve.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>
#include <thread>

namespace seatrial::linux {
namespace {

using os::Address;

SocketAddress ipv4(in_addr host, uint16_t port) {
  SocketAddress address;
  auto& v4 = reinterpret_cast<sockaddr_in&>(address.storage);
  v4.sin_family = AF_INET;
  v4.sin_addr = host;
  v4.sin_port = htons(port);
  address.bytes = sizeof v4;
  return address;
}

SocketAddress ipv6(const in6_addr& host, uint16_t port) {
  SocketAddress address;
  auto& v6 = reinterpret_cast<sockaddr_in6&>(address.storage);
  v6.sin6_family = AF_INET6;
  v6.sin6_addr = host;
  v6.sin6_port = htons(port);
  address.bytes = sizeof v6;
  return address;
}

// Of hosts that need no asking; empty for all others.
std::vector<SocketAddress> known(const Address& address) {
  if (address.host == "localhost") {
    return {ipv4(in_addr{htonl(INADDR_LOOPBACK)}, address.port),
            ipv6(in6addr_loopback, address.port)};
  }
  in_addr v4{};
  if (inet_pton(AF_INET, address.host.c_str(), &v4) == 1) return {ipv4(v4, address.port)};
  in6_addr v6{};
  if (inet_pton(AF_INET6, address.host.c_str(), &v6) == 1) return {ipv6(v6, address.port)};
  return {};
}

// One question to getaddrinfo: made by a fiber, answered by a thread, dropped by whoever is last.
struct Lookup {
  std::string host;
  uint16_t port = 0;
  Descriptor event;
  std::atomic<bool> answered = false;
  int code = 0;
  std::vector<SocketAddress> found;

  void ask() {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    code = getaddrinfo(host.c_str(), nullptr, &hints, &list);
    for (const addrinfo* at = list; code == 0 && at != nullptr; at = at->ai_next) {
      SocketAddress address;
      std::memcpy(&address.storage, at->ai_addr, at->ai_addrlen);
      address.bytes = at->ai_addrlen;
      if (at->ai_family == AF_INET) {
        reinterpret_cast<sockaddr_in&>(address.storage).sin_port = htons(port);
      } else if (at->ai_family == AF_INET6) {
        reinterpret_cast<sockaddr_in6&>(address.storage).sin6_port = htons(port);
      } else {
        continue;
      }
      found.push_back(address);
    }
    if (list != nullptr) freeaddrinfo(list);
    answered = true;
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(event.get(), &one, sizeof one);
  }
};

// The fiber's side of it: epoll tells of the answer.
class Answer final : public Watch {
 public:
  Answer(Dispatcher& dispatcher, os::Fibers& fibers, int fd)
      : dispatcher_(dispatcher), fd_(fd), waiter_(fibers) {}
  ~Answer() {
    if (watched_) dispatcher_.unwatch(fd_);
  }
  Result<void> watch() {
    TRY(dispatcher_.watch(fd_, EPOLLIN, *this));
    watched_ = true;
    return {};
  }
  Result<void> wait(MonotonicTime deadline) { return os::to_result(waiter_.wait(deadline)); }
  void on_events(uint32_t) override { waiter_.wake_all(); }

 private:
  Dispatcher& dispatcher_;
  const int fd_;
  bool watched_ = false;
  os::WaitQueue waiter_;
};

}  // namespace

Address to_address(const SocketAddress& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.family() == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address.storage);
    inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    return {text, ntohs(v4.sin_port)};
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address.storage);
  if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
    inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], text, sizeof text);
  } else {
    inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
  }
  return {text, ntohs(v6.sin6_port)};
}

Address local_address(int fd) {
  SocketAddress address;
  CHECK(::getsockname(fd, address.any(), &address.bytes) == 0);
  return to_address(address);
}

Result<std::vector<SocketAddress>> listen_candidates(const Address& address) {
  if (address.host.empty()) {
    return std::vector{ipv6(in6addr_any, address.port), ipv4(in_addr{INADDR_ANY}, address.port)};
  }
  auto found = known(address);
  if (!found.empty()) return found;
  return base::fail(Errc::kInvalidArgument,
                    fmt::format("listen on {}: the host must be an address of this machine, "
                                "localhost or empty",
                                os::to_string(address)));
}

Result<std::vector<SocketAddress>> Resolver::resolve(const Address& address,
                                                     MonotonicTime deadline) {
  if (address.host.empty()) {
    return base::fail(Errc::kInvalidArgument, "connect: no host is given");
  }
  auto found = known(address);
  if (!found.empty()) return found;
  return look_up(address, deadline);
}

Result<std::vector<SocketAddress>> Resolver::look_up(const Address& address,
                                                     MonotonicTime deadline) {
  const std::string what = "look up " + address.host;
  if (*lookups_ >= kLookupsMax) {
    return base::fail(Errc::kExhausted, what + ": too many lookups are under way");
  }
  auto lookup = std::make_shared<Lookup>();
  lookup->host = address.host;
  lookup->port = address.port;
  lookup->event = Descriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!lookup->event) return fail_with(errno, what);
  Answer answer(dispatcher_, fibers_, lookup->event.get());
  TRY(answer.watch());
  ++*lookups_;
  try {
    std::thread([lookup, count = lookups_] {
      lookup->ask();
      --*count;
    }).detach();
  } catch (const std::system_error& error) {
    --*lookups_;
    return base::fail(Errc::kExhausted, fmt::format("{}: {}", what, error.what()));
  }
  while (!lookup->answered) TRY(answer.wait(deadline));
  if (lookup->code != 0 || lookup->found.empty()) {
    return base::fail(Errc::kUnreachable, fmt::format("{}: {}", what, gai_strerror(lookup->code)));
  }
  return lookup->found;
}

}  // namespace seatrial::linux
