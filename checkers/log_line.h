// Offsets as one line: they are given away in the order of time, and none is left out. offsets.h
// says what each anomaly means.
#pragma once

#include "checkers/log_findings.h"
#include "checkers/models/log_facts.h"

namespace seatrial::checkers {

// Once all readings have been held against the batches, so that what was found is known.
void judge_line(const LogPartition& partition, const LogFacts& facts, LogFindings& findings);

}  // namespace seatrial::checkers
