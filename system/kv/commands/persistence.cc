// Step 4: snapshots on demand: SAVE, BGSAVE, LASTSAVE.
#include "kv/command_table.h"
#include "kv/errors.h"
#include "kv/session.h"
#include "kv/snapshot_control.h"
#include "kv/state.h"

#include <string>

namespace seatrial::kv {
namespace {

constexpr std::string_view kAlreadySaving = "ERR Background save already in progress";

bool saving_in_background(const State& state) {
  return state.child.is(ChildKind::kRdbToDisk) || state.child.is(ChildKind::kRdbToReplicas);
}

void save(Context& context) {
  State& state = context.state;
  SnapshotControl* const snapshots = state.snapshot_control;
  if (saving_in_background(state)) return context.reply.error(kAlreadySaving);
  if (snapshots == nullptr || context.session.obeyed()) return context.reply.error("ERR");
  context.session.next = resp::Next::kAwait;
  context.session.awaited = [snapshots](resp::Writer& reply) -> base::Result<void> {
    const auto saved = snapshots->save();
    if (saved) {
      reply.ok();
    } else {
      reply.error(saved.error() == base::Errc::kBusy ? kAlreadySaving : "ERR");
    }
    return {};
  };
}

// BGSAVE [SCHEDULE]
void bgsave(Context& context) {
  State& state = context.state;
  const resp::Args args = context.args;
  const bool may_wait = args.size() == 2 && equals_ignoring_case(args[1], "schedule");
  if (args.size() > 1 && !may_wait) return context.reply.error(kSyntaxError);
  if (state.snapshot_control == nullptr) return context.reply.error("ERR");
  if (saving_in_background(state)) return context.reply.error(kAlreadySaving);
  // Within EXEC the data is between two states that anybody may see: it begins right after.
  if (context.session.in_exec || (state.child.kind && may_wait)) {
    state.snapshot_control->schedule();
    return context.reply.simple("Background saving scheduled");
  }
  if (state.child.kind) {
    return context.reply.error(
        "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE "
        "in order to schedule a BGSAVE whenever possible.");
  }
  if (!state.snapshot_control->start()) return context.reply.error("ERR");
  context.reply.simple("Background saving started");
}

void lastsave(Context& context) { context.reply.integer(context.state.snapshots.last_save / 1000); }

constexpr Command kCommands[] = {
    {"bgsave", bgsave, -1, kAdmin | kNoScript | kNoAsyncLoading, Group::kServer, "1.0.0",
     "Begins a snapshot in the background"},
    {"lastsave",
     lastsave,
     1,
     kLoading | kStale | kFast,
     Group::kServer,
     "1.0.0",
     "Answers when the last snapshot was complete",
     {},
     {},
     "nondeterministic_output"},
    {"save", save, 1, kAdmin | kNoScript | kNoAsyncLoading | kNoMulti, Group::kServer, "1.0.0",
     "Takes a snapshot, and all others wait"},
};

}  // namespace

std::span<const Command> persistence_commands() { return kCommands; }

}  // namespace seatrial::kv
