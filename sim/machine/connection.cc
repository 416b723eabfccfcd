#include "sim/machine/connection.h"

#include "base/check.h"
#include "sim/machine/network.h"
#include "sim/machine/process.h"
#include "sim/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace seatrial::sim {

using base::Errc;
using base::fail;

namespace {

using namespace std::chrono_literals;

// TCP's retransmission: doubling from the first to the last, and how often before giving up
// (Linux: tcp_retries2 = 15, some 924 seconds).
constexpr VirtualTime kRetryFirst = 200ms;
constexpr VirtualTime kRetryMax = 120s;
constexpr uint32_t kRetriesMax = 15;
constexpr VirtualTime kLoopbackLatency = 20us;

VirtualTime retry_delay(uint32_t tries) {
  return std::min(kRetryMax, kRetryFirst * (int64_t{1} << std::min(tries, 20U)));
}

}  // namespace

// ---- ByteRing

void ByteRing::write(base::Bytes from) {
  if (size() + from.size() > ring_.size()) {
    size_t larger = std::max<size_t>(256, ring_.size() * 2);
    while (larger < size() + from.size()) larger *= 2;
    std::vector<char> moved(larger);
    const size_t count = size();
    read({moved.data(), count});
    ring_ = std::move(moved);
    head_ = 0;
    tail_ = count;
  }
  const size_t at = tail_ & (ring_.size() - 1);
  const size_t first = std::min(from.size(), ring_.size() - at);
  std::memcpy(ring_.data() + at, from.data(), first);
  std::memcpy(ring_.data(), from.data() + first, from.size() - first);
  tail_ += from.size();
}

void ByteRing::read(base::MutableBytes into) {
  CHECK(into.size() <= size());
  if (into.empty()) return;
  const size_t at = head_ & (ring_.size() - 1);
  const size_t first = std::min(into.size(), ring_.size() - at);
  std::memcpy(into.data(), ring_.data() + at, first);
  std::memcpy(into.data() + first, ring_.data(), into.size() - first);
  head_ += into.size();
}

// ---- Pipe

Pipe::Pipe(Connection& connection, size_t side, uint64_t key)
    : connection_(connection),
      side_(side),
      random_(connection.world().streams().stream("network", side == 0 ? "there" : "back", key)) {}

size_t Pipe::room() const {
  const size_t capacity = connection_.world().weather().network.buffer_bytes;
  const size_t used = sent_ - read_;
  return used >= capacity ? 0 : capacity - used;
}

VirtualTime Pipe::latency() {
  const Node* a = connection_.side(0).node;
  const Node* b = connection_.side(1).node;
  if (a == b) return kLoopbackLatency;
  const NetworkWeather& weather = connection_.world().weather().network;
  if (weather.slow_chance > 0 && random_.chance(weather.slow_chance)) {
    return VirtualTime(
        random_.between(weather.latency_max.count(),
                        std::max(weather.latency_max, weather.slow_latency_max).count()));
  }
  return VirtualTime(random_.between(weather.latency_min.count(), weather.latency_max.count()));
}

void Pipe::send(base::Bytes bytes) {
  ring_.write(bytes);
  World& world = connection_.world();
  world.trace().event(world.now_virtual(), connection_.side(side_).node->name(), TraceKind::kSend,
                      connection_.key() + side_, Trace::digest(bytes), [&] {
                        return fmt::format("#{} to {}: {} bytes", connection_.number(),
                                           connection_.side(1 - side_).node->name(), bytes.size());
                      });
  const NetworkWeather& weather = world.weather().network;
  size_t left = bytes.size();
  while (left > 0) {
    size_t piece = left;
    if (weather.split_chance > 0 && left > 1 && random_.chance(weather.split_chance)) {
      // Short pieces are as likely as long ones: single bytes find the parsers' mistakes.
      piece = random_.chance(0.5) ? 1 + random_.below(std::min<size_t>(left - 1, 8))
                                  : 1 + random_.below(left - 1);
    }
    sent_ += piece;
    left -= piece;
    enqueue(sent_, false);
  }
}

void Pipe::finish() {
  if (finish_sent_) return;
  finish_sent_ = true;
  enqueue(sent_, true);
}

