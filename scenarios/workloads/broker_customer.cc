#include "scenarios/workloads/broker_customer.h"

#include "base/check.h"
#include "broker/wire/messages/create_topics.h"
#include "broker/wire/messages/fetch.h"
#include "broker/wire/messages/list_offsets.h"
#include "broker/wire/messages/metadata.h"
#include "broker/wire/messages/produce.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace seatrial::scenarios {

using base::Errc;
using base::fail;
using broker::ErrorCode;
using checkers::Function;
using checkers::OperationId;
using checkers::Value;

namespace {

using namespace std::chrono_literals;

constexpr os::Duration kPatience = 5s;
constexpr uint32_t kProtests = 1;  // Their lane.
constexpr auto kTimeoutMs = static_cast<int32_t>(4000);

// A record's identity: what stands before the colon.
std::string_view identity(const ClientRecord& record) {
  const std::string_view value = record.value;
  return value.substr(0, value.find(':'));
}

// Errors after which the broker has certainly appended nothing.
bool is_refusal(ErrorCode error) {
  switch (error) {
    case ErrorCode::kCorruptMessage:
    case ErrorCode::kUnknownTopicOrPartition:
    case ErrorCode::kLeaderNotAvailable:
    case ErrorCode::kMessageTooLarge:
    case ErrorCode::kInvalidTopic:
    case ErrorCode::kRecordListTooLarge:
    case ErrorCode::kInvalidRequiredAcks:
    case ErrorCode::kInvalidTimestamp:
    case ErrorCode::kUnsupportedVersion:
    case ErrorCode::kInvalidRequest:
    case ErrorCode::kUnsupportedForMessageFormat:
    case ErrorCode::kUnsupportedCompressionType:
    case ErrorCode::kInvalidRecord: return true;
    default: return false;
  }
}

// The partitions of several topics, as requests hold them: topic by topic.
template <typename Request, typename Partition>
void add_partition(Request& request, const std::string& topic, Partition partition) {
  auto at = std::ranges::find(request.topics, topic, &Request::Topic::name);
  if (at == request.topics.end()) {
    request.topics.emplace_back().name = topic;
    at = request.topics.end() - 1;
  }
  at->partitions.push_back(std::move(partition));
}

template <typename Reply>
auto find_partition(const Reply& reply, const TopicPartition& partition)
    -> const std::remove_cvref_t<decltype(reply.topics[0].partitions[0])>* {
  for (const auto& topic : reply.topics) {
    if (topic.name != partition.topic) continue;
    for (const auto& each : topic.partitions) {
      if (each.index == partition.index) return &each;
    }
  }
  return nullptr;
}

}  // namespace

std::string TopicPartition::name() const { return fmt::format("{}-{}", topic, index); }

TopicPartition TopicPartition::parse(std::string_view name) {
  TopicPartition partition;
  const size_t dash = std::min(name.rfind('-'), name.size());
  partition.topic = name.substr(0, dash);
  if (dash < name.size()) {
    std::from_chars(name.data() + dash + 1, name.data() + name.size(), partition.index);
  }
  return partition;
}

BrokerCustomer::BrokerCustomer(ClientContext& context)
    : context_(context),
      producer_(context.os, "producer", [this](std::string_view what) { protest(what); }),
      consumer_(context.os, "consumer", [this](std::string_view what) { protest(what); }),
      lane_free_(context.os.fibers) {
  for (uint32_t lane = kLanes - 1; lane > kProtests; --lane) free_lanes_.push_back(lane);
}

std::string BrokerCustomer::producer_name() const {
  return fmt::format("{}.{}", context_.client, producer_.connection());
}

Result<uint32_t> BrokerCustomer::take_lane() {
  while (free_lanes_.empty()) {
    lane_free_.reset();
    TRY(lane_free_.wait());
  }
  const uint32_t lane = free_lanes_.back();
  free_lanes_.pop_back();
  return lane;
}

void BrokerCustomer::give_lane(uint32_t lane) {
  free_lanes_.push_back(lane);
  lane_free_.set();
}

