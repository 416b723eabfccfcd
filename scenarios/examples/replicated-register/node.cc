// The register on real sockets, disks and clocks: the very code that the trial has tried.
//   register-node serve NODE...        a node among these hosts, this one among them
//   register-node write VALUE NODE     and its client
//   register-node read NODE
#include "linux/linux_os.h"
#include "register.h"

#include <cstdio>
#include <cstdlib>

namespace {

using namespace example;

int ask(os::Os& os, const std::vector<std::string>& words) {
  const os::MonotonicTime deadline = os.clock.monotonic() + std::chrono::seconds(5);
  if (words[0] == "write" && words.size() == 3) {
    const auto written = write(os, words[2], std::atoll(words[1].c_str()), deadline);
    std::puts(written ? "written" : written.error().message().c_str());
    return written ? 0 : 1;
  }
  const auto value = read(os, words.back(), deadline);
  if (!value) return std::puts(value.error().message().c_str()), 1;
  *value ? std::printf("%lld\n", static_cast<long long>(**value)) : std::puts("nothing");
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  const std::vector<std::string> words(arguments + 1, arguments + count);
  if (words.size() < 2) return std::fputs("register-node serve|write|read ...\n", stderr), 2;
  const auto code = seatrial::linux::run({}, [&](os::Os& os) {
    return words[0] == "serve" ? run_node(os, {words.begin() + 1, words.end()}, Bug::kNone)
                               : ask(os, words);
  });
  return code.value_or(1);
}
