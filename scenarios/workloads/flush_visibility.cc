// flush-visibility: producers send batches with all kinds of acks, many at once; consumers follow
// the partitions by long polls, start anew, read again from anywhere, and ask for offsets by time.
//
// Every record is unique: its value begins with "<client>.<operation>.<partition>.<number>:". In
// the calm the judge sees that waiting fetches wake, then reads every partition from its beginning.
#include "base/check.h"
#include "checkers/check.h"
#include "scenarios/workloads/broker_customer.h"
#include "scenarios/workloads/pace.h"
#include "scenarios/workloads/workload.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <set>

namespace seatrial::scenarios {
namespace {

using base::Errc;
using base::fail;
using checkers::Value;
using nlohmann::json;

using namespace std::chrono_literals;

constexpr int64_t kTopics = 3;
constexpr int64_t kPartitions = 3;
constexpr int64_t kOperations = 60;

// The first is there before the storm, the second comes by being asked for, the last ones are made
// in the storm.
std::string topic_name(int64_t index) { return fmt::format("t{}", index); }

std::vector<std::string> topics_of(const Scenario& scenario) {
  std::vector<std::string> names;
  for (int64_t i = 0; i < parameter(scenario, "topics", kTopics); ++i)
    names.push_back(topic_name(i));
  return names;
}
int32_t partitions_of(const Scenario& scenario) {
  return static_cast<int32_t>(parameter(scenario, "partitions", kPartitions));
}

// What a client is to do. Each has a leaning, none does only one thing.
class Itinerary {
 public:
  Itinerary(const Scenario& scenario, uint32_t client, base::RandomStream random)
      : scenario_(scenario),
        random_(std::move(random)),
        produces_(client % 2 == 0 ? 75 : 15),
        count_(parameter(scenario, "operations", kOperations)) {}

  std::vector<std::string> draw() {
    std::vector<std::string> lines;
    for (int64_t i = 0; i < count_; ++i) {
      json line = random_.below(100) < produces_ ? draw_send() : draw_look();
      line["think_us"] = draw_think(random_, scenario_, count_).count() / 1000;
      lines.push_back(line.dump());
    }
    return lines;
  }

 private:
  std::string draw_partition() {
    // Most go to a few, so that these fill.
    const int64_t topic = std::min(random_.between(0, parameter(scenario_, "topics", kTopics) - 1),
                                   random_.between(0, parameter(scenario_, "topics", kTopics) - 1));
    return fmt::format("{}-{}", topic_name(topic),
                       random_.between(0, partitions_of(scenario_) - 1));
  }
  std::string draw_partitions(double more) {
    std::set<std::string> names{draw_partition()};
    while (random_.chance(more) && names.size() < 5) names.insert(draw_partition());
    return fmt::format("{}", fmt::join(names, ","));
  }

  json draw_send() {
    const uint64_t lot = random_.below(100);
    json line = {{"f", "send"}, {"k", draw_partitions(0.2)}};
    line["acks"] = lot < 50 ? "all" : lot < 85 ? "1" : "0";
    line["n"] = random_.chance(0.5) ? 1 : random_.between(2, 12);
    const int64_t small = random_.between(0, 60);
    const int64_t large = random_.between(0, 700);
    line["bytes"] = random_.chance(0.7) ? small : large;
    line["skew_ms"] = random_.chance(0.5) ? random_.between(0, 3) : random_.between(0, 4000);
    if (random_.chance(0.25)) line["settle"] = 1;
    if (random_.chance(0.02)) line["corrupt"] = 1;
    return line;
  }

  json draw_look() {
    const uint64_t lot = random_.below(100);
    if (lot < 55) {
      json line = {{"f", "follow"}, {"k", draw_partitions(0.4)}};
      line["polls"] = random_.between(1, 5);
      line["wait_ms"] = random_.chance(0.3) ? 0 : random_.between(1, 600);
      line["bytes"] = random_.chance(0.5) ? 1 << 20 : random_.between(1, 2000);
      // A new consumer begins somewhere; the old one goes on where it was.
      if (random_.chance(0.5)) line["from"] = random_.chance(0.4) ? 0 : random_.between(0, 1000);
      return line;
    }
    if (lot < 90) {
      constexpr std::string_view kWhat[] = {"earliest", "latest", "latest", "time", "time"};
      return {{"f", "list"},
              {"k", draw_partition()},
              {"what", kWhat[random_.below(std::size(kWhat))]},
              {"ago_ms", random_.between(0, 6000)}};
    }
    const int64_t topic = random_.between(0, parameter(scenario_, "topics", kTopics) - 1);
    const bool create = random_.chance(0.5);
    return {{"f", create ? "create" : "describe"}, {"k", topic_name(topic)}};
  }

