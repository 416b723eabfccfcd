#include "broker/connection.h"

#include "broker/dispatch.h"
#include "os/mark.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace seatrial::broker {
namespace {

constexpr size_t kAnswersMax = 64;                // In work for one connection.
constexpr size_t kReplyBytesKept = 1024 * 1024;   // Of memory, from one reply to the next.
constexpr auto kQuiet = std::chrono::seconds(5);  // After that, large buffers are given back.

}  // namespace

Connection::Connection(os::Os& os, const Config& config, Catalog& catalog, os::Stream& stream)
    : os_(os),
      config_(config),
      stream_(stream),
      frames_(stream, static_cast<size_t>(config.request_bytes_max)),
      stirred_(os.fibers),
      context_{os, config, catalog, stream.local(), stream.peer(), stirred_},
      answers_(os.fibers, kAnswersMax),
      writer_(os.fibers) {}

void Connection::serve() {
  writer_.spawn("broker: replies", [this] { write_answers(); });
  const auto read = read_requests();
  if (!read) report(read.error());
  // What was understood is answered; but nobody waits for records for a client that has gone.
  context_.peer_gone = true;
  stirred_.set();
  answers_.close();
  if (read || read.error() == base::Errc::kInvalidData) {
    static_cast<void>(writer_.join());
  } else {
    stream_.close();
  }
}

void Connection::report(const base::Error& error) const {
  if (error == base::Errc::kInvalidData) {
    MARK("broker: a request is not understood");
    os_.log.warn("client {}: {}; the connection is closed", os::to_string(context_.peer),
                 error.message());
  } else {
    os_.log.debug("client {}: {}", os::to_string(context_.peer), error.message());
  }
}

base::Result<void> Connection::read_requests() {
  while (true) {
    const auto frame = TRY(next_frame());
    if (!frame) return {};
    Answer answer = TRY(dispatch(context_, *frame));
    TRY(answers_.send(std::move(answer)));
  }
}

base::Result<std::optional<base::Bytes>> Connection::next_frame() {
  while (true) {
    auto frame = frames_.next(os_.clock.monotonic() +
                              std::min<os::Duration>(kQuiet, config_.connection_idle_max));
    if (frame || frame.error() != base::Errc::kDeadline) return frame;
    frames_.release();
    frame = frames_.next(os_.clock.monotonic() + config_.connection_idle_max);
    if (frame || frame.error() != base::Errc::kDeadline) return frame;
    if (!answering_) return base::fail(frame.error().in("idle for connections.max.idle.ms"));
  }
}

void Connection::write_answers() {
  while (true) {
    auto answer = answers_.receive();
    if (!answer) return;
    answering_ = true;
    const auto written = write_answer(std::move(*answer));
    answering_ = false;
    if (written) continue;
    report(written.error());
    // The reader learns of it by this.
    stream_.close();
    answers_.close();
    return;
  }
}

base::Result<void> Connection::write_answer(Answer answer) {
  TRY(answer(reply_));
  if (reply_.empty()) return {};
  while (!reply_.empty()) {
    // Who does not take its replies is as good as gone.
    const auto deadline = os_.clock.monotonic() + config_.connection_idle_max;
    reply_.consume(TRY(stream_.write(reply_.bytes(), deadline)));
  }
  reply_.shrink_to(kReplyBytesKept);
  return {};
}

}  // namespace seatrial::broker
