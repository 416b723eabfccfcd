// A verdict in words, as `seatrial check` prints it.
#pragma once

#include "checkers/verdict.h"

#include <string>

namespace seatrial::checkers {

// Lines, each with its end: who judged and how, the summary, the first reasons, the sub-history.
std::string tell(const Verdict& verdict);

}  // namespace seatrial::checkers
