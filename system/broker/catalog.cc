#include "broker/catalog.h"

#include "base/random.h"
#include "broker/properties.h"
#include "broker/replace_file.h"
#include "os/mark.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace seatrial::broker {
namespace {

constexpr std::string_view kTopicsFile = "topics";
constexpr std::string_view kIdentityFile = "meta.properties";
constexpr std::string_view kTopicsHead = "seatrial topics 1\n";
constexpr uint64_t kFileBytesMax = 256 * 1024 * 1024;
constexpr size_t kNameBytesMax = 249;

std::string_view take_until(std::string_view& text, char end) {
  const size_t at = text.find(end);
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return taken;
}

std::optional<int32_t> parse_count(std::string_view text) {
  int32_t value = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return value;
}

std::string check_line(std::string_view text) {
  return fmt::format("fnv1a {:016x}\n", base::hash_name(text));
}

// "3 orders flush.messages=100 segment.bytes=4096": values hold no blanks.
std::string topic_line(const Topic& topic) {
  std::string line = fmt::format("{} {}", topic.partitions.size(), topic.name);
  for (const auto& [name, value] : topic.settings) line += fmt::format(" {}={}", name, value);
  return line + "\n";
}

// "orders-3" may be the directory of a partition.
bool looks_like_partition(std::string_view directory) {
  const size_t dash = directory.rfind('-');
  return dash != std::string_view::npos && dash > 0 && parse_count(directory.substr(dash + 1));
}

std::string new_cluster_id(base::RandomStream random) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string id;
  for (int i = 0; i < 22; ++i) id += kLetters[random.below(kLetters.size())];
  return id;
}

}  // namespace

std::string topic_name_problem(std::string_view name) {
  if (name.empty()) return "a topic's name is not empty";
  if (name == "." || name == "..") return "a topic is not named '.' or '..'";
  if (name.size() > kNameBytesMax) {
    return fmt::format("a topic's name has at most {} characters, this one has {}", kNameBytesMax,
                       name.size());
  }
  const bool clean = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
  return clean ? "" : "a topic's name is of letters, digits, '.', '_' and '-'";
}

Catalog::Catalog(os::Os& os, const Config& config, std::function<void(const base::Error&)> fatal)
    : os_(os), config_(config), fatal_(std::move(fatal)), creating_(os.fibers) {}

std::string Catalog::path_of(std::string_view file) const {
  return fmt::format("{}/{}", config_.log_dir, file);
}

std::string Catalog::directory_of(const Topic& topic, size_t partition) const {
  return path_of(fmt::format("{}-{}", topic.name, partition));
}

Topic* Catalog::find(std::string_view name) {
  const auto found = topics_.find(name);
  return found == topics_.end() ? nullptr : found->second.get();
}

base::Result<LogOptions> Catalog::options_with(const TopicSettings& settings) const {
  LogOptions options = config_.log;
  for (const auto& [name, value] : settings) {
    std::string problem = set_topic_setting(options, name, value);
    if (value.find_first_of(" \t\r\n") != std::string::npos) problem = "a value has no blanks";
    if (!problem.empty()) {
      return base::fail(base::Errc::kInvalidArgument, fmt::format("{}: {}", name, problem));
    }
  }
  options.on_fatal = fatal_;
  return options;
}

// ---- At the start ----

base::Result<void> Catalog::open() {
  TRY(make_directories(os_.disk, config_.log_dir));
  TRY(open_identity());
  TRY(open_topics());
  for (const auto& [name, topic] : topics_) {
    for (size_t i = 0; i < topic->partitions.size(); ++i) {
      const std::string directory = directory_of(*topic, i);
      if (TRY(os::exists(os_.disk, directory))) continue;
      return base::fail(
          base::Errc::kInvalidData,
          fmt::format("{} is missing: {} names the topic '{}' with {} partitions", directory,
                      path_of(kTopicsFile), name, topic->partitions.size()));
    }
    TRY(open_logs(*topic));
  }
  return {};
}

base::Result<void> Catalog::open_identity() {
  const std::string path = path_of(kIdentityFile);
  if (!TRY(os::exists(os_.disk, path))) {
    cluster_id_ = new_cluster_id(os_.random.stream("broker: cluster id"));
    return replace_file(
        os_.disk, path,
        fmt::format("version=0\nbroker.id={}\ncluster.id={}\n", config_.broker_id, cluster_id_));
  }
  const std::string text = TRY(os::read_file(os_.disk, path, kFileBytesMax));
  for (const Property& property : TRY(parse_properties(path, text))) {
    if (property.key == "cluster.id") cluster_id_ = property.value;
    if (property.key == "broker.id" && parse_count(property.value) != config_.broker_id) {
      return base::fail(base::Errc::kInvalidData,
                        fmt::format("{}: the directory belongs to broker.id {}, this is {}",
                                    property.place, property.value, config_.broker_id));
    }
  }
  if (!cluster_id_.empty() && cluster_id_.size() <= kNameBytesMax) return {};
  return base::fail(base::Errc::kInvalidData, fmt::format("{}: expected a cluster.id", path));
}

base::Result<void> Catalog::open_topics() {
  const std::string path = path_of(kTopicsFile);
  if (!TRY(os::exists(os_.disk, path))) return refuse_strangers();
  const std::string text = TRY(os::read_file(os_.disk, path, kFileBytesMax));
  if (auto parsed = parse_topics(text); !parsed) return base::fail(parsed.error().in(path));
  return {};
}

