// The whole broker on a simulated machine, a client on another, and a story told on a fiber of
// the world.
#pragma once

#include "broker/server.h"
#include "broker/wire/codec.h"
#include "broker/wire/frame_reader.h"
#include "sim/machine/process.h"
#include "sim/world.h"

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace seatrial::broker {

using namespace std::chrono_literals;

// One connection, by hand.
class Talk {
 public:
  explicit Talk(os::Os& os) : os_(os) {
    auto connected = os.network.connect({"server", 9092}, os.clock.monotonic() + 1s);
    CHECK_MSG(connected.has_value(), "no connection: {}", connected.error().message());
    stream_ = std::move(*connected);
    frames_ = std::make_unique<FrameReader>(*stream_, 100'000'000);
  }

  template <class Request>
  void send(const Request& request, int16_t version) {
    base::Buffer buffer;
    encode_request(buffer, request, version, ++sent_, "test");
    raw(buffer.bytes());
  }
  void raw(base::Bytes bytes) { static_cast<void>(os::write_all(*stream_, bytes)); }
  void shut() { stream_->shutdown_write(); }

  // The next frame, without its length; empty: the connection has ended, or nothing came in time.
  std::string frame(os::Duration patience = 10s) {
    auto next = frames_->next(os_.clock.monotonic() + patience);
    if (next && *next) return std::string(**next);
    ended = next || next.error() != base::Errc::kDeadline;
    return {};
  }
  // Records in the reply are there as long as this is.
  template <class Reply>
  Reply receive(int16_t version, os::Duration patience = 10s) {
    const std::string& bytes = kept_.emplace_back(frame(patience));
    CHECK_MSG(!bytes.empty(), "no reply{}", ended ? ": the connection has ended" : " in time");
    EXPECT_EQ(*correlation_of(bytes), ++received_);
    auto reply = decode_reply<Reply>(bytes, version);
    CHECK_MSG(reply.has_value(), "{}", reply.error().message());
    return *std::move(reply);
  }
  template <class Reply, class Request>
  Reply call(const Request& request, int16_t version) {
    send(request, version);
    return receive<Reply>(version);
  }

  bool ended = false;

 private:
  os::Os& os_;
  std::unique_ptr<os::Stream> stream_;
  std::unique_ptr<FrameReader> frames_;
  int32_t sent_ = 0;
  int32_t received_ = 0;
  std::deque<std::string> kept_;
};

class Trial {
 public:
  explicit Trial(uint64_t seed = 1, sim::Weather weather = {})
      : world({.seed = seed, .weather = weather}),
        server(world.add_node("server")),
        client(world.add_node("client")) {
    config.log_dir = "logs";
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
  // A broker, and what a client does with it.
  void with_broker(const std::function<void(os::Os&)>& body) {
    run([&] {
      start();
      ask(body);
    });
  }

  void start() {
    exit_code = -1;
    process = &server.start("broker", [this](os::Os& os) { return serve(os, config); });
    world.sleep(200ms);
  }
  // Parks until the client has ended, a minute at most.
  void ask(const std::function<void(os::Os&)>& body) {
    bool done = false;
    client.start("client", [&](os::Os& os) { return body(os), done = true, 0; });
    for (int i = 0; i < 60'000 && !done; ++i) world.sleep(1ms);
    EXPECT_TRUE(done) << "the client did not end";
    client.kill();
  }
  void stop() {
    process->stop_requested->set();
    for (int i = 0; i < 10'000 && exit_code == -1; ++i) world.sleep(1ms);
  }

  sim::World world;
  sim::Node& server;
  sim::Node& client;
  Config config;
  sim::SimProcess* process = nullptr;
  std::string log;
  int exit_code = -1;  // Of the broker, once it ended by itself.
};

}  // namespace seatrial::broker
