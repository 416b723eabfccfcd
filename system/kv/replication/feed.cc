#include "kv/replication/feed.h"

#include "base/check.h"
#include "resp/writer.h"

namespace seatrial::kv {
namespace {

constexpr size_t kKeptBytes = 1024 * 1024;  // Of an empty buffer.

}  // namespace

Feed::Feed(os::Os& os, State& state)
    : state_(state),
      block_bytes_(static_cast<uint64_t>(
          KNOB(os.chaos, "replication: block bytes", 16 * 1024, 1, 100, 1000))),
      grown_(os.fibers) {}

void Feed::start(int database) {
  const auto bytes_max = static_cast<uint64_t>(state_.config.repl_backlog_bytes);
  backlog_ =
      std::make_shared<Backlog>(state_.replication.history.offset(), bytes_max, block_bytes_);
  encoder_.restart(database);
  state_.replication.streaming = true;
}

void Feed::stop() {
  backlog_.reset();
  state_.replication.streaming = false;
}

void Feed::reconfigured() {
  if (active()) backlog_->set_bytes_max(static_cast<uint64_t>(state_.config.repl_backlog_bytes));
}

void Feed::append(const Effects& effects) {
  CHECK(!state_.replication.replica);
  if (effects.empty()) return;
  if (active()) {
    encoder_.append(effects, unit_);
    put(unit_.bytes());
    unit_.clear();
    unit_.shrink_to(kKeptBytes);
  }
  observe(ReplicationPoint::Change::kApplied);
}

void Feed::append_command(std::initializer_list<std::string_view> words) {
  CHECK(!state_.replication.replica);
  if (!active()) return;
  resp::Writer command;
  command.request(words);
  put(command.bytes());
  observe(ReplicationPoint::Change::kApplied);
}

void Feed::relay(base::Bytes unit, int database) {
  CHECK(state_.replication.replica);
  CHECK(active());
  encoder_.restart(database);
  put(unit);
  observe(ReplicationPoint::Change::kApplied);
}

void Feed::put(base::Bytes bytes) {
  History& history = state_.replication.history;
  CHECK(history.offset() == backlog_->end());
  backlog_->append(bytes);
  history.advance(bytes.size());
  grown_.wake_all();
}

void Feed::observe(ReplicationPoint::Change change) {
  if (state_.observer == nullptr) return;
  const ReplicationStatus& status = state_.replication;
  state_.observer->observe({.change = change,
                            .primary = !status.replica,
                            .id = active() ? std::string_view(status.history.id()) : "",
                            .offset = static_cast<int64_t>(status.history.offset()),
                            .database = encoder_.database()},
                           state_.keyspace);
}

}  // namespace seatrial::kv