  const Scenario& scenario_;
  base::RandomStream random_;
  uint64_t produces_;
  int64_t count_;
};

struct Request {
  std::string f;
  std::vector<std::string> names;  // Partitions, or one topic.
  int acks = -1;
  int64_t count = 1;
  int64_t bytes = 0;
  int64_t skew_ms = 0;
  bool settle = false;
  bool corrupt = false;
  int64_t polls = 1;
  os::Duration wait{0};
  bool anew = false;
  int64_t from = 0;  // With `anew`: in thousandths of what is known of the partition.
  std::string what;
  int64_t ago_ms = 0;
  os::Duration think{0};
};

Result<int> parse_acks(const std::string& text) {
  if (text.empty() || text == "all") return -1;
  if (text == "1" || text == "0") return text[0] - '0';
  return fail(Errc::kInvalidData,
              fmt::format("flush-visibility: \"acks\" is \"all\", \"1\" or \"0\", found {}", text));
}

Result<Request> parse_request(std::string_view line) {
  const json parsed = json::parse(line, nullptr, false);
  Request request;
  request.f = TRY(text_member(parsed, "f"));
  constexpr std::string_view kFunctions[] = {"send", "follow", "list", "create", "describe"};
  if (std::ranges::find(kFunctions, request.f) == std::end(kFunctions)) {
    return fail(Errc::kInvalidData, fmt::format("flush-visibility: \"f\" is one of {}, found {}",
                                                fmt::join(kFunctions, ", "), line));
  }
  std::string names = TRY(text_member(parsed, "k"));
  for (size_t end = 0; !names.empty(); names.erase(0, end + 1)) {
    end = std::min(names.find(','), names.size());
    request.names.push_back(names.substr(0, end));
    if (end == names.size()) break;
  }
  constexpr size_t kNamesMax = 8;
  if (request.names.empty() || request.names.size() > kNamesMax) {
    return fail(
        Errc::kInvalidData,
        fmt::format("flush-visibility: \"k\" has 1 to {} names, found {}", kNamesMax, line));
  }
  request.acks = TRY(parse_acks(TRY(text_member(parsed, "acks"))));
  request.count = std::clamp<int64_t>(TRY(number_member(parsed, "n")), 1, 1000);
  request.bytes = std::min<int64_t>(TRY(number_member(parsed, "bytes")), 1 << 24);
  request.skew_ms = TRY(number_member(parsed, "skew_ms"));
  request.settle = TRY(number_member(parsed, "settle")) != 0;
  request.corrupt = TRY(number_member(parsed, "corrupt")) != 0;
  request.polls = TRY(number_member(parsed, "polls"));
  request.wait = std::chrono::milliseconds(TRY(number_member(parsed, "wait_ms")));
  request.anew = parsed.contains("from");
  request.from = TRY(number_member(parsed, "from"));
  request.what = TRY(text_member(parsed, "what"));
  request.ago_ms = TRY(number_member(parsed, "ago_ms"));
  request.think = std::chrono::microseconds(TRY(number_member(parsed, "think_us")));
  return request;
}

// One client: its order of business, and where it stands as a consumer.
class Trader {
 public:
  explicit Trader(ClientContext& context)
      : context_(context), customer_(context), random_(context.os.random.stream("records")) {}

  Result<void> carry_out(const Request& request) {
    ++number_;
    if (request.f == "send") return send(request);
    if (request.f == "follow") return follow(request);
    if (request.f == "list") return list(request);
    const auto done =
        request.f == "create"
            ? customer_.create_topic(request.names[0], partitions_of(context_.scenario))
            : Result<void>(describe(request.names[0]));
    return unless_cancelled(done);
  }

  Result<void> settle() { return customer_.settle(); }

