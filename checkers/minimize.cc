#include "checkers/minimize.h"

#include <algorithm>

namespace seatrial::checkers {

void Minimizer::shorten(std::span<const uint32_t> ends) {
  const auto first =
      std::ranges::partition_point(ends, [&](uint32_t end) { return !fails_(kept_, end); });
  if (first != ends.end()) events_ = *first;
}

void Minimizer::weaken(std::vector<size_t> certain) {
  for (size_t size = std::max<size_t>(certain.size() / 2, 1); size > 0; size /= 2) {
    for (size_t start = 0; start < certain.size();) {
      const size_t end = std::min(start + size, certain.size());
      std::vector<bool> fewer = kept_;
      for (size_t i = start; i < end; i++) fewer[certain[i]] = false;
      if (fails_(fewer, events_)) {
        kept_ = std::move(fewer);
        certain.erase(certain.begin() + static_cast<ptrdiff_t>(start),
                      certain.begin() + static_cast<ptrdiff_t>(end));
      } else {
        start = end;
      }
    }
  }
}

}  // namespace seatrial::checkers
