#include "sim/machine/network.h"

#include "base/check.h"
#include "sim/machine/connection.h"
#include "sim/machine/process.h"
#include "sim/world.h"

#include <fmt/format.h>

namespace seatrial::sim {

using base::Errc;
using base::fail;

namespace {

using namespace std::chrono_literals;

// Linux sends a SYN again after 1, 2, 4, ... seconds, six times.
constexpr uint32_t kSynRetriesMax = 6;
constexpr uint16_t kFirstEphemeralPort = 32768;
constexpr uint16_t kLastEphemeralPort = 60999;

bool means_this_host(std::string_view host, const Node& node) {
  return host.empty() || host == "localhost" || host == "127.0.0.1" || host == "0.0.0.0" ||
         host == "::1" || host == "::" || host == "*" || host == node.name();
}

}  // namespace

// ---- Listener

class SimListener : public os::Listener {
 public:
  SimListener(SimProcess& process, os::Address local, int backlog)
      : process_(process),
        net_(process.world().net()),
        local_(std::move(local)),
        backlog_(static_cast<size_t>(backlog)),
        waiting_(process.fibers()) {
    net_.listeners_[{process_.node().index(), local_.port}] = this;
  }
  ~SimListener() override { close(); }

  os::Result<std::unique_ptr<os::Stream>> accept(os::MonotonicTime deadline) override {
    for (;;) {
      if (!process_.may_act()) {
        process_.fibers().park_uncancelled();
        return fail(Errc::kCancelled);
      }
      if (process_.fibers().cancelled()) return fail(Errc::kCancelled);
      if (closed_) return fail(Errc::kClosed);
      if (!queue_.empty()) {
        Connection* connection = queue_.front();
        queue_.pop_front();
        auto stream = std::make_unique<Endpoint>(*connection, 1, process_);
        connection->release();
        return stream;
      }
      TRY(os::to_result(waiting_.wait(deadline)));
    }
  }

  void close() override {
    if (closed_) return;
    closed_ = true;
    net_.listeners_.erase({process_.node().index(), local_.port});
    for (Connection* connection : std::exchange(queue_, {})) {
      connection->close(1, true);
      connection->release();
    }
    if (process_.alive()) waiting_.wake_all();
  }

  const os::Address& local() const override { return local_; }

  // A SYN arrives; false: the queue is full, and the kernel drops it.
  bool offer(Connection& connection) {
    if (queue_.size() >= backlog_) return false;
    connection.hold();
    queue_.push_back(&connection);
    waiting_.wake_one();
    return true;
  }

 private:
  SimProcess& process_;
  Net& net_;
  os::Address local_;
  size_t backlog_;
  os::WaitQueue waiting_;
  std::deque<Connection*> queue_;
  bool closed_ = false;
};

// ---- Net

Net::Net(World& world) : world_(world) {}

Net::~Net() {
  CHECK_MSG(connections_.empty(), "{} connections outlive the world", connections_.size());
}

void Net::block(uint32_t from, uint32_t to) { ++blocked_[{from, to}]; }

void Net::unblock(uint32_t from, uint32_t to) {
  auto it = blocked_.find({from, to});
  if (it != blocked_.end() && --it->second == 0) blocked_.erase(it);
}

bool Net::open(uint32_t from, uint32_t to) const {
  return blocked_.empty() || !blocked_.contains({from, to});
}

SimListener* Net::listener_at(const Node& node, uint16_t port) const {
  auto it = listeners_.find({node.index(), port});
  return it == listeners_.end() ? nullptr : it->second;
}

uint16_t Net::take_port(uint32_t node) {
  uint16_t& next = next_port_.try_emplace(node, kFirstEphemeralPort).first->second;
  const uint16_t port = next;
  next = port == kLastEphemeralPort ? kFirstEphemeralPort : static_cast<uint16_t>(port + 1);
  return port;
}

void Net::heal() { blocked_.clear(); }

size_t Net::cut(const std::function<bool(const Node& a, const Node& b)>& chosen) {
  size_t count = 0;
  for (auto& [order, connection] : connections_) {
    if (connection->link() || !connection->side(0).open || !connection->side(1).open) continue;
    if (!chosen(*connection->side(0).node, *connection->side(1).node)) continue;
    connection->from(0).drop();
    connection->from(1).drop();
    connection->reset_arrives(0);
    connection->reset_arrives(1);
    ++count;
  }
  return count;
}

// ---- Network

os::Result<std::unique_ptr<os::Listener>> SimNetwork::listen(const os::Address& address,
                                                             int backlog) {
  if (!process_.may_act()) return fail(Errc::kCancelled);
  Node& node = process_.node();
  if (!means_this_host(address.host, node)) {
    return fail(Errc::kInvalidArgument,
                fmt::format("listen on {}: not an address of this host", to_string(address)));
  }
  Net& net = process_.world().net();
  os::Address local{node.name(), address.port};
  if (local.port == 0) {
    do {
      local.port = net.take_port(node.index());
    } while (net.listeners_.contains({node.index(), local.port}));
  } else if (net.listeners_.contains({node.index(), local.port})) {
    return fail(Errc::kAddressInUse,
                fmt::format("listen on {}: address already in use", to_string(address)));
  }
  return std::make_unique<SimListener>(process_, std::move(local), backlog);
}

namespace {

// A caller's handshake. Shared by the caller and the events of the handshake.
struct Attempt {
  Attempt(Net& to_net, Connection& of, uint16_t to_port)
      : net(to_net),
        world(of.world()),
        connection(of),
        caller(world.scheduler().current()),
        port(to_port) {
    connection.hold();
  }
  ~Attempt() { connection.release(); }
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  enum class State : unsigned char { kPending, kEstablished, kRefused, kTimedOut, kAbandoned };
  Net& net;
  World& world;
  Connection& connection;
  os::detail::FiberBody* caller;
  uint16_t port;
  uint32_t tries = 0;
  State state = State::kPending;

