// TCP over IPv4 and IPv6, and the links to forked children.
//
// One epoll registration a socket, edge-triggered, for both directions; ready flags remember what
// epoll said. A read that comes back short has emptied the socket and clears its flag, a short
// write has filled it and clears the other, so a request costs one read and one write and no call
// that only learns "not now".
#include "os/network.h"
#include "linux/parts.h"
#include "linux/resolve.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

namespace seatrial::linux {
namespace {

using base::Bytes;
using base::MutableBytes;
using os::Address;

// A socket that epoll watches. Shared with the fibers that are parked on it, so that its owner
// may go while they still have to hear of it.
class Socket final : public Watch, public std::enable_shared_from_this<Socket> {
 public:
  Socket(Dispatcher& the_dispatcher, os::Fibers& the_fibers, Descriptor descriptor)
      : dispatcher(the_dispatcher),
        fibers(the_fibers),
        fd(std::move(descriptor)),
        readers(the_fibers),
        writers(the_fibers) {}
  ~Socket() { close(); }

  Result<void> watch() {
    TRY(dispatcher.watch(fd.get(), EPOLLIN | EPOLLOUT | EPOLLRDHUP, *this));
    watched = true;
    return {};
  }

  void on_events(uint32_t events) override {
    constexpr uint32_t kEnds = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
    if ((events & kEnds) != 0) hung_up = true;
    if ((events & (EPOLLIN | kEnds)) != 0) {
      readable = true;
      readers.wake_all();
    }
    if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) {
      writable = true;
      writers.wake_all();
    }
  }

  // Parks in one of the two queues.
  Result<void> wait(os::WaitQueue& queue, MonotonicTime deadline) {
    const auto keep = shared_from_this();
    return os::to_result(queue.wait(deadline));
  }

  void close() {
    if (!fd) return;
    if (std::exchange(watched, false)) dispatcher.unwatch(fd.get());
    fd.close();
    readers.wake_all();
    writers.wake_all();
  }

  Dispatcher& dispatcher;
  os::Fibers& fibers;
  Descriptor fd;
  os::WaitQueue readers;
  os::WaitQueue writers;
  bool watched = false;
  bool readable = false;
  bool writable = false;
  bool hung_up = false;  // The end is there, maybe behind data: no further edge will tell.
  bool write_shut = false;
  int cut_by = 0;  // The errno that ended the stream; the kernel tells it only once.
};

class SocketStream final : public os::Stream {
 public:
  SocketStream(std::shared_ptr<Socket> socket, Address local, Address peer)
      : socket_(std::move(socket)), local_(std::move(local)), peer_(std::move(peer)) {}
  ~SocketStream() override { close(); }

  Result<size_t> read(MutableBytes into, MonotonicTime deadline) override {
    CHECK(!into.empty());
    Socket& socket = *socket_;
    TRY(socket.dispatcher.admit(socket.fibers));
    for (;;) {
      TRY(check_open(socket));
      if (socket.readable) {
        const ssize_t count = ::recv(socket.fd.get(), into.data(), into.size(), 0);
        if (count > 0) {
          const auto bytes = static_cast<size_t>(count);
          if (bytes < into.size() && !socket.hung_up) socket.readable = false;
          return bytes;
        }
        if (count == 0) return 0;
        TRY(note_failure(socket, socket.readable));
      } else {
        TRY(socket.wait(socket.readers, deadline));
      }
    }
  }

  Result<size_t> write(Bytes from, MonotonicTime deadline) override {
    Socket& socket = *socket_;
    TRY(socket.dispatcher.admit(socket.fibers));
    for (;;) {
      TRY(check_open(socket));
      if (socket.write_shut) return base::fail(Errc::kClosed);
      if (from.empty()) return 0;
      if (socket.writable) {
        const ssize_t count = ::send(socket.fd.get(), from.data(), from.size(), MSG_NOSIGNAL);
        if (count > 0) {
          const auto bytes = static_cast<size_t>(count);
          if (bytes < from.size()) socket.writable = false;
          return bytes;
        }
        TRY(note_failure(socket, socket.writable));
      } else {
        TRY(socket.wait(socket.writers, deadline));
      }
    }
  }

