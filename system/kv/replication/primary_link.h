// A replica's link to its primary: connects, shakes hands, takes the stream where it left it or
// loads everything anew, and then applies the stream; when the link ends it begins again, sooner
// or later, until it is abandoned.
//
// A full synchronization is loaded beside the old data, which is served meanwhile, and takes its
// place at once when it is complete. Whatever goes wrong before, the old data stays as it is.
#pragma once

#include "kv/rdb/info.h"
#include "kv/replication/feed.h"
#include "kv/replication/link_input.h"
#include "kv/replication/stream_reader.h"
#include "kv/replication/transfer.h"
#include "kv/state.h"
#include "os/os.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace seatrial::kv {

// What a link does to the server that it feeds.
class ReplicaHost {
 public:
  virtual ~ReplicaHost() = default;

  struct Place {
    std::string id;
    uint64_t offset = 0;
  };
  // Where the stream may go on; nothing: everything is needed.
  virtual std::optional<Place> place() const = 0;
  // All data becomes that of `fresh`, at this place, with this database selected. Parks, before
  // it does so.
  virtual base::Result<void> replace(std::unique_ptr<Keyspace> fresh, const Place& place,
                                     int database) = 0;
  // The stream goes on, under this id.
  virtual void go_on(const std::string& id) = 0;
  // The stream that came cannot be followed; `diverged`: the data is that of no history.
  virtual void lose_place(bool diverged) = 0;
};

class PrimaryLink {
 public:
  enum class Phase : uint8_t { kConnect, kConnecting, kHandshake, kSync, kConnected };

  PrimaryLink(os::Os& os, State& state, ReplicaHost& host, StreamReader& reader,
              os::Address primary);

  void start();
  // Ends it; does not park. From here on it changes nothing any more.
  void abandon();
  bool ended() const { return fiber_.live() == 0; }

  const os::Address& primary() const { return primary_; }
  Phase phase() const { return phase_; }
  // Of the last byte that came.
  os::MonotonicTime heard() const { return input_ ? input_->heard() : down_since_; }
  os::MonotonicTime down_since() const { return down_since_; }
  // Null unless a snapshot is coming.
  const SnapshotInput* snapshot() const { return snapshot_ ? &*snapshot_ : nullptr; }

 private:
  void run();
  // From connecting to the end of the link.
  base::Result<void> once();
  base::Result<void> shake_hands();
  base::Result<void> introduce(std::initializer_list<std::string_view> words);
  // Asks for the stream; the answer: the place of a full synchronization, or none.
  base::Result<std::optional<ReplicaHost::Place>> ask();
  base::Result<std::optional<ReplicaHost::Place>> understand(const std::string& answer, bool asked);
  base::Result<void> synchronize(const ReplicaHost::Place& place);
  base::Result<rdb::Info> load_from_link(Keyspace& into);
  base::Result<rdb::Info> load_from_file(Keyspace& into);
  base::Result<void> receive(os::File& file);
  base::Result<void> follow();
  // Acknowledges, every second and when asked to; while a snapshot is loaded, only shows life.
  void acknowledge();
  base::Result<void> send(std::initializer_list<std::string_view> words);
  base::Result<void> send_raw(base::Bytes bytes);
  void link_down();
  void hang_up();
  os::MonotonicTime patience() const;

  os::Os& os_;
  State& state_;
  ReplicaHost& host_;
  StreamReader& reader_;
  const os::Address primary_;
  bool abandoned_ = false;
  Phase phase_ = Phase::kConnect;
  os::MonotonicTime down_since_;
  bool synchronized_ = false;  // This time.
  bool nonsense_ = false;      // What came could not be understood.
  std::unique_ptr<os::Stream> stream_;
  std::optional<LinkInput> input_;
  std::optional<SnapshotInput> snapshot_;
  os::Event acknowledge_now_;
  os::FiberGroup acknowledger_;
  // Last, so that it ends before what it uses.
  os::FiberGroup fiber_;
};

std::string_view to_string(PrimaryLink::Phase phase);

}  // namespace seatrial::kv
