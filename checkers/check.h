// One door to all checkers: by the model's name, for `seatrial check MODEL HISTORY.jsonl`, for
// scenarios and for `seatrial list`.
#pragma once

#include "checkers/history.h"
#include "checkers/options.h"
#include "checkers/verdict.h"

#include <span>
#include <string_view>

namespace seatrial::checkers {

struct CheckerInfo {
  std::string_view model;        // What to ask for: "kvx".
  std::string_view types;        // Types of history it takes, separated by spaces.
  std::string_view description;  // One line.
};

// All checkers, in the order in which to list them.
std::span<const CheckerInfo> list_checkers();

// What a file holds: hjl/1, or one of the formats in readers/, told by its first line. The error
// names the line, and what was expected there.
Result<History> read_history(std::string_view bytes);

// Judges `history` by `model`. The error says that there is no such model, or that the history's
// type does not fit it.
Result<Verdict> check(std::string_view model, const History& history, const Options& options = {});
// The same for a file's content.
Result<Verdict> check(std::string_view model, std::string_view bytes, const Options& options = {});

}  // namespace seatrial::checkers
