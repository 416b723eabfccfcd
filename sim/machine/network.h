// TCP streams between simulated processes.
//
// A connection is two pipes, one for each direction. Bytes go through a pipe in segments, each
// with a latency of its own, in order. A segment that finds its way blocked (partition, black
// hole, a machine without power) is sent again with growing delays, as TCP does, so that healing
// is noticed late; after about a quarter of an hour its sender gives up. A segment that is lost by
// chance arrives when it has been sent again, and all that comes after it waits behind it. Where
// the way back is blocked the sender does not learn what was read: its buffer stays as full as it
// was. A clogged link holds up what goes over it, and loses nothing.
//
// A link is what lies between two nodes, in one direction. All streams over it share its
// bandwidth: a segment leaves when those before it have left.
//
// A killed process's kernel closes its sockets: the peer sees the end of the stream, or a reset
// where bytes were left unread. A machine that loses power says nothing; once it is up again it
// answers segments of forgotten connections with a reset.
#pragma once

#include "os/network.h"
#include "sim/event_queue.h"
#include "sim/machine/obstacle.h"
#include "sim/node.h"
#include "sim/weather.h"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace seatrial::sim {

class Connection;
class Pipe;
class SimListener;
class SimProcess;

// One direction between two nodes.
struct Link {
  uint32_t from = 0;
  uint32_t to = 0;
  VirtualTime distance{0};  // Longer than others by so much, for ever.
  VirtualTime free_at{0};   // What was sent before has left by then.
};

// What the network between the nodes is like now.
class Net {
 public:
  explicit Net(World& world);
  ~Net();

  // In force until the barrier falls.
  [[nodiscard]] Barrier put_up(Obstacle obstacle);
  // Nothing gets from the one node to the other.
  [[nodiscard]] Barrier block(uint32_t from, uint32_t to);
  // All barriers fall.
  void heal();
  bool troubled() const { return !standing_.empty(); }
  // This stream waits, perhaps for an obstacle to fall: it is asked again then.
  void starves(Pipe& pipe);

  enum class Passage : unsigned char { kOpen, kLost, kHeld };
  // What becomes of a segment between the two, of the connection of that order.
  Passage passage(uint32_t from, uint32_t to, uint64_t connection = UINT64_MAX,
                  const Crossing* crossing = nullptr) const;
  bool open(uint32_t from, uint32_t to) const { return passage(from, to) == Passage::kOpen; }
  // Some obstacle wants to see the bytes.
  bool reads_bytes() const { return readers_ > 0; }
  // Where the passage is held: calls `then` once what holds it is gone. Ask again then.
  void wait_for_passage(uint32_t from, uint32_t to, uint64_t connection,
                        std::move_only_function<void()> then, const Crossing* crossing = nullptr);
  // An obstacle of that kind is in the way.
  bool stopped_by(Obstacle::Kind kind, uint32_t from, uint32_t to, uint64_t connection) const {
    return find(kind, from, to, connection) != nullptr;
  }

  Link& link(const Node& from, const Node& to);
  // One way over the link, by the weather's chances.
  VirtualTime latency(base::RandomStream& random, const Link& link) const {
    if (weather_.slow_chance > 0 || weather_.tail_chance > 0 || troubled()) [[unlikely]]
      return odd_latency(random, link);
    return VirtualTime(random.between(weather_.latency_min.count(), weather_.latency_max.count())) +
           link.distance;
  }
  // How fast the link is now; 0: without limit.
  uint64_t bytes_per_second(const Link& link) const {
    return weather_.bandwidth_kib == 0 && !troubled() ? 0 : limit(link);
  }
  // So many bytes leave over the link, after all that was sent before; returns when.
  VirtualTime leave(Link& link, size_t bytes) const;

  // Who listens there now, or nullptr.
  SimListener* listener_at(const Node& node, uint16_t port) const;
  // Where somebody listens on the node, in order.
  std::vector<uint16_t> listening(const Node& node) const;
  // How many calls may wait there for accept(), if the listener allows as many.
  size_t backlog_max(const Connection& call) const;
  // How long accept() takes for it, at most.
  VirtualTime accept_takes(const Connection& call) const;

  // Resets connections with an end at one of these nodes for which `chosen` holds, at whatever byte
  // they are. Returns how many.
  size_t cut(const Border::Nodes& nodes,
             const std::function<bool(const Node& caller, const Node& callee)>& chosen);

 private:
  friend class SimNetwork;
  friend class SimListener;
  friend class Connection;
  friend class Barrier;

  VirtualTime odd_latency(base::RandomStream& random, const Link& link) const;
  uint64_t limit(const Link& link) const;
  void take_down(const Standing& fallen);
  void fell(Standing& fallen);
  Standing* find(Obstacle::Kind kind, uint32_t from, uint32_t to, uint64_t connection,
                 const Crossing* crossing = nullptr) const;
  // Calls `look` with each obstacle in force that may be between the two, until it returns true.
  template <typename Look>
  void look_between(uint32_t from, uint32_t to, Look&& look) const;
  void enter(Connection& connection);
  void leave(Connection& connection);

  // The next of a node's own choosing, round and round.
  uint16_t take_port(uint32_t node);

  World& world_;
  const NetworkWeather& weather_;
  std::vector<std::shared_ptr<Standing>> standing_;
  size_t readers_ = 0;  // Of them: those that look at bytes.
  std::map<std::pair<uint32_t, uint32_t>, Link> links_;
  std::map<std::pair<uint32_t, uint16_t>, SimListener*> listeners_;  // By node and port.
  std::map<uint32_t, uint16_t> next_port_;
  // What concerns one node, so that a world of hundreds is not searched for each segment.
  struct Place {
    std::vector<Standing*> standing;              // In the order in which they were put up.
    std::map<uint64_t, Connection*> connections;  // In the order of their making.
  };
  Place& place(uint32_t node);
  std::vector<Place> places_;  // By node's index.
  size_t connections_ = 0;
  // Streams that have waited under some obstacle: asked again when one falls.
  std::map<std::pair<uint64_t, size_t>, Pipe*> starved_;
  uint64_t next_connection_ = 0;
};

class SimNetwork : public os::Network {
 public:
  explicit SimNetwork(SimProcess& process) : process_(process) {}
  os::Result<std::unique_ptr<os::Listener>> listen(const os::Address& address,
                                                   int backlog) override;
  os::Result<std::unique_ptr<os::Stream>> connect(const os::Address& address,
                                                  os::MonotonicTime deadline) override;

 private:
  SimProcess& process_;
};

}  // namespace seatrial::sim
