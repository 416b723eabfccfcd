#include "sim/machine/connection.h"

#include "base/check.h"
#include "sim/machine/network.h"
#include "sim/machine/process.h"
#include "sim/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string>

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
constexpr size_t kSharedSegment = 8 * 1024;

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
  peek(0, into);
  head_ += into.size();
}

void ByteRing::peek(size_t ahead, base::MutableBytes into) const {
  CHECK(ahead + into.size() <= size());
  if (into.empty()) return;
  const size_t at = (head_ + ahead) & (ring_.size() - 1);
  const size_t first = std::min(into.size(), ring_.size() - at);
  std::memcpy(into.data(), ring_.data() + at, first);
  std::memcpy(into.data() + first, ring_.data(), into.size() - first);
}

// ---- Pipe

Pipe::Pipe(Connection& connection, size_t side, uint64_t key)
    : connection_(connection),
      side_(side),
      link_(connection.side(0).node == connection.side(1).node
                ? nullptr
                : &connection.net().link(*connection.side(side).node,
                                         *connection.side(1 - side).node)),
      random_(connection.world().streams().stream("network", side == 0 ? "there" : "back", key)) {}

size_t Pipe::room() const {
  const size_t capacity = connection_.world().weather().network.buffer_bytes;
  const size_t used = sent_ - acknowledged_;
  if (used >= capacity) return 0;
  if (connection_.net().troubled() && link_ != nullptr) [[unlikely]] {
    if (connection_.net().stopped_by(Obstacle::Kind::kFills, link_->from, link_->to,
                                     connection_.order())) {
      return 0;
    }
  }
  return capacity - used;
}

bool Pipe::way_back_open() const {
  return link_ == nullptr || connection_.net().passage(link_->to, link_->from,
                                                       connection_.order()) == Net::Passage::kOpen;
}

std::pair<uint64_t, size_t> Pipe::place() const { return {connection_.order(), side_}; }

void Pipe::room_may_have_grown() {
  if (way_back_open()) acknowledged_ = read_;
  if (writer != nullptr) connection_.world().scheduler().wake(writer);
}

VirtualTime Pipe::latency() {
  return link_ == nullptr ? kLoopbackLatency : connection_.net().latency(random_, *link_);
}

// How long it takes until TCP has sent a segment as often as it is lost.
VirtualTime Pipe::time_lost() {
  const double chance = connection_.world().weather().network.loss_chance;
  VirtualTime time{0};
  if (link_ == nullptr) return time;
  for (uint32_t tries = 0; tries < kRetriesMax && random_.chance(chance); ++tries) {
    time += retry_delay(tries);
    connection_.world().count("net.loss");
  }
  return time;
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
  shares_ = link_ != nullptr && connection_.net().bytes_per_second(*link_) > 0;
  size_t left = bytes.size();
  while (left > 0) {
    // Where streams share what a link can carry, none has it for all of its bytes at once.
    size_t piece = shares_ ? std::min(left, kSharedSegment) : left;
    if (weather.split_chance > 0 && left > 1 && random_.chance(weather.split_chance)) {
      // Short pieces are as likely as long ones: single bytes find the parsers' mistakes.
      piece = random_.chance(0.5) ? 1 + random_.below(std::min<size_t>(left - 1, 8))
                                  : 1 + random_.below(left - 1);
    }
    left -= piece;
    enqueue(piece, false);
  }
}

void Pipe::finish() {
  if (finish_sent_) return;
  finish_sent_ = true;
  enqueue(0, true);
}

void Pipe::enqueue(size_t bytes, bool finish) {
  const NetworkWeather& weather = connection_.world().weather().network;
  const double cut_chance = connection_.link() ? 0 : weather.cut_chance;
  const bool cut = cut_chance > 0 && random_.chance(cut_chance);
  if (cut && bytes > 1) {
    // Not all of it gets there, but some may.
    const size_t before = random_.below(bytes);
    if (before > 0) put_under_way(before, false, false);
    bytes -= before;
  }
  put_under_way(bytes, finish, cut);
}

void Pipe::put_under_way(size_t bytes, bool finish, bool cut) {
  World& world = connection_.world();
  VirtualTime arrives = latency();
  arrives += shares_ ? connection_.net().leave(*link_, bytes) : world.now_virtual();
  if (world.weather().network.loss_chance > 0) [[unlikely]]
    arrives += time_lost();
  sent_ += bytes;
  // A cut comes a little after what precedes it, which may have been read by then.
  last_arrival_ = std::max(last_arrival_ + (cut ? 1us : 0us), arrives);
  under_way_.push_back({last_arrival_, sent_, finish, cut});
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
  // All of it may have been dropped.
  while (!under_way_.empty() && under_way_.front().arrives <= world.now_virtual()) {
    const Segment segment = under_way_.front();
    if (!lets_through(segment)) break;
    tries_ = 0;
    under_way_.pop_front();
    arrive(segment);
  }
  if (!under_way_.empty() && !scheduled_) schedule(under_way_.front().arrives);
  connection_.release();
}

