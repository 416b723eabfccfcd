// A customer of a broker: produces, polls, lists offsets, makes topics, and writes down what it
// asked and what came of it, in the words of a history of type "kafka" (checkers/log_shapes.h).
//
// Sends are pipelined: many are under way on one connection. A history has one operation open for
// each process, so each operation under way takes a lane, which is a process of its own.
#pragma once

#include "broker/wire/error_code.h"
#include "scenarios/broker_client.h"
#include "scenarios/record_batches.h"
#include "scenarios/workloads/workload.h"

#include <map>
#include <span>
#include <string>
#include <vector>

namespace seatrial::scenarios {

// "topic-3".
struct TopicPartition {
  std::string topic;
  int32_t index = 0;

  std::string name() const;
  static TopicPartition parse(std::string_view name);
  friend auto operator<=>(const TopicPartition&, const TopicPartition&) = default;
};

// One batch to send.
struct SendOrder {
  TopicPartition partition;
  std::vector<ClientRecord> records;  // Each value is its identity, a colon, and anything.
  bool corrupt = false;               // A bit is turned over on the way.
};

// One partition of a fetch: where to read on, and what was found there.
struct Position {
  TopicPartition partition;
  std::string by;  // The consumer; empty: nobody's order counts.
  int64_t next = 0;
  int64_t end = 0;            // As told by the last answer.
  bool out_of_range = false;  // By the last answer.
  bool answered = false;      // It had one.
};

struct PollOrder {
  os::Duration wait{0};         // So long the broker may hold the request.
  int32_t bytes_max = 1 << 20;  // Of each partition.
  bool final = false;
};

class BrokerCustomer {
 public:
  static constexpr uint32_t kLanes = 24;

  explicit BrokerCustomer(ClientContext& context);

  // Parks until a connection is there. Errors: kCancelled.
  Result<void> ready() { return producer_.ready(context_.servers[0]); }

  // Sends these batches in one request, one a partition, and does not wait for the answer.
  // Connects if need be. Errors: kCancelled.
  Result<void> send(int acks, std::span<const SendOrder> orders);
  // Waits until everything sent was answered or given up.
  Result<void> settle() { return producer_.settle(); }

  // Asks for all positions in one request and moves each behind what was found. The callback comes
  // once, when it is answered or given up. The positions must live until then.
  Result<void> start_poll(std::vector<Position>& positions, const PollOrder& order,
                          std::function<void(bool answered)> done);
  // The same, waiting. False: there was no answer.
  Result<bool> poll(std::vector<Position>& positions, const PollOrder& order);

  // The first argument to tell: "earliest", "latest" or a timestamp. kNotFound: the broker knows
  // no such partition; kReset: no answer.
  Result<int64_t> list_offsets(const TopicPartition& partition, const checkers::Value& what);
  Result<void> create_topic(const std::string& topic, int32_t partitions);
  // How many partitions it has; 0: there is no such topic.
  Result<int32_t> describe_topic(const std::string& topic, bool may_create);

  // "client.connection": whose sends keep their order.
  std::string producer_name() const;

 private:
  // A lane of the history, until it is given back.
  Result<uint32_t> take_lane();
  void give_lane(uint32_t lane);
  uint32_t number(uint32_t lane) const {
    return context_.client + lane * (context_.scenario.clients + 1);
  }
  // The one lane of what is asked and waited for.
  uint32_t own() const { return number(0); }
  bool newer() const { return context_.client % 2 == 1; }  // Which versions it speaks.

  void protest(std::string_view what);
  checkers::OperationId note_send(uint32_t lane, int acks, const SendOrder& order);
  void note_sent(std::span<const std::pair<checkers::OperationId, TopicPartition>> sent,
                 int16_t version, Result<base::Bytes> frame);
  void note_found(checkers::OperationId id, Position& position, broker::ErrorCode error,
                  int64_t end, int64_t start, base::Bytes records);

  ClientContext& context_;
  BrokerClient producer_;
  BrokerClient consumer_;
  std::vector<uint32_t> free_lanes_;
  os::Event lane_free_;
};

}  // namespace seatrial::scenarios
