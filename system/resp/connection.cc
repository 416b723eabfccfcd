#include "resp/connection.h"

#include "os/mark.h"

#include <algorithm>

namespace seatrial::resp {
namespace {

constexpr size_t kReadBytesMin = 4 * 1024;   // All that an idle client costs.
constexpr size_t kReadBytesMax = 64 * 1024;  // Grown to while the peer fills it.

}  // namespace

Connection::Connection(os::Stream& stream, const os::Clock& clock, const ConnectionLimits& limits)
    : stream_(stream),
      clock_(clock),
      limits_(limits),
      parser_(limits.parser),
      read_bytes_(kReadBytesMin) {}

base::Result<void> Connection::serve(Session& session) {
  while (true) {
    const Next next = execute_buffered(session);
    if (next == Next::kCut) return {};
    TRY(send(session));
    if (next == Next::kClose) return {};
    if (!incomplete_) continue;
    if (TRY(fill()) == 0) return {};
  }
}

Next Connection::execute_buffered(Session& session) {
  parser_.set_limits(limits_.parser);
  incomplete_ = true;
  while (!input_.empty()) {
    const Parser::Outcome outcome = parser_.next(input_.bytes());
    if (outcome == Parser::Outcome::kIncomplete) break;
    if (outcome == Parser::Outcome::kInvalid) {
      MARK("resp: protocol error");
      reply_.error(parser_.error());
      return Next::kClose;
    }
    Next next = Next::kContinue;
    if (!parser_.args().empty()) next = session.execute(parser_.args(), reply_);
    input_.consume(parser_.consumed());
    if (next != Next::kContinue) return next;
    if (reply_.size() >= limits_.reply_bytes_max) {
      MARK("resp: pipeline paused for its replies");
      incomplete_ = input_.empty();
      break;
    }
  }
  return Next::kContinue;
}

base::Result<void> Connection::send(Session& session) {
  if (reply_.empty()) return {};
  TRY(session.release());
  while (!reply_.empty()) {
    const size_t count = TRY(stream_.write(reply_.bytes()));
    bytes_written_ += count;
    reply_.consume(count);
  }
  reply_.shrink_to(2 * limits_.reply_bytes_max);
  return {};
}

base::Result<size_t> Connection::fill() {
  if (input_.empty()) input_.shrink_to(kReadBytesMax);
  size_t want = read_bytes_;
  if (!input_.empty() && parser_.bytes_wanted() > input_.size()) {
    // A large word is read in pieces that double, not reserved on the word of its sender.
    const size_t missing = parser_.bytes_wanted() - input_.size();
    want = std::max(want, std::min(missing, std::max(input_.size(), kReadBytesMax)));
  }
  if (input_.size() >= limits_.input_bytes_max) {
    MARK("resp: query buffer limit");
    return base::fail(base::Errc::kExhausted, "a request larger than client-query-buffer-limit");
  }
  char* const room = input_.reserve(want);
  const auto deadline =
      limits_.idle_max.count() > 0 ? clock_.monotonic() + limits_.idle_max : os::kNever;
  const size_t count = TRY(stream_.read({room, want}, deadline));
  input_.commit(count);
  bytes_read_ += count;
  read_bytes_ = count == want ? std::min(2 * read_bytes_, kReadBytesMax) : read_bytes_;
  return count;
}

}  // namespace seatrial::resp
