#include "kv/replication/primary_link.h"

#include "base/check.h"
#include "kv/rdb/reader.h"
#include "os/mark.h"
#include "resp/number.h"
#include "resp/writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace seatrial::kv {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kAcknowledgeInterval{1000};
constexpr milliseconds kRetrySoon{100};
constexpr milliseconds kRetry{1000};
constexpr milliseconds kRetryNonsenseMax{16'000};
constexpr milliseconds kLogPoll{50};
constexpr int64_t kChunkBytes = 64 * 1024;

base::Error nonsense(std::string_view what, std::string_view found) {
  return {base::Errc::kInvalidData, fmt::format("{}, found '{}'", what, found.substr(0, 128))};
}

}  // namespace

std::string_view to_string(PrimaryLink::Phase phase) {
  switch (phase) {
    case PrimaryLink::Phase::kConnect: return "connect";
    case PrimaryLink::Phase::kConnecting: return "connecting";
    case PrimaryLink::Phase::kHandshake: return "handshake";
    case PrimaryLink::Phase::kSync: return "sync";
    case PrimaryLink::Phase::kConnected: return "connected";
  }
  UNREACHABLE("phase {}", static_cast<int>(phase));
}

PrimaryLink::PrimaryLink(os::Os& os, State& state, ReplicaHost& host, StreamReader& reader,
                         os::Address primary)
    : os_(os),
      state_(state),
      host_(host),
      reader_(reader),
      primary_(std::move(primary)),
      down_since_(os.clock.monotonic()),
      acknowledge_now_(os.fibers),
      acknowledger_(os.fibers),
      fiber_(os.fibers) {}

void PrimaryLink::start() {
  fiber_.spawn("primary link", [this] { run(); });
}

void PrimaryLink::abandon() {
  if (std::exchange(abandoned_, true)) return;
  link_down();
  if (stream_) stream_->close();
  fiber_.cancel();
}

void PrimaryLink::link_down() {
  if (phase_ == Phase::kConnected) {
    state_.replication.link_up = false;
    down_since_ = os_.clock.monotonic();
    reader_.close();
  }
  phase_ = Phase::kConnect;
}

void PrimaryLink::hang_up() {
  link_down();
  if (stream_) stream_->close();
  acknowledger_.cancel();
}

void PrimaryLink::run() {
  milliseconds pause = kRetry;
  while (!abandoned_) {
    synchronized_ = nonsense_ = false;
    const auto ended = once();
    if (abandoned_ || ended.error() == base::Errc::kCancelled) return;
    hang_up();
    if (!acknowledger_.join()) return;
    input_.reset();
    stream_.reset();
    os_.log.warn("Link with the primary {} ended: {}", os::to_string(primary_),
                 ended.error().message());
    nonsense_ |= ended.error() == base::Errc::kInvalidData;
    if (nonsense_) {
      MARK("replication: backs off from a primary that speaks nonsense");
      pause = std::min(2 * pause, kRetryNonsenseMax);
    } else {
      pause = synchronized_ ? kRetrySoon : kRetry;
    }
    if (!os_.clock.sleep_for(pause)) return;
  }
}

base::Result<void> PrimaryLink::once() {
  phase_ = Phase::kConnecting;
  stream_ = TRY(os_.network.connect(primary_, patience()));
  input_.emplace(*stream_, os_.clock, state_.config);
  phase_ = Phase::kHandshake;
  TRY(shake_hands());
  const auto place = TRY(ask());
  acknowledger_.spawn("acknowledger", [this] { acknowledge(); });
  if (place) {
    const auto synchronized = synchronize(*place);
    // Unless the log has taken it.
    remove_received_file();
    if (!synchronized) return synchronized;
  } else {
    MARK("replication: went on where it was");
  }
  return follow();
}

base::Result<void> PrimaryLink::shake_hands() {
  TRY(send({"PING"}));
  const std::string pong = TRY(input_->line());
  if (pong.starts_with("-MASTERDOWN") || pong.starts_with("-LOADING")) {
    return base::fail(base::Errc::kRefused, pong.substr(1));
  }
  // A primary that wants a password says so here already; AUTH comes next.
  if (!pong.starts_with("+PONG") && !pong.starts_with("-NOAUTH") && !pong.starts_with("-NOPERM")) {
    return base::fail(nonsense("expected an answer to PING", pong));
  }
  const Config& config = state_.config;
  if (!config.masterauth.empty()) {
    if (config.masteruser.empty()) {
      TRY(send({"AUTH", config.masterauth}));
    } else {
      TRY(send({"AUTH", config.masteruser, config.masterauth}));
    }
    const std::string answer = TRY(input_->line());
    if (!answer.starts_with('+')) return base::fail(nonsense("the primary refuses AUTH", answer));
  }
  const int64_t port =
      config.replica_announce_port != 0 ? config.replica_announce_port : config.port;
  TRY(introduce({"REPLCONF", "listening-port", std::to_string(port)}));
  if (!config.replica_announce_ip.empty()) {
    TRY(introduce({"REPLCONF", "ip-address", config.replica_announce_ip}));
  }
  return introduce({"REPLCONF", "capa", "eof", "capa", "psync2"});
}

