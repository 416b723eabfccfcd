#include "broker/api/list_offsets.h"

#include "broker/api/partition.h"
#include "broker/wire/messages/list_offsets.h"

#include <optional>
#include <utility>

namespace seatrial::broker {
namespace {

// The offset, and the time of its record where one was asked for. None: there is no such record.
base::Result<std::optional<TimeOffset>> find_offset(PartitionLog& log, int64_t timestamp_ms) {
  // What is beyond the high watermark does not exist for a consumer.
  if (timestamp_ms == kLatestOffset) return TimeOffset{-1, log.high_watermark()};
  if (timestamp_ms == kEarliestOffset) return TimeOffset{-1, log.start_offset()};
  return log.offset_for_time(timestamp_ms);
}

ListOffsetsReply::Partition answer(const Context& context, const std::string& topic,
                                   const ListOffsetsRequest::Partition& wanted, int16_t version) {
  ListOffsetsReply::Partition answered{.index = wanted.index};
  const FoundPartition found =
      find_partition(context.catalog, topic, wanted.index, wanted.current_leader_epoch);
  answered.error = found.error;
  if (found.error != ErrorCode::kNone) return answered;
  // Version 0 asks for the bounds of segments; of those only the first and the last are told.
  const bool oldest = version == 0;
  if (wanted.timestamp_ms < kEarliestOffset ||
      (oldest && (wanted.timestamp_ms >= 0 || wanted.offsets_max < 1))) {
    answered.error = ErrorCode::kInvalidRequest;
    return answered;
  }
  const auto offset = find_offset(*found.log, wanted.timestamp_ms);
  if (!offset) {
    answered.error = storage_error(context, *found.log, offset.error());
  } else if (oldest) {
    answered.offsets.push_back((*offset)->offset);
  } else if (*offset) {
    answered.timestamp_ms = (*offset)->timestamp;
    answered.offset = (*offset)->offset;
    answered.leader_epoch = found.topic->options.leader_epoch;
  }
  return answered;
}

}  // namespace

base::Result<Answer> list_offsets(Context& context, const RequestHeader& header, base::Bytes body) {
  auto decoded = TRY(decode<ListOffsetsRequest>(body, header.version));
  return Answer(
      [&context, header, request = std::move(decoded)](base::Buffer& out) -> base::Result<void> {
        ListOffsetsReply reply;
        for (const auto& topic : request.topics) {
          auto& answered = reply.topics.emplace_back();
          answered.name = topic.name;
          for (const auto& partition : topic.partitions) {
            answered.partitions.push_back(answer(context, topic.name, partition, header.version));
          }
        }
        encode_reply(out, reply, header.version, header.correlation);
        return {};
      });
}

}  // namespace seatrial::broker
