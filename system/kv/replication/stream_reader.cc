#include "kv/replication/stream_reader.h"

#include "base/check.h"
#include "kv/command_table.h"
#include "os/mark.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace seatrial::kv {
namespace {

// What a primary has accepted may be larger than what is accepted here.
constexpr size_t kBulkBytesMax = 512 * 1024 * 1024;
constexpr size_t kKeptBytes = 64 * 1024;

bool is(std::string_view word, std::string_view name) { return equals_ignoring_case(word, name); }

// Commands in a stream that change no data of this server, apart from those that it executes.
bool is_idle(std::string_view name) {
  // Nobody can be subscribed to a channel here.
  return is(name, "replconf") || is(name, "publish") || is(name, "spublish");
}

// What no primary sends is not executed, whatever it is.
bool may_come(const Command& command) {
  return command.has(kWrite) || command.name == "select" || command.name == "multi" ||
         command.name == "exec" || command.name == "ping";
}

// Of a reply, or of one in an array.
std::string_view first_error(std::string_view reply) {
  const size_t inside = reply.starts_with('-') ? 0 : reply.find("\r\n-");
  if (inside == std::string_view::npos) return "for an unknown reason";
  const std::string_view text = reply.substr(inside == 0 ? 1 : inside + 3);
  return text.substr(0, text.find("\r\n"));
}

}  // namespace

StreamReader::StreamReader(State& state, Feed& feed) : state_(state), feed_(feed) {}

Session& StreamReader::open(Peer peer) {
  CHECK(!session_);
  session_ =
      std::make_unique<Session>(state_, nullptr, nullptr, std::move(peer), SessionKind::kPrimary);
  session_->database = database_;
  const size_t bulk_bytes_max =
      std::max(kBulkBytesMax, static_cast<size_t>(state_.config.proto_max_bulk_bytes));
  parser_ = resp::Parser({.bulk_bytes_max = bulk_bytes_max});
  unit_parser_ = parser_;
  scanned_ = 0;
  in_transaction_ = false;
  asked_ = false;
  diverged_ = false;
  return *session_;
}

void StreamReader::close() { session_.reset(); }

base::Error StreamReader::refuse(std::string_view what) const {
  return {base::Errc::kInvalidData, fmt::format("the primary's stream at offset {}: {}",
                                                state_.replication.history.offset(), what)};
}

base::Result<void> StreamReader::execute(resp::Buffer& input) {
  CHECK(session_);
  while (true) {
    const auto outcome = parser_.next(input.bytes().substr(scanned_));
    if (outcome == resp::Parser::Outcome::kInvalid) {
      MARK("replication: primary speaks nonsense");
      return base::fail(refuse(parser_.error()));
    }
    if (outcome == resp::Parser::Outcome::kIncomplete) break;
    scanned_ += parser_.consumed();
    const resp::Args args = parser_.args();
    const std::string_view name = args.empty() ? std::string_view() : args[0];
    if (!in_transaction_ && is(name, "multi")) {
      in_transaction_ = true;
      continue;
    }
    if (in_transaction_ && !is(name, "exec")) continue;
    const bool transaction = std::exchange(in_transaction_, false);
    const size_t end = std::exchange(scanned_, 0);
    TRY(execute_unit(input.bytes().substr(0, end), transaction));
    input.consume(end);
  }
  if (input.size() > static_cast<size_t>(state_.config.client_query_buffer_bytes)) {
    return base::fail(refuse("a transaction larger than client-query-buffer-limit"));
  }
  input.shrink_to(kKeptBytes);
  return {};
}

base::Result<void> StreamReader::execute_unit(base::Bytes unit, bool transaction) {
  if (state_.ending) {
    // It would execute nothing; so it must not count as applied, nor be acknowledged.
    MARK("replication: stream left alone, the server ends");
    return base::fail(base::Errc::kClosed, "this server ends");
  }
  base::Result<void> executed;
  if (transaction) {
    MARK("replication: transaction applied");
    for (base::Bytes rest = unit; executed && !rest.empty();) {
      const auto outcome = unit_parser_.next(rest);
      CHECK(outcome == resp::Parser::Outcome::kRequest);
      rest.remove_prefix(unit_parser_.consumed());
      executed = execute_command(unit_parser_.args());
    }
  } else {
    executed = execute_command(parser_.args());
  }
  if (!executed) {
    // A transaction runs at its EXEC: up to there nothing was done.
    diverged_ = transaction && !session_->transaction.open;
    session_->discard_transaction();
    return executed;
  }
  database_ = session_->database;
  feed_.relay(unit, database_);
  return {};
}

base::Result<void> StreamReader::execute_command(resp::Args args) {
  if (args.empty()) return {};
  if (is_idle(args[0])) {
    if (args.size() >= 2 && is(args[0], "replconf") && is(args[1], "getack")) asked_ = true;
    return {};
  }
  const Command* const command = state_.commands.find(args[0]);
  if (command == nullptr || !may_come(*command)) {
    return base::fail(refuse(fmt::format("the command '{}', which this server does not replicate",
                                         args[0].substr(0, 64))));
  }
  reply_.clear();
  const uint64_t errors = reply_.errors();
  session_->execute(args, reply_);
  static_cast<void>(session_->release());
  if (reply_.errors() == errors) return {};
  MARK("replication: command of the primary refused");
  return base::fail(refuse(fmt::format("the command '{}' is refused: {}", args[0].substr(0, 64),
                                       first_error(reply_.bytes()))));
}

}  // namespace seatrial::kv