base::Result<void> PrimaryLink::introduce(std::initializer_list<std::string_view> words) {
  TRY(send(words));
  const std::string answer = TRY(input_->line());
  if (answer.starts_with('+')) return {};
  if (!answer.starts_with('-')) return base::fail(nonsense("expected +OK to REPLCONF", answer));
  // It can do without.
  os_.log.info("The primary does not understand REPLCONF {}: {}", *(words.begin() + 1), answer);
  return {};
}

base::Result<std::optional<ReplicaHost::Place>> PrimaryLink::ask() {
  const auto place = host_.place();
  if (place) {
    // The first byte that it lacks, counted from 1.
    TRY(send({"PSYNC", place->id, std::to_string(place->offset + 1)}));
  } else {
    TRY(send({"PSYNC", "?", "-1"}));
  }
  const std::string answer = TRY(input_->line());
  // It may have been on its way to this fiber when the link was abandoned.
  if (abandoned_) return base::fail(base::Errc::kCancelled);
  return understand(answer, place.has_value());
}

base::Result<std::optional<ReplicaHost::Place>> PrimaryLink::understand(const std::string& answer,
                                                                        bool asked) {
  constexpr std::string_view kFull = "+FULLRESYNC ";
  constexpr std::string_view kContinue = "+CONTINUE";
  if (answer.starts_with(kFull)) {
    const std::string_view rest = std::string_view(answer).substr(kFull.size());
    const size_t blank = rest.find(' ');
    const std::string_view id = rest.substr(0, blank);
    int64_t offset = -1;
    if (blank != std::string_view::npos) {
      offset = resp::parse_integer(rest.substr(blank + 1)).value_or(-1);
    }
    if (!is_replication_id(id) || offset < 0) {
      return base::fail(nonsense("expected +FULLRESYNC <id> <offset>", answer));
    }
    return ReplicaHost::Place{std::string(id), static_cast<uint64_t>(offset)};
  }
  if (answer.starts_with(kContinue) && asked) {
    std::string_view id = std::string_view(answer).substr(kContinue.size());
    while (id.starts_with(' ')) id.remove_prefix(1);
    if (!id.empty() && !is_replication_id(id)) {
      return base::fail(nonsense("expected +CONTINUE [<id>]", answer));
    }
    host_.go_on(id.empty() ? state_.replication.history.id() : std::string(id));
    return std::nullopt;
  }
  if (answer.starts_with("-NOMASTERLINK") || answer.starts_with("-LOADING")) {
    return base::fail(base::Errc::kRefused, answer.substr(1));
  }
  return base::fail(nonsense("expected an answer to PSYNC", answer));
}

base::Result<void> PrimaryLink::synchronize(const ReplicaHost::Place& place) {
  phase_ = Phase::kSync;
  os_.log.info("Full synchronization from {}: {} up to offset {}", os::to_string(primary_),
               place.id, place.offset);
  snapshot_.emplace(TRY(SnapshotInput::open(*input_)));
  auto fresh = std::make_unique<Keyspace>(state_.keyspace.count(), state_.keyspace.hash_seed(),
                                          state_.effects);
  bool direct = state_.config.repl_diskless_load == DisklessLoad::kSwap;
  if (state_.config.repl_diskless_load == DisklessLoad::kOnEmptyDatabase) {
    direct = true;
    for (size_t i = 0; i < state_.keyspace.count(); ++i) {
      direct &= state_.keyspace.at(static_cast<int>(i)).empty();
    }
  }
  const auto loaded = direct ? load_from_link(*fresh) : load_from_file(*fresh);
  snapshot_.reset();
  if (!loaded) return base::fail(loaded.error().in("the primary's snapshot"));
  const auto database = static_cast<int>(loaded->replication_database.value_or(0));
  if (database < 0 || static_cast<size_t>(database) >= fresh->count()) {
    return base::fail(base::Errc::kInvalidData,
                      fmt::format("the primary's snapshot: the stream's database is {}", database));
  }
  // What the disk does is done, whatever this fiber was asked for meanwhile.
  if (abandoned_) return base::fail(base::Errc::kCancelled);
  std::string file;
  if (state_.log_status.enabled) file.swap(received_file_);
  host_.replace(std::move(fresh), place, database, std::move(file));
  MARK("replication: loaded a full synchronization");
  os_.log.info("Full synchronization finished: {} keys", loaded->keys);
  return {};
}

