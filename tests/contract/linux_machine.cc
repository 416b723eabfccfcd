// Machine 1: this computer, with a scratch directory as its disk.
#include "linux/linux_os.h"
#include "tests/contract/machine.h"

#include <cstdlib>
#include <filesystem>

namespace seatrial::contract {
namespace {

class LinuxMachine final : public Machine {
 public:
  LinuxMachine() {
    std::string name = std::filesystem::temp_directory_path() / "seatrial_contract_XXXXXX";
    CHECK(mkdtemp(name.data()) != nullptr);
    directory_ = name;
  }
  ~LinuxMachine() override { std::filesystem::remove_all(directory_); }

  void run(const std::vector<Body>& lives, Between between) override {
    CHECK(between == Between::kNothing);
    for (const Body& body : lives) {
      const auto code = linux::run({.working_directory = directory_}, [&](Os& os) {
        body(os);
        return 0;
      });
      EXPECT_EQ(outcome(code), "ok");
    }
  }

 private:
  std::filesystem::path directory_;
};

}  // namespace

std::unique_ptr<Machine> make_linux_machine() { return std::make_unique<LinuxMachine>(); }

}  // namespace seatrial::contract
