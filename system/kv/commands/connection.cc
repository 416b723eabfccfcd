// Step 4: what concerns one connection only.
#include "kv/command_table.h"
#include "kv/session.h"
#include "kv/state.h"
#include "resp/number.h"

#include <fmt/format.h>

namespace seatrial::kv {
namespace {

void ping(Context& context) {
  if (context.args.size() > 2) return context.wrong_arity();
  if (context.args.size() == 2) return context.reply.bulk(context.args[1]);
  context.reply.simple("PONG");
}

void echo(Context& context) { context.reply.bulk(context.args[1]); }

void select(Context& context) {
  int64_t index = 0;
  if (!context.integer(context.args[1], index)) return;
  if (index < 0 || index >= static_cast<int64_t>(context.state.keyspace.count())) {
    return context.reply.error("ERR DB index is out of range");
  }
  context.session.database = static_cast<int>(index);
  context.reply.ok();
}

void quit(Context& context) {
  context.reply.ok();
  context.session.next = resp::Next::kClose;
}

void reset(Context& context) {
  context.session.reset();
  context.reply.simple("RESET");
}

bool valid_name(std::string_view name) {
  for (const char c : name) {
    if (c < '!' || c > '~') return false;
  }
  return true;
}

// HELLO [version [AUTH user password] [SETNAME name]]
void hello(Context& context) {
  const resp::Args args = context.args;
  if (args.size() >= 2) {
    const auto version = resp::parse_integer(args[1]);
    if (!version) {
      return context.reply.error("ERR Protocol version is not an integer or out of range");
    }
    if (*version != 2) return context.reply.error("NOPROTO unsupported protocol version");
  }
  for (size_t i = 2; i < args.size(); ++i) {
    if (equals_ignoring_case(args[i], "setname") && i + 1 < args.size()) {
      if (!valid_name(args[++i])) {
        return context.reply.error(
            "ERR Client names cannot contain spaces, newlines or special characters.");
      }
      context.session.name = args[i];
    } else {
      return context.reply.error(fmt::format("ERR Syntax error in HELLO option '{}'", args[i]));
    }
  }
  context.reply.map(7);
  context.reply.bulk("server");
  context.reply.bulk("redis");
  context.reply.bulk("version");
  context.reply.bulk("7.0.15");
  context.reply.bulk("proto");
  context.reply.integer(2);
  context.reply.bulk("id");
  context.reply.integer(static_cast<int64_t>(context.session.id()));
  context.reply.bulk("mode");
  context.reply.bulk("standalone");
  context.reply.bulk("role");
  context.reply.bulk(context.state.replication.replica ? "replica" : "master");
  context.reply.bulk("modules");
  context.reply.array(0);
}

constexpr uint32_t kAlways = kNoScript | kLoading | kStale | kFast | kNoAuth | kAllowBusy;

constexpr Command kCommands[] = {
    {"echo", echo, 2, kLoading | kStale | kFast, Group::kConnection, "1.0.0",
     "Answers its argument"},
    {"hello", hello, -1, kAlways, Group::kConnection, "6.0.0", "Agrees on the protocol's version"},
    {"ping",
     ping,
     -1,
     kFast,
     Group::kConnection,
     "1.0.0",
     "Answers PONG",
     {},
     {},
     "request_policy:all_shards response_policy:all_succeeded"},
    {"quit", quit, -1, kAlways | kUnqueued, Group::kConnection, "1.0.0", "Closes the connection"},
    {"reset", reset, 1, kAlways | kUnqueued, Group::kConnection, "6.2.0",
     "Makes the connection as it was when new"},
    {"select", select, 2, kLoading | kStale | kFast, Group::kConnection, "1.0.0",
     "Selects a database"},
};

}  // namespace

std::span<const Command> connection_commands() { return kCommands; }

}  // namespace seatrial::kv