void BrokerCustomer::protest(std::string_view what) {
  const OperationId id =
      context_.scribe.invoke(number(kProtests), Function::kProtest, "", Value::text(what));
  context_.scribe.ok(id, Value::text("OK"));
}

OperationId BrokerCustomer::note_send(uint32_t lane, int acks, const SendOrder& order) {
  std::vector<std::array<Value, 3>> parts(order.records.size());
  std::vector<Value> items;
  for (size_t i = 0; i < order.records.size(); ++i) {
    const ClientRecord& record = order.records[i];
    parts[i] = {Value::text(identity(record)), Value::integer(record.timestamp),
                Value::integer(payload_hash(record))};
    items.push_back(Value::list(parts[i]));
  }
  const std::string by = producer_name();
  const Value members[] = {Value::text("acks"), Value::integer(acks), Value::text("by"),
                           Value::text(by),     Value::text("v"),     Value::list(items)};
  return context_.scribe.invoke(number(lane), Function::kSend, order.partition.name(),
                                Value::object(members));
}

Result<void> BrokerCustomer::send(int acks, std::span<const SendOrder> orders) {
  TRY(ready());
  std::vector<uint32_t> lanes;
  std::vector<std::string> batches;  // The request points into them.
  for (const SendOrder& order : orders) {
    lanes.push_back(TRY(take_lane()));
    std::string& batch = batches.emplace_back(encode_batch(order.records));
    if (order.corrupt) batch[batch.size() - 2] = static_cast<char>(batch[batch.size() - 2] ^ 4);
  }
  // The wait for a lane may have cost the connection: from here on nothing parks before the write.
  TRY(ready());
  broker::ProduceRequest request;
  request.acks = static_cast<int16_t>(acks);
  request.timeout_ms = kTimeoutMs;
  std::vector<std::pair<OperationId, TopicPartition>> sent;
  for (size_t i = 0; i < orders.size(); ++i) {
    const TopicPartition& partition = orders[i].partition;
    sent.emplace_back(note_send(lanes[i], acks, orders[i]), partition);
    add_partition(request, partition.topic,
                  broker::ProduceRequest::Partition{partition.index, base::Bytes(batches[i])});
  }
  const int16_t version = newer() ? 7 : 3;
  if (acks != 0) {
    (void)producer_.send(request, version, kPatience,
                         [this, sent, lanes, version](Result<base::Bytes> frame) {
                           note_sent(sent, version, frame);
                           for (const uint32_t lane : lanes) give_lane(lane);
                         });
    return {};
  }
  const auto written = producer_.send(request, version, kPatience, nullptr);
  for (const auto& [id, partition] : sent) {
    written ? context_.scribe.ok(id, {}) : context_.scribe.info(id);
  }
  for (const uint32_t lane : lanes) give_lane(lane);
  return {};
}

void BrokerCustomer::note_sent(std::span<const std::pair<OperationId, TopicPartition>> sent,
                               int16_t version, Result<base::Bytes> frame) {
  const auto reply = frame ? broker::decode_reply<broker::ProduceReply>(*frame, version)
                           : Result<broker::ProduceReply>(fail(frame.error()));
  if (frame && !reply) protest(reply.error().message());
  for (const auto& [id, partition] : sent) {
    const auto* answer = reply ? find_partition(*reply, partition) : nullptr;
    if (reply && answer == nullptr) protest("an answer to Produce leaves out " + partition.name());
    if (answer == nullptr) {
      context_.scribe.info(id);
    } else if (answer->error == ErrorCode::kNone && answer->base_offset >= 0) {
      context_.scribe.ok(id, Value::integer(answer->base_offset));
    } else {
      is_refusal(answer->error) ? context_.scribe.fail(id) : context_.scribe.info(id);
    }
  }
}

