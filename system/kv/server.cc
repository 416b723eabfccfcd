#include "kv/server.h"

#include "base/check.h"
#include "kv/children.h"
#include "kv/expire_cycle.h"
#include "kv/propagate/aof.h"
#include "kv/propagate/aof_files.h"
#include "kv/propagate/aof_rewriter.h"
#include "kv/propagate/gate.h"
#include "kv/replication/replication.h"
#include "kv/restore/aof_open.h"
#include "kv/session.h"
#include "kv/snapshots.h"
#include "kv/state.h"
#include "os/mark.h"
#include "resp/connection.h"
#include "resp/writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace seatrial::kv {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Server {
 public:
  Server(os::Os& os, const Config& config, Observer* observer);

  int run();

 private:
  base::Result<void> restore();
  base::Result<void> open_log();
  base::Result<void> listen();
  void start_fibers();
  void accept(os::Listener& listener);
  void welcome(std::unique_ptr<os::Stream> stream);
  void serve_client(os::Stream& stream);
  void refuse_client(os::Stream& stream);
  resp::ConnectionLimits connection_limits() const;
  // What a log record does, while it is replayed.
  base::Result<void> replay(Session& session, resp::Writer& reply, resp::Args args);
  // When the system asks for the end.
  void obey_stop_requests();
  int stop();
  void end(int code);

  os::Os& os_;
  State state_;
  ReplyGate gate_;
  AofFiles aof_files_;
  Aof aof_;
  Children children_;
  Snapshots snapshots_;
  AofRewriter rewriter_;
  Replication replication_;
  ExpireCycle expire_cycle_;
  std::optional<int> exit_code_;
  os::Event ended_;
  std::vector<std::unique_ptr<os::Listener>> listeners_;
  size_t connections_ = 0;
  size_t reply_bytes_max_;
  size_t read_bytes_;  // At a time, of a client; 0: as many as there is reason for.
  size_t ahead_max_;
  // In the order of their destruction, last first: clients, then what serves them.
  os::FiberGroup log_fibers_;
  os::FiberGroup child_fibers_;
  os::FiberGroup clients_;
  os::FiberGroup acceptors_;
};

Server::Server(os::Os& os, const Config& config, Observer* observer)
    : os_(os),
      state_(config, os.log, os.random.stream("kv: hashes and names")),
      gate_(os.fibers),
      aof_files_(os.disk, os.fibers, config),
      aof_(os, state_, gate_, aof_files_,
           [this](const base::Error& error) {
             os_.log.error("The append-only file failed, nothing more is acknowledged: {}",
                           error.message());
             end(1);
           }),
      children_(os, state_.child),
      snapshots_(os, state_, children_),
      rewriter_(os, state_, children_, aof_, aof_files_),
      replication_(os, state_, children_),
      expire_cycle_(state_, os.clock),
      ended_(os.fibers),
      reply_bytes_max_(
          static_cast<size_t>(KNOB(os.chaos, "kv: reply bytes", 64 * 1024, 1, 100, 4096))),
      read_bytes_(static_cast<size_t>(KNOB(os.chaos, "kv: read bytes", 0, 16, 100))),
      ahead_max_(static_cast<size_t>(KNOB(os.chaos, "kv: requests ahead", 16, 1, 3))),
      log_fibers_(os.fibers),
      child_fibers_(os.fibers),
      clients_(os.fibers),
      acceptors_(os.fibers) {
  os.log.set_level(config.loglevel);
  state_.observer = observer;
  state_.process_id = os.process.pid();
  state_.started = wall_ms(os.clock);
  state_.hooks.shut_down = [this] { end(0); };
  state_.hooks.reconfigured = [this] {
    state_.keyspace.configure(collection_settings(state_.config, state_.keyspace.hash_seed()));
    os_.log.set_level(state_.config.loglevel);
    aof_.policy_changed();
    snapshots_.reconfigured();
    replication_.reconfigured();
  };
  state_.hooks.log_effects = [this] {
    aof_.append(state_.effects);
    replication_.feed(state_.effects);
    state_.effects.clear();
  };
  state_.log_control = &rewriter_;
  state_.hooks.data_replaced = [this](std::optional<std::string> snapshot) {
    rewriter_.restart_with(std::move(snapshot));
  };
}

