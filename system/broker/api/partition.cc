#include "broker/api/partition.h"

#include "os/mark.h"

namespace seatrial::broker {

FoundPartition find_partition(Catalog& catalog, std::string_view name, int32_t index,
                              int32_t leader_epoch) {
  const Topic* const topic = catalog.find(name);
  if (topic == nullptr || index < 0 || static_cast<size_t>(index) >= topic->partitions.size()) {
    return {.error = ErrorCode::kUnknownTopicOrPartition};
  }
  if (leader_epoch > topic->options.leader_epoch) {
    return {.error = ErrorCode::kUnknownLeaderEpoch};
  }
  if (leader_epoch >= 0 && leader_epoch < topic->options.leader_epoch) {
    return {.error = ErrorCode::kFencedLeaderEpoch};
  }
  return {ErrorCode::kNone, topic, topic->partitions[static_cast<size_t>(index)].get()};
}

ErrorCode storage_error(const Context& context, const PartitionLog& log, const base::Error& error) {
  MARK("broker: storage error in a reply");
  context.os.log.error("{}: {}", log.directory(), error.message());
  return ErrorCode::kKafkaStorageError;
}

}  // namespace seatrial::broker
