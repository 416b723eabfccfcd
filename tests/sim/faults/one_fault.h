// One fault of the plan against a small program: a world with a server and a client, a storm of one
// step, and its end.
#pragma once

#include "sim/faults/fault.h"
#include "sim/machine/network.h"
#include "sim/machine/process.h"
#include "sim/storm.h"
#include "sim/world.h"
#include "tests/sim/programs.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace seatrial::sim {

using namespace std::chrono_literals;

// What a fault draws under this seed.
inline Plan draw_plan(std::string_view kind, uint64_t seed, Stage stage) {
  const Fault* fault = find_fault(kind);
  stage.fault = &fault->info();
  base::RandomStream random(seed);
  Plan plan;
  fault->draw(random, stage, plan);
  return plan;
}

class OneFault : public testing::Test {
 protected:
  OneFault() : server(world.add_node("server")), client(world.add_node("client")) {}

  // The program that the server runs, as a service.
  void serve(std::function<int(os::Os&)> program) {
    server.set_service("program", [program] { return ProcessMain(program); });
  }

  // Lets the step strike at its hour, ends the storm `storm` later, and stops the world after
  // another minute unless somebody has.
  void strike(FaultStep step, VirtualTime storm = 30s) {
    plan.faults.push_back(std::move(step));
    world.administer("director", [this, storm] {
      Storm carried_out(world, plan);
      world.sleep(storm);
      carried_out.end();
      ended = world.now_virtual();
      world.sleep(60s);
      world.stop();
    });
    EXPECT_EQ(world.run(), Outcome::kStopped);
  }

  uint64_t struck(std::string_view kind) const {
    auto it = world.counts().find(std::string(kind));
    return it == world.counts().end() ? 0 : it->second;
  }

  World world{{.seed = 11}};
  Node& server;
  Node& client;
  Plan plan;
  VirtualTime ended{0};
};

}  // namespace seatrial::sim
