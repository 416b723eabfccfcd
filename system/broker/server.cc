#include "broker/server.h"

#include "broker/catalog.h"
#include "broker/connection.h"
#include "os/mark.h"

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace seatrial::broker {
namespace {

class Server {
 public:
  Server(os::Os& os, const Config& config);

  int run();

 private:
  base::Result<void> listen();
  void start_fibers();
  void accept(os::Listener& listener);
  void welcome(std::unique_ptr<os::Stream> stream);
  int stop();
  void end(int code);

  os::Os& os_;
  const Config config_;
  Catalog catalog_;
  std::optional<int> exit_code_;
  os::Event ended_;
  std::vector<std::unique_ptr<os::Listener>> listeners_;
  size_t connections_ = 0;
  // In the order of their destruction, last first.
  os::FiberGroup clients_;
  os::FiberGroup acceptors_;
};

Server::Server(os::Os& os, const Config& config)
    : os_(os),
      config_(config),
      catalog_(os, config_,
               [this](const base::Error& error) {
                 os_.log.error("a log failed, nothing more is acknowledged: {}", error.message());
                 end(1);
               }),
      ended_(os.fibers),
      clients_(os.fibers),
      acceptors_(os.fibers) {
  os.log.set_level(config.log_level);
}

void Server::end(int code) {
  if (!exit_code_) exit_code_ = code;
  ended_.set();
}

int Server::run() {
  for (const std::string& warning : config_.warnings) os_.log.warn("{}", warning);
  if (auto opened = catalog_.open(); !opened) {
    os_.log.error("{}", opened.error().message());
    return 1;
  }
  if (auto listening = listen(); !listening) {
    os_.log.error("{}", listening.error().message());
    return 1;
  }
  start_fibers();
  for (const auto& listener : listeners_) {
    os_.log.info("broker {} of cluster {}: ready to accept connections on {}", config_.broker_id,
                 catalog_.cluster_id(), os::to_string(listener->local()));
  }
  if (!ended_.wait()) return 1;
  return stop();
}

base::Result<void> Server::listen() {
  for (const os::Address& address : config_.listeners) {
    auto listener = os_.network.listen(
        address, static_cast<int>(KNOB(os_.chaos, "broker: listen backlog", 511, 1, 2)));
    if (!listener) {
      return base::fail(
          listener.error().in(fmt::format("cannot listen on {}", os::to_string(address))));
    }
    listeners_.push_back(std::move(*listener));
  }
  return {};
}

void Server::start_fibers() {
  acceptors_.spawn("stop request", [this] {
    if (!os_.process.stop_requested().wait()) return;
    os_.log.info("shutting down: asked to by the system");
    end(0);
  });
  for (const auto& listener : listeners_) {
    acceptors_.spawn("accept", [this, &listener] { accept(*listener); });
  }
}

void Server::accept(os::Listener& listener) {
  while (true) {
    auto stream = listener.accept();
    if (stream) {
      welcome(std::move(*stream));
    } else if (stream.error() == base::Errc::kClosed || stream.error() == base::Errc::kCancelled) {
      return;
    } else {
      MARK("broker: a client could not be accepted");
      os_.log.warn("cannot accept a client: {}", stream.error().message());
      if (!os_.clock.sleep_for(std::chrono::milliseconds(100))) return;
    }
  }
}

void Server::welcome(std::unique_ptr<os::Stream> stream) {
  if (connections_ >= static_cast<size_t>(config_.connections_max)) {
    MARK("broker: max.connections");
    os_.log.warn("client {}: refused, max.connections is {}", os::to_string(stream->peer()),
                 config_.connections_max);
    return;
  }
  ++connections_;
  clients_.spawn("client", [this, stream = std::move(stream)] {
    {
      // On the heap: a fiber's stack is small.
      const auto connection = std::make_unique<Connection>(os_, config_, catalog_, *stream);
      connection->serve();
    }
    --connections_;
  });
}

int Server::stop() {
  const int code = exit_code_.value_or(1);
  for (const auto& listener : listeners_) listener->close();
  acceptors_.cancel();
  clients_.cancel();
  static_cast<void>(acceptors_.join());
  static_cast<void>(clients_.join());
  if (code != 0) return code;
  if (auto closed = catalog_.close(); !closed) {
    os_.log.error("the logs could not be finished: {}", closed.error().message());
    return 1;
  }
  os_.log.info("all is flushed, bye");
  return 0;
}

}  // namespace

int serve(os::Os& os, const Config& config) {
  // On the heap: a fiber's stack is small.
  const auto server = std::make_unique<Server>(os, config);
  return server->run();
}

}  // namespace seatrial::broker
