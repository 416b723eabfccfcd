// The trap: while a simulated node's code runs, libc's clocks, random numbers, sockets, files,
// threads and processes are out of bounds. A call past the boundary stops the run and names the
// caller, with file and line where the binary knows them and addr2line (of binutils) is there. The
// functions are interposed in the binary that links this file; with the trap disarmed they do what
// they always do.
//
// What no trap of this kind can see: a system call made by hand, the processor's own instructions
// (rdtsc, rdrand), what libc calls within itself, and what is no call at all, like an address or
// fresh memory that decides something. --check-determinism is for those.
#pragma once

namespace seatrial::sim::trap {

// Both return whether it was armed before.
bool arm();
bool disarm();
bool armed();

// For code of the simulator that must reach the outside for a moment.
class Truce {
 public:
  Truce() : was_armed_(disarm()) {}
  ~Truce() {
    if (was_armed_) arm();
  }
  Truce(const Truce&) = delete;
  Truce& operator=(const Truce&) = delete;

 private:
  bool was_armed_;
};

}  // namespace seatrial::sim::trap
