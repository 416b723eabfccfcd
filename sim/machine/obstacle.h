// What stands between nodes for a while: partitions, clogs, slow links, doors that stay shut.
//
// An obstacle says what it does and between whom; it is in force for as long as the Barrier that
// Net::put_up() gave is held. Where nothing is in force, a segment pays one branch for all of them.
#pragma once

#include "base/bytes.h"
#include "sim/event_queue.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace seatrial::sim {

class Net;

// Which way, seen from a set of nodes.
enum class Direction : unsigned char { kBoth, kIn, kOut };

// From whom to whom: nodes sorted into classes, and between which of them it runs. A node that was
// put nowhere is of class 0, and so are nodes that are added later.
class Border {
 public:
  using Nodes = std::vector<uint32_t>;  // By index.

  Border() : Border(1) {}  // Between nobody.
  // Between a set and everybody else.
  static Border around(const Nodes& inside, Direction direction = Direction::kBoth);
  // Seen from the first of two sets that have no node in common.
  static Border between(const Nodes& here, const Nodes& there,
                        Direction direction = Direction::kBoth);
  // Between any two of several groups. Who is in none sees all of them: the bridge.
  static Border among(const std::vector<Nodes>& groups);
  // Each of these sees the one before and the one after it only; the last is beside the first. Who
  // is not in the ring sees all.
  static Border ring(const Nodes& nodes);

  // Whether it can run between this node and another: a node of class 0 meets it only where the
  // other does as well.
  bool touches(uint32_t node) const { return class_of(node) != 0; }
  // All that it touches lie below.
  uint32_t end() const { return static_cast<uint32_t>(class_of_.size()); }

  bool crossed(uint32_t from, uint32_t to) const {
    const size_t line = class_of(from) * classes_ + class_of(to);
    return crossed_[line];
  }

 private:
  explicit Border(size_t classes) : classes_(classes), crossed_(classes * classes) {}
  void put(const Nodes& nodes, size_t into);
  void draw(size_t from, size_t to) { crossed_[from * classes_ + to] = true; }
  size_t class_of(uint32_t node) const { return node < class_of_.size() ? class_of_[node] : 0; }

  size_t classes_;
  std::vector<uint32_t> class_of_;
  std::vector<bool> crossed_;  // By class of the sender and of the receiver.
};

// Bytes of a stream that are about to get to the other side, as one segment.
struct Crossing {
  uint32_t from = 0;  // Nodes, by index.
  uint32_t to = 0;
  uint64_t connection = 0;  // By the order of their making.
  uint64_t offset = 0;      // In what this side of the connection has sent.
  base::Bytes bytes;        // Empty: the end of the stream.
};

struct Obstacle {
  enum class Kind : unsigned char {
    kLoses,    // Segments do not arrive; TCP sends them again, ever more rarely.
    kHolds,    // Segments wait here until it is gone: nothing is lost, nothing is sent again.
    kFills,    // Senders' buffers take nothing, as if the receiver had stopped reading.
    kSlows,    // By `latency`, and to `bytes_per_second`.
    kRefuses,  // Calls are refused although somebody listens.
    kIgnores,  // Calls are not heard: they are tried again until the caller's patience ends.
    kCrowds,   // At most `backlog` calls wait to be accepted; beyond, they are not heard.
    kDelays,   // accept() takes up to `latency` for each call.
  };
  Kind kind = Kind::kLoses;
  Border border;  // Of calls: from the caller to who listens.
  // Only streams that exist as it is put up, and calls not at all: the black hole.
  bool established = false;
  VirtualTime latency{0};
  uint64_t bytes_per_second = 0;  // 0: without limit.
  size_t backlog = 0;
  // kLoses and kHolds: only segments of which this holds, and what comes after them on the same
  // stream; calls, resets and TCP's own news get through. For runs that are written by hand: which
  // command is to wait is told by its bytes. Asked on the event loop, may not park, and may be
  // asked of the same bytes again: `offset` tells.
  std::function<bool(const Crossing&)> concerns;
};

// An obstacle in force, and what waits for its end.
struct Standing {
  Net& net;
  Obstacle obstacle;
  uint64_t connections = 0;  // That existed before it.
  std::vector<std::move_only_function<void()>> waiting;

  // `crossing`: where it is a segment that asks.
  bool stops(uint32_t from, uint32_t to, uint64_t connection, const Crossing* crossing) const {
    if (obstacle.established && connection >= connections) return false;
    if (!obstacle.border.crossed(from, to)) return false;
    return !obstacle.concerns || (crossing != nullptr && obstacle.concerns(*crossing));
  }
};

// Keeps an obstacle in force. May outlive the net.
class Barrier {
 public:
  Barrier() = default;
  explicit Barrier(std::weak_ptr<Standing> standing) : standing_(std::move(standing)) {}
  Barrier(Barrier&& other) noexcept = default;
  Barrier& operator=(Barrier&& other) noexcept;
  ~Barrier() { fall(); }

  // What was held up goes on.
  void fall();

 private:
  std::weak_ptr<Standing> standing_;
};

}  // namespace seatrial::sim
