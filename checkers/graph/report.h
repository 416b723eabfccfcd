// A verdict on transactions from what was found: every anomaly by its name, why, which level of
// isolation is left, and the cycles as a picture.
#pragma once

#include "checkers/graph/anomaly.h"
#include "checkers/graph/cycles.h"
#include "checkers/verdict.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace seatrial::checkers {

// Why an edge is there: "3 < 7 because ...".
using TellEdge = std::function<Sentence(const Edge&)>;

// The verdict on a history that has findings, or cycles, or both.
Verdict report_anomalies(const History& history, const Findings& findings,
                         const CycleReport& cycles, const TellEdge& tell);

// The same as Graphviz: a cluster for each cycle, a box for each transaction, an arrow for each
// dependency with its kind. `dot -Tsvg` draws it.
std::string draw_cycles(const History& history, const std::vector<Anomaly>& anomalies);

// "3 < 7 because it had completed before 7 was invoked" for the kinds that need no knowledge of
// versions; nullopt for the others.
std::optional<Sentence> tell_client_order(const History& history, const Edge& edge);

}  // namespace seatrial::checkers
