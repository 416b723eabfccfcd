// disk.misdirected_read: the disk reads a sector in the place of another of the same file: read
// again, it is the right one.
#include "sim/faults/disk_calls.h"
#include "sim/faults/faults.h"

namespace seatrial::sim {
namespace {

class DiskMisdirectedRead : public DiskCalls<&DiskTrouble::misdirected_reads_due> {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"calls", 1, 2, "how many reads are wrong"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "disk.misdirected_read",
        .family = "disk",
        .description =
            "the next reads get one sector in another one's place; read again, it is "
            "right",
        .parameters = kParameters,
        .rate = 0.3,
        .opt_in = true};
    return kInfo;
  }
};

}  // namespace

const Fault* disk_misdirected_read_fault() {
  static const DiskMisdirectedRead fault;
  return &fault;
}

}  // namespace seatrial::sim
