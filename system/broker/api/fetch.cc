#include "broker/api/fetch.h"

#include "broker/api/partition.h"
#include "broker/log/record_batch.h"
#include "broker/wire/messages/fetch.h"
#include "os/mark.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace seatrial::broker {
namespace {

constexpr int16_t kServedFrom = 4;  // Before that version consumers expect older formats.

// One evaluation of a request: what can be had now.
struct Outcome {
  FetchReply reply;
  std::deque<std::string> batches;  // What the reply's records are views into.
  size_t bytes = 0;
  bool failed = false;  // Some partition has an error: told at once.
};

// What is asked of the whole request and cannot be had.
ErrorCode refuse_all(const FetchRequest& request, int16_t version) {
  if (version < kServedFrom) {
    MARK("broker: Fetch of an old version");
    return ErrorCode::kUnsupportedVersion;
  }
  // There are no replicas to fetch, and no sessions to continue: every reply says that there is
  // none, and a client then asks for everything in each request.
  if (request.replica_id >= 0) return ErrorCode::kInvalidRequest;
  if (request.session_id != 0) return ErrorCode::kFetchSessionIdNotFound;
  if (request.session_epoch > 0) return ErrorCode::kInvalidFetchSessionEpoch;
  return ErrorCode::kNone;
}

class Fetch {
 public:
  Fetch(Context& context, const RequestHeader& header, FetchRequest request)
      : context_(context), header_(header), request_(std::move(request)) {
    bytes_max_ =
        static_cast<size_t>(std::clamp(request_.bytes_max, 0, context.config.fetch_bytes_max));
    small_ = CHANCE(context.os.chaos, "broker: small fetch");
  }

  base::Result<void> answer(base::Buffer& out) {
    const ErrorCode refusal = refuse_all(request_, header_.version);
    if (refusal != ErrorCode::kNone) {
      refuse(refusal, out);
      return {};
    }
    const auto patience = std::chrono::milliseconds(std::max(request_.wait_max_ms, 0));
    const auto deadline = context_.os.clock.monotonic() + patience;
    // From the first look on, so that nothing is missed between a look and a wait.
    const std::vector<PartitionLog::Watch> watches = watch();
    while (true) {
      context_.stirred.reset();
      const Outcome outcome = TRY(look());
      const bool enough = static_cast<int64_t>(outcome.bytes) >= request_.bytes_min;
      if (enough || outcome.failed || context_.peer_gone ||
          context_.os.clock.monotonic() >= deadline) {
        encode_reply(out, outcome.reply, header_.version, header_.correlation);
        return {};
      }
      MARK("broker: long poll");
      const bool early = CHANCE(context_.os.chaos, "broker: fetch looks early");
      const auto soon = context_.os.clock.monotonic() + std::chrono::milliseconds(1);
      const auto waited = context_.stirred.wait(early ? std::min(soon, deadline) : deadline);
      if (!waited && waited.error() != base::Errc::kDeadline) return base::fail(waited.error());
    }
  }

 private:
  std::vector<PartitionLog::Watch> watch() {
    std::vector<PartitionLog::Watch> watches;
    if (request_.wait_max_ms <= 0 || request_.bytes_min <= 0) return watches;
    std::set<std::pair<std::string_view, int32_t>> seen;
    for (const auto& topic : request_.topics) {
      for (const auto& partition : topic.partitions) {
        if (!seen.emplace(topic.name, partition.index).second) continue;
        const auto found = find_partition(context_.catalog, topic.name, partition.index);
        if (found.log != nullptr) watches.emplace_back(*found.log, context_.stirred);
      }
    }
    return watches;
  }

  // A refusal of everything stands in the reply itself where it has room, else in each partition.
  void refuse(ErrorCode error, base::Buffer& out) const {
    FetchReply reply;
    reply.error = error;
    if (header_.version < 7) {
      for (const auto& topic : request_.topics) {
        auto& answered = reply.topics.emplace_back();
        answered.name = topic.name;
        for (const auto& partition : topic.partitions) {
          answered.partitions.push_back({.index = partition.index, .error = error});
        }
      }
    }
    encode_reply(out, reply, header_.version, header_.correlation);
  }

  // Every partition asked for is in the reply, also those that have nothing: their high watermark
  // tells a client that it is at the end.
  base::Result<Outcome> look() {
    Outcome outcome;
    for (const auto& topic : request_.topics) {
      auto& answered = outcome.reply.topics.emplace_back();
      answered.name = topic.name;
      answered.partitions.reserve(topic.partitions.size());
      for (const auto& wanted : topic.partitions) {
        auto& partition = answered.partitions.emplace_back();
        partition.index = wanted.index;
        TRY(read(topic.name, wanted, partition, outcome));
        outcome.failed |= partition.error != ErrorCode::kNone;
      }
    }
    return outcome;
  }

  base::Result<void> read(const std::string& topic, const FetchRequest::Partition& wanted,
                          FetchReply::Partition& answered, Outcome& outcome) {
    const FoundPartition found =
        find_partition(context_.catalog, topic, wanted.index, wanted.current_leader_epoch);
    answered.error = found.error;
    if (found.error != ErrorCode::kNone) return {};
    PartitionLog& log = *found.log;
    // The first batch of a reply comes whole, however large, or a consumer would never get past
    // it.
    const bool first = outcome.bytes == 0;
    const size_t bytes_max = std::min(bytes_max_ - std::min(bytes_max_, outcome.bytes),
                                      static_cast<size_t>(std::max(wanted.bytes_max, 0)));
    auto slice = log.read(wanted.offset, bytes_max, first);
    if (slice) {
      if (small_) leave_first_batch(slice->batches);
      answered.high_watermark = answered.last_stable_offset = slice->high_watermark;
      answered.log_start_offset = slice->start_offset;
      outcome.bytes += slice->batches.size();
      answered.records = outcome.batches.emplace_back(std::move(slice->batches));
      return {};
    }
    if (slice.error() == base::Errc::kCancelled) return base::fail(slice.error());
    answered.error = slice.error() == base::Errc::kNotFound
                         ? ErrorCode::kOffsetOutOfRange
                         : storage_error(context_, log, slice.error());
    return {};
  }

  static void leave_first_batch(std::string& batches) {
    if (batches.empty()) return;
    batches.resize(std::min(batches.size(), read_batch_header(batches).bytes()));
  }

  Context& context_;
  RequestHeader header_;
  FetchRequest request_;
  size_t bytes_max_;
  bool small_ = false;  // One batch of each partition is enough.
};

}  // namespace

base::Result<Answer> fetch(Context& context, const RequestHeader& header, base::Bytes body) {
  auto request = TRY(decode<FetchRequest>(body, header.version));
  return Answer([fetch = Fetch(context, header, std::move(request))](base::Buffer& out) mutable {
    return fetch.answer(out);
  });
}

}  // namespace seatrial::broker