void Pipe::enqueue(uint64_t up_to, bool finish) {
  World& world = connection_.world();
  last_arrival_ = std::max(last_arrival_, world.now_virtual() + latency());
  const double cut_chance = connection_.link() ? 0 : world.weather().network.cut_chance;
  const bool cut = cut_chance > 0 && random_.chance(cut_chance);
  under_way_.push_back({last_arrival_, up_to, finish, cut});
  if (!scheduled_) schedule(last_arrival_);
}

void Pipe::schedule(VirtualTime time) {
  scheduled_ = true;
  connection_.hold();
  connection_.world().schedule(time, this);
}

void Pipe::fire() {
  scheduled_ = false;
  World& world = connection_.world();
  Side& to = connection_.side(1 - side_);
  const Node& from_node = *connection_.side(side_).node;
  if (!under_way_.empty()) {
    if (!connection_.net().open(from_node.index(), to.node->index()) || !to.node->powered()) {
      world.trace().event(world.now_virtual(), from_node.name(), TraceKind::kStall,
                          connection_.key() + side_, tries_, [&] {
                            return fmt::format("#{} to {}: no way, try {}", connection_.number(),
                                               to.node->name(), tries_ + 1);
                          });
      if (++tries_ > kRetriesMax) {
        drop();
        connection_.reset_arrives(side_);
      } else {
        schedule(world.now_virtual() + retry_delay(tries_ - 1));
      }
    } else {
      tries_ = 0;
      while (!under_way_.empty() && under_way_.front().arrives <= world.now_virtual()) {
        const Segment segment = under_way_.front();
        under_way_.pop_front();
        arrive(segment);
      }
      if (!under_way_.empty() && !scheduled_) schedule(under_way_.front().arrives);
    }
  }
  connection_.release();
}

void Pipe::arrive(const Segment& segment) {
  World& world = connection_.world();
  Side& to = connection_.side(1 - side_);
  if (segment.cut) {
    world.count("net.cut");
    drop();
    connection_.reset_arrives(1 - side_);
    connection_.send_reset(side_);
    return;
  }
  if (!to.open || to.reset) {
    // Nobody there: its kernel answers with a reset, except to an end of stream.
    drop();
    if (!segment.finish) connection_.send_reset(side_);
    return;
  }
  delivered_ = segment.up_to;
  if (segment.finish) finish_arrived_ = true;
  world.trace().event(world.now_virtual(), to.node->name(),
                      segment.finish ? TraceKind::kFinish : TraceKind::kDeliver,
                      connection_.key() + side_, segment.up_to, [&] {
                        return fmt::format("#{} from {}: up to byte {}{}", connection_.number(),
                                           connection_.side(side_).node->name(), segment.up_to,
                                           segment.finish ? ", end of stream" : "");
                      });
  if (reader != nullptr) world.scheduler().wake(reader);
}

void Pipe::take(base::MutableBytes into) {
  ring_.read(into);
  read_ += into.size();
  // The window opens at once; on its way back it would only arrive a little later.
  if (writer != nullptr) connection_.world().scheduler().wake(writer);
}

void Pipe::leave_unread() {
  // What is still under way finds nobody: only then does its sender learn.
  if (under_way_.empty()) drop();
}

void Pipe::drop() {
  under_way_.clear();
  ring_.clear();
  delivered_ = read_ = sent_;
}

// ---- Connection

Connection::Connection(Net& net, Node& caller, Node& callee, os::Address local, os::Address remote)
    : net_(net),
      order_(net.next_connection_++),
      number_(caller.connections_made++),
      key_(base::mix64(base::hash_name(caller.name()) + number_)),
      sides_{Side{.node = &caller, .local = std::move(local)},
             Side{.node = &callee, .local = std::move(remote)}},
      pipes_{Pipe(*this, 0, key_), Pipe(*this, 1, key_)} {
  net_.connections_[order_] = this;
}

Connection::Connection(Net& net, Node& node) : Connection(net, node, node, {}, {}) { link_ = true; }

Connection::~Connection() { net_.connections_.erase(order_); }

World& Connection::world() { return net_.world_; }

void Connection::release() {
  CHECK(holds_ > 0);
  if (--holds_ == 0) delete this;
}

void Connection::close(size_t which, bool rst) {
  Side& self = sides_[which];
  if (!self.open) return;
  self.open = false;
  const bool unread = to(which).readable() > 0;
  for (os::detail::FiberBody* parked : {to(which).reader, from(which).writer}) {
    if (parked != nullptr) world().scheduler().wake(parked);
  }
  to(which).leave_unread();
  if (!self.node->powered()) {
    from(which).drop();
  } else if (self.reset) {
    // The peer knows.
  } else if (rst || unread) {
    from(which).drop();
    send_reset(1 - which);
  } else {
    from(which).finish();
  }
}