 protected:
  // What a request came to stands in the history; only the end of this process ends the client.
  template <typename T>
  static Result<void> unless_cancelled(const Result<T>& done) {
    if (!done && done.error() == Errc::kCancelled) return fail(done.error());
    return {};
  }

  Result<void> describe(const std::string& topic) {
    const auto partitions = customer_.describe_topic(topic, true);
    if (!partitions) return fail(partitions.error());
    if (*partitions > 0) known_.insert(topic);
    return {};
  }

  // As clients do, it asks for a topic before it uses it; that creates it.
  Result<bool> know(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      const std::string topic = TopicPartition::parse(name).topic;
      if (!known_.contains(topic)) TRY(unless_cancelled(describe(topic)));
      if (!known_.contains(topic)) return false;
    }
    return true;
  }

  int64_t wall_ms() const {
    const auto since = context_.os.clock.wall().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
  }

  // All that a record may have: no key, an empty one, headers, one of them without a value.
  ClientRecord make_record(std::string identity, int64_t bytes, int64_t skew_ms) {
    ClientRecord record;
    record.timestamp = wall_ms() - random_.between(0, std::max<int64_t>(skew_ms, 0));
    const uint64_t lot = random_.below(4);
    if (lot > 0) record.key = lot == 1 ? std::string() : fmt::format("key {}", random_.below(9));
    record.value = std::move(identity) + ":";
    for (int64_t left = bytes; left > 0; left -= 8) {
      char word[8];
      const uint64_t drawn = random_.next();
      std::memcpy(word, &drawn, sizeof word);
      record.value.append(word, static_cast<size_t>(std::min<int64_t>(left, 8)));
    }
    for (uint64_t headers = random_.below(3); headers > 0; --headers) {
      record.headers.emplace_back(
          "h", random_.chance(0.3) ? std::nullopt : std::optional<std::string>("v"));
    }
    return record;
  }

  SendOrder make_order(const std::string& partition, const Request& request, size_t index) {
    SendOrder order{.partition = TopicPartition::parse(partition), .corrupt = request.corrupt};
    for (int64_t i = 0; i < request.count; ++i) {
      std::string identity = fmt::format("{}.{}.{}.{}", context_.client, number_, index, i);
      order.records.push_back(make_record(std::move(identity), request.bytes, request.skew_ms));
    }
    return order;
  }

  Result<void> send(const Request& request) {
    if (!TRY(know(request.names))) return {};
    std::vector<SendOrder> orders;
    for (size_t i = 0; i < request.names.size(); ++i) {
      orders.push_back(make_order(request.names[i], request, i));
    }
    TRY(customer_.send(request.acks, orders));
    return request.settle ? customer_.settle() : Result<void>();
  }

  // Goes on from where it stands, or begins anew somewhere.
  Result<void> follow(const Request& request) {
    if (!TRY(know(request.names))) return {};
    std::vector<Position> positions;
    if (request.anew) ++consumer_;
    for (const std::string& name : request.names) {
      Position& position = positions.emplace_back();
      position.partition = TopicPartition::parse(name);
      Stand& stand = stands_[name];
      if (request.anew) {
        stand.next = stand.end * request.from / 1000;
        stand.by = fmt::format("{}.{}", context_.client, consumer_);
      }
      position.by = stand.by;
      position.next = stand.next;
    }
    for (int64_t i = 0; i < request.polls; ++i) {
      const PollOrder order{.wait = request.wait, .bytes_max = bytes_max(request)};
      if (!TRY(customer_.poll(positions, order))) break;
      for (const Position& position : positions) {
        Stand& stand = stands_[position.partition.name()];
        stand.next = position.next;
        stand.end = std::max(stand.end, position.end);
      }
    }
    return {};
  }

  // A limit may keep partitions of a request from being answered at all, and that is no fault.
  static int32_t bytes_max(const Request& request) {
    if (request.names.size() > 1 || request.bytes == 0) return 1 << 20;
    return static_cast<int32_t>(request.bytes);
  }

  Result<void> list(const Request& request) {
    if (!TRY(know(request.names))) return {};
    const Value what = request.what == "time"
                           ? Value::integer(wall_ms() - request.ago_ms)
                           : Value::text(request.what == "latest" ? "latest" : "earliest");
    return unless_cancelled(customer_.list_offsets(TopicPartition::parse(request.names[0]), what));
  }

