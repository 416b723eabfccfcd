#include "os/chaos.h"

// As in mark.cc.
extern "C" {
[[gnu::weak]] extern seatrial::os::ChanceSite __start_seatrial_chances[];
[[gnu::weak]] extern seatrial::os::ChanceSite __stop_seatrial_chances[];
[[gnu::weak]] extern seatrial::os::KnobSite __start_seatrial_knobs[];
[[gnu::weak]] extern seatrial::os::KnobSite __stop_seatrial_knobs[];
}

namespace seatrial::os {

std::span<const ChanceSite> all_chances() {
  if (__start_seatrial_chances == nullptr) return {};
  return {__start_seatrial_chances, __stop_seatrial_chances};
}

std::span<const KnobSite> all_knobs() {
  if (__start_seatrial_knobs == nullptr) return {};
  return {__start_seatrial_knobs, __stop_seatrial_knobs};
}

}  // namespace seatrial::os
