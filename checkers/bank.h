// The bank: clients move amounts between accounts in transactions, so the total over all accounts
// stays what it was, in every snapshot and at the end.
//
// A plain invariant over histories of type "txn", linear in their length: it finds torn and lost
// transactions even where transactions.h is undecided, and says so in a sentence that needs no
// theory. The first exec that did not fail and only sets is the opening of the accounts; each
// exec that only gets, covers all of them and was answered is an audit. A balance is a number, or
// a text that starts with one and goes on with ':' ("70:3.12": what makes values unique).
#pragma once

#include "checkers/history.h"
#include "checkers/options.h"
#include "checkers/verdict.h"

namespace seatrial::checkers {

// Anomalies: "wrong-total", "missing-account", "garbage" (a balance that is no number).
Verdict check_bank(const History& history, const Options& options = {});

}  // namespace seatrial::checkers