  struct Stand {
    std::string by;
    int64_t next = 0;
    int64_t end = 0;  // The greatest that it was told.
  };

  ClientContext& context_;
  BrokerCustomer customer_;
  base::RandomStream random_;
  std::set<std::string> known_;          // Topics.
  std::map<std::string, Stand> stands_;  // By partition.
  int64_t number_ = 0;
  int64_t consumer_ = 0;
};

// The last word. Everything is tried again until it has been answered.
class Judge : public Trader {
 public:
  using Trader::Trader;

  Result<void> prepare() {
    while (true) {
      const auto made = customer_.create_topic(topic_name(0), partitions_of(context_.scenario));
      if (made || made.error() == Errc::kExists) return {};
      TRY(pause());
    }
  }

  Result<void> finish() {
    std::vector<TopicPartition> partitions;
    for (const std::string& topic : topics_of(context_.scenario)) {
      const int32_t count = TRY(count_partitions(topic));
      for (int32_t i = 0; i < count; ++i) partitions.push_back({topic, i});
    }
    for (const TopicPartition& partition : partitions) TRY(see_it_wake({partition}, 0));
    // All at once, and the last has something.
    if (!partitions.empty()) TRY(see_it_wake(partitions, partitions.size() - 1));
    for (const TopicPartition& partition : partitions) TRY(read_all(partition));
    for (const TopicPartition& partition : partitions) TRY(probe(partition));
    return {};
  }

 private:
  Result<void> pause() { return context_.os.clock.sleep_for(20ms); }

  Result<int32_t> count_partitions(const std::string& topic) {
    while (true) {
      const auto count = customer_.describe_topic(topic, false);
      if (count) return *count;
      TRY(unless_cancelled(count));
      TRY(pause());
    }
  }

  Result<int64_t> list(const TopicPartition& partition, const Value& what) {
    while (true) {
      const auto offset = customer_.list_offsets(partition, what);
      if (offset) return *offset;
      TRY(unless_cancelled(offset));
      TRY(pause());
    }
  }

  // A fetch waits at the end of these; a record comes to one; the checker sees how long it took.
  Result<void> see_it_wake(const std::vector<TopicPartition>& partitions, size_t at) {
    while (true) {
      ++number_;
      std::vector<Position> positions;
      for (const TopicPartition& partition : partitions) {
        const int64_t end = TRY(list(partition, Value::text("latest")));
        positions.push_back({.partition = partition, .by = {}, .next = end});
      }
      const int64_t from = positions[at].next;
      os::Event done(context_.os.fibers);
      TRY(customer_.start_poll(positions, {.wait = 8s}, [&done](bool) { done.set(); }));
      TRY(context_.os.clock.sleep_for(os::Duration(random_.between(0, 30'000'000))));
      const Request request{.count = random_.between(1, 3)};
      const SendOrder order = make_order(partitions[at].name(), request, 0);
      const int acks = random_.chance(0.3) ? -1 : 1;
      const auto sent = customer_.send(acks, std::span(&order, 1));
      // The positions stay until they are done with.
      TRY(done.wait());
      TRY(sent);
      TRY(customer_.settle());
      if (positions[at].answered && positions[at].next > from) return {};
      TRY(pause());
    }
  }

  Result<void> read_all(const TopicPartition& partition) {
    std::vector<Position> positions{{.partition = partition, .by = "judge"}};
    Position& position = positions[0];
    while (true) {
      const PollOrder order{.bytes_max = bytes(), .final = true};
      const bool answered = TRY(customer_.poll(positions, order));
      if (answered && position.answered) {
        stands_[partition.name()].end = position.end;
        if (position.next >= position.end || position.out_of_range) return {};
      } else {
        TRY(pause());
      }
    }
  }

  int32_t bytes() {
    return static_cast<int32_t>(random_.chance(0.5) ? 1 << 20 : random_.between(1, 3000));
  }