  void settle(State to) {
    if (state != State::kPending) return;
    state = to;
    world.scheduler().wake(caller);
  }
};

void syn_arrives(const std::shared_ptr<Attempt>& attempt);

void send_syn(const std::shared_ptr<Attempt>& attempt, VirtualTime delay) {
  attempt->world.after(delay, [attempt] { syn_arrives(attempt); });
}

VirtualTime one_way(Attempt& attempt) {
  const NetworkWeather& weather = attempt.world.weather().network;
  if (attempt.connection.side(0).node == attempt.connection.side(1).node) return 20us;
  base::RandomStream random = attempt.world.streams().stream(
      "network", "handshake", attempt.connection.key() + attempt.tries);
  return VirtualTime(random.between(weather.latency_min.count(), weather.latency_max.count()));
}

void syn_arrives(const std::shared_ptr<Attempt>& attempt) {
  if (attempt->state != Attempt::State::kPending) return;
  World& world = attempt->world;
  Connection& connection = attempt->connection;
  const Node& from = *connection.side(0).node;
  const Node& to = *connection.side(1).node;
  const auto again = [&] {
    if (++attempt->tries > kSynRetriesMax) return attempt->settle(Attempt::State::kTimedOut);
    send_syn(attempt, 1s * (int64_t{1} << (attempt->tries - 1)));
  };
  const auto answer = [&](Attempt::State state, std::string_view what) {
    world.note(to.name(), TraceKind::kConnect,
               fmt::format("#{} from {}: {}", connection.number(), from.name(), what));
    world.after(one_way(*attempt), [attempt, state] { attempt->settle(state); });
  };
  const bool way =
      world.net().open(from.index(), to.index()) && world.net().open(to.index(), from.index());
  if (!way || !to.powered()) return again();
  SimListener* listener = attempt->net.listener_at(to, attempt->port);
  const double refuse_chance = world.weather().network.refuse_chance;
  base::RandomStream random =
      world.streams().stream("network", "refuse", connection.key() + attempt->tries);
  if (listener == nullptr || (refuse_chance > 0 && random.chance(refuse_chance))) {
    return answer(Attempt::State::kRefused, "refused");
  }
  if (!listener->offer(connection)) return again();
  // Both kernels know the connection from here on; the caller learns of it a little later.
  connection.side(0).open = true;
  connection.side(1).open = true;
  answer(Attempt::State::kEstablished, "accepted");
}

}  // namespace

os::Result<std::unique_ptr<os::Stream>> SimNetwork::connect(const os::Address& address,
                                                            os::MonotonicTime deadline) {
  if (!process_.may_act()) {
    process_.fibers().park_uncancelled();
    return fail(Errc::kCancelled);
  }
  if (process_.fibers().cancelled()) return fail(Errc::kCancelled);
  World& world = process_.world();
  Net& net = world.net();
  Node& node = process_.node();
  Node* target = means_this_host(address.host, node) ? &node : world.find_node(address.host);
  if (target == nullptr) {
    return fail(Errc::kUnreachable, fmt::format("{}: no such host", address.host));
  }
  const os::Address local{node.name(), net.take_port(node.index())};
  auto* connection = new Connection(net, node, *target, local, {target->name(), address.port});
  auto attempt = std::make_shared<Attempt>(net, *connection, address.port);
  // Also where the answer came in the same instant as the deadline, or the process's end: nobody
  // has the stream then, and the peer must learn of it.
  struct Abandon {
    Attempt& attempt;
    bool handed_over = false;
    ~Abandon() {
      if (handed_over) return;
      attempt.state = Attempt::State::kAbandoned;
      attempt.connection.close(0, true);
    }
  } abandon{*attempt};
  send_syn(attempt, one_way(*attempt));
  while (attempt->state == Attempt::State::kPending) {
    TRY(os::to_result(process_.fibers().park(deadline)));
  }
  if (!process_.may_act()) return fail(Errc::kCancelled);
  const std::string where = to_string(address);
  if (attempt->state == Attempt::State::kRefused) {
    return fail(Errc::kRefused, where + ": connection refused");
  }
  if (attempt->state == Attempt::State::kTimedOut) {
    return fail(Errc::kUnreachable, where + ": connection timed out");
  }
  abandon.handed_over = true;
  return std::make_unique<Endpoint>(*connection, 0, process_);
}

}  // namespace seatrial::sim
