// A log's lives on a simulated machine with one disk: each is a process that runs until it returns
// or until its time is up, and ends with the process only, or with the power.
#pragma once

#include "base/check.h"
#include "broker/log/partition_log.h"
#include "broker/log/records.h"
#include "os/os.h"
#include "sim/machine/process.h"
#include "sim/node.h"
#include "sim/world.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace seatrial::broker {

using namespace std::chrono_literals;

inline constexpr std::string_view kDirectory = "logs/topic-0";

struct Lives {
  uint64_t seed = 1;
  sim::Weather weather{};
  std::string logged{};       // What the lives wrote to their log, one line each.
  sim::Node* node = nullptr;  // While they run.

  using Body = std::function<void(os::Os&)>;
  struct Life {
    Body body;
    os::Duration time_max = 1h;  // Then it is killed.
    bool power_loss = false;     // At its end.
  };

  void run(const std::vector<Life>& lives) {
    sim::World world({.seed = seed, .weather = weather});
    world.log_listener = [this](sim::VirtualTime, std::string_view, base::LogLevel level,
                                std::string_view text) {
      logged += std::string(base::to_string(level)) + ": " + std::string(text) + "\n";
    };
    node = &world.add_node("host");
    world.administer("lives", [&] {
      for (const Life& life : lives) live(world, *node, life);
      world.stop();
    });
    EXPECT_EQ(to_string(world.run()), to_string(sim::Outcome::kStopped));
  }

  void run(const Body& body) { run({{.body = body}}); }

 private:
  static void live(sim::World& world, sim::Node& node, const Life& life) {
    const os::Pid pid = node.start("broker",
                                   [&](os::Os& os) {
                                     // A disk error does not matter here: it is there by then.
                                     static_cast<void>(os.disk.make_directory("logs"));
                                     while (!os.disk.sync_directory(".")) continue;
                                     life.body(os);
                                     return 0;
                                   })
                            .pid();
    const sim::VirtualTime end = world.now_virtual() + life.time_max;
    while (node.find(pid) != nullptr && world.now_virtual() < end) world.sleep(50us);
    if (life.power_loss) {
      node.power_off();
      node.power_on();
    } else {
      node.kill();
    }
  }
};

// For steps without which a test makes no sense.
template <typename T>
T must(base::Result<T> result) {
  CHECK_MSG(result.has_value(), "a step of the test failed: {}", result.error().message());
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

// "ok", or the name of the error: EXPECT_EQ on it shows both.
template <typename T>
std::string outcome(const base::Result<T>& result) {
  return result ? "ok" : std::string(base::to_string(result.error().code()));
}

inline std::unique_ptr<PartitionLog> open_log(os::Os& os, const LogOptions& options = {}) {
  return must(PartitionLog::open(os, std::string(kDirectory), options));
}

// A batch of records with these values; record i has the timestamp `timestamp` + i.
inline std::string batch_of(const std::vector<std::string>& values, int64_t timestamp = 1000) {
  std::vector<NewRecord> records;
  for (const std::string& value : values) {
    records.push_back({.timestamp = timestamp + static_cast<int64_t>(records.size()),
                       .key = std::nullopt,
                       .value = value,
                       .headers = {}});
  }
  return make_batch(records);
}

inline base::Result<Appended> append(PartitionLog& log, const std::string& bytes) {
  const auto batch = ProducedBatch::check(bytes, SIZE_MAX);
  CHECK_MSG(batch.has_value(), "the test's batch is refused: {}", batch.error().message);
  return log.append(*batch);
}

// What the log makes of a batch that it gives this offset.
inline std::string as_stored(std::string batch, int64_t base_offset) {
  set_base_offset(batch, base_offset);
  set_leader_epoch(batch, 0);
  return batch;
}

// The values in uncompressed batches, each with its offset: "0:a 1:b".
inline std::string values_in(base::Bytes batches) {
  std::string text;
  while (!batches.empty()) {
    const BatchHeader header = read_batch_header(batches);
    RecordCursor cursor(batches.substr(kBatchHeaderBytes, header.bytes() - kBatchHeaderBytes));
    while (const auto record = cursor.next()) {
      if (!text.empty()) text += ' ';
      text += fmt::format("{}:{}", header.base_offset + record->offset_delta,
                          record->value.value_or("null"));
    }
    batches.remove_prefix(header.bytes());
  }
  return text;
}

// All that is visible, read in small steps.
inline std::string read_all(PartitionLog& log, size_t step_bytes = 1) {
  std::string all;
  int64_t offset = log.start_offset();
  while (offset < log.high_watermark()) {
    const Slice slice = must(log.read(offset, step_bytes));
    CHECK(slice.next_offset > offset);
    all += slice.batches;
    offset = slice.next_offset;
  }
  return all;
}

}  // namespace seatrial::broker
