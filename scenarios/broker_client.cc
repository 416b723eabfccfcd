#include "scenarios/broker_client.h"

#include <fmt/format.h>

namespace seatrial::scenarios {

using base::Errc;

namespace {

using namespace std::chrono_literals;

constexpr os::Duration kConnectPatience = 1s;
constexpr os::Duration kBetweenTriesMax = 200ms;
// How late a missing answer may be noticed.
constexpr os::Duration kLookEvery = 250ms;
constexpr size_t kFrameBytesMax = size_t{64} * 1024 * 1024;

}  // namespace

Result<void> BrokerClient::ready(const os::Address& server) {
  while (!connected()) {
    listener_.reset();
    stream_.reset();
    auto stream = os_.network.connect(server, os_.clock.monotonic() + kConnectPatience);
    if (!stream) {
      TRY(os_.clock.sleep_for(
          os::Duration(random_.between(0, os::Duration(kBetweenTriesMax).count()))));
      continue;
    }
    stream_ = *std::move(stream);
    broken_ = false;
    ++connection_;
    listener_ = std::make_unique<os::FiberGroup>(os_.fibers);
    listener_->spawn("broker client", [this] { listen(*stream_); });
  }
  return {};
}

Result<void> BrokerClient::send_frame(base::Bytes frame, int32_t correlation, os::Duration patience,
                                      OnReply on_reply) {
  const os::MonotonicTime deadline = os_.clock.monotonic() + patience;
  if (!connected()) {
    if (on_reply) on_reply(base::fail(Errc::kClosed));
    return base::fail(Errc::kClosed);
  }
  if (on_reply) awaited_.push_back({correlation, deadline, std::move(on_reply)});
  auto written = os::write_all(*stream_, frame, deadline);
  if (!written) close(written.error());
  return written;
}

void BrokerClient::listen(os::Stream& stream) {
  broker::FrameReader frames(stream, kFrameBytesMax);
  while (!broken_) {
    auto frame = frames.next(os_.clock.monotonic() + kLookEvery);
    if (!frame && frame.error() == Errc::kDeadline) {
      const bool late = !awaited_.empty() && awaited_.front().deadline <= os_.clock.monotonic();
      if (late) close(frame.error());
      continue;
    }
    if (!frame) return close(frame.error());
    if (!*frame) return close(base::Error(Errc::kClosed, "the broker ended the connection"));
    auto correlation = broker::correlation_of(**frame);
    if (!correlation || awaited_.empty() || awaited_.front().correlation != *correlation) {
      on_nonsense_(correlation ? fmt::format("an answer to request {} out of turn", *correlation)
                               : correlation.error().message());
      return close(Errc::kInvalidData);
    }
    OnReply on_reply = std::move(awaited_.front().on_reply);
    awaited_.pop_front();
    on_reply(**frame);
    if (awaited_.empty()) settled_.set();
  }
}

Result<void> BrokerClient::settle() {
  while (!awaited_.empty()) {
    settled_.reset();
    TRY(settled_.wait());
  }
  return {};
}

void BrokerClient::close(base::Error why) {
  broken_ = true;
  if (stream_ != nullptr) stream_->close();
  std::deque<Awaited> awaited = std::exchange(awaited_, {});
  for (Awaited& each : awaited) each.on_reply(base::fail(why));
  settled_.set();
}

}  // namespace seatrial::scenarios