  // Single offsets, and times, against what was read.
  Result<void> probe(const TopicPartition& partition) {
    TRY(list(partition, Value::text("earliest")));
    TRY(list(partition, Value::text("latest")));
    constexpr int kProbes = 6;
    const int64_t now = wall_ms();
    for (int i = 0; i < kProbes; ++i) {
      const auto storm_ms =
          std::chrono::duration_cast<std::chrono::milliseconds>(context_.scenario.storm);
      TRY(list(partition, Value::integer(now - random_.between(0, storm_ms.count() * 2))));
    }
    constexpr int64_t kFar = 1'000'000'000;
    const int64_t end = stands_[partition.name()].end;
    for (int i = 0; i < kProbes && end > 0; ++i) {
      const int64_t next = i == 0 ? end + kFar : random_.between(0, end - 1);
      std::vector<Position> positions{{.partition = partition, .by = {}, .next = next}};
      while (!TRY(customer_.poll(positions, {.bytes_max = bytes()})) || !positions[0].answered) {
        TRY(pause());
      }
    }
    return {};
  }
};

// The last value given to a setting among options like "log.flush.interval.ms=100".
int64_t setting(const RunFacts& facts, std::string_view name, int64_t otherwise) {
  std::vector<std::string> options = facts.scenario.server_options;
  for (const sim::ServerPlan& server : facts.plan.servers) {
    options.insert(options.end(), server.options.begin(), server.options.end());
  }
  for (const std::string& option : options) {
    if (!option.starts_with(fmt::format("{}=", name))) continue;
    std::from_chars(option.data() + name.size() + 1, option.data() + option.size(), otherwise);
  }
  return otherwise;
}

class FlushVisibility : public Workload {
 public:
  std::string_view name() const override { return "flush-visibility"; }
  std::string_view description() const override {
    return "producers and consumers of a broker; parameters: topics, partitions of each, "
           "operations a "
           "client";
  }
  std::string_view history_type() const override { return "kafka"; }
  uint32_t lanes() const override { return BrokerCustomer::kLanes; }

  Result<void> validate(const Scenario& scenario) const override {
    return known_parameters(scenario, {"topics", "partitions", "operations"});
  }

  std::vector<std::string> plan(const Scenario& scenario, uint32_t client,
                                base::RandomStream random) const override {
    return Itinerary(scenario, client, std::move(random)).draw();
  }

  void prepare(ClientContext& context) const override { (void)Judge(context).prepare(); }

  Result<void> run(ClientContext& context) const override {
    Trader trader(context);
    for (const std::string& line : context.operations) {
      const Request request = TRY(parse_request(line));
      TRY(context.os.clock.sleep_for(request.think));
      TRY(trader.carry_out(request));
    }
    return trader.settle();
  }

  // Only power takes away what was written: the page cache survives a kill.
  void incident(const RunFacts&, const sim::Incident& incident, Scribe& scribe,
                uint32_t) const override {
    if (incident.kind == sim::Incident::Kind::kPowerLost) scribe.crash();
  }

  void finish(ClientContext& context) const override { (void)Judge(context).finish(); }

  // A process is a client's lane, or one that came after it when an outcome was unknown; the last
  // number of all is the run's own.
  uint32_t client_of(const checkers::Operation& operation, const Scenario& scenario) const {
    const uint32_t clients = scenario.clients + 1;
    return static_cast<uint32_t>(operation.process % (clients * lanes() + 1)) % clients;
  }

  std::vector<checkers::Verdict> check(const RunFacts& facts,
                                       const checkers::History& history) const override {
    checkers::Options options;
    options.punctuality.flush_interval =
        std::chrono::milliseconds(setting(facts, "log.flush.interval.ms", 1000));
    options.punctuality.allowance = 1s;
    // From when on only the judge asks.
    for (const checkers::Operation& operation : history.operations()) {
      if (operation.invoke_time < facts.storm_ended) continue;
      if (client_of(operation, facts.scenario) != facts.scenario.clients) continue;
      options.punctuality.calm_from = operation.invoke_time;
      break;
    }
    auto verdict = checkers::check("offsets", history, options);
    CHECK_MSG(verdict, "{}", verdict.error().message());
    return {*std::move(verdict)};
  }
};

}  // namespace

const Workload* flush_visibility_workload() {
  static const FlushVisibility workload;
  return &workload;
}

}  // namespace seatrial::scenarios
