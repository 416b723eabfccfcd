#include "checkers/tell.h"

#include <fmt/format.h>

#include <algorithm>

namespace seatrial::checkers {

std::string tell(const Verdict& verdict) {
  std::string text = fmt::format("{}: {}", verdict.checker, to_string(verdict.outcome));
  if (!verdict.anomaly.empty()) text += fmt::format(" ({})", verdict.anomaly);
  text += "\n" + verdict.summary + "\n";
  constexpr size_t kSentencesMax = 50;
  for (size_t i = 0; i < std::min(verdict.explanation.size(), kSentencesMax); i++) {
    text += "  " + verdict.explanation[i].text + "\n";
  }
  if (verdict.explanation.size() > kSentencesMax) {
    text += fmt::format("  and {} reasons more\n", verdict.explanation.size() - kSentencesMax);
  }
  if (!verdict.sub_history.empty()) {
    text += fmt::format("  the smallest sub-history found: operations {}\n",
                        fmt::join(verdict.sub_history, ", "));
  }
  return text;
}

}  // namespace seatrial::checkers
