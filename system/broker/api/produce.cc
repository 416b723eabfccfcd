#include "broker/api/produce.h"

#include "broker/api/partition.h"
#include "broker/log/record_batch.h"
#include "broker/wire/messages/produce.h"
#include "os/mark.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

namespace seatrial::broker {
namespace {

constexpr int16_t kAll = -1;
constexpr int16_t kBatchesFrom = 3;  // Before that version producers send older formats.
constexpr int16_t kZstdFrom = 7;

// An append whose reply is still to be waited for: its place in the reply.
struct Pending {
  size_t topic = 0;
  size_t partition = 0;
  PartitionLog* log = nullptr;
  int64_t end_offset = 0;
};

struct Work {
  ProduceReply reply;
  std::vector<Pending> pending;
  os::MonotonicTime deadline;
};

ErrorCode error_of(BatchProblem problem) {
  switch (problem) {
    case BatchProblem::kCorrupt: return ErrorCode::kCorruptMessage;
    case BatchProblem::kTooLarge: return ErrorCode::kMessageTooLarge;
    case BatchProblem::kInvalidRecord: return ErrorCode::kInvalidRecord;
    case BatchProblem::kUnsupportedFormat: return ErrorCode::kUnsupportedForMessageFormat;
    case BatchProblem::kUnsupportedCompression: return ErrorCode::kUnsupportedCompressionType;
  }
  return ErrorCode::kUnknownServerError;
}

struct Refusal {
  ErrorCode error = ErrorCode::kNone;
  std::string message;
};

// What is asked of all partitions of a request and cannot be had.
Refusal refuse_all(const ProduceRequest& request, int16_t version) {
  if (version < kBatchesFrom) {
    MARK("broker: Produce of an old version");
    return {ErrorCode::kUnsupportedVersion,
            fmt::format("Produce is served from version {} on", kBatchesFrom)};
  }
  if (request.acks < kAll || request.acks > 1) {
    return {ErrorCode::kInvalidRequiredAcks,
            fmt::format("expected acks of 0, 1 or -1, found {}", request.acks)};
  }
  if (request.transactional_id) {
    return {ErrorCode::kInvalidRequest, "this broker has no transactions"};
  }
  return {};
}

Refusal refuse_batch(const ProducedBatch& batch, int16_t version) {
  const BatchHeader& header = batch.header();
  if (version < kZstdFrom && header.compression_code() == static_cast<int>(Compression::kZstd)) {
    return {ErrorCode::kUnsupportedCompressionType,
            fmt::format("zstd needs Produce of version {} or later", kZstdFrom)};
  }
  if (header.producer_id >= 0 || header.transactional() || header.control()) {
    return {ErrorCode::kInvalidRecord, "this broker has no idempotent producers, no transactions"};
  }
  return {};
}

// Appends one partition's batch, or says why not.
base::Result<Refusal> append(const Context& context, const ProduceRequest::Partition& produced,
                             const FoundPartition& found, int16_t version, Work& work,
                             ProduceReply::Partition& answered) {
  if (found.error != ErrorCode::kNone) return Refusal{found.error, "no such topic or partition"};
  const auto batch = ProducedBatch::check(produced.records.value_or(base::Bytes()),
                                          found.topic->options.batch_bytes_max);
  if (!batch) return Refusal{error_of(batch.error().problem), batch.error().message};
  if (Refusal refusal = refuse_batch(*batch, version); refusal.error != ErrorCode::kNone) {
    return refusal;
  }
  const auto appended = found.log->append(*batch, work.deadline);
  if (!appended) {
    if (appended.error() == base::Errc::kDeadline) {
      return Refusal{ErrorCode::kRequestTimedOut, "the log's queue was full for all that time"};
    }
    if (appended.error() == base::Errc::kInvalidArgument) {
      return Refusal{ErrorCode::kRecordListTooLarge, appended.error().message()};
    }
    if (appended.error() != base::Errc::kIo) return base::fail(appended.error());
    return Refusal{storage_error(context, *found.log, appended.error()), "the log has stopped"};
  }
  answered.base_offset = appended->base_offset;
  answered.log_append_time_ms = appended->log_append_time;
  answered.log_start_offset = found.log->start_offset();
  work.pending.push_back({.log = found.log, .end_offset = appended->end_offset});
  return Refusal{};
}

base::Result<void> append_all(const Context& context, const ProduceRequest& request,
                              int16_t version, Work& work) {
  const Refusal of_all = refuse_all(request, version);
  for (const auto& topic : request.topics) {
    auto& answered_topic = work.reply.topics.emplace_back();
    answered_topic.name = topic.name;
    for (const auto& produced : topic.partitions) {
      auto& answered = answered_topic.partitions.emplace_back();
      answered.index = produced.index;
      Refusal refusal = of_all;
      if (refusal.error == ErrorCode::kNone) {
        const auto found = find_partition(context.catalog, topic.name, produced.index);
        const size_t before = work.pending.size();
        refusal = TRY(append(context, produced, found, version, work, answered));
        if (work.pending.size() > before) {
          work.pending.back().topic = work.reply.topics.size() - 1;
          work.pending.back().partition = answered_topic.partitions.size() - 1;
        }
      }
      if (refusal.error == ErrorCode::kNone) continue;
      answered.error = refusal.error;
      answered.error_message = error_text(std::move(refusal.message));
    }
  }
  return {};
}

// Without a reply to carry it an error is told by the end of the connection.
base::Result<void> first_error(const ProduceReply& reply) {
  for (const auto& topic : reply.topics) {
    for (const auto& partition : topic.partitions) {
      if (partition.error == ErrorCode::kNone) continue;
      return base::fail(
          base::Errc::kInvalidData,
          fmt::format("Produce with acks=0 to {}-{}: {}: {}", topic.name, partition.index,
                      to_string(partition.error), partition.error_message.value_or("")));
    }
  }
  return {};
}

base::Result<void> await(Work& work, int16_t acks) {
  for (const Pending& pending : work.pending) {
    const auto waited = acks == kAll
                            ? pending.log->await_flushed(pending.end_offset, work.deadline)
                            : pending.log->await_written(pending.end_offset, work.deadline);
    if (waited) continue;
    // Whether it is there after the next start nobody knows: that has no error code.
    if (waited.error() != base::Errc::kDeadline) return base::fail(waited.error());
    MARK("broker: Produce timed out");
    auto& answered = work.reply.topics[pending.topic].partitions[pending.partition];
    answered.error = ErrorCode::kRequestTimedOut;
    answered.error_message = "not flushed in time; it may still be";
  }
  return {};
}

}  // namespace

base::Result<Answer> produce(Context& context, const RequestHeader& header, base::Bytes body) {
  const auto request = TRY(decode<ProduceRequest>(body, header.version));
  const auto patience = std::chrono::milliseconds(std::max(request.timeout_ms, 0));
  Work work;
  // Who wants no reply waits for the log's queue as long as it takes.
  work.deadline = request.acks == 0 ? os::kNever : context.os.clock.monotonic() + patience;
  TRY(append_all(context, request, header.version, work));
  if (request.acks == 0) {
    TRY(first_error(work.reply));
    return Answer([](base::Buffer&) { return base::Result<void>(); });
  }
  return Answer([header, acks = request.acks,
                 work = std::move(work)](base::Buffer& out) mutable -> base::Result<void> {
    TRY(await(work, acks));
    encode_reply(out, work.reply, header.version, header.correlation);
    return {};
  });
}

}  // namespace seatrial::broker
