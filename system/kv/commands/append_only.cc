// Step 4: BGREWRITEAOF: the append-only log is written anew, as short as it can be.
#include "kv/command_table.h"
#include "kv/errors.h"
#include "kv/state.h"

namespace seatrial::kv {
namespace {

void bgrewriteaof(Context& context) {
  switch (context.state.hooks.rewrite_log(context.state.in_exec)) {
    case RewriteAnswer::kStarted:
      return context.reply.simple("Background append only file rewriting started");
    case RewriteAnswer::kScheduled:
      return context.reply.simple("Background append only file rewriting scheduled");
    case RewriteAnswer::kRunning:
      return context.reply.error("ERR Background append only file rewriting already in progress");
    case RewriteAnswer::kFailed:
      return context.reply.error(
          "ERR Can't execute an AOF background rewriting. Please check the server logs for more "
          "information.");
  }
}

constexpr Command kCommands[] = {
    {"bgrewriteaof", bgrewriteaof, 1, kAdmin | kNoScript | kNoAsyncLoading, Group::kServer, "1.0.0",
     "Writes the append-only log anew in the background"},
};

}  // namespace

std::span<const Command> append_only_commands() { return kCommands; }

}  // namespace seatrial::kv
