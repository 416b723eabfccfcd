// The way back: what is in a log's directory is judged, repaired and made durable at start.
//
// Which damage is which. What was flushed is on disk, whole; what was not may have been kept,
// dropped or torn by a power loss, sector by sector. A segment begins only when the one before is
// flushed, so only the last one has a torn tail. Its batches are checked one by one. The first
// that is not whole and intact, at position p, ends the log: nobody saw it or what is behind it,
// for a flush covers all before it. It is cut off, with a warning, if a
// second look finds the same: a bit may have flipped on its way from the disk. What stands before p
// may have been seen, and is kept. But if the checkpoint says that bytes behind p were flushed, or
// if the damage is not in the last segment, then it is no torn write: data that was promised is
// gone, and the start is refused, with file and position, and nothing is changed.
//
// Why bytes are written again. What is read here may stand only in the page cache: its sync may
// have failed, or never been called, when the last process died; and a sync alone proves nothing
// after one that failed, because the system may have marked those pages clean. So what the
// checkpoint does not cover is written again in place, and synced, and so are the names, before
// anybody can see it.
//
// Indexes are made anew from what was read. Those of segments that are not read through (see
// LogOptions::verify_bytes) are believed when their checksums are those of the checkpoint.
#pragma once

#include "broker/log/log_options.h"
#include "broker/log/segment.h"
#include "os/os.h"

#include <string>

namespace seatrial::broker {

// Makes `directory` if it is not there. Returns at least one segment; the last is open for
// writing, and all that they hold is durable. Errors: kInvalidData: damage to what was flushed;
// those of the disk.
base::Result<Segments> recover_log(os::Os& os, const std::string& directory,
                                   const LogOptions& options);

}  // namespace seatrial::broker
