// That one operation comes before another in every order that explains a history, and why.
#pragma once

#include "checkers/history.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace seatrial::checkers {

// Adya's kinds, or the order that clients saw.
//
// Adya, Liskov and O'Neil, "Generalized Isolation Level Definitions", ICDE 2000.
enum class Dependency : uint8_t {
  kWriteWrite,  // ww: `to` wrote the version after one that `from` wrote.
  kWriteRead,   // wr: `to` read a version that `from` wrote.
  kReadWrite,   // rw: `to` wrote the version after one that `from` read.
  kProcess,     // The same process ran `from` first.
  kRealTime,    // `from` had completed before `to` was invoked.
  kOther,       // None of these: only the words say why.
  kInner,       // Along a chain of a graph; never between two operations.
};

// "ww", "wr", "rw", "process", "real time"; "order" where it is none of them.
std::string_view to_string(Dependency kind);

struct Order {
  OperationId from = 0;
  OperationId to = 0;
  Dependency kind = Dependency::kOther;
  std::string why;  // What can stand behind "3 < 7 because ".
};

}  // namespace seatrial::checkers
