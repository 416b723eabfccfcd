// One simulated TCP connection: see network.h for the model. The link between a process and its
// forked child is one as well, which no fault of the network gets at.
//
// Lifetime: counted by its two endpoints and by its entries in the event queue. Each pipe has at
// most one entry there (for its first segment under way), so a segment costs no allocation.
#pragma once

#include "os/fiber.h"
#include "os/network.h"
#include "sim/event_queue.h"
#include "sim/machine/obstacle.h"
#include "sim/node.h"

#include <array>
#include <deque>
#include <vector>

namespace seatrial::sim {

class Connection;
class Net;
class SimListener;
struct Link;

// A queue of bytes in one piece of memory that doubles until it holds `capacity`.
class ByteRing {
 public:
  void write(base::Bytes from);
  void read(base::MutableBytes into);
  // The same, `ahead` bytes further on, and what is read stays.
  void peek(size_t ahead, base::MutableBytes into) const;
  size_t size() const { return tail_ - head_; }
  void clear() { head_ = tail_; }

 private:
  std::vector<char> ring_;
  size_t head_ = 0;  // Absolute; taken modulo the ring's size, a power of two.
  size_t tail_ = 0;
};

// One direction.
class Pipe : public Event {
 public:
  Pipe(Connection& connection, size_t side, uint64_t key);
  void fire() override;

  // The sender's side.
  size_t room() const;
  void send(base::Bytes bytes);
  void finish();  // End of stream, after what was sent.
  // What kept the news of what was read from the sender is gone, perhaps.
  void room_may_have_grown();
  // Whether it waits for something that an obstacle may be in the way of.
  bool starved() const { return acknowledged_ != read_ || writer != nullptr; }
  // Its connection's place among all, and its side.
  std::pair<uint64_t, size_t> place() const;

  // The receiver's side.
  size_t readable() const { return delivered_ - read_; }
  void take(base::MutableBytes into);
  bool finished() const { return finish_arrived_; }

  // The receiver is gone: nobody reads what has arrived.
  void leave_unread();
  // The sender is gone as well, or the stream is cut: drop everything.
  void drop();

  os::detail::FiberBody* reader = nullptr;
  os::detail::FiberBody* writer = nullptr;

 private:
  friend class Connection;
  struct Segment {
    VirtualTime arrives;
    uint64_t up_to;  // Bytes sent by then.
    bool finish;
    bool cut;  // The stream is reset when it gets here.
  };

  void enqueue(size_t bytes, bool finish);
  void put_under_way(size_t bytes, bool finish, bool cut);
  VirtualTime time_lost();
  bool way_back_open() const;
  bool lets_through(const Segment& segment);
  void stall();
  void wait_for_passage(const Crossing& crossing);
  void schedule(VirtualTime time);
  VirtualTime latency();
  void arrive(const Segment& segment);

  Connection& connection_;
  size_t side_;  // Of the sender, in the connection.
  Link* link_;   // nullptr: within one node.
  base::RandomStream random_;
  ByteRing ring_;
  std::deque<Segment> under_way_;
  uint64_t sent_ = 0;
  uint64_t delivered_ = 0;
  uint64_t read_ = 0;
  uint64_t acknowledged_ = 0;  // Read, and its sender knows.
  VirtualTime last_arrival_{0};
  uint32_t tries_ = 0;  // Of the first segment under way.
  bool scheduled_ = false;
  bool shares_ = false;  // Its link's bandwidth was limited as it last sent.
  bool finish_sent_ = false;
  bool finish_arrived_ = false;
};

// What one end of a connection knows.
struct Side {
  Node* node = nullptr;
  os::Address local;
  bool open = false;   // An endpoint (Stream) exists and was not closed.
  bool reset = false;  // A reset arrived, or the sender gave up.
};

class Connection {
 public:
  Connection(Net& net, Node& caller, Node& callee, os::Address local, os::Address remote);
  // A link: both sides are processes of `node`.
  Connection(Net& net, Node& node);
  ~Connection();

  World& world();
  Net& net() { return net_; }
  // Among all of the world, by age.
  uint64_t order() const { return order_; }
  // Among those that its caller's node has made.
  uint64_t number() const { return number_; }
  // Of the caller's name and the number: for streams and traces, so that a connection more of
  // one node changes nothing for those of others.
  uint64_t key() const { return key_; }
  bool link() const { return link_; }
  Side& side(size_t which) { return sides_[which]; }
  const Side& side(size_t which) const { return sides_[which]; }
  Pipe& from(size_t which) { return pipes_[which]; }  // Written by that side.
  Pipe& to(size_t which) { return pipes_[1 - which]; }

  // This side will not read or write again. `rst`: the peer gets a reset. A machine without power
  // sends nothing.
  void close(size_t which, bool rst);
  // A reset travels to that side.
  void send_reset(size_t to_side);
  // It gets there, if the way is open.
  void deliver_reset(size_t to_side);
  void reset_arrives(size_t at_side);

  void hold() { ++holds_; }
  void release();

 private:
  friend class Net;
  Net& net_;
  uint64_t order_;  // Among all.
  uint64_t number_;
  uint64_t key_;
  bool link_ = false;
  uint32_t holds_ = 0;
  std::array<Side, 2> sides_;  // 0: who called; 1: who was called.
  std::array<Pipe, 2> pipes_;
};

// The os::Stream of one side.
class Endpoint : public os::Stream {
 public:
  Endpoint(Connection& connection, size_t side, SimProcess& process);
  ~Endpoint() override;
  os::Result<size_t> read(base::MutableBytes into, os::MonotonicTime deadline) override;
  os::Result<size_t> write(base::Bytes from, os::MonotonicTime deadline) override;
  void shutdown_write() override;
  void close() override { end(false); }
  void reset() override { end(!connection_.link()); }
  const os::Address& local() const override { return connection_.side(side_).local; }
  const os::Address& peer() const override { return connection_.side(1 - side_).local; }

 private:
  void end(bool rst);
  os::Result<void> usable();

  Connection& connection_;
  size_t side_;
  SimProcess& process_;
  base::RandomStream random_;
  bool write_shut_ = false;
};

}  // namespace seatrial::sim
