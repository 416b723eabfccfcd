// TEMP
#include <unistd.h>
#include <cstdio>
#include <string>
#include "scenarios/suite.h"
#include "scenarios/run.h"
using namespace seatrial;
int main(int c, char** a) {
  auto s = scenarios::load_scenario(a[1]);
  if (!s) { std::printf("%s\n", s.error().message().c_str()); return 2; }
  uint64_t seed = std::stoull(a[2]);
  if (c > 3) return scenarios::run_one(*s, seed, nullptr, 1, a[3]);
  return scenarios::run_one(*s, seed, nullptr, 1);
}
