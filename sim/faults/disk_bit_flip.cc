// disk.bit_flip: one bit of what a read returns is wrong, on its way from the disk: read again, it
// is right.
#include "sim/faults/disk_calls.h"
#include "sim/faults/faults.h"

namespace seatrial::sim {
namespace {

class DiskBitFlip : public DiskCalls<&DiskTrouble::flipped_reads_due> {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"calls", 1, 2, "how many reads are wrong"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "disk.bit_flip",
        .family = "disk",
        .description = "one bit of what the next reads return is wrong; read again, it is right",
        .parameters = kParameters,
        .rate = 0.3,
        .opt_in = true};
    return kInfo;
  }
};

}  // namespace

const Fault* disk_bit_flip_fault() {
  static const DiskBitFlip fault;
  return &fault;
}

}  // namespace seatrial::sim
