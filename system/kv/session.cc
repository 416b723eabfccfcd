#include "kv/session.h"

#include "kv/dispatch.h"
#include "kv/state.h"
#include "os/mark.h"

#include <utility>

namespace seatrial::kv {

WallMs wall_ms(const os::Clock& clock) {
  const auto since = clock.wall().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
}

QueuedRequest::QueuedRequest(const Command& command, resp::Args args) : command_(&command) {
  ends_.reserve(args.size());
  for (const std::string_view word : args) {
    bytes_ += word;
    ends_.push_back(bytes_.size());
  }
}

void QueuedRequest::args(std::vector<std::string_view>& into) const {
  into.clear();
  size_t begin = 0;
  for (const size_t end : ends_) {
    into.push_back(std::string_view(bytes_).substr(begin, end - begin));
    begin = end;
  }
}

Session::Session(State& state, os::Clock* clock, ReplyGate* gate, Peer peer, SessionKind kind)
    : state_(state), clock_(clock), gate_(gate), peer_(std::move(peer)), kind_(kind) {
  id_ = kind == SessionKind::kLog ? 0 : state.next_client_id++;
  last_used = peer_.connected;
  if (kind != SessionKind::kLog) state_.clients.emplace(id_, this);
}

Session::~Session() {
  state_.keyspace.watches().unwatch(watcher);
  if (kind_ != SessionKind::kLog) state_.clients.erase(id_);
}

ClientKind Session::client_kind() const {
  if (kind_ == SessionKind::kPrimary) return ClientKind::kPrimary;
  return attachment ? ClientKind::kReplica : ClientKind::kNormal;
}

void Session::foresee(std::span<const resp::Args> requests) {
  // With a large keyspace most of a small command's time is spent waiting for memory: the bucket
  // of its key, then the entry. Asked for together, those of a pipeline arrive together.
  constexpr size_t kForeseenMax = 16;
  uint64_t hashes[kForeseenMax];
  size_t count = 0;
  const Database::Entries& entries = state_.keyspace.at(database).entries();
  for (const resp::Args request : requests) {
    if (count == kForeseenMax) break;
    if (request.empty()) continue;
    const Command* const command = state_.commands.find(request[0]);
    if (command == nullptr || command->keys.first == 0) continue;
    const auto first = static_cast<size_t>(command->keys.first);
    if (request.size() <= first) continue;
    hashes[count] = entries.hash(request[first]);
    entries.prefetch_bucket(hashes[count++]);
  }
  for (size_t i = 0; i < count; ++i) entries.prefetch_items(hashes[i]);
}

resp::Next Session::execute(resp::Args args, resp::Writer& reply) {
  if (!batch_begun_) {
    if (!obeyed()) last_used = wall_ms(*clock_);
    now_ = obeyed() ? Keyspace::kNothingExpires : last_used;
    batch_begun_ = true;
  }
  const size_t reply_begin = reply.size();
  const uint64_t log_begin = gate_ == nullptr ? 0 : gate_->end();
  next = resp::Next::kContinue;
  dispatch(state_, *this, args, reply, now_);
  seen_offset = state_.replication.history.offset();
  seen_demotions = state_.replication.demotions;
  if (attachment && reply.size() != reply_begin) [[unlikely]] {
    // Its stream carries nothing but what the replication writes into it.
    MARK("replication: a replica asked for a reply");
    state_.log.warn("replica {} sent '{}', which has a reply: its connection is cut", peer_.address,
                    args[0].substr(0, 64));
    reply.truncate(reply_begin);
    next = resp::Next::kCut;
  }
  if (reply_mode != ReplyMode::kOn) [[unlikely]] {
    reply.truncate(reply_begin);
    if (reply_mode == ReplyMode::kSkipThis) reply_mode = ReplyMode::kOn;
    if (reply_mode == ReplyMode::kSkipNext) reply_mode = ReplyMode::kSkipThis;
  }
  if (gate_ != nullptr) {
    ticket_.seen = gate_->end();
    if (ticket_.seen != log_begin) ticket_.wrote = ticket_.seen;
  }
  return next;
}

base::Result<void> Session::await(resp::Writer& reply) {
  const size_t reply_begin = reply.size();
  auto action = std::exchange(awaited, {});
  TRY(action(reply));
  if (reply_mode != ReplyMode::kOn) reply.truncate(reply_begin);
  return {};
}

base::Result<void> Session::release() {
  batch_begun_ = false;
  if (gate_ == nullptr) return {};
  if (state_.sleep_asked != os::Duration(0)) {
    state_.asleep_until = clock_->monotonic() + std::exchange(state_.sleep_asked, {});
  }
  if (state_.asleep_until != os::MonotonicTime{}) {
    while (clock_->monotonic() < state_.asleep_until) {
      TRY(clock_->sleep_until(state_.asleep_until));
    }
  }
  return gate_->wait(ticket_);
}

void Session::reset() {
  discard_transaction();
  database = 0;
  name.clear();
  reply_mode = ReplyMode::kOn;
  no_evict = false;
}

void Session::discard_transaction() {
  transaction = Transaction();
  state_.keyspace.watches().unwatch(watcher);
}

}  // namespace seatrial::kv
