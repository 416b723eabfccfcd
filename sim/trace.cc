#include "sim/trace.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace seatrial::sim {

std::string_view to_string(TraceKind kind) {
  switch (kind) {
    case TraceKind::kResume: return "resume";
    case TraceKind::kConnect: return "connect";
    case TraceKind::kSend: return "send";
    case TraceKind::kDeliver: return "deliver";
    case TraceKind::kFinish: return "finish";
    case TraceKind::kReset: return "reset";
    case TraceKind::kStall: return "stall";
    case TraceKind::kDisk: return "disk";
    case TraceKind::kProcess: return "process";
    case TraceKind::kFault: return "fault";
    case TraceKind::kOperation: return "operation";
    case TraceKind::kMark: return "mark";
    case TraceKind::kChaos: return "chaos";
    case TraceKind::kNote: return "note";
  }
  return "?";
}

void Trace::event(VirtualTime time, std::string_view node, TraceKind kind, base::Bytes payload) {
  mix(static_cast<uint64_t>(time.count()));
  mix((digest(node) << 8) ^ static_cast<uint64_t>(kind));
  mix(digest(payload));
  ++events_;
  if (listener_) tell(time, node, kind, payload);
}

uint64_t Trace::digest(base::Bytes bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

void Trace::tell(VirtualTime time, std::string_view node, TraceKind kind, std::string_view text) {
  listener_({events_, hash_, time, node, kind, text});
}

}  // namespace seatrial::sim