base::Result<rdb::Info> PrimaryLink::load_from_link(Keyspace& into) {
  // A reader keeps its window in itself: not on the stack.
  const auto source = std::make_unique<SnapshotSource>(*snapshot_);
  rdb::Info info = TRY(rdb::read(*source, into));
  if (TRY(source->at_end())) return info;
  return base::fail(base::Errc::kInvalidData, "bytes behind its end");
}

base::Result<rdb::Info> PrimaryLink::load_from_file(Keyspace& into) {
  const std::string_view life = std::string_view(state_.run_id).substr(0, 8);
  received_file_ = fmt::format("{}/temp-recv-{}-{}.rdb", state_.config.dir, life, next_file_++);
  auto file = TRY(os_.disk.open(received_file_, os::kReplace));
  TRY(receive(*file));
  TRY(file->sync_data());
  const auto source = std::make_unique<rdb::FileSource>(*file);
  rdb::Info info = TRY(rdb::read(*source, into));
  if (TRY(source->at_end())) return info;
  return base::fail(base::Errc::kInvalidData, "bytes behind its end");
}

void PrimaryLink::remove_received_file() {
  const std::string path = std::exchange(received_file_, {});
  if (!path.empty()) static_cast<void>(os_.disk.unlink(path));
}

base::Result<void> PrimaryLink::receive(os::File& file) {
  const int64_t bytes =
      KNOB(os_.chaos, "replication: received piece bytes", kChunkBytes, 100, 4096);
  std::string chunk(static_cast<size_t>(bytes), '\0');
  while (true) {
    const size_t count = TRY(snapshot_->read({chunk.data(), chunk.size()}));
    if (count == 0) return {};
    TRY(os::append_all(file, base::Bytes(chunk).substr(0, count)));
  }
}

base::Result<void> PrimaryLink::follow() {
  Session& session = reader_.open({.address = os::to_string(primary_),
                                   .local_address = os::to_string(stream_->local()),
                                   .connected = wall_ms(os_.clock)});
  session.cut = [this] { stream_->close(); };
  phase_ = Phase::kConnected;
  state_.replication.link_up = true;
  synchronized_ = true;
  acknowledge_now_.set();
  while (true) {
    if (auto executed = reader_.execute(input_->buffer()); !executed) {
      if (executed.error() == base::Errc::kInvalidData) host_.lose_place(reader_.diverged());
      return executed;
    }
    if (reader_.take_acknowledgement_request()) acknowledge_now_.set();
    // While the log cannot be written, nothing is taken that it would have to keep.
    while (!state_.log_status.refusal.empty() && !abandoned_) {
      TRY(os_.clock.sleep_for(kLogPoll));
    }
    TRY(input_->fill());
    if (CHANCE(os_.chaos, "replication: reconnects")) {
      return base::fail(base::Errc::kReset, "a link that is as good as broken");
    }
    // What came may have been on its way to this fiber when the link was abandoned.
    if (abandoned_) return base::fail(base::Errc::kCancelled);
    session.last_used = wall_ms(os_.clock);
  }
}

void PrimaryLink::acknowledge() {
  const milliseconds interval(
      KNOB(os_.chaos, "replication: acknowledge ms", kAcknowledgeInterval.count(), 20, 200));
  while (true) {
    const auto waited = acknowledge_now_.wait(os_.clock.monotonic() + interval);
    if (!waited && waited.error() == base::Errc::kCancelled) return;
    acknowledge_now_.reset();
    const bool follows = phase_ == Phase::kConnected;
    const std::string offset = std::to_string(state_.replication.history.offset());
    const auto sent = follows ? send({"REPLCONF", "ACK", offset}) : send_raw("\n");
    if (sent) continue;
    stream_->close();
    return;
  }
}

base::Result<void> PrimaryLink::send(std::initializer_list<std::string_view> words) {
  resp::Writer request;
  request.request(words);
  return send_raw(request.bytes());
}

base::Result<void> PrimaryLink::send_raw(base::Bytes bytes) {
  return os::write_all(*stream_, bytes, patience());
}

os::MonotonicTime PrimaryLink::patience() const {
  return os_.clock.monotonic() + seconds(state_.config.repl_timeout_seconds);
}

}  // namespace seatrial::kv
