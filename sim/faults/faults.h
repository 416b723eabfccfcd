// The faults there are, for the table in fault.cc only.
#pragma once

namespace seatrial::sim {

class Fault;

const Fault* chaos_knobs_fault();
const Fault* chaos_sites_fault();
const Fault* disk_bit_flip_fault();
const Fault* disk_bit_rot_fault();
const Fault* disk_dead_fault();
const Fault* disk_errors_fault();
const Fault* disk_full_fault();
const Fault* disk_garbage_fault();
const Fault* disk_lost_write_fault();
const Fault* disk_lying_sync_fault();
const Fault* disk_misdirected_write_fault();
const Fault* disk_power_luck_fault();
const Fault* disk_read_error_fault();
const Fault* disk_short_read_fault();
const Fault* disk_short_write_fault();
const Fault* disk_slow_fault();
const Fault* disk_stall_fault();
const Fault* disk_sync_error_fault();
const Fault* disk_sync_stall_fault();
const Fault* disk_throttle_fault();
const Fault* disk_write_error_fault();
const Fault* fork_fail_fault();
const Fault* fork_kill_child_fault();
const Fault* fork_kill_parent_fault();
const Fault* fork_late_reap_fault();
const Fault* fork_pause_fault();
const Fault* fork_pid_reuse_fault();
const Fault* fork_power_loss_fault();
const Fault* fork_scarce_fault();
const Fault* net_cut_fault();
const Fault* net_latency_fault();
const Fault* net_partition_fault();
const Fault* net_refuse_fault();
const Fault* net_reset_fault();
const Fault* net_segmentation_fault();
const Fault* net_slow_fault();
const Fault* process_crash_loop_fault();
const Fault* process_kill_fault();
const Fault* process_pause_fault();
const Fault* process_power_loss_fault();
const Fault* storm_reconnect_fault();

}  // namespace seatrial::sim
