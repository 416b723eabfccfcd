// Transactions of a log against each other: sends and polls of many partitions that count together
// or not at all. Part of offsets.h, which names the rules.
//
// A transaction that found what another wrote comes after it (wr). With what real time says, that
// must be an order: a cycle is G1c where it needs no real time (Adya: circular information flow),
// G1c-process where it needs only the order within processes, else G1c-realtime. The order in
// which records of two transactions lie in a partition (ww) says nothing in Kafka, where they
// interleave as they are sent; so G0 is no rule here.
//
// Adya, Liskov and O'Neil, "Generalized Isolation Level Definitions", ICDE 2000; the rules are
// those of Jepsen's jepsen.tests.kafka. Real-time edges go through a chain of clock nodes, so that
// the graph stays linear in the history.
#pragma once

#include "checkers/log_findings.h"
#include "checkers/models/log_facts.h"

namespace seatrial::checkers {

void judge_transactions(const History& history, const LogFacts& facts, LogFindings& findings);

}  // namespace seatrial::checkers