void Server::end(int code) {
  if (!exit_code_) exit_code_ = code;
  ended_.set();
}

int Server::run() {
  if (auto restored = restore(); !restored) {
    os_.log.error("{}", restored.error().message());
    return 1;
  }
  if (auto listening = listen(); !listening) {
    os_.log.error("{}", listening.error().message());
    return 1;
  }
  // Only now is it certain that no other server works here: it would have the port.
  snapshots_.clear_left_overs();
  start_fibers();
  replication_.start();
  for (const auto& listener : listeners_) {
    os_.log.info("Ready to accept connections on {}", os::to_string(listener->local()));
  }
  if (!ended_.wait()) return 1;
  return stop();
}

base::Result<void> Server::restore() {
  TRY(open_log());
  return state_.config.appendonly ? base::Result<void>() : snapshots_.restore();
}

base::Result<void> Server::open_log() {
  if (!state_.config.appendonly) return read_aof_manifest(os_, state_.config, aof_files_);
  Session session(state_, nullptr, nullptr, {}, SessionKind::kLog);
  resp::Writer reply;
  const os::MonotonicTime begun = os_.clock.monotonic();
  OpenedAof opened = TRY(open_aof(os_, state_.config, aof_files_, state_.keyspace,
                                  [&](resp::Args args) { return replay(session, reply, args); }));
  CHECK(!session.transaction.open);
  const auto took = std::chrono::duration_cast<milliseconds>(os_.clock.monotonic() - begun);
  os_.log.info("Loaded {}: {} keys of a snapshot and {} commands in {} ms", opened.path,
               opened.snapshot_keys, opened.commands, took.count());
  state_.log_status.earlier_bytes = opened.earlier_bytes;
  state_.log_status.rewritten_bytes = opened.base_bytes;
  aof_.open(std::move(opened.file), std::move(opened.path), opened.bytes, opened.closed);
  rewriter_.opened();
  return {};
}

base::Result<void> Server::replay(Session& session, resp::Writer& reply, resp::Args args) {
  reply.clear();
  const uint64_t errors = reply.errors();
  session.execute(args, reply);
  if (reply.errors() == errors) return {};
  std::string_view text = reply.bytes();
  text = text.substr(0, text.find("\r\n"));
  return base::fail(base::Errc::kInvalidData,
                    fmt::format("the command '{}' is refused: {}", args[0], text));
}

base::Result<void> Server::listen() {
  const auto port = static_cast<uint16_t>(state_.config.port);
  const int backlog =
      static_cast<int>(KNOB(os_.chaos, "kv: listen backlog", state_.config.tcp_backlog, 1, 2));
  bool everywhere = false;
  for (const std::string& bind : state_.config.bind) {
    // A '-' says that the address may be missing; '*' and '::*' are all of IPv4 and of IPv6,
    // which one listener covers.
    const bool optional = bind.starts_with('-');
    const std::string host = optional ? bind.substr(1) : bind;
    const bool all = host == "*" || host == "::*";
    if (all && std::exchange(everywhere, true)) continue;
    auto listener = os_.network.listen({all ? "" : host, port}, backlog);
    if (listener) {
      listeners_.push_back(std::move(*listener));
    } else if (!optional) {
      return base::fail(listener.error().in(fmt::format("cannot listen on {}:{}", host, port)));
    }
  }
  if (!listeners_.empty()) return {};
  return base::fail(base::Errc::kInvalidArgument, "none of the addresses of 'bind' can be used");
}

void Server::start_fibers() {
  log_fibers_.spawn("aof flusher", [this] { aof_.run_flusher(); });
  log_fibers_.spawn("aof syncer", [this] { aof_.run_syncer(); });
  acceptors_.spawn("expire cycle", [this] { expire_cycle_.run(); });
  child_fibers_.spawn("reaper", [this] { children_.run(); });
  child_fibers_.spawn("aof rewriter", [this] { rewriter_.run(); });
  child_fibers_.spawn("snapshots", [this] { snapshots_.run(); });
  acceptors_.spawn("stop request", [this] { obey_stop_requests(); });
  for (const auto& listener : listeners_) {
    acceptors_.spawn("accept", [this, &listener] { accept(*listener); });
  }
}

