#include "sim/machine/network.h"

#include "base/check.h"
#include "sim/machine/connection.h"
#include "sim/machine/process.h"
#include "sim/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace seatrial::sim {

using base::Errc;
using base::fail;

namespace {

using namespace std::chrono_literals;

// Linux sends a SYN again after 1, 2, 4, ... seconds, six times.
constexpr uint32_t kSynRetriesMax = 6;
constexpr VirtualTime kLoopbackLatency = 20us;
// A latency with a tail doubles so often at most: to a thousand times.
constexpr int kTailDoublings = 10;
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
        waiting_(process.fibers()),
        random_(process.stream("accept")) {
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
      if (!queue_.empty() && ripe()) {
        Connection* connection = queue_.front();
        queue_.pop_front();
        ripe_at_.reset();
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
  bool offer(Connection& connection, size_t backlog_max) {
    if (queue_.size() >= std::min(backlog_, backlog_max)) return false;
    connection.hold();
    queue_.push_back(&connection);
    waiting_.wake_one();
    return true;
  }

 private:
  // Whether the first in the queue may be accepted already; if not, somebody is woken when it may.
  bool ripe() {
    World& world = process_.world();
    if (!ripe_at_) {
      const VirtualTime most = net_.accept_takes(*queue_.front());
      if (most <= VirtualTime(0)) return true;
      world.count("net.slow_accept");
      ripe_at_ = world.now_virtual() + VirtualTime(random_.between(0, most.count()));
      world.after(*ripe_at_ - world.now_virtual(), [self = std::weak_ptr(self_)] {
        if (const auto listener = self.lock()) (*listener)->waiting_.wake_one();
      });
    }
    return world.now_virtual() >= *ripe_at_;
  }

  SimProcess& process_;
  Net& net_;
  os::Address local_;
  size_t backlog_;
  os::WaitQueue waiting_;
  base::RandomStream random_;
  std::deque<Connection*> queue_;
  std::optional<VirtualTime> ripe_at_;  // Of the first in the queue, where accept() is slow.
  std::shared_ptr<SimListener*> self_ = std::make_shared<SimListener*>(this);
  bool closed_ = false;
};

// ---- Net

Net::Net(World& world) : world_(world), weather_(world.weather().network) {}

Net::~Net() { CHECK_MSG(connections_ == 0, "{} connections outlive the world", connections_); }

Barrier Net::put_up(Obstacle obstacle) {
  if (obstacle.concerns) ++readers_;
  standing_.push_back(std::make_shared<Standing>(*this, std::move(obstacle), next_connection_));
  Standing* const standing = standing_.back().get();
  const Border& border = standing->obstacle.border;
  for (uint32_t node = 0; node < border.end(); ++node) {
    if (border.touches(node)) place(node).standing.push_back(standing);
  }
  return Barrier(standing_.back());
}

Barrier Net::block(uint32_t from, uint32_t to) {
  return put_up(
      {.kind = Obstacle::Kind::kLoses, .border = Border::between({from}, {to}, Direction::kOut)});
}

void Net::take_down(const Standing& fallen) {
  const auto it = std::ranges::find(standing_, &fallen, &std::shared_ptr<Standing>::get);
  CHECK(it != standing_.end());
  const std::shared_ptr<Standing> kept = *it;
  standing_.erase(it);
  fell(*kept);
}

void Net::heal() {
  for (const auto& fallen : std::exchange(standing_, {})) fell(*fallen);
}

// It is not in force any more.
void Net::fell(Standing& fallen) {
  if (fallen.obstacle.concerns) --readers_;
  const Border& border = fallen.obstacle.border;
  for (uint32_t node = 0; node < border.end(); ++node) {
    if (border.touches(node)) std::erase(place(node).standing, &fallen);
  }
  for (auto& then : std::exchange(fallen.waiting, {})) then();
  const Obstacle::Kind kind = fallen.obstacle.kind;
  if (kind != Obstacle::Kind::kLoses && kind != Obstacle::Kind::kHolds &&
      kind != Obstacle::Kind::kFills) {
    return;
  }
  for (auto& [place, pipe] : std::exchange(starved_, {})) {
    pipe->room_may_have_grown();
    if (troubled() && pipe->starved()) starves(*pipe);
  }
}

Net::Place& Net::place(uint32_t node) {
  if (node >= places_.size()) places_.resize(node + 1);
  return places_[node];
}

template <typename Look>
void Net::look_between(uint32_t from, uint32_t to, Look&& look) const {
  if (from < places_.size()) {
    for (Standing* standing : places_[from].standing) {
      if (look(*standing)) return;
    }
  }
  if (to == from || to >= places_.size()) return;
  for (Standing* standing : places_[to].standing) {
    if (!standing->obstacle.border.touches(from) && look(*standing)) return;
  }
}

void Net::starves(Pipe& pipe) { starved_.emplace(pipe.place(), &pipe); }

Standing* Net::find(Obstacle::Kind kind, uint32_t from, uint32_t to, uint64_t connection,
                    const Crossing* crossing) const {
  Standing* found = nullptr;
  look_between(from, to, [&](Standing& standing) {
    if (standing.obstacle.kind != kind || !standing.stops(from, to, connection, crossing)) {
      return false;
    }
    found = &standing;
    return true;
  });
  return found;
}

Net::Passage Net::passage(uint32_t from, uint32_t to, uint64_t connection,
                          const Crossing* crossing) const {
  if (!troubled()) [[likely]]
    return Passage::kOpen;
  using Kind = Obstacle::Kind;
  if (find(Kind::kLoses, from, to, connection, crossing) != nullptr) return Passage::kLost;
  if (find(Kind::kHolds, from, to, connection, crossing) != nullptr) return Passage::kHeld;
  return Passage::kOpen;
}

void Net::wait_for_passage(uint32_t from, uint32_t to, uint64_t connection,
                           std::move_only_function<void()> then, const Crossing* crossing) {
  Standing* const holds = find(Obstacle::Kind::kHolds, from, to, connection, crossing);
  CHECK(holds != nullptr);
  holds->waiting.push_back(std::move(then));
}

// ---- Links

Link& Net::link(const Node& from, const Node& to) {
  const auto [it, added] = links_.try_emplace({from.index(), to.index()});
  Link& link = it->second;
  if (!added) return link;
  link.from = from.index();
  link.to = to.index();
  if (const int64_t most = weather_.distance_max.count(); most > 0) {
    // The way back is as long.
    const bool there = from.name() < to.name();
    base::RandomStream random =
        world_.streams().stream(there ? from.name() : to.name(), "distance",
                                base::hash_name(there ? to.name() : from.name()));
    link.distance = VirtualTime(random.between(0, most));
  }
  return link;
}

VirtualTime Net::odd_latency(base::RandomStream& random, const Link& link) const {
  VirtualTime least = weather_.latency_min;
  VirtualTime most = weather_.latency_max;
  if (weather_.slow_chance > 0 && random.chance(weather_.slow_chance)) {
    least = weather_.latency_max;
    most = std::max(weather_.latency_max, weather_.slow_latency_max);
  }
  VirtualTime time(random.between(least.count(), most.count()));
  if (weather_.tail_chance > 0) {
    for (int i = 0; i < kTailDoublings && random.chance(weather_.tail_chance); ++i) time *= 2;
  }
  time += link.distance;
  look_between(link.from, link.to, [&](const Standing& standing) {
    const Obstacle& obstacle = standing.obstacle;
    if (obstacle.kind == Obstacle::Kind::kSlows && obstacle.border.crossed(link.from, link.to)) {
      time += obstacle.latency;
    }
    return false;
  });
  return time;
}

VirtualTime Net::leave(Link& link, size_t bytes) const {
  const VirtualTime now = world_.now_virtual();
  const uint64_t rate = bytes_per_second(link);
  if (rate == 0) return std::max(link.free_at, now);
  const auto takes = static_cast<int64_t>(bytes * 1'000'000'000 / rate);
  link.free_at = std::max(link.free_at, now) + VirtualTime(takes);
  return link.free_at;
}

uint64_t Net::limit(const Link& link) const {
  uint64_t rate = weather_.bandwidth_kib * 1024;
  look_between(link.from, link.to, [&](const Standing& standing) {
    const Obstacle& obstacle = standing.obstacle;
    if (obstacle.kind == Obstacle::Kind::kSlows && obstacle.bytes_per_second != 0 &&
        obstacle.border.crossed(link.from, link.to)) {
      rate = rate == 0 ? obstacle.bytes_per_second : std::min(rate, obstacle.bytes_per_second);
    }
    return false;
  });
  return rate;
}

// ---- Doors

size_t Net::backlog_max(const Connection& call) const {
  const uint32_t from = call.side(0).node->index();
  const uint32_t to = call.side(1).node->index();
  size_t most = SIZE_MAX;
  look_between(from, to, [&](const Standing& standing) {
    const Obstacle& obstacle = standing.obstacle;
    if (obstacle.kind == Obstacle::Kind::kCrowds && obstacle.border.crossed(from, to)) {
      most = std::min(most, obstacle.backlog);
    }
    return false;
  });
  return most;
}

VirtualTime Net::accept_takes(const Connection& call) const {
  const Standing* slow = find(Obstacle::Kind::kDelays, call.side(0).node->index(),
                              call.side(1).node->index(), call.order());
  return slow == nullptr ? VirtualTime(0) : slow->obstacle.latency;
}

std::vector<uint16_t> Net::listening(const Node& node) const {
  std::vector<uint16_t> ports;
  for (auto it = listeners_.lower_bound({node.index(), 0});
       it != listeners_.end() && it->first.first == node.index(); ++it) {
    ports.push_back(it->first.second);
  }
  return ports;
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

void Net::enter(Connection& connection) {
  for (size_t side : {0, 1}) {
    place(connection.side(side).node->index()).connections[connection.order()] = &connection;
  }
  ++connections_;
}

void Net::leave(Connection& connection) {
  for (size_t side : {0, 1}) {
    const Pipe& pipe = connection.from(side);
    if (!starved_.empty()) starved_.erase(pipe.place());
    place(connection.side(side).node->index()).connections.erase(connection.order());
  }
  --connections_;
}

size_t Net::cut(const Border::Nodes& nodes,
                const std::function<bool(const Node& caller, const Node& callee)>& chosen) {
  std::vector<std::pair<uint64_t, Connection*>> hit;
  for (const uint32_t node : nodes) {
    for (const auto& [order, connection] : place(node).connections) {
      const Side& caller = connection->side(0);
      const Side& callee = connection->side(1);
      if (connection->link() || !caller.open || !callee.open) continue;
      if (chosen(*caller.node, *callee.node)) hit.emplace_back(order, connection);
    }
  }
  std::ranges::sort(hit);
  hit.erase(std::ranges::unique(hit).begin(), hit.end());
  for (const auto& [order, connection] : hit) {
    connection->from(0).drop();
    connection->from(1).drop();
    connection->reset_arrives(0);
    connection->reset_arrives(1);
  }
  return hit.size();
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

base::RandomStream luck(const Attempt& attempt, std::string_view what) {
  return attempt.world.streams().stream("network", what, attempt.connection.key() + attempt.tries);
}

VirtualTime one_way(const Attempt& attempt) {
  const Node& from = *attempt.connection.side(0).node;
  const Node& to = *attempt.connection.side(1).node;
  if (&from == &to) return kLoopbackLatency;
  base::RandomStream random = luck(attempt, "handshake");
  return attempt.net.latency(random, attempt.net.link(from, to));
}

// What the callee's side says is under way; it may have to wait where the way back is clogged.
void answer_arrives(const std::shared_ptr<Attempt>& attempt, Attempt::State state) {
  const uint32_t from = attempt->connection.side(1).node->index();
  const uint32_t to = attempt->connection.side(0).node->index();
  if (attempt->net.passage(from, to) != Net::Passage::kHeld) return attempt->settle(state);
  attempt->net.wait_for_passage(from, to, UINT64_MAX, [attempt, state] {
    attempt->world.after(VirtualTime(0), [attempt, state] { answer_arrives(attempt, state); });
  });
}

void answer(const std::shared_ptr<Attempt>& attempt, Attempt::State state, std::string_view what) {
  const Connection& connection = attempt->connection;
  attempt->world.note(
      connection.side(1).node->name(), TraceKind::kConnect,
      fmt::format("#{} from {}: {}", connection.number(), connection.side(0).node->name(), what));
  attempt->world.after(one_way(*attempt), [attempt, state] { answer_arrives(attempt, state); });
}

void try_again(const std::shared_ptr<Attempt>& attempt) {
  if (++attempt->tries > kSynRetriesMax) return attempt->settle(Attempt::State::kTimedOut);
  send_syn(attempt, 1s * (int64_t{1} << (attempt->tries - 1)));
}

// Whether the SYN, or the answer to it, gets lost on its way.
bool gets_lost(Attempt& attempt) {
  const Node& from = *attempt.connection.side(0).node;
  const Node& to = *attempt.connection.side(1).node;
  Net& net = attempt.net;
  if (net.passage(from.index(), to.index()) == Net::Passage::kLost) return true;
  if (net.passage(to.index(), from.index()) == Net::Passage::kLost) return true;
  if (net.stopped_by(Obstacle::Kind::kIgnores, from.index(), to.index(), UINT64_MAX)) {
    attempt.world.count("net.connect_hangs");
    return true;
  }
  const double loss_chance = attempt.world.weather().network.loss_chance;
  if (loss_chance <= 0 || &from == &to) return false;
  base::RandomStream random = luck(attempt, "lost handshake");
  const bool lost = random.chance(loss_chance) || random.chance(loss_chance);
  if (lost) attempt.world.count("net.loss");
  return lost;
}

bool is_refused(Attempt& attempt) {
  World& world = attempt.world;
  const Node& from = *attempt.connection.side(0).node;
  const Node& to = *attempt.connection.side(1).node;
  if (attempt.net.stopped_by(Obstacle::Kind::kRefuses, from.index(), to.index(), UINT64_MAX)) {
    world.count("net.refuse_all");
    return true;
  }
  const double refuse_chance = world.weather().network.refuse_chance;
  return refuse_chance > 0 && luck(attempt, "refuse").chance(refuse_chance);
}

void syn_arrives(const std::shared_ptr<Attempt>& attempt) {
  if (attempt->state != Attempt::State::kPending) return;
  Connection& connection = attempt->connection;
  const Node& from = *connection.side(0).node;
  const Node& to = *connection.side(1).node;
  if (gets_lost(*attempt) || !to.powered()) return try_again(attempt);
  if (attempt->net.passage(from.index(), to.index()) == Net::Passage::kHeld) {
    return attempt->net.wait_for_passage(from.index(), to.index(), UINT64_MAX,
                                         [attempt] { send_syn(attempt, VirtualTime(0)); });
  }
  SimListener* listener = attempt->net.listener_at(to, attempt->port);
  if (listener == nullptr || is_refused(*attempt)) {
    return answer(attempt, Attempt::State::kRefused, "refused");
  }
  const size_t backlog_max = attempt->net.backlog_max(connection);
  if (!listener->offer(connection, backlog_max)) {
    if (backlog_max != SIZE_MAX) attempt->world.count("net.backlog_full");
    return try_again(attempt);
  }
  // Both kernels know the connection from here on; the caller learns of it a little later.
  connection.side(0).open = true;
  connection.side(1).open = true;
  answer(attempt, Attempt::State::kEstablished, "accepted");
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
