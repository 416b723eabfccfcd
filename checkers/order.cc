#include "checkers/order.h"

namespace seatrial::checkers {

std::string_view to_string(Dependency kind) {
  switch (kind) {
    case Dependency::kWriteWrite: return "ww";
    case Dependency::kWriteRead: return "wr";
    case Dependency::kReadWrite: return "rw";
    case Dependency::kProcess: return "process";
    case Dependency::kRealTime: return "real time";
    case Dependency::kOther: return "order";
    case Dependency::kInner: break;
  }
  return "";
}

}  // namespace seatrial::checkers
