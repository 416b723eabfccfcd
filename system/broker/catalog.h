// The topics: which there are, with how many partitions, and the log of each partition.
//
// On disk, under log.dirs: a directory <topic>-<partition> for each partition, as Kafka has it,
// and the file `topics`, which names all of them. A topic exists once that file names it, durably;
// the directories of a creation that a crash cut short are not named, and stand empty until the
// topic is created again. A directory that is named and not there is damage, and stops the start.
// meta.properties holds the identity of the cluster and of the broker.
#pragma once

#include "base/error.h"
#include "broker/config.h"
#include "broker/log/partition_log.h"
#include "broker/wire/error_code.h"
#include "os/os.h"

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace seatrial::broker {

// By their names, as CreateTopics has them ("segment.bytes").
using TopicSettings = std::map<std::string, std::string, std::less<>>;

struct Topic {
  std::string name;
  TopicSettings settings;  // Only those of its own.
  LogOptions options;      // What they amount to.
  std::vector<std::unique_ptr<PartitionLog>> partitions;
};

// Why a topic was not created, in the protocol's terms.
struct TopicRefusal {
  ErrorCode error = ErrorCode::kNone;
  std::string message;
};

// What is wrong with a topic's name, by Kafka's rules; empty: nothing.
std::string topic_name_problem(std::string_view name);

class Catalog {
 public:
  static constexpr int32_t kPartitionsMax = 10000;  // Of one topic.

  // `fatal` is called when a log has stopped for good; it must not park.
  Catalog(os::Os& os, const Config& config, std::function<void(const base::Error&)> fatal);

  // Reads what is on the disk, and recovers every log. Parks. Errors: kInvalidData, and those of
  // the disk; the catalog is of no use then.
  base::Result<void> open();

  // Valid as long as the catalog: topics are never removed.
  Topic* find(std::string_view name);
  const std::map<std::string, std::unique_ptr<Topic>, std::less<>>& topics() const {
    return topics_;
  }
  const std::string& cluster_id() const { return cluster_id_; }

  // What stands against creating this; kNone: nothing. Does not park.
  TopicRefusal check(std::string_view name, int32_t partitions,
                     const TopicSettings& settings) const;
  // Parks until the topic is durable. An error of the disk is logged, and is
  // KAFKA_STORAGE_ERROR; the topic may then be there after the next start.
  std::expected<Topic*, TopicRefusal> create(std::string_view name, int32_t partitions,
                                             const TopicSettings& settings);

  // Flushes and closes all logs, as an orderly stop does.
  base::Result<void> close();

 private:
  base::Result<void> open_identity();
  base::Result<void> open_topics();
  base::Result<void> parse_topics(std::string_view text);
  base::Result<void> open_logs(Topic& topic);
  base::Result<void> create_durably(Topic& topic);
  base::Result<void> refuse_strangers();
  base::Result<void> write_topics(const Topic& added);
  std::string directory_of(const Topic& topic, size_t partition) const;
  std::string path_of(std::string_view file) const;
  base::Result<LogOptions> options_with(const TopicSettings& settings) const;

  os::Os& os_;
  const Config& config_;
  std::function<void(const base::Error&)> fatal_;
  std::map<std::string, std::unique_ptr<Topic>, std::less<>> topics_;
  std::string cluster_id_;
  os::Mutex creating_;
};

}  // namespace seatrial::broker
