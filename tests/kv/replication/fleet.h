// Several servers on simulated machines, a client on another, and a story told on a fiber of the
// world. Also a machine that plays a primary of the test's own making.
#pragma once

#include "kv/server.h"
#include "resp/client.h"
#include "resp/parser.h"
#include "sim/machine/network.h"
#include "sim/machine/process.h"
#include "sim/world.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace seatrial::kv {

using namespace std::chrono_literals;
using Answers = std::vector<std::string>;

class Fleet {
 public:
  struct Server {
    Config config;
    sim::Node* node = nullptr;
    Observer* observer = nullptr;
    int exit_code = -1;
  };

  explicit Fleet(std::vector<std::string> names, uint64_t seed = 1, sim::Weather weather = {})
      : world({.seed = seed, .weather = weather}), client_(world.add_node("client")) {
    for (const std::string& name : names) {
      Server& server = servers[name];
      server.node = &world.add_node(name);
      server.config.repl_diskless_sync = false;
      server.config.repl_diskless_sync_delay_seconds = 0;
      server.node->on_exit = [&server](sim::SimProcess&, os::ExitStatus status) {
        if (status.exited) server.exit_code = status.code;
      };
    }
    world.log_listener = [this](sim::VirtualTime time, std::string_view who, base::LogLevel,
                                std::string_view text) {
      log += fmt::format("{} {}: {}\n", time.count() / 1000, who, text);
    };
  }

  void run(std::function<void()> story) {
    world.administer("story", [&] {
      story();
      world.stop();
    });
    EXPECT_EQ(world.run(), sim::Outcome::kStopped);
  }

  void start(const std::string& name) {
    Server& server = servers.at(name);
    server.exit_code = -1;
    server.node->start("kv",
                       [&server](os::Os& os) { return serve(os, server.config, server.observer); });
    world.sleep(200ms);
  }
  void start_all() {
    for (auto& [name, server] : servers) start(name);
  }

  // Sends all lines in one go on one connection; the replies, or why there are none.
  Answers ask(const std::string& name, const std::vector<std::string>& lines,
              sim::VirtualTime patience = 20ms) {
    auto answers = std::make_shared<Answers>();
    auto done = std::make_shared<bool>(false);
    client_.start("client", [=](os::Os& os) {
      const auto deadline = os.clock.monotonic() + 30s;
      auto connection = resp::Client::connect(os, {name, 6379}, deadline);
      if (!connection) {
        *answers = {"no connection"};
      } else {
        for (const std::string& line : lines) {
          std::vector<std::string> words;
          resp::split_words(line, words);
          (*connection)->add(words);
        }
        auto replies = (*connection)->exchange(deadline);
        if (!replies) *answers = {"no answer"};
        if (replies) {
          for (const resp::Reply& reply : *replies) answers->push_back(show(reply));
        }
      }
      *done = true;
      return 0;
    });
    world.sleep(patience);
    for (int i = 0; i < 4000 && !*done; ++i) world.sleep(10ms);
    return *answers;
  }
  // One line, and its reply.
  std::string ask_one(const std::string& name, const std::string& line) {
    const Answers answers = ask(name, Answers{line});
    return answers.empty() ? "nothing" : answers[0];
  }

  // A field of INFO.
  std::string info(const std::string& name, const std::string& field) {
    const std::string text = "\r\n" + ask_one(name, "INFO");
    const size_t at = text.find("\r\n" + field + ":");
    if (at == std::string::npos) return "none";
    const size_t begin = at + field.size() + 3;
    return text.substr(begin, text.find("\r\n", begin) - begin);
  }
  // Waits until it is so, for at most `patience`.
  bool until(std::function<bool()> holds, sim::VirtualTime patience = 30s) {
    const sim::VirtualTime end = world.now_virtual() + patience;
    while (!holds()) {
      if (world.now_virtual() >= end) return false;
      world.sleep(50ms);
    }
    return true;
  }
  bool until_linked(const std::string& name) {
    return until([&] { return info(name, "master_link_status") == "up"; });
  }
  // Waits until both are at the same place of the same history.
  bool until_equal(const std::string& a, const std::string& b) {
    return until([&] {
      return info(a, "master_replid") == info(b, "master_replid") &&
             info(a, "master_repl_offset") == info(b, "master_repl_offset");
    });
  }
  // All keys of two databases, with values and deadlines.
  std::string data(const std::string& name) {
    std::string all;
    for (const char* database : {"0", "1"}) {
      std::string keys = ask(name, {fmt::format("SELECT {}", database), "KEYS *"})[1];
      std::vector<std::string> names;
      resp::split_words(keys, names);
      std::sort(names.begin(), names.end());
      for (const std::string& key : names) {
        const Answers got =
            ask(name, {fmt::format("SELECT {}", database), "GET " + key, "PEXPIRETIME " + key});
        all += fmt::format("{}/{}={}@{} ", database, key, got[1], got[2]);
      }
    }
    return all;
  }

  // Resets all connections between two machines.
  size_t cut(const std::string& a, const std::string& b) {
    const auto chosen = [&](const sim::Node& x, const sim::Node& y) {
      return (x.name() == a && y.name() == b) || (x.name() == b && y.name() == a);
    };
    return world.net().cut({world.find_node(a)->index()}, chosen);
  }

  // One line on a client's own connection, and its reply.
  static std::string tell(resp::Client& client, const std::string& line) {
    std::vector<std::string> words;
    resp::split_words(line, words);
    client.add(words);
    const auto replies = client.exchange();
    return replies ? show(replies->at(0)) : "no answer";
  }
  // Text that does not compress.
  static std::string noise(size_t size, uint64_t seed) {
    base::RandomStream random(seed);
    std::string text;
    while (text.size() < size) text += static_cast<char>('!' + random.below(90));
    for (char& c : text) c = c == '"' || c == '\'' || c == '\\' ? 'q' : c;
    return text;
  }
  static std::string show(const resp::Reply& reply) {
    if (reply.is_nil()) return "nil";
    if (reply.is_integer()) return std::to_string(reply.as_integer());
    if (!reply.is_array()) return std::string(reply.as_text());
    std::string all;
    for (const resp::Reply& item : reply.items()) all += (all.empty() ? "" : " ") + show(item);
    return all;
  }

  bool logged(std::string_view text) const { return log.find(text) != std::string::npos; }

  std::string log;
  std::map<std::string, Server> servers;
  sim::World world;

 private:
  sim::Node& client_;
};

}  // namespace seatrial::kv
