// Step 4: BGREWRITEAOF: the append-only log is written anew, as short as it can be.
#include "kv/command_table.h"
#include "kv/errors.h"
#include "kv/log_control.h"
#include "kv/session.h"
#include "kv/state.h"

namespace seatrial::kv {
namespace {

void bgrewriteaof(Context& context) {
  using Rewrite = LogControl::Rewrite;
  LogControl* const log = context.state.log_control;
  const bool later = context.session.in_exec;
  switch (log == nullptr ? Rewrite::kFailed : log->rewrite(later)) {
    case Rewrite::kStarted:
      return context.reply.simple("Background append only file rewriting started");
    case Rewrite::kScheduled:
      return context.reply.simple("Background append only file rewriting scheduled");
    case Rewrite::kRunning:
      return context.reply.error("ERR Background append only file rewriting already in progress");
    case Rewrite::kFailed:
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
