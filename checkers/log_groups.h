// Groups of consumers: who owns which partition, what was committed, and whether everything below
// it was delivered. Part of offsets.h, which names the rules.
//
// The committed offset of a group in a partition is a register: commit writes it and committed
// reads it, whoever asks; so its history must be linearizable (linearizability.h). What a group
// may rely on beside it is fencing: once a later generation stands, an earlier one commits no more.
#pragma once

#include "checkers/log_findings.h"
#include "checkers/models/log_facts.h"
#include "checkers/options.h"

namespace seatrial::checkers {

// False where the budget ended before the committed offsets could be judged.
bool judge_groups(const History& history, const LogFacts& facts, const Options& options,
                  LogFindings& findings);

// Records of one key go to one partition of their topic.
void judge_keys(const History& history, LogFindings& findings);

}  // namespace seatrial::checkers
