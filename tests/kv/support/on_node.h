// Runs a test's body as a process of a simulated machine, with virtual time and a simulated disk.
#pragma once

#include "os/os.h"
#include "sim/world.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace seatrial::kv {

struct OnNode {
  uint64_t seed = 1;
  sim::Weather weather{};
  std::string logged{};  // What the node wrote to its log, one line each.

  void run(std::function<void(os::Os&)> body) {
    sim::World world({.seed = seed, .weather = weather});
    world.log_listener = [this](sim::VirtualTime, std::string_view, base::LogLevel level,
                                std::string_view text) {
      logged += std::string(base::to_string(level)) + ": " + std::string(text) + "\n";
    };
    bool done = false;
    world.add_node("node").start("test", [&](os::Os& os) {
      body(os);
      done = true;
      world.stop();
      return 0;
    });
    EXPECT_EQ(world.run(), sim::Outcome::kStopped);
    EXPECT_TRUE(done);
  }
};

}  // namespace seatrial::kv
