// disk.misdirected_write: the disk writes a sector in the place of another of the same file, which
// is lost with it.
#include "sim/faults/disk_calls.h"
#include "sim/faults/faults.h"

namespace seatrial::sim {
namespace {

class DiskMisdirectedWrite : public DiskCalls<&DiskTrouble::misdirected_writes_due> {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"calls", 1, 2, "how many syncs misplace one"},
    };
    static constexpr FaultInfo kInfo{.kind = "disk.misdirected_write",
                                     .family = "disk",
                                     .description =
                                         "the next sync that succeeds writes one sector in another "
                                         "one's place, and says nothing",
                                     .parameters = kParameters,
                                     .rate = 0.3,
                                     .opt_in = true,
                                     .harms_disk = true};
    return kInfo;
  }
};

}  // namespace

const Fault* disk_misdirected_write_fault() {
  static const DiskMisdirectedWrite fault;
  return &fault;
}

}  // namespace seatrial::sim
