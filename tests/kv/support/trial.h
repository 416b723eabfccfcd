// The whole server on a simulated machine, asked by a client on another.
#pragma once

#include "kv/server.h"
#include "resp/client.h"
#include "resp/parser.h"
#include "sim/machine/process.h"
#include "sim/world.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace seatrial::kv {

using namespace std::chrono_literals;

// One server and one client machine, and a story told on a fiber of the world.
class Trial {
 public:
  explicit Trial(uint64_t seed = 1, sim::Weather weather = {})
      : world({.seed = seed, .weather = weather}),
        server(world.add_node("server")),
        client(world.add_node("client")) {
    config.appendonly = true;
    config.appendfsync = FsyncPolicy::kAlways;
    world.log_listener = [this](sim::VirtualTime, std::string_view, base::LogLevel,
                                std::string_view text) { log += std::string(text) + "\n"; };
    server.on_exit = [this](sim::SimProcess&, os::ExitStatus status) {
      if (status.exited) exit_code = status.code;
    };
  }

  void run(std::function<void()> story) {
    world.administer("story", [&] {
      story();
      world.stop();
    });
    EXPECT_EQ(world.run(), sim::Outcome::kStopped);
  }

  void start_server() {
    exit_code = -1;
    process = &server.start("kv", [this](os::Os& os) { return serve(os, config); });
    world.sleep(200ms);
  }

  // Lets a client do something with a connection, for at most `patience`.
  void with_client(std::function<void(os::Os&)> body, sim::VirtualTime patience = 1s) {
    client.start("client", [body = std::move(body)](os::Os& os) { return body(os), 0; });
    world.sleep(patience);
  }

  // Sends all lines in one go on one connection; the replies, or why there are none.
  std::vector<std::string> ask(const std::vector<std::string>& lines,
                               sim::VirtualTime patience = 1s) {
    auto answers = std::make_shared<std::vector<std::string>>();
    with_client(
        [answers, lines](os::Os& os) {
          auto connection = resp::Client::connect(os, {"server", 6379}, deadline(os));
          if (!connection) {
            answers->push_back("no connection");
            return;
          }
          for (const std::string& line : lines) {
            std::vector<std::string> words;
            resp::split_words(line, words);
            (*connection)->add(words);
          }
          auto replies = (*connection)->exchange(deadline(os));
          if (!replies) answers->push_back("no answer");
          if (replies) {
            for (const resp::Reply& reply : *replies) answers->push_back(show(reply));
          }
        },
        patience);
    return *answers;
  }

  static os::MonotonicTime deadline(os::Os& os) { return os.clock.monotonic() + 800ms; }
  static std::string show(const resp::Reply& reply) {
    if (reply.is_nil()) return "nil";
    return reply.is_integer() ? std::to_string(reply.as_integer()) : std::string(reply.as_text());
  }

  Config config;
  std::string log;
  int exit_code = -1;
  sim::World world;
  sim::Node& server;
  sim::Node& client;
  sim::SimProcess* process = nullptr;  // Of the server.
};

using Answers = std::vector<std::string>;

}  // namespace seatrial::kv
