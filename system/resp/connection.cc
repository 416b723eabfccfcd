#include "resp/connection.h"

#include "os/mark.h"

#include <algorithm>

namespace seatrial::resp {
namespace {

constexpr size_t kWordsKept = 4096;

}  // namespace

Connection::Connection(os::Stream& stream, const os::Clock& clock, const ConnectionLimits& limits)
    : stream_(stream),
      clock_(clock),
      limits_(limits),
      parser_(limits.parser),
      read_bytes_(limits.read_bytes_min) {}

base::Result<void> Connection::serve(Session& session) {
  while (true) {
    const Next next = execute_buffered(session);
    if (next == Next::kCut) return {};
    TRY(send(session));
    if (next == Next::kClose) return {};
    if (next == Next::kAwait) {
      TRY(session.await(reply_));
      continue;
    }
    if (!incomplete_) continue;
    if (TRY(fill()) == 0) return {};
  }
}

Next Connection::execute_buffered(Session& session) {
  parser_.set_limits(limits_.parser);
  incomplete_ = true;
  paused_ = false;
  while (!input_.empty()) {
    parse_ahead();
    if (requests_.size() > 1) session.foresee(requests_);
    const Next next = execute_parsed(session);
    if (next != Next::kContinue) return next;
    if (paused_) {
      MARK("resp: pipeline paused for its replies");
      incomplete_ = input_.empty();
      break;
    }
    if (outcome_ == Parser::Outcome::kInvalid) {
      MARK("resp: protocol error");
      reply_.error(parser_.error());
      return Next::kClose;
    }
    if (outcome_ == Parser::Outcome::kIncomplete) break;
  }
  return Next::kContinue;
}

void Connection::parse_ahead() {
  words_.clear();
  requests_.clear();
  ends_.clear();
  size_t end = 0;
  do {
    outcome_ = parser_.next(input_.bytes().substr(end));
    if (outcome_ != Parser::Outcome::kRequest) break;
    end += parser_.consumed();
    ends_.push_back(end);
    words_.insert(words_.end(), parser_.args().begin(), parser_.args().end());
    requests_.emplace_back(words_.data(), parser_.args().size());
  } while (parser_.args_in_input() && end < input_.size() && requests_.size() < limits_.ahead_max);
  // The words' place is known only now that all are there.
  const std::string_view* first = words_.data();
  for (Args& request : requests_) {
    request = {first, request.size()};
    first += request.size();
  }
}

Next Connection::execute_parsed(Session& session) {
  size_t executed = 0;
  Next next = Next::kContinue;
  while (executed < requests_.size() && next == Next::kContinue) {
    const Args request = requests_[executed++];
    if (!request.empty()) next = session.execute(request, reply_);
    paused_ = reply_.size() >= limits_.reply_bytes_max;
    if (paused_) break;
  }
  if (executed < requests_.size()) parser_.restart();
  if (executed > 0) input_.consume(ends_[executed - 1]);
  return next;
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
  if (input_.empty()) input_.shrink_to(limits_.read_bytes_max);
  if (words_.capacity() > kWordsKept) std::vector<std::string_view>().swap(words_);
  size_t want = read_bytes_;
  if (!input_.empty() && parser_.bytes_wanted() > input_.size()) {
    // A large word is read in pieces that double, not reserved on the word of its sender.
    const size_t missing = parser_.bytes_wanted() - input_.size();
    want = std::max(want, std::min(missing, std::max(input_.size(), limits_.read_bytes_max)));
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
  read_bytes_ = count == want ? std::min(2 * read_bytes_, limits_.read_bytes_max) : read_bytes_;
  return count;
}

}  // namespace seatrial::resp
