// Step 3: from words to a handler. Finds the command, checks what must hold before it may run,
// queues it within MULTI, runs it, and hands its effects on.
#pragma once

#include "kv/data/entry.h"
#include "resp/request.h"
#include "resp/writer.h"

namespace seatrial::kv {

class Session;
struct Command;
struct State;

// `args` is not empty.
void dispatch(State& state, Session& session, resp::Args args, resp::Writer& reply, WallMs now);

// Runs a command that was checked before: EXEC's way in.
void run_queued(State& state, Session& session, const Command& command, resp::Args args,
                resp::Writer& reply, WallMs now);

}  // namespace seatrial::kv
