// storm.clients: thundering clients. Many connections at once to whatever a server listens on,
// held for a while, then closed or reset all together, again and again; or all streams of the
// clients are cut at once, and they all come back.
#include "sim/faults/border.h"
#include "sim/faults/faults.h"
#include "sim/machine/network.h"
#include "sim/world.h"

#include <fmt/format.h>

#include <algorithm>

namespace seatrial::sim {
namespace {

using namespace std::chrono_literals;

// Too short to be a message in any protocol that we know, and the beginning of one in each.
constexpr std::string_view kBeginning = "*1\r";

// One wave from one node: `calls` connections, until `until`. Runs as a process of that node.
int thunder(os::Os& os, const std::string& server, const std::vector<uint16_t>& ports,
            uint32_t calls, VirtualTime lasts, bool talks, base::RandomStream random) {
  const os::MonotonicTime until = os.clock.monotonic() + lasts;
  const bool ends_with_reset = random.chance(0.5);
  os::FiberGroup group(os.fibers);
  for (uint32_t i = 0; i < calls; ++i) {
    const uint16_t port = ports[random.below(ports.size())];
    const size_t bytes = talks ? 1 + random.below(kBeginning.size()) : 0;
    group.spawn("call", [&os, &server, until, port, bytes, ends_with_reset] {
      auto stream = os.network.connect({server, port}, until);
      if (!stream) return;
      if (bytes > 0 && !os::write_all(**stream, kBeginning.substr(0, bytes), until)) return;
      if (!os.clock.sleep_until(until)) return;
      if (ends_with_reset) (*stream)->reset();
    });
  }
  (void)group.join();
  return 0;
}

class StormClients : public Fault {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"connections", 10, 200, "at once, all clients together"},
        {"waves", 1, 10, "how often"},
        {"every_ms", 5, 3000, "so far apart; for so long they are held"},
    };
    static constexpr std::string_view kModes[] = {"idle", "partial", "cut"};
    static constexpr FaultInfo kInfo{
        .kind = "storm.clients",
        .family = "storm",
        .description =
            "clients connect to a server in crowds and hold on, silent or in the middle "
            "of a message, then all let go; or all clients' streams are cut at once",
        .parameters = kParameters,
        .modes = kModes,
        .rate = 0.5};
    return kInfo;
  }

  // `count` connections, `amount` times, from the nodes behind the '|' to the one before it.
  void draw(base::RandomStream& random, const Stage& stage, Plan& plan) const override {
    for (VirtualTime at : draw_hours(random, stage)) {
      if (stage.clients.empty()) return;
      FaultStep step =
          step_at(at, draw_name(random, stage.servers) + '|' + join_names(stage.clients));
      step.mode = info().modes[random.below(info().modes.size())];
      step.count = draw_count(random, stage, "connections");
      step.amount = draw_uniform(random, stage, "waves");
      const VirtualTime every = draw_duration(random, stage, "every_ms");
      step.lasts = std::min(every * step.amount, stage.storm);
      plan.faults.push_back(step);
    }
  }

  void strike(World& world, const FaultStep& step) const override {
    const std::string_view server_name =
        std::string_view(step.target).substr(0, step.target.find('|'));
    Node* const server = world.find_node(server_name);
    const std::vector<Border::Nodes> groups = groups_of(world, step.target);
    if (server == nullptr || groups.size() < 2 || groups[1].empty()) return;
    const int64_t waves = std::max<int64_t>(step.amount, 1);
    for (int64_t wave = 0; wave < waves && !world.fibers().cancelled(); ++wave) {
      if (step.mode == "cut") {
        cut(world, step, *server, groups[1]);
      } else {
        send(world, step, *server, groups[1], wave);
      }
      world.sleep(step.lasts / waves);
    }
    for (const uint32_t client : groups[1]) world.nodes()[client]->kill(crowd(step));
  }

 private:
  // The name of its processes.
  static std::string crowd(const FaultStep& step) {
    return fmt::format("{} at {} us", step.kind, to_micros(step.at));
  }

  static void cut(World& world, const FaultStep& step, const Node& server,
                  const Border::Nodes& clients) {
    const auto calls = [&](const Node& a, const Node& b) {
      return &b == &server && std::ranges::find(clients, a.index()) != clients.end();
    };
    const size_t streams = world.net().cut(
        {server.index()}, [&](const Node& a, const Node& b) { return calls(a, b) || calls(b, a); });
    if (streams > 0) world.count(step.kind);
  }

  static void send(World& world, const FaultStep& step, const Node& server,
                   const Border::Nodes& clients, int64_t wave) {
    const std::vector<uint16_t> ports = world.net().listening(server);
    if (ports.empty()) return;
    world.count(step.kind);
    const auto number = static_cast<uint32_t>(clients.size());
    for (uint32_t i = 0; i < number; ++i) {
      Node& node = *world.nodes()[clients[i]];
      const uint32_t calls = step.count / number + (i < step.count % number ? 1 : 0);
      if (calls == 0 || !node.powered()) continue;
      const VirtualTime lasts = step.lasts / std::max<int64_t>(step.amount, 1);
      base::RandomStream random =
          world.streams().stream(node.name(), crowd(step), static_cast<uint64_t>(wave));
      node.start(crowd(step), [name = server.name(), ports, calls, lasts, random,
                               talks = step.mode == "partial"](os::Os& os) {
        return thunder(os, name, ports, calls, lasts, talks, random);
      });
    }
  }
};

}  // namespace

const Fault* storm_clients_fault() {
  static const StormClients fault;
  return &fault;
}

}  // namespace seatrial::sim
