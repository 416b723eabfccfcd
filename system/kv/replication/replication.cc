#include "kv/replication/replication.h"

#include "base/check.h"
#include "kv/log_control.h"
#include "kv/session.h"
#include "kv/snapshot_control.h"
#include "os/mark.h"

#include <algorithm>
#include <utility>

namespace seatrial::kv {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kTick{1};

}  // namespace

Replication::Replication(os::Os& os, State& state, Children& children)
    : os_(os),
      state_(state),
      random_(os.random.stream("replication: ids of promotions")),
      feed_(os, state),
      primary_(os, state, feed_, children),
      reader_(state, feed_),
      fibers_(os.fibers) {}

void Replication::start() {
  state_.replication_control = this;
  if (state_.observer != nullptr) state_.effects.set_wanted(true);
  feed_.observe(ReplicationPoint::Change::kReplaced);
  fibers_.spawn("replication tick", [this] { run_ticks(); });
  fibers_.spawn("full sync", [this] { primary_.full_sync().run(); });
  const Config& config = state_.config;
  if (!config.primary_host.empty()) {
    follow(config.primary_host, static_cast<uint16_t>(config.primary_port));
  }
}

void Replication::stop() {
  abandon_link();
  fibers_.cancel();
  // Whoever is cancelled itself leaves this to the destructors.
  static_cast<void>(fibers_.join());
  abandoned_.clear();
}

void Replication::run_ticks() {
  while (os_.clock.sleep_for(kTick)) {
    primary_.tick();
    std::vector<std::unique_ptr<PrimaryLink>> ended;
    for (auto& link : abandoned_) {
      if (link->ended()) ended.push_back(std::move(link));
    }
    std::erase(abandoned_, nullptr);
  }
}

void Replication::feed(const Effects& effects) {
  if (is_replica()) return;
  feed_.append(effects);
  primary_.enforce_limits();
}

// ---- Roles

void Replication::follow(std::string host, uint16_t port) {
  abandon_link();
  if (!is_replica()) {
    MARK("replication: a primary becomes a replica");
    // Where its own stream stood it may go on in that of a replica that took its place.
    reader_.set_database(std::max(feed_.database(), 0));
    state_.replication.replica = true;
    ++state_.replication.demotions;
    state_.effects.set_wanted(state_.log_status.enabled || state_.observer != nullptr);
    wake_waiting();
  }
  state_.config.primary_host = host;
  state_.config.primary_port = port;
  ReplicaHost& replica_host = *this;
  link_ = std::make_unique<PrimaryLink>(os_, state_, replica_host, reader_,
                                        os::Address{std::move(host), port});
  link_->start();
}

void Replication::abandon_link() {
  if (!link_) return;
  link_->abandon();
  abandoned_.push_back(std::move(link_));
}

void Replication::promote() {
  if (!is_replica()) return;
  MARK("replication: a replica is promoted");
  abandon_link();
  state_.replication.replica = false;
  state_.config.primary_host.clear();
  state_.config.primary_port = 0;
  History& history = state_.replication.history;
  std::string id = make_replication_id(random_);
  if (feed_.active()) {
    // Whoever followed the same primary as far as this one may go on here.
    history.branch(std::move(id));
    feed_.select_again();
    state_.effects.set_wanted(true);
  } else {
    history.begin(std::move(id), history.offset());
  }
  needs_everything_ = false;
  primary_.cut_all("this server is a primary now, with another replication id");
  primary_.count_as_alone_from_now();
  primary_.count_good();
  feed_.observe(ReplicationPoint::Change::kRenamed);
}

// ---- As a replica

std::optional<ReplicaHost::Place> Replication::place() const {
  if (!feed_.active() || needs_everything_) return std::nullopt;
  return Place{state_.replication.history.id(), state_.replication.history.offset()};
}

void Replication::replace(std::unique_ptr<Keyspace> fresh, const Place& place, int database,
                          std::string file) {
  primary_.cut_all("all data is replaced by a full synchronization");
  // What a child writes of the old data must not take the place of anything later.
  if (state_.snapshot_control != nullptr) state_.snapshot_control->abandon();
  state_.keyspace.replace(*fresh);
  // What is logged from here on must not be taken for changes of the old data.
  if (state_.log_control != nullptr) state_.log_control->restart_with(std::nullopt);
  state_.replication.history.begin(place.id, place.offset);
  feed_.start(database);
  reader_.set_database(database);
  needs_everything_ = false;
  feed_.observe(ReplicationPoint::Change::kReplaced);
  state_.hooks.data_replaced(file.empty() ? std::nullopt : std::optional(std::move(file)));
}

void Replication::go_on(const std::string& id) {
  CHECK(feed_.active());
  History& history = state_.replication.history;
  if (id == history.id()) return;
  MARK("replication: the history goes on under another id");
  history.branch(id);
  // They are to learn of it.
  primary_.cut_all("the replication id has changed");
  feed_.observe(ReplicationPoint::Change::kRenamed);
}

void Replication::lose_place(bool diverged) {
  needs_everything_ = true;
  if (!diverged) return;
  MARK("replication: data of no history");
  History& history = state_.replication.history;
  history.begin(make_replication_id(random_), history.offset());
  primary_.cut_all("the primary's stream could not be followed");
  feed_.start();
  feed_.observe(ReplicationPoint::Change::kReplaced);
}

// ---- As a primary

std::string_view Replication::refusal() const {
  if (!is_replica() || state_.replication.link_up) return {};
  return "NOMASTERLINK Can't SYNC while not connected with my master";
}

void Replication::attach(Session& session, const SyncRequest& request) {
  primary_.attach(session, request);
}

void Replication::acknowledge(Session& session, uint64_t offset) {
  if (!session.attachment) return;
  static_cast<ReplicaLink&>(*session.attachment).acknowledge(offset);
  primary_.acknowledgements().wake_all();
}

int64_t Replication::acknowledged(uint64_t offset) const { return primary_.acknowledged(offset); }

base::Result<void> Replication::await_acknowledged(Session& session, uint64_t offset, int64_t count,
                                                   int64_t timeout_ms, resp::Writer& reply) {
  const uint64_t demotions = state_.replication.demotions;
  const os::MonotonicTime deadline =
      timeout_ms == 0 ? os::kNever : os_.clock.monotonic() + milliseconds(timeout_ms);
  primary_.request_acknowledgements();
  while (acknowledged(offset) < count) {
    const os::Wake wake = primary_.acknowledgements().wait(deadline);
    if (wake == os::Wake::kCancelled) return base::fail(base::Errc::kCancelled);
    if (session.was_cut) return base::fail(base::Errc::kClosed);
    if (demotions != state_.replication.demotions) {
      MARK("wait: ended by a change of role");
      reply.error(
          "UNBLOCKED force unblock from blocking operation, instance state changed (master -> "
          "replica?)");
      return {};
    }
    if (wake == os::Wake::kDeadline) break;
  }
  reply.integer(acknowledged(offset));
  return {};
}

}  // namespace seatrial::kv
