// The same seed twice, in two processes of their own, with other addresses and other bytes in
// fresh memory: the hashes must agree, and where they do not, the first event that differs is
// named with both sides.
#pragma once

#include "scenarios/scenario.h"
#include "sim/trace.h"

#include <cstdint>
#include <cstdio>

namespace seatrial::scenarios {

// For a child of a suite: writes the (second) run's result to `output_fd`, as kNondeterministic
// where the two differ, and returns its exit code. Runs this binary's `run-one` subcommand.
int run_twice(const Scenario& scenario, uint64_t seed, int output_fd);

// One line an event: number, hash, time in ns, node, kind, text.
void write_event(std::FILE* file, const sim::TraceEvent& event);

}  // namespace seatrial::scenarios