void BrokerCustomer::note_found(OperationId id, Position& position, ErrorCode error, int64_t end,
                                int64_t start, base::Bytes records) {
  position.answered = error == ErrorCode::kNone || error == ErrorCode::kOffsetOutOfRange;
  position.out_of_range = error == ErrorCode::kOffsetOutOfRange;
  if (position.out_of_range) return context_.scribe.ok(id, Value::text("out-of-range"));
  // Other errors say nothing of the log.
  if (error != ErrorCode::kNone || end < 0) return context_.scribe.fail(id);
  FetchedBatches fetched = decode_batches(records);
  // The batch that holds the position comes whole: what stands before it there is no finding.
  const int64_t from = position.next;
  std::erase_if(fetched.records, [from](const FetchedRecord& record) {
    return record.offset < from && record.batch_end > from;
  });
  std::vector<std::vector<Value>> parts;
  for (const auto& [offset, batch_end, record] : fetched.records) {
    parts.push_back({Value::integer(offset), Value::text(identity(record)),
                     Value::integer(record.timestamp), Value::integer(payload_hash(record))});
    position.next = offset + 1;
  }
  if (!fetched.problem.empty()) {
    // Nobody sent this; it will be found out.
    parts.push_back({Value::integer(position.next), Value::text(fetched.problem)});
  }
  std::vector<Value> items;
  for (const std::vector<Value>& part : parts) items.push_back(Value::list(part));
  std::vector<Value> members = {Value::text("hw"), Value::integer(end), Value::text("recs"),
                                Value::list(items)};
  if (start >= 0) {
    members.push_back(Value::text("start"));
    members.push_back(Value::integer(start));
  }
  position.end = end;
  context_.scribe.ok(id, Value::object(members));
}

Result<void> BrokerCustomer::start_poll(std::vector<Position>& positions, const PollOrder& order,
                                        std::function<void(bool answered)> done) {
  std::vector<uint32_t> lanes;
  for (size_t i = 0; i < positions.size(); ++i) lanes.push_back(TRY(take_lane()));
  TRY(consumer_.ready(context_.servers[0]));
  const auto wait_ms = std::chrono::duration_cast<std::chrono::milliseconds>(order.wait).count();
  broker::FetchRequest request;
  request.wait_max_ms = static_cast<int32_t>(wait_ms);
  request.bytes_min = 1;
  std::vector<OperationId> ids;
  for (size_t i = 0; i < positions.size(); ++i) {
    Position& position = positions[i];
    position.answered = false;
    std::vector<Value> members;
    if (!position.by.empty()) members = {Value::text("by"), Value::text(position.by)};
    if (order.final) members.insert(members.end(), {Value::text("final"), Value::integer(1)});
    members.insert(members.end(), {Value::text("from"), Value::integer(position.next),
                                   Value::text("wait"), Value::integer(wait_ms)});
    ids.push_back(context_.scribe.invoke(number(lanes[i]), Function::kPoll,
                                         position.partition.name(), Value::object(members)));
    add_partition(request, position.partition.topic,
                  broker::FetchRequest::Partition{.index = position.partition.index,
                                                  .offset = position.next,
                                                  .bytes_max = order.bytes_max});
  }
  const int16_t version = newer() ? 11 : 4;
  (void)consumer_.send(
      request, version, order.wait + kPatience,
      [this, &positions, ids, lanes, version, done](Result<base::Bytes> frame) {
        const auto reply = frame ? broker::decode_reply<broker::FetchReply>(*frame, version)
                                 : Result<broker::FetchReply>(fail(frame.error()));
        if (frame && !reply) protest(reply.error().message());
        for (size_t i = 0; i < positions.size(); ++i) {
          const auto* answer = reply ? find_partition(*reply, positions[i].partition) : nullptr;
          if (reply && answer == nullptr) {
            protest("an answer to Fetch leaves out " + positions[i].partition.name());
          }
          if (answer == nullptr) {
            context_.scribe.info(ids[i]);
          } else {
            note_found(ids[i], positions[i], answer->error, answer->high_watermark,
                       answer->log_start_offset, answer->records.value_or(base::Bytes{}));
          }
          give_lane(lanes[i]);
        }
        done(reply.has_value());
      });
  return {};
}

