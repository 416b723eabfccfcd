// What the contract suite needs of a machine: to run a node's code on it. One suite, run on each
// machine that machines() names, so that both keep the promises of system/os/.
//
// A test body is the main of one process and gets its Os; client and server are fibers of it that
// meet on "localhost". It reaches nothing but the Os, and waits by deadlines of milliseconds,
// which the simulator does not really wait for.
#pragma once

#include "base/check.h"
#include "base/error.h"
#include "os/os.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace seatrial::contract {

using base::Errc;
using base::Result;
using os::Os;
using namespace std::chrono_literals;

using Body = std::function<void(Os&)>;

// What happens to the machine between two lives of a process on it.
enum class Between : unsigned char {
  kNothing,
  kPowerLoss,  // What of the disk was not made durable may be gone.
};

// One machine with one disk, which is empty at first and stays from life to life.
class Machine {
 public:
  virtual ~Machine() = default;

  // Runs each of `lives` as the first fiber of a process, one after the other; returns when the
  // last has returned. Once in the life of a Machine.
  virtual void run(const std::vector<Body>& lives, Between between) = 0;

  virtual bool can_lose_power() const { return false; }
};

struct MachineKind {
  const char* name;
  std::unique_ptr<Machine> (*make)();
};

inline void PrintTo(const MachineKind& kind, std::ostream* out) { *out << kind.name; }

// All machines that the contract holds for.
std::vector<MachineKind> machines();
std::unique_ptr<Machine> make_linux_machine();
std::unique_ptr<Machine> make_sim_machine();

// The fixture of every suite: TEST_P(NetworkContract, ...) { run([](Os& os) { ... }); }
class ContractTest : public testing::TestWithParam<MachineKind> {
 protected:
  static void run(const Body& body) { run_lives({body}); }
  static void run_lives(const std::vector<Body>& lives, Between between = Between::kNothing) {
    const std::unique_ptr<Machine> machine = GetParam().make();
    if (between == Between::kPowerLoss && !machine->can_lose_power()) {
      GTEST_SKIP() << "this machine cannot lose its power";
    }
    machine->run(lives, between);
  }
};

inline std::string name_of(const testing::TestParamInfo<MachineKind>& info) {
  return info.param.name;
}

#define CONTRACT_SUITE(Suite)                                                                \
  class Suite : public ::seatrial::contract::ContractTest {};                                \
  INSTANTIATE_TEST_SUITE_P(On, Suite, ::testing::ValuesIn(::seatrial::contract::machines()), \
                           ::seatrial::contract::name_of)

// "ok", or the name of the error: EXPECT_EQ on it shows both.
template <typename T>
std::string outcome(const Result<T>& result) {
  return result ? "ok" : std::string(base::to_string(result.error().code()));
}

#define EXPECT_OK(expression) EXPECT_EQ(::seatrial::contract::outcome(expression), "ok")
#define EXPECT_FAILS(expression, errc)                 \
  EXPECT_EQ(::seatrial::contract::outcome(expression), \
            ::seatrial::base::to_string(::seatrial::base::Errc::errc))

// For steps without which a test makes no sense.
template <typename T>
T must(Result<T> result) {
  CHECK_MSG(result.has_value(), "a step of the test failed: {}", result.error().message());
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

inline os::MonotonicTime in(Os& os, os::Duration duration) {
  return os.clock.monotonic() + duration;
}

// Bytes that tell of any that are lost, doubled or misplaced.
inline std::string pattern(size_t count, uint64_t seed = 1) {
  base::RandomStream random(seed);
  std::string bytes(count, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.next());
  return bytes;
}

}  // namespace seatrial::contract
