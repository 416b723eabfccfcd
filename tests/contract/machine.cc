#include "tests/contract/machine.h"

namespace seatrial::contract {

std::vector<MachineKind> machines() {
  return {{"Linux", &make_linux_machine}, {"Sim", &make_sim_machine}};
}

}  // namespace seatrial::contract