  void shutdown_write() override {
    if (!socket_->fd || std::exchange(socket_->write_shut, true)) return;
    ::shutdown(socket_->fd.get(), SHUT_WR);  // Fails only on what is cut already.
    socket_->writers.wake_all();
  }

  void close() override { socket_->close(); }

  void reset() override {
    if (!socket_->fd) return;
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_->fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    socket_->close();
  }

  const Address& local() const override { return local_; }
  const Address& peer() const override { return peer_; }

 private:
  static Result<void> check_open(const Socket& socket) {
    if (!socket.fd) [[unlikely]]
      return base::fail(Errc::kClosed);
    if (socket.cut_by != 0) [[unlikely]]
      return cut(socket.cut_by);
    return {};
  }

  // After a failed call: clears `ready` if there is only nothing now, else the stream is cut.
  static Result<void> note_failure(Socket& socket, bool& ready) {
    if (errno == EINTR) return {};
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      ready = false;
      return {};
    }
    socket.cut_by = errno;
    return cut(socket.cut_by);
  }

  // Whatever the kernel's reason: for the boundary it was cut.
  static std::unexpected<Error> cut(int code) {
    return base::fail(Errc::kReset, error_of(code, "stream").message());
  }

  const std::shared_ptr<Socket> socket_;
  const Address local_;
  const Address peer_;
};

class TcpListener final : public os::Listener {
 public:
  TcpListener(std::shared_ptr<Socket> socket, Address local)
      : socket_(std::move(socket)), local_(std::move(local)) {}
  ~TcpListener() override { close(); }