// Whether the first segment under way gets there now; if not, the next try is arranged.
bool Pipe::lets_through(const Segment& segment) {
  const Net& net = connection_.net();
  const bool answered = connection_.side(1 - side_).node->powered();
  if (link_ == nullptr || !net.troubled()) [[likely]] {
    if (!answered) stall();
    return answered;
  }
  std::string bytes;
  if (net.reads_bytes()) {
    bytes.resize(segment.up_to - delivered_);
    ring_.peek(delivered_ - read_, {bytes.data(), bytes.size()});
  }
  const Crossing crossing{.from = link_->from,
                          .to = link_->to,
                          .connection = connection_.order(),
                          .offset = delivered_,
                          .bytes = bytes};
  const Net::Passage passage = net.passage(link_->from, link_->to, connection_.order(), &crossing);
  if (passage == Net::Passage::kHeld) {
    wait_for_passage(crossing);
  } else if (passage == Net::Passage::kLost || !answered) {
    stall();
  } else {
    return true;
  }
  return false;
}

// The first segment under way does not get there, and is sent again later.
void Pipe::stall() {
  World& world = connection_.world();
  world.trace().event(world.now_virtual(), connection_.side(side_).node->name(), TraceKind::kStall,
                      connection_.key() + side_, tries_, [&] {
                        return fmt::format("#{} to {}: no way, try {}", connection_.number(),
                                           connection_.side(1 - side_).node->name(), tries_ + 1);
                      });
  if (++tries_ > kRetriesMax) {
    drop();
    connection_.reset_arrives(side_);
  } else {
    schedule(world.now_virtual() + retry_delay(tries_ - 1));
  }
}

// All of it is held up on its way.
void Pipe::wait_for_passage(const Crossing& crossing) {
  World& world = connection_.world();
  world.trace().event(world.now_virtual(), connection_.side(side_).node->name(), TraceKind::kStall,
                      connection_.key() + side_, UINT64_MAX, [&] {
                        return fmt::format("#{} to {}: held up", connection_.number(),
                                           connection_.side(1 - side_).node->name());
                      });
  scheduled_ = true;
  connection_.hold();
  connection_.net().wait_for_passage(
      link_->from, link_->to, connection_.order(),
      [this] { connection_.world().schedule(connection_.world().now_virtual(), this); }, &crossing);
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
  // The window opens at once; on its way back it would only arrive a little later, or not at all.
  if (connection_.net().troubled() && !way_back_open()) [[unlikely]]
    return connection_.net().starves(*this);
  acknowledged_ = read_;
  if (writer != nullptr) connection_.world().scheduler().wake(writer);
}

void Pipe::leave_unread() {
  // What is still under way finds nobody: only then does its sender learn.
  if (under_way_.empty()) drop();
}

void Pipe::drop() {
  under_way_.clear();
  ring_.clear();
  delivered_ = read_ = acknowledged_ = sent_;
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
  net_.enter(*this);
}

Connection::Connection(Net& net, Node& node) : Connection(net, node, node, {}, {}) { link_ = true; }

Connection::~Connection() { net_.leave(*this); }

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
  world().after(pipes_[1 - to_side].latency(), [this, to_side] { deliver_reset(to_side); });
}

void Connection::deliver_reset(size_t to_side) {
  const Side& to = sides_[to_side];
  const uint32_t from = sides_[1 - to_side].node->index();
  const Net::Passage passage = net_.passage(from, to.node->index(), order_);
  if (passage == Net::Passage::kHeld) {
    return net_.wait_for_passage(from, to.node->index(), order_, [this, to_side] {
      world().after(VirtualTime(0), [this, to_side] { deliver_reset(to_side); });
    });
  }
  // A reset is not sent again; a peer that misses it finds out by its next segment.
  if (to.node->powered() && passage == Net::Passage::kOpen) reset_arrives(to_side);
  release();
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
    if (connection_.net().troubled()) [[unlikely]]
      connection_.net().starves(pipe);
    TRY(os::to_result(process_.fibers().park(deadline)));
  }
}

void Endpoint::shutdown_write() {
  if (write_shut_ || !process_.may_act() || !connection_.side(side_).open) return;
  write_shut_ = true;
  connection_.from(side_).finish();
}

}  // namespace seatrial::sim
