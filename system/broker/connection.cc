#include "broker/connection.h"

#include "broker/dispatch.h"
#include "os/mark.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace seatrial::broker {
namespace {

constexpr int64_t kAnswersMax = 64;  // In work for one connection.
// Memory for large requests and replies is kept for the next ones, and given back after a while
// without any.
constexpr auto kQuiet = std::chrono::seconds(5);
constexpr size_t kReplyBytesKept = 64 * 1024;

}  // namespace

Connection::Connection(os::Os& os, const Config& config, Catalog& catalog, os::Stream& stream)
    : os_(os),
      config_(config),
      stream_(stream),
      frames_(stream, static_cast<size_t>(config.request_bytes_max)),
      stirred_(os.fibers),
      context_{os, config, catalog, stream.local(), stream.peer(), stirred_},
      answers_(os.fibers,
               static_cast<size_t>(KNOB(os.chaos, "broker: answers in work", kAnswersMax, 1, 2))),
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
    const bool large = reply_.capacity() > kReplyBytesKept;
    auto answer = answers_.receive(large ? os_.clock.monotonic() + kQuiet : os::kNever);
    if (!answer && answer.error() == base::Errc::kDeadline) {
      reply_.shrink_to(kReplyBytesKept);
      continue;
    }
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
    const bool small = CHANCE(os_.chaos, "broker: reply in pieces");
    const base::Bytes piece = reply_.bytes().substr(0, small ? 1 : base::Bytes::npos);
    reply_.consume(TRY(stream_.write(piece, deadline)));
  }
  return {};
}

}  // namespace seatrial::broker
