// TCP streams between simulated processes.
//
// A connection is two pipes, one for each direction. Bytes go through a pipe in segments, each
// with a latency of its own, in order. A segment that finds its way blocked (partition, black
// hole, a machine without power) is sent again with growing delays, as TCP does, so that healing
// is noticed late; after about a quarter of an hour its sender gives up.
//
// A killed process's kernel closes its sockets: the peer sees the end of the stream, or a reset
// where bytes were left unread. A machine that loses power says nothing; once it is up again it
// answers segments of forgotten connections with a reset.
#pragma once

#include "os/network.h"
#include "sim/event_queue.h"
#include "sim/node.h"

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace seatrial::sim {

class Connection;
class SimListener;
class SimProcess;

// What the network between the nodes is like now.
class Net {
 public:
  explicit Net(World& world);
  ~Net();

  // Segments from `from` to `to` do not arrive while blocked (counted: two faults may overlap).
  void block(uint32_t from, uint32_t to);
  void unblock(uint32_t from, uint32_t to);
  bool open(uint32_t from, uint32_t to) const;
  void heal();

  // Who listens there now, or nullptr.
  SimListener* listener_at(const Node& node, uint16_t port) const;

  // Resets connections for which `chosen` holds, at whatever byte they are. Returns how many.
  size_t cut(const std::function<bool(const Node& a, const Node& b)>& chosen);

 private:
  friend class SimNetwork;
  friend class SimListener;
  friend class Connection;

  // The next of a node's own choosing, round and round.
  uint16_t take_port(uint32_t node);

  World& world_;
  std::map<std::pair<uint32_t, uint32_t>, uint32_t> blocked_;
  std::map<std::pair<uint32_t, uint16_t>, SimListener*> listeners_;  // By node and port.
  std::map<uint32_t, uint16_t> next_port_;
  std::map<uint64_t, Connection*> connections_;  // In the order of their making.
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
