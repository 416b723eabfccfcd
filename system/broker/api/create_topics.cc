#include "broker/api/create_topics.h"

#include "broker/wire/messages/create_topics.h"

#include <map>
#include <set>
#include <string>

namespace seatrial::broker {
namespace {

using Wanted = CreateTopicsRequest::Topic;

// The number of partitions that are assigned by hand, each to this broker alone.
std::expected<int32_t, TopicRefusal> assigned_partitions(const Context& context,
                                                         const Wanted& wanted) {
  if (wanted.partitions != -1 || wanted.replication_factor != -1) {
    return std::unexpected(TopicRefusal{
        ErrorCode::kInvalidRequest,
        "with partitions assigned, both their number and the replication factor must be -1"});
  }
  const auto count = static_cast<int32_t>(wanted.assignments.size());
  std::set<int32_t> assigned;
  for (const auto& assignment : wanted.assignments) {
    const bool ours =
        assignment.brokers.size() == 1 && assignment.brokers[0] == context.config.broker_id;
    const bool dense = assignment.partition >= 0 && assignment.partition < count;
    if (ours && dense && assigned.insert(assignment.partition).second) continue;
    return std::unexpected(
        TopicRefusal{ErrorCode::kInvalidReplicaAssignment,
                     fmt::format("expected the partitions 0 to {}, each assigned to broker {}",
                                 count - 1, context.config.broker_id)});
  }
  return count;
}

std::expected<int32_t, TopicRefusal> partitions_of(const Context& context, const Wanted& wanted,
                                                   int16_t version) {
  if (!wanted.assignments.empty()) return assigned_partitions(context, wanted);
  const bool defaults = version >= 4;
  if (wanted.replication_factor != 1 && !(defaults && wanted.replication_factor == -1)) {
    return std::unexpected(TopicRefusal{
        ErrorCode::kInvalidReplicationFactor,
        fmt::format("expected a replication factor of 1, found {}: this broker stands alone",
                    wanted.replication_factor)});
  }
  if (defaults && wanted.partitions == -1) return context.config.num_partitions;
  return wanted.partitions;
}

TopicRefusal create_one(Context& context, const Wanted& wanted, const CreateTopicsRequest& request,
                        int16_t version) {
  const auto partitions = partitions_of(context, wanted, version);
  if (!partitions) return partitions.error();
  TopicSettings settings;
  for (const auto& setting : wanted.settings) {
    if (!setting.value) {
      return {ErrorCode::kInvalidConfig, fmt::format("{} has no value", setting.name)};
    }
    settings[setting.name] = *setting.value;
  }
  if (request.validate_only) return context.catalog.check(wanted.name, *partitions, settings);
  const auto created = context.catalog.create(wanted.name, *partitions, settings);
  return created ? TopicRefusal{} : created.error();
}

}  // namespace

base::Result<Answer> create_topics(Context& context, const RequestHeader& header,
                                   base::Bytes body) {
  const auto request = TRY(decode<CreateTopicsRequest>(body, header.version));
  std::map<std::string_view, int> asked;
  for (const Wanted& wanted : request.topics) ++asked[wanted.name];
  CreateTopicsReply reply;
  for (const Wanted& wanted : request.topics) {
    const TopicRefusal refusal =
        asked[wanted.name] > 1
            ? TopicRefusal{ErrorCode::kInvalidRequest, "the topic is asked for more than once"}
            : create_one(context, wanted, request, header.version);
    auto& answered = reply.topics.emplace_back();
    answered.name = wanted.name;
    answered.error = refusal.error;
    if (refusal.error != ErrorCode::kNone) answered.error_message = error_text(refusal.message);
  }
  return answer_with(header, std::move(reply));
}

}  // namespace seatrial::broker
