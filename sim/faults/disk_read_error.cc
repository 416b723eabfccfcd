// disk.read_error: a node's next reads fail; the same bytes can be read later.
#include "sim/faults/disk_calls.h"
#include "sim/faults/faults.h"

namespace seatrial::sim {
namespace {

class DiskReadError : public DiskCalls<&DiskTrouble::read_errors_due> {
 public:
  const FaultInfo& info() const override {
    static constexpr Parameter kParameters[] = {
        {"calls", 1, 4, "how many reads fail"},
    };
    static constexpr FaultInfo kInfo{
        .kind = "disk.read_error",
        .family = "disk",
        .description = "the next reads fail with an input/output error; later ones find the bytes",
        .parameters = kParameters,
        .rate = 0.6};
    return kInfo;
  }
};

}  // namespace

const Fault* disk_read_error_fault() {
  static const DiskReadError fault;
  return &fault;
}

}  // namespace seatrial::sim