Result<bool> BrokerCustomer::poll(std::vector<Position>& positions, const PollOrder& order) {
  struct Waiting {
    explicit Waiting(os::Fibers& fibers) : done(fibers) {}
    os::Event done;
    bool answered = false;
  };
  const auto waiting = std::make_shared<Waiting>(context_.os.fibers);
  TRY(start_poll(positions, order, [waiting](bool answered) {
    waiting->answered = answered;
    waiting->done.set();
  }));
  TRY(waiting->done.wait());
  return waiting->answered;
}

Result<int64_t> BrokerCustomer::list_offsets(const TopicPartition& partition, const Value& what) {
  TRY(ready());
  broker::ListOffsetsRequest request;
  const int64_t time = what.is_integer()                 ? what.as_integer()
                       : what == Value::text("earliest") ? broker::kEarliestOffset
                                                         : broker::kLatestOffset;
  add_partition(
      request, partition.topic,
      broker::ListOffsetsRequest::Partition{.index = partition.index, .timestamp_ms = time});
  const OperationId id =
      context_.scribe.invoke(own(), Function::kListOffsets, partition.name(), what);
  const auto answer = producer_.call<broker::ListOffsetsReply>(request, newer() ? 2 : 1, kPatience);
  const auto* found = answer ? find_partition(answer->reply, partition) : nullptr;
  if (found == nullptr) {
    context_.scribe.info(id);
    return fail(Errc::kReset);
  }
  if (found->error != ErrorCode::kNone || found->offset < -1) {
    context_.scribe.fail(id);
    return fail(found->error == ErrorCode::kUnknownTopicOrPartition ? Errc::kNotFound
                                                                    : Errc::kReset);
  }
  const Value parts[] = {Value::integer(found->offset), Value::integer(found->timestamp_ms)};
  context_.scribe.ok(id, what.is_integer() ? Value::list(parts) : parts[0]);
  return found->offset;
}

Result<void> BrokerCustomer::create_topic(const std::string& topic, int32_t partitions) {
  TRY(ready());
  broker::CreateTopicsRequest request;
  request.timeout_ms = kTimeoutMs;
  request.topics.push_back({.name = topic, .partitions = partitions, .replication_factor = 1});
  const OperationId id =
      context_.scribe.invoke(own(), Function::kCreateTopic, topic, Value::integer(partitions));
  const auto answer =
      producer_.call<broker::CreateTopicsReply>(request, newer() ? 3 : 0, kPatience);
  if (!answer || answer->reply.topics.size() != 1) {
    context_.scribe.info(id);
    return fail(Errc::kReset);
  }
  switch (answer->reply.topics[0].error) {
    case ErrorCode::kNone: context_.scribe.ok(id, Value::text("OK")); return {};
    case ErrorCode::kTopicAlreadyExists: context_.scribe.fail(id); return fail(Errc::kExists);
    default: context_.scribe.info(id); return fail(Errc::kReset);
  }
}

Result<int32_t> BrokerCustomer::describe_topic(const std::string& topic, bool may_create) {
  TRY(ready());
  broker::MetadataRequest request;
  request.topics->push_back({topic});
  request.allow_auto_topic_creation = may_create;
  const OperationId id = context_.scribe.invoke(own(), Function::kDescribeTopic, topic);
  const auto answer = producer_.call<broker::MetadataReply>(request, newer() ? 5 : 4, kPatience);
  if (!answer || answer->reply.topics.size() != 1) {
    context_.scribe.info(id);
    return fail(Errc::kReset);
  }
  const broker::MetadataReply::Topic& found = answer->reply.topics[0];
  if (found.error != ErrorCode::kNone && found.error != ErrorCode::kUnknownTopicOrPartition) {
    context_.scribe.fail(id);
    return fail(Errc::kReset);
  }
  const auto partitions = static_cast<int32_t>(found.partitions.size());
  context_.scribe.ok(id, Value::integer(partitions));
  return partitions;
}

}  // namespace seatrial::scenarios
