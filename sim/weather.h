// The knobs of a run's ambient weather: what may happen at any call, drawn by chance, as opposed
// to the faults of the plan, which happen at their hour. A plan holds one Weather, as plain data.
#pragma once

#include "os/time.h"

#include <chrono>

namespace seatrial::sim {

using namespace std::chrono_literals;

struct NetworkWeather {
  // One way, for each segment, uniform; a link keeps the order of its bytes.
  os::Duration latency_min = 100us;
  os::Duration latency_max = 800us;
  double slow_chance = 0.0;               // A segment takes up to
  os::Duration slow_latency_max = 100ms;  // this instead.
  double tail_chance = 0.0;               // A latency doubles, and again, ten times at most.
  os::Duration distance_max = 0us;        // So much more for a pair of nodes, drawn once.
  double loss_chance = 0.0;               // A segment is lost and sent again 200 ms later, or
                                          // twice, or again, as long after as TCP does.
  size_t bandwidth_kib = 0;               // A second, for each direction of a link; 0: no limit.
  double split_chance = 0.0;              // A write is cut into segments of random length.
  double short_read_chance = 0.0;         // A read returns fewer bytes than are there.
  double short_write_chance = 0.0;        // A write takes fewer bytes than there is room for.
  double cut_chance = 0.0;                // A segment is the last: its stream is reset there.
  double refuse_chance = 0.0;             // A connection is refused although somebody listens.
  size_t buffer_bytes = 256 * 1024;       // In flight and unread, for each direction of a stream.

  friend bool operator==(const NetworkWeather&, const NetworkWeather&) = default;
};

struct DiskWeather {
  os::Duration call_min = 5us;  // Everything but a sync, uniform.
  os::Duration call_max = 50us;
  os::Duration sync_min = 100us;
  os::Duration sync_max = 2ms;
  double stall_chance = 0.0;    // A call takes up to
  os::Duration stall_max = 1s;  // this instead.
  double short_write_chance = 0.0;
  double short_read_chance = 0.0;
  double sync_error_chance = 0.0;   // A sync fails; the pages count as clean, their fate is open.
  double write_error_chance = 0.0;  // kIo, part of the bytes may be written.
  double read_error_chance = 0.0;   // kIo; the next one may succeed.
  double name_error_chance = 0.0;   // kIo of open, list, rename...: nothing was done.
  // On power loss, of each unsynced 512-byte sector:
  double sector_kept = 0.4;
  double sector_torn = 0.2;     // And dropped otherwise.
  double garbage_chance = 0.0;  // Of a torn one: what was being written is neither old nor new.
  double name_kept = 0.5;       // Of each unsynced operation on a directory.

  friend bool operator==(const DiskWeather&, const DiskWeather&) = default;
};

struct ProcessWeather {
  double fork_failure_chance = 0.0;
  os::Duration fork_pause_per_kib = 0us;  // A process stands still in fork(), by its data's size.
  os::Duration reap_delay_max = 0us;      // So much later a child's end is told to its parent.
  size_t pids = 32768;                    // Of a machine, taken in turn: few are soon used again.

  friend bool operator==(const ProcessWeather&, const ProcessWeather&) = default;
};

// Of machines that serve; each draws its own, between these and as much the other way.
struct ClockWeather {
  os::Duration skew_max = 0us;              // The wall clock's error after a boot.
  os::Duration drift_per_second_max = 0us;  // Both clocks gain so much a second.

  friend bool operator==(const ClockWeather&, const ClockWeather&) = default;
};

// Of machines whose rare branches no plan speaks of; where a plan is drawn it says for each server
// what is provoked (plan.h), and these stay 0.
struct ChaosWeather {
  double site_armed = 0.0;  // Share of the chance() sites that a seed arms
  double site_fires = 0.0;  // and how often an armed one comes true.
  double knob_shaken = 0.0;

  friend bool operator==(const ChaosWeather&, const ChaosWeather&) = default;
};

struct Weather {
  NetworkWeather network;
  DiskWeather disk;
  ProcessWeather process;
  ClockWeather clock;
  ChaosWeather chaos;

  friend bool operator==(const Weather&, const Weather&) = default;
};

}  // namespace seatrial::sim