  Result<std::unique_ptr<os::Stream>> accept(MonotonicTime deadline) override {
    Socket& socket = *socket_;
    TRY(socket.dispatcher.admit(socket.fibers));
    for (;;) {
      if (!socket.fd) return base::fail(Errc::kClosed);
      if (!socket.readable) {
        TRY(socket.wait(socket.readers, deadline));
        continue;
      }
      SocketAddress peer;
      Descriptor fd(
          ::accept4(socket.fd.get(), peer.any(), &peer.bytes, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (fd) return accepted(std::move(fd), peer);
      switch (errno) {
        case EAGAIN: socket.readable = false; break;
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM: return fail_with(errno, "accept on " + os::to_string(local_));
        case EBADF:
        case EINVAL:
        case ENOTSOCK: UNREACHABLE("accept: errno {}", errno);
        default: break;  // That one caller has gone already: the next.
      }
    }
  }

  void close() override { socket_->close(); }
  const Address& local() const override { return local_; }

 private:
  Result<std::unique_ptr<os::Stream>> accepted(Descriptor fd, const SocketAddress& peer) {
    // TCP_NODELAY comes from the listening socket.
    const Address local = local_address(fd.get());
    auto socket = std::make_shared<Socket>(socket_->dispatcher, socket_->fibers, std::move(fd));
    socket->writable = true;
    TRY(socket->watch());
    return std::make_unique<SocketStream>(std::move(socket), local, to_address(peer));
  }

  const std::shared_ptr<Socket> socket_;
  const Address local_;
};

void enable(int fd, int level, int option, int value = 1) {
  CHECK(::setsockopt(fd, level, option, &value, sizeof value) == 0);
}

class TcpNetwork final : public os::Network {
 public:
  TcpNetwork(Dispatcher& dispatcher, os::Fibers& fibers)
      : dispatcher_(dispatcher), fibers_(fibers), resolver_(dispatcher, fibers) {}

  Result<std::unique_ptr<os::Listener>> listen(const Address& address, int backlog) override {
    Result<std::unique_ptr<os::Listener>> result = base::fail(Errc::kInvalidArgument);
    for (const SocketAddress& candidate : TRY(listen_candidates(address))) {
      result = listen_on(candidate, address, backlog);
      // A host without IPv6 still has all its IPv4 interfaces.
      if (result || !(result.error() == Errc::kInvalidArgument)) break;
    }
    return result;
  }

  Result<std::unique_ptr<os::Stream>> connect(const Address& address,
                                              MonotonicTime deadline) override {
    TRY(dispatcher_.admit(fibers_));
    Result<std::unique_ptr<os::Stream>> result = base::fail(Errc::kUnreachable);
    for (const SocketAddress& candidate : TRY(resolver_.resolve(address, deadline))) {
      result = connect_to(candidate, address, deadline);
      if (result || result.error() == Errc::kDeadline || result.error() == Errc::kCancelled) break;
    }
    return result;
  }

 private:
  Result<std::unique_ptr<os::Listener>> listen_on(const SocketAddress& at, const Address& address,
                                                  int backlog) {
    const auto failed = [&] { return fail_with(errno, "listen on " + os::to_string(address)); };
    Descriptor fd(::socket(at.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) return failed();
    enable(fd.get(), SOL_SOCKET, SO_REUSEADDR);
    enable(fd.get(), IPPROTO_TCP, TCP_NODELAY);
    if (at.family() == AF_INET6) {
      enable(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, address.host.empty() ? 0 : 1);
    }
    if (::bind(fd.get(), at.any(), at.bytes) != 0) return failed();
    if (::listen(fd.get(), backlog) != 0) return failed();
    const Address local{address.host, local_address(fd.get()).port};
    auto socket = std::make_shared<Socket>(dispatcher_, fibers_, std::move(fd));
    TRY(socket->watch());
    return std::make_unique<TcpListener>(std::move(socket), local);
  }

  Result<std::unique_ptr<os::Stream>> connect_to(const SocketAddress& to, const Address& address,
                                                 MonotonicTime deadline) {
    const auto failed = [&](int code) {
      return fail_with(code, "connect to " + os::to_string(address));
    };
    Descriptor fd(::socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) return failed(errno == EAFNOSUPPORT ? ENETUNREACH : errno);
    enable(fd.get(), IPPROTO_TCP, TCP_NODELAY);
    auto socket = std::make_shared<Socket>(dispatcher_, fibers_, std::move(fd));
    const int raw = socket->fd.get();
    if (::connect(raw, to.any(), to.bytes) != 0 && errno != EINPROGRESS && errno != EINTR) {
      // No local port is left: a limit, not a wrong address.
      return failed(errno == EADDRNOTAVAIL ? ENOBUFS : errno);
    }
    TRY(socket->watch());
    while (!socket->writable) TRY(socket->wait(socket->writers, deadline));
    int code = 0;
    socklen_t bytes = sizeof code;
    CHECK(::getsockopt(raw, SOL_SOCKET, SO_ERROR, &code, &bytes) == 0);
    if (code != 0) return failed(code);
    Address local = local_address(raw);
    // A port of our own range that nobody listens on may be given to this very socket, which then
    // is connected to itself.
    Address peer = to_address(to);
    if (local == peer) return failed(ECONNREFUSED);
    return std::make_unique<SocketStream>(std::move(socket), std::move(local), std::move(peer));
  }

  Dispatcher& dispatcher_;
  os::Fibers& fibers_;
  Resolver resolver_;
};

}  // namespace

std::unique_ptr<os::Network> make_network(Dispatcher& dispatcher, os::Fibers& fibers) {
  return std::make_unique<TcpNetwork>(dispatcher, fibers);
}

Result<std::unique_ptr<os::Stream>> make_link(Dispatcher& dispatcher, os::Fibers& fibers,
                                              Descriptor end) {
  auto socket = std::make_shared<Socket>(dispatcher, fibers, std::move(end));
  TRY(socket->watch());
  return std::make_unique<SocketStream>(std::move(socket), Address{}, Address{});
}

}  // namespace seatrial::linux
