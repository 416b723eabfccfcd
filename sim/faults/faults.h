// The faults there are, for the table in fault.cc only.
#pragma once

namespace seatrial::sim {

class Fault;

const Fault* chaos_knobs_fault();
const Fault* chaos_sites_fault();
const Fault* clock_drift_fault();
const Fault* clock_jump_fault();
const Fault* clock_skew_fault();
const Fault* clock_strobe_fault();
const Fault* disk_bit_flip_fault();
const Fault* disk_bit_rot_fault();
const Fault* disk_dead_fault();
const Fault* disk_errors_fault();
const Fault* disk_full_fault();
const Fault* disk_garbage_fault();
const Fault* disk_lost_write_fault();
const Fault* disk_lying_sync_fault();
const Fault* disk_misdirected_read_fault();
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
const Fault* net_backlog_full_fault();
const Fault* net_bandwidth_fault();
const Fault* net_black_hole_fault();
const Fault* net_buffers_fault();
const Fault* net_clog_fault();
const Fault* net_connect_hangs_fault();
const Fault* net_cut_fault();
const Fault* net_distance_fault();
const Fault* net_full_buffers_fault();
const Fault* net_latency_fault();
const Fault* net_loss_fault();
const Fault* net_partition_fault();
const Fault* net_refuse_fault();
const Fault* net_refuse_all_fault();
const Fault* net_reset_fault();
const Fault* net_segmentation_fault();
const Fault* net_slow_fault();
const Fault* net_slow_accept_fault();
const Fault* net_slow_link_fault();
const Fault* net_swizzle_fault();
const Fault* net_tail_fault();
const Fault* process_blackout_fault();
const Fault* process_crash_loop_fault();
const Fault* process_empty_disk_fault();
const Fault* process_kill_fault();
const Fault* process_kill_in_recovery_fault();
const Fault* process_older_disk_fault();
const Fault* process_pause_fault();
const Fault* process_power_loss_fault();
const Fault* process_slow_fault();
const Fault* process_stop_fault();
const Fault* process_swapped_disk_fault();
const Fault* process_upgrade_fault();
const Fault* storm_clients_fault();
const Fault* storm_reconnect_fault();

}  // namespace seatrial::sim
