// disk.lost_write: the disk says that it wrote, and left one sector out. The next good sync that
// covers a sector meets it; what stands on the medium is read from then on.
#include "sim/faults/disk_calls.h"
#include "sim/faults/faults.h"

namespace seatrial::sim {
namespace {

class DiskLostWrite : public DiskCalls<&DiskTrouble::lost_writes_due> {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"calls", 1, 2, "how many syncs leave one out"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "disk.lost_write",
        .family = "disk",
        .description = "the next sync that succeeds leaves one sector as it was, and says nothing",
        .parameters = kParameters,
        .rate = 0.3,
        .opt_in = true,
        .harms_disk = true};
    return kInfo;
  }
};

}  // namespace

const Fault* disk_lost_write_fault() {
  static const DiskLostWrite fault;
  return &fault;
}

}  // namespace seatrial::sim