// Without a file of topics there may be what a first, unfinished creation left, but no records.
base::Result<void> Catalog::refuse_strangers() {
  for (const os::DirectoryEntry& entry : TRY(os_.disk.list(config_.log_dir))) {
    if (entry.kind != os::EntryKind::kDirectory || !looks_like_partition(entry.name)) continue;
    for (const os::DirectoryEntry& file : TRY(os_.disk.list(path_of(entry.name)))) {
      if (!file.name.ends_with(".log")) continue;
      const auto log = TRY(os_.disk.open(path_of(entry.name) + "/" + file.name, os::kReadOnly));
      if (TRY(log->size()) == 0) continue;
      return base::fail(base::Errc::kInvalidData,
                        fmt::format("{} holds records, and there is no {} that names its topic",
                                    path_of(entry.name), path_of(kTopicsFile)));
    }
  }
  return {};
}

base::Result<void> Catalog::parse_topics(std::string_view text) {
  const size_t last = text.size() < 2 ? 0 : text.rfind('\n', text.size() - 2) + 1;
  const std::string_view body = text.substr(0, last);
  if (!body.starts_with(kTopicsHead) || text.substr(last) != check_line(body)) {
    return base::fail(base::Errc::kInvalidData,
                      "the file is damaged: its checksum is not that of its contents");
  }
  std::string_view lines = body.substr(kTopicsHead.size());
  for (int number = 2; !lines.empty(); ++number) {
    std::string_view line = take_until(lines, '\n');
    auto topic = std::make_unique<Topic>();
    const auto partitions = parse_count(take_until(line, ' '));
    topic->name = take_until(line, ' ');
    while (!line.empty()) {
      std::string_view setting = take_until(line, ' ');
      const std::string_view name = take_until(setting, '=');
      topic->settings.emplace(name, setting);
    }
    auto options = options_with(topic->settings);
    if (!partitions || *partitions < 1 || *partitions > kPartitionsMax ||
        !topic_name_problem(topic->name).empty() || !options) {
      return base::fail(
          base::Errc::kInvalidData,
          fmt::format("line {}: expected a number of partitions, a topic's name and its settings{}",
                      number, options ? "" : fmt::format(" ({})", options.error().message())));
    }
    topic->options = std::move(*options);
    topic->partitions.resize(static_cast<size_t>(*partitions));
    topics_.emplace(topic->name, std::move(topic));
  }
  return {};
}

base::Result<void> Catalog::open_logs(Topic& topic) {
  for (size_t i = 0; i < topic.partitions.size(); ++i) {
    auto log = PartitionLog::open(os_, directory_of(topic, i), topic.options);
    if (!log) return base::fail(log.error());
    topic.partitions[i] = std::move(*log);
  }
  return {};
}

// ---- Creation ----

TopicRefusal Catalog::check(std::string_view name, int32_t partitions,
                            const TopicSettings& settings) const {
  if (std::string problem = topic_name_problem(name); !problem.empty()) {
    return {ErrorCode::kInvalidTopic, std::move(problem)};
  }
  if (topics_.contains(name)) {
    return {ErrorCode::kTopicAlreadyExists, fmt::format("Topic '{}' already exists.", name)};
  }
  if (partitions < 1 || partitions > kPartitionsMax) {
    return {ErrorCode::kInvalidPartitions,
            fmt::format("expected 1 to {} partitions, found {}", kPartitionsMax, partitions)};
  }
  if (const auto options = options_with(settings); !options) {
    return {ErrorCode::kInvalidConfig, options.error().message()};
  }
  return {};
}

std::expected<Topic*, TopicRefusal> Catalog::create(std::string_view name, int32_t partitions,
                                                    const TopicSettings& settings) {
  if (!creating_.lock()) return std::unexpected(TopicRefusal{ErrorCode::kRequestTimedOut, {}});
  struct Unlock {
    os::Mutex& mutex;
    ~Unlock() { mutex.unlock(); }
  } const unlock{creating_};
  if (TopicRefusal refusal = check(name, partitions, settings); refusal.error != ErrorCode::kNone) {
    return std::unexpected(std::move(refusal));
  }
  auto topic = std::make_unique<Topic>();
  topic->name = name;
  topic->settings = settings;
  topic->options = *options_with(settings);
  topic->partitions.resize(static_cast<size_t>(partitions));
  if (auto created = create_durably(*topic); !created) {
    MARK("broker: a topic could not be created");
    os_.log.error("topic '{}' could not be created: {}", name, created.error().message());
    return std::unexpected(TopicRefusal{ErrorCode::kKafkaStorageError, created.error().message()});
  }
  os_.log.info("created topic '{}' with {} partitions", name, partitions);
  return topics_.emplace(topic->name, std::move(topic)).first->second.get();
}

base::Result<void> Catalog::create_durably(Topic& topic) {
  TRY(open_logs(topic));
  for (size_t i = 0; i < topic.partitions.size(); ++i) {
    if (topic.partitions[i]->end_offset() == 0) continue;
    return base::fail(base::Errc::kInvalidData,
                      fmt::format("{} holds records, and {} does not name its topic",
                                  directory_of(topic, i), path_of(kTopicsFile)));
  }
  // First the directories, then the file that names them: what it names must be there.
  TRY(os_.disk.sync_directory(config_.log_dir));
  return write_topics(topic);
}

base::Result<void> Catalog::write_topics(const Topic& added) {
  std::string text(kTopicsHead);
  for (const auto& [name, topic] : topics_) text += topic_line(*topic);
  text += topic_line(added);
  text += check_line(text);
  return replace_file(os_.disk, path_of(kTopicsFile), text);
}

base::Result<void> Catalog::close() {
  base::Result<void> all;
  for (const auto& [name, topic] : topics_) {
    for (size_t i = 0; i < topic->partitions.size(); ++i) {
      if (topic->partitions[i] == nullptr) continue;
      const auto closed = topic->partitions[i]->close();
      if (!closed && all) all = base::fail(closed.error().in(directory_of(*topic, i)));
    }
  }
  return all;
}

}  // namespace seatrial::broker
