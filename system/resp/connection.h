// Step 1 of a request, and the last one: the only reader and writer of a client's stream. Runs on
// a fiber of its own.
//
// Reads what is there, lets the session execute every whole request in it, waits once for leave
// to answer, writes once. Replies in hand are bounded: execution pauses for sending when they
// exceed `reply_bytes_max`, so a peer that does not read is not read from either.
#pragma once

#include "os/clock.h"
#include "os/network.h"
#include "resp/buffer.h"
#include "resp/parser.h"
#include "resp/service.h"

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace seatrial::resp {

struct ConnectionLimits {
  ParserLimits parser;
  size_t input_bytes_max = 1024 * 1024 * 1024;  // Of one incomplete request.
  size_t reply_bytes_max = 64 * 1024;
  // At a time: at first, all that an idle client costs; and grown to while the peer fills it.
  size_t read_bytes_min = 4 * 1024;
  size_t read_bytes_max = 64 * 1024;
  size_t ahead_max = 16;     // Requests parsed before the first is executed.
  os::Duration idle_max{0};  // Closed after that long without a byte; 0: never.
};

class Connection {
 public:
  Connection(os::Stream& stream, const os::Clock& clock, const ConnectionLimits& limits);

  // Serves until the peer has gone, the session closes or the fiber is cancelled. kClosed and a
  // success are orderly ends; other errors say why the stream ended.
  base::Result<void> serve(Session& session);

  const Buffer& input() const { return input_; }
  const Writer& output() const { return reply_; }
  uint64_t bytes_read() const { return bytes_read_; }
  uint64_t bytes_written() const { return bytes_written_; }
  ConnectionLimits& limits() { return limits_; }

 private:
  // Executes buffered requests until one is incomplete, the session ends or enough was answered.
  Next execute_buffered(Session& session);
  // Parses some requests from the front of the input, up to the first that is not whole.
  void parse_ahead();
  // Executes those, and drops them from the input.
  Next execute_parsed(Session& session);
  base::Result<void> send(Session& session);
  // Waits for more input; 0: the peer sends no more.
  base::Result<size_t> fill();

  os::Stream& stream_;
  const os::Clock& clock_;
  ConnectionLimits limits_;
  Parser parser_;
  Buffer input_;
  Writer reply_;
  bool incomplete_ = true;  // The buffered bytes hold no whole request.
  bool paused_ = false;     // Enough was answered for now.
  // The requests parsed ahead: their words in a row, their args, and where each ends in the input.
  std::vector<std::string_view> words_;
  std::vector<Args> requests_;
  std::vector<size_t> ends_;
  Parser::Outcome outcome_ = Parser::Outcome::kIncomplete;  // Of what follows them.
  size_t read_bytes_;
  uint64_t bytes_read_ = 0;
  uint64_t bytes_written_ = 0;
};

}  // namespace seatrial::resp