void Connection::send_reset(size_t to_side) {
  hold();
  Pipe& carrier = pipes_[1 - to_side];
  world().after(carrier.latency(), [this, to_side] {
    const Side& from = sides_[1 - to_side];
    // A reset is not sent again; a peer that misses it finds out by its next segment.
    if (sides_[to_side].node->powered() &&
        net_.open(from.node->index(), sides_[to_side].node->index())) {
      reset_arrives(to_side);
    }
    release();
  });
}

void Connection::reset_arrives(size_t at_side) {
  Side& self = sides_[at_side];
  if (self.reset || !self.open) return;
  self.reset = true;
  world().trace().event(world().now_virtual(), self.node->name(), TraceKind::kReset, key_ + at_side,
                        0, [&] { return fmt::format("#{} is reset", number_); });
  from(at_side).drop();
  for (os::detail::FiberBody* parked : {to(at_side).reader, from(at_side).writer}) {
    if (parked != nullptr) world().scheduler().wake(parked);
  }
}

// ---- Endpoint

Endpoint::Endpoint(Connection& connection, size_t side, SimProcess& process)
    : connection_(connection),
      side_(side),
      process_(process),
      random_(connection.world().streams().stream("endpoint", side == 0 ? "caller" : "callee",
                                                  connection.key())) {
  connection_.hold();
  connection_.side(side).open = true;
}

Endpoint::~Endpoint() {
  end(false);
  connection_.release();
}

void Endpoint::end(bool rst) { connection_.close(side_, rst); }

os::Result<void> Endpoint::usable() {
  if (!process_.may_act()) [[unlikely]] {
    process_.fibers().park_uncancelled();
    return fail(Errc::kCancelled);
  }
  if (process_.fibers().cancelled()) [[unlikely]]
    return fail(Errc::kCancelled);
  if (!connection_.side(side_).open) [[unlikely]]
    return fail(Errc::kClosed);
  return {};
}

os::Result<size_t> Endpoint::read(base::MutableBytes into, os::MonotonicTime deadline) {
  CHECK(!into.empty());
  Pipe& pipe = connection_.to(side_);
  for (;;) {
    TRY(usable());
    if (const size_t there = pipe.readable(); there > 0) {
      size_t count = std::min(there, into.size());
      const double short_chance = connection_.world().weather().network.short_read_chance;
      if (short_chance > 0 && random_.chance(short_chance)) count = 1 + random_.below(count);
      pipe.take(into.first(count));
      return count;
    }
    if (connection_.side(side_).reset) return fail(Errc::kReset);
    if (pipe.finished()) return 0;
    CHECK_MSG(pipe.reader == nullptr, "two fibers read from one stream");
    struct Leave {
      Pipe& pipe;
      ~Leave() { pipe.reader = nullptr; }
    } leave{pipe};
    pipe.reader = connection_.world().scheduler().current();
    TRY(os::to_result(process_.fibers().park(deadline)));
  }
}

os::Result<size_t> Endpoint::write(base::Bytes from, os::MonotonicTime deadline) {
  Pipe& pipe = connection_.from(side_);
  for (;;) {
    TRY(usable());
    if (connection_.side(side_).reset) return fail(Errc::kReset);
    if (write_shut_) return fail(Errc::kClosed, "write after shutdown_write()");
    if (from.empty()) return 0;
    if (const size_t room = pipe.room(); room > 0) {
      size_t count = std::min(room, from.size());
      const double short_chance = connection_.world().weather().network.short_write_chance;
      if (short_chance > 0 && random_.chance(short_chance)) count = 1 + random_.below(count);
      pipe.send(from.substr(0, count));
      return count;
    }
    CHECK_MSG(pipe.writer == nullptr, "two fibers write to one stream");
    struct Leave {
      Pipe& pipe;
      ~Leave() { pipe.writer = nullptr; }
    } leave{pipe};
    pipe.writer = connection_.world().scheduler().current();
    TRY(os::to_result(process_.fibers().park(deadline)));
  }
}

void Endpoint::shutdown_write() {
  if (write_shut_ || !process_.may_act() || !connection_.side(side_).open) return;
  write_shut_ = true;
  connection_.from(side_).finish();
}

}  // namespace seatrial::sim
