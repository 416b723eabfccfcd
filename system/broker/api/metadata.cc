#include "broker/api/metadata.h"

#include "broker/wire/messages/metadata.h"

#include <string>

namespace seatrial::broker {
namespace {

MetadataReply::Topic describe(const Context& context, const Topic& topic) {
  MetadataReply::Topic described{.name = topic.name};
  const int32_t self = context.config.broker_id;
  for (size_t i = 0; i < topic.partitions.size(); ++i) {
    described.partitions.push_back({.index = static_cast<int32_t>(i),
                                    .leader = self,
                                    .leader_epoch = topic.options.leader_epoch,
                                    .replicas = {self},
                                    .in_sync = {self}});
  }
  return described;
}

MetadataReply::Topic find_or_create(Context& context, const std::string& name, bool may_create) {
  if (const Topic* const topic = context.catalog.find(name)) return describe(context, *topic);
  MetadataReply::Topic missing{.error = ErrorCode::kUnknownTopicOrPartition, .name = name};
  if (!topic_name_problem(name).empty()) {
    missing.error = ErrorCode::kInvalidTopic;
  } else if (may_create && context.config.auto_create_topics) {
    const auto created = context.catalog.create(name, context.config.num_partitions, {});
    if (created) return describe(context, **created);
    // Another connection was faster.
    if (const Topic* const topic = context.catalog.find(name)) return describe(context, *topic);
    missing.error = created.error().error;
  }
  return missing;
}

}  // namespace

base::Result<Answer> metadata(Context& context, const RequestHeader& header, base::Bytes body) {
  const auto request = TRY(decode<MetadataRequest>(body, header.version));
  const Config& config = context.config;
  MetadataReply reply{.cluster_id = context.catalog.cluster_id(), .controller = config.broker_id};
  const os::Address& advertised = config.advertised;
  reply.brokers.push_back({.node_id = config.broker_id,
                           .host = advertised.host.empty() ? context.local.host : advertised.host,
                           .port = advertised.port == 0 ? context.local.port : advertised.port});
  const bool all = !request.topics || (header.version == 0 && request.topics->empty());
  if (all) {
    for (const auto& [name, topic] : context.catalog.topics()) {
      reply.topics.push_back(describe(context, *topic));
    }
  } else {
    for (const MetadataRequest::Topic& topic : *request.topics) {
      reply.topics.push_back(
          find_or_create(context, topic.name, request.allow_auto_topic_creation));
    }
  }
  return answer_with(header, std::move(reply));
}

}  // namespace seatrial::broker
