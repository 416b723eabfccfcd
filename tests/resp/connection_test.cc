#include "resp/connection.h"
#include "os/os.h"
#include "sim/world.h"

#include <gtest/gtest.h>

#include <string>

namespace seatrial::resp {
namespace {

using namespace std::chrono_literals;

// Answers each request with its words, and counts how it is asked.
class Echo final : public Session {
 public:
  Next execute(Args args, Writer& reply) override {
    ++requests;
    reply.array(args.size());
    for (const std::string_view word : args) reply.bulk(word);
    if (args[0] == "close") return Next::kClose;
    return args[0] == "cut" ? Next::kCut : Next::kContinue;
  }
  base::Result<void> release() override {
    ++releases;
    if (refuse) return base::fail(base::Errc::kIo);
    return {};
  }

  int requests = 0;
  int releases = 0;
  bool refuse = false;
};

// Serves one connection; sends `input` to it, ends, and returns all that came back.
std::string converse(Echo& echo, std::string input, sim::Weather weather = {},
                     ConnectionLimits limits = {}) {
  sim::World world({.seed = 1, .weather = weather});
  std::string output;
  world.add_node("server").start("server", [&](os::Os& os) {
    auto listener = os.network.listen({"", 1}).value();
    auto stream = listener->accept().value();
    Connection connection(*stream, os.clock, limits);
    static_cast<void>(connection.serve(echo));
    return 0;
  });
  world.add_node("client").start("client", [&](os::Os& os) {
    EXPECT_TRUE(os.clock.sleep_for(1ms));
    auto stream = os.network.connect({"server", 1}).value();
    EXPECT_TRUE(os::write_all(*stream, input));
    stream->shutdown_write();
    char buffer[1024];
    while (true) {
      const auto count = stream->read(buffer, os.clock.monotonic() + 10s);
      if (!count || *count == 0) break;
      output.append(buffer, *count);
    }
    world.stop();
    return 0;
  });
  EXPECT_EQ(world.run(), sim::Outcome::kStopped);
  return output;
}

TEST(Connection, APipelineIsReleasedAndSentOnce) {
  Echo echo;
  EXPECT_EQ(converse(echo, "a\r\n*1\r\n$1\r\nb\r\n\r\nc d\r\n"),
            "*1\r\n$1\r\na\r\n*1\r\n$1\r\nb\r\n*2\r\n$1\r\nc\r\n$1\r\nd\r\n");
  EXPECT_EQ(echo.requests, 3);
  EXPECT_EQ(echo.releases, 1);
}

TEST(Connection, RequestsMayComeByteByByte) {
  sim::Weather weather;
  weather.network.split_chance = 1;
  weather.network.short_read_chance = 1;
  weather.network.short_write_chance = 1;
  Echo echo;
  const std::string large(20'000, 'x');
  EXPECT_EQ(converse(echo, "*2\r\n$1\r\na\r\n$20000\r\n" + large + "\r\nb\r\n", weather),
            "*2\r\n$1\r\na\r\n$20000\r\n" + large + "\r\n*1\r\n$1\r\nb\r\n");
}

TEST(Connection, LargeRepliesPauseThePipeline) {
  Echo echo;
  std::string input;
  for (int i = 0; i < 100; ++i) input += "*1\r\n$1000\r\n" + std::string(1000, 'x') + "\r\n";
  ConnectionLimits limits;
  limits.reply_bytes_max = 5000;
  EXPECT_EQ(converse(echo, input, {}, limits).size(),
            100 * std::string("*1\r\n$1000\r\n\r\n").size() + 100'000);
  EXPECT_GE(echo.releases, 20);
}

TEST(Connection, WhatMayNotBeSeenIsNotSent) {
  Echo echo;
  echo.refuse = true;
  EXPECT_EQ(converse(echo, "a\r\nb\r\n"), "");
  EXPECT_EQ(echo.requests, 2);
}

TEST(Connection, NothingIsExecutedBehindTheEnd) {
  Echo closing;
  EXPECT_EQ(converse(closing, "close\r\na\r\n"), "*1\r\n$5\r\nclose\r\n");
  EXPECT_EQ(closing.requests, 1);
  Echo cutting;
  EXPECT_EQ(converse(cutting, "a\r\ncut\r\nb\r\n"), "");
  EXPECT_EQ(cutting.requests, 2);
  Echo broken;
  EXPECT_EQ(converse(broken, "a\r\n*x\r\nb\r\n"),
            "*1\r\n$1\r\na\r\n-ERR Protocol error: invalid multibulk length\r\n");
  EXPECT_EQ(broken.requests, 1);
}

TEST(Connection, ARequestLargerThanTheLimitEndsIt) {
  Echo echo;
  ConnectionLimits limits;
  limits.input_bytes_max = 100'000;
  EXPECT_EQ(converse(echo, "*1\r\n$500000\r\n" + std::string(200'000, 'x'), {}, limits), "");
  EXPECT_EQ(echo.requests, 0);
}

TEST(Connection, AnIdlePeerIsLeftAfterAWhile) {
  sim::World world({.seed = 1});
  Echo echo;
  base::Errc end = base::Errc::kIo;
  world.add_node("server").start("server", [&](os::Os& os) {
    auto listener = os.network.listen({"", 1}).value();
    auto stream = listener->accept().value();
    ConnectionLimits limits;
    limits.idle_max = 2s;
    Connection connection(*stream, os.clock, limits);
    const auto served = connection.serve(echo);
    if (!served) end = served.error().code();
    world.stop();
    return 0;
  });
  world.add_node("client").start("client", [&](os::Os& os) {
    EXPECT_TRUE(os.clock.sleep_for(1ms));
    auto stream = os.network.connect({"server", 1}).value();
    EXPECT_TRUE(os.clock.sleep_for(100s));
    return 0;
  });
  EXPECT_EQ(world.run(), sim::Outcome::kStopped);
  EXPECT_EQ(end, base::Errc::kDeadline);
}

}  // namespace
}  // namespace seatrial::resp
