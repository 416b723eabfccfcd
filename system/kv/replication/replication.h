// Replication, both sides: the role that this server has, what it takes from a primary and what it
// gives to replicas. Commands reach it as ReplicationControl.
//
// A server is a primary, or follows one; either may have replicas. What changes with the role is
// who moves the history: on a primary each unit of effects, on a replica each unit of its
// primary's stream.
#pragma once

#include "kv/children.h"
#include "kv/replication/control.h"
#include "kv/replication/feed.h"
#include "kv/replication/primary.h"
#include "kv/replication/primary_link.h"
#include "kv/replication/stream_reader.h"
#include "kv/state.h"
#include "os/os.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace seatrial::kv {

class Replication final : public ReplicationControl, private ReplicaHost {
 public:
  // The log begins anew with the data as it is: after a full synchronization. Parks.
  using RestartLog = std::move_only_function<base::Result<void>()>;

  Replication(os::Os& os, State& state, Children& children);

  // With the data as it was restored.
  void start();
  // At the end; the clients have gone. Parks.
  void stop();

  // One unit of what this server's own clients, or its clock, have done.
  void feed(const Effects& effects);
  void reconfigured() { feed_.reconfigured(); }
  // A session that may be waiting here was cut.
  void wake_waiting() { primary_.acknowledgements().wake_all(); }

  void follow(std::string host, uint16_t port) override;
  void promote() override;
  std::string_view refusal() const override;
  void attach(Session& session, const SyncRequest& request) override;
  void acknowledge(Session& session, uint64_t offset) override;
  int64_t acknowledged(uint64_t offset) const override;
  base::Result<void> await_acknowledged(Session& session, uint64_t offset, int64_t count,
                                        int64_t timeout_ms, resp::Writer& reply) override;
  void describe(std::string& text) const override;
  void role(resp::Writer& reply) const override;

 private:
  std::optional<Place> place() const override;
  base::Result<void> replace(std::unique_ptr<Keyspace> fresh, const Place& place,
                             int database) override;
  void go_on(const std::string& id) override;
  void lose_place(bool diverged) override;

  void abandon_link();
  void describe_link(std::string& text) const;
  void run_ticks();
  bool is_replica() const { return state_.replication.replica; }

  os::Os& os_;
  State& state_;
  base::RandomStream random_;
  Feed feed_;
  Primary primary_;
  StreamReader reader_;
  std::unique_ptr<PrimaryLink> link_;
  std::vector<std::unique_ptr<PrimaryLink>> abandoned_;  // Until their fibers have ended.
  bool needs_everything_ = false;                        // What came last could not be followed.
  os::FiberGroup fibers_;
};

}  // namespace seatrial::kv
