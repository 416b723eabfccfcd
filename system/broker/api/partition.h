// Finding the partition that a request names, and what the errors of its log are in the protocol.
#pragma once

#include "broker/api/api.h"

#include <string_view>

namespace seatrial::broker {

struct FoundPartition {
  ErrorCode error = ErrorCode::kNone;  // Otherwise these are nullptr.
  const Topic* topic = nullptr;
  PartitionLog* log = nullptr;
};

// `leader_epoch`: the one that the client believes in, -1: it does not say.
FoundPartition find_partition(Catalog& catalog, std::string_view topic, int32_t index,
                              int32_t leader_epoch = -1);

// Logs the error of a log, which the client is told as KAFKA_STORAGE_ERROR.
ErrorCode storage_error(const Context& context, const PartitionLog& log, const base::Error& error);

}  // namespace seatrial::broker
