// The same seed twice, in two processes of their own, with other addresses and other bytes in
// fresh memory: the hashes must agree, and where they do not, the first event that differs is
// named with both sides.
#pragma once

#include "scenarios/scenario.h"
#include "sim/trace.h"

#include <cstdint>
#include <cstdio>
#include <string>

namespace seatrial::scenarios {

// Whether a seed belongs to the share of them that are compared: by its hash, so that any run of
// the same seeds compares the same ones.
bool is_compared(uint64_t seed, double share);

// For a child of a suite: writes the (first) run's result to `output_fd`, as kNondeterministic
// where the two differ, and returns its exit code. Runs this binary's `run-one` subcommand, and
// for the second run that of `against`, another build of the same source, where it is not empty.
int run_twice(const Scenario& scenario, uint64_t seed, int output_fd,
              const std::string& against = {});

// The first place where the two files of events differ, with the event before it; empty where they
// do not. `names`: what to call the two runs.
std::string first_difference(const std::string& path_a, const std::string& path_b,
                             const std::string (&names)[2]);

// One line an event: number, hash, time in ns, node, kind, text.
void write_event(std::FILE* file, const sim::TraceEvent& event);

}  // namespace seatrial::scenarios
