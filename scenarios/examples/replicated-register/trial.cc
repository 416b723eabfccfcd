// The register under trial: three nodes, four clients that read and write through any of them, the
// whole weather, and seatrial's checker over what the clients saw.
//
//   ./register-trial --seeds 1..1000                                    # the correct one
//   ./register-trial --bug reads-without-write-back --seeds 1..100      # finds a stale read
//   ./register-trial --bug reads-without-write-back --seed 3            # that run, event by event
#include "checkers/check.h"
#include "register.h"
#include "sim/campaign.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace {

namespace checkers = seatrial::checkers;
namespace sim = seatrial::sim;
using example::Bug;
using namespace std::chrono_literals;

constexpr int64_t kOperations = 25;  // Of each client.

class RegisterTrial : public sim::Subject {
 public:
  explicit RegisterTrial(Bug bug) : bug_(bug) {}

  sim::Terms terms() const override {
    return {.servers = nodes_,
            .clients = {"client0", "client1", "client2", "client3"},
            .storm = 10s,
            .calm_limit = 60s};
  }

  int serve(seatrial::os::Os& os, std::string_view) override {
    return example::run_node(os, nodes_, bug_);
  }

  void ask(sim::Client& client) override {
    auto random = client.os.random.stream("asks");
    for (int64_t i = 0; i < kOperations; ++i) {
      (void)client.os.clock.sleep_for(std::chrono::milliseconds(random.between(0, 600)));
      const std::string& node = nodes_[random.below(nodes_.size())];
      if (random.chance(0.5)) {
        read(client, node);
      } else {
        write(client, node, (client.number + 1) * 1000 + i);
      }
    }
  }

  // Once more in the calm, from every node: nothing that was acknowledged is lost.
  void finish(sim::Client& client) override {
    for (const std::string& node : nodes_) read(client, node);
  }

  std::vector<std::string> judge() override {
    const auto verdict = checkers::check("register", recorder_.history());
    if (!verdict) return {verdict.error().message()};
    if (verdict->ok()) return {};
    return {fmt::format("{}: {}", verdict->checker, verdict->summary)};
  }

 private:
  checkers::Micros now(const sim::Client& client) const {
    return std::chrono::duration_cast<checkers::Micros>(client.now());
  }

  void read(sim::Client& client, const std::string& node) {
    const auto id = recorder_.invoke(now(client), client.number, checkers::Function::kGet, "r");
    const auto value = example::read(client.os, node, client.os.clock.monotonic() + 5s);
    if (!value) return recorder_.info(now(client), id);
    recorder_.ok(now(client), id, *value ? checkers::Value::integer(**value) : checkers::Value());
  }

  void write(sim::Client& client, const std::string& node, int64_t value) {
    const auto id = recorder_.invoke(now(client), client.number, checkers::Function::kSet, "r",
                                     checkers::Value::integer(value));
    const auto written = example::write(client.os, node, value, client.os.clock.monotonic() + 5s);
    if (!written) return recorder_.info(now(client), id);
    recorder_.ok(now(client), id, checkers::Value::text("OK"));
  }

  Bug bug_;
  std::vector<std::string> nodes_ = {"node0", "node1", "node2"};
  checkers::Recorder recorder_{"register", 5};  // Four clients and the judge.
};

}  // namespace

int main(int argc, char** argv) {
  Bug bug = Bug::kNone;
  if (argc > 2 && std::strcmp(argv[1], "--bug") == 0) {
    const std::string_view name = argv[2];
    if (name == "reads-without-write-back") bug = Bug::kReadsWithoutWriteBack;
    if (name == "acknowledges-before-sync") bug = Bug::kAcknowledgesBeforeSync;
    if (bug == Bug::kNone) {
      fmt::print(stderr, "{}: there is no bug '{}'\n", argv[0], name);
      return 2;
    }
    argv[2] = argv[0];
    argv += 2;
    argc -= 2;
  }
  return sim::campaign_main(argc, argv, [bug] { return std::make_unique<RegisterTrial>(bug); });
}