void Server::obey_stop_requests() {
  os::Event& request = os_.process.stop_requested();
  while (request.wait()) {
    request.reset();
    os_.log.info("Shutting down: asked to by the system");
    if (snapshots_.prepare_stop(SnapshotControl::AtStop::kAsConfigured, false)) return end(0);
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
      MARK("server: a client could not be accepted");
      os_.log.warn("cannot accept a client: {}", stream.error().message());
      if (!os_.clock.sleep_for(milliseconds(100))) return;
    }
  }
}

void Server::welcome(std::unique_ptr<os::Stream> stream) {
  ++state_.stats.connections;
  const bool full = connections_ >= static_cast<size_t>(state_.config.maxclients);
  ++connections_;
  clients_.spawn("client", [this, full, stream = std::move(stream)] {
    if (full) {
      refuse_client(*stream);
    } else {
      serve_client(*stream);
    }
    --connections_;
  });
}

void Server::refuse_client(os::Stream& stream) {
  MARK("server: maxclients");
  ++state_.stats.connections_rejected;
  const auto deadline = os_.clock.monotonic() + seconds(1);
  // Who does not even take this is closed all the same.
  static_cast<void>(os::write_all(stream, "-ERR max number of clients reached\r\n", deadline));
}

resp::ConnectionLimits Server::connection_limits() const {
  const Config& config = state_.config;
  resp::ConnectionLimits limits;
  limits.parser.bulk_bytes_max = static_cast<size_t>(config.proto_max_bulk_bytes);
  limits.input_bytes_max = static_cast<size_t>(config.client_query_buffer_bytes);
  limits.idle_max = seconds(config.timeout_seconds);
  limits.reply_bytes_max = reply_bytes_max_;
  limits.ahead_max = ahead_max_;
  if (read_bytes_ > 0) limits.read_bytes_min = limits.read_bytes_max = read_bytes_;
  return limits;
}

void Server::serve_client(os::Stream& stream) {
  if (CHANCE(os_.chaos, "kv: late welcome") && !os_.clock.sleep_for(milliseconds(2))) return;
  resp::Connection connection(stream, os_.clock, connection_limits());
  Session session(state_, &os_.clock, &gate_,
                  {.address = os::to_string(stream.peer()),
                   .local_address = os::to_string(stream.local()),
                   .connected = wall_ms(os_.clock)});
  session.stream = &stream;
  session.cut = [this, &session, &stream] {
    session.was_cut = true;
    stream.close();
    replication_.wake_waiting();
  };
  session.buffered = [&connection] {
    return Buffered{connection.input().size(), connection.input().room(),
                    connection.output().size(), connection.output().capacity(),
                    connection.bytes_read()};
  };
  session.becomes_replica = [&connection] { connection.limits().idle_max = {}; };
  const auto served = connection.serve(session);
  state_.stats.input_bytes += connection.bytes_read();
  state_.stats.output_bytes += connection.bytes_written();
  if (!served) {
    os_.log.debug("client {} at {}: {}", session.id(), session.peer().address,
                  served.error().message());
  }
}

int Server::stop() {
  const int code = exit_code_.value_or(1);
  for (const auto& listener : listeners_) listener->close();
  acceptors_.cancel();
  if (code == 0) {
    // Replies of what is in the log already may still go out.
    const auto patience = os_.clock.monotonic() + seconds(1);
    while (gate_.kept() < gate_.end() && os_.clock.monotonic() < patience) {
      if (!os_.clock.sleep_for(milliseconds(1))) break;
    }
  }
  clients_.cancel();
  static_cast<void>(acceptors_.join());
  static_cast<void>(clients_.join());
  replication_.stop();
  child_fibers_.cancel();
  static_cast<void>(child_fibers_.join());
  children_.end();
  log_fibers_.cancel();
  static_cast<void>(log_fibers_.join());
  if (code != 0) return code;
  if (auto closed = aof_.close(); !closed) {
    os_.log.error("The append-only file could not be finished: {}", closed.error().message());
    return 1;
  }
  os_.log.info("Ready to exit, bye");
  return 0;
}

}  // namespace

int serve(os::Os& os, const Config& config, Observer* observer) {
  // On the heap: a fiber's stack is small.
  const auto server = std::make_unique<Server>(os, config, observer);
  return server->run();
}

}  // namespace seatrial::kv
