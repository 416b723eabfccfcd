// What happened: a running 64-bit hash over every event, always; and every event in words, when
// somebody listens. Two runs are the same exactly if their hashes are.
#pragma once

#include "base/bytes.h"
#include "base/random.h"
#include "sim/event_queue.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace seatrial::sim {

enum class TraceKind : uint8_t {
  kResume,     // A fiber goes on.
  kConnect,    // A connection is asked for, accepted, refused.
  kSend,       // Bytes enter a stream.
  kDeliver,    // Bytes reach the other end.
  kFinish,     // End of stream reaches the other end.
  kReset,      // A reset reaches the other end.
  kStall,      // A segment found its way blocked and will be sent again.
  kDisk,       // A call on a file or a directory took effect.
  kProcess,    // Start, end, fork, signal.
  kFault,      // The weather.
  kOperation,  // A client's invocation or completion.
  kMark,       // MARK() was reached.
  kChaos,      // chance() came true, or a knob was shaken.
  kNote,       // Phases of the run.
};

std::string_view to_string(TraceKind kind);

struct TraceEvent {
  uint64_t number;
  uint64_t hash;  // After this event.
  VirtualTime time;
  std::string_view node;  // Empty: the world.
  TraceKind kind;
  std::string_view text;
};

using TraceListener = std::function<void(const TraceEvent&)>;

class Trace {
 public:
  // A fast path for the frequent: two words, no payload, no text unless somebody listens.
  // `describe` makes the text, and is called only then.
  template <typename Describe>
  void event(VirtualTime time, std::string_view node, TraceKind kind, uint64_t a, uint64_t b,
             Describe&& describe) {
    mix(static_cast<uint64_t>(time.count()));
    mix((a << 8) ^ static_cast<uint64_t>(kind));
    mix(b);
    ++events_;
    if (listener_) [[unlikely]]
      tell(time, node, kind, describe());
  }

  // With bytes, which are part of the hash.
  void event(VirtualTime time, std::string_view node, TraceKind kind, base::Bytes payload);

  uint64_t hash() const { return hash_; }
  uint64_t events() const { return events_; }
  void listen(TraceListener listener) { listener_ = std::move(listener); }
  bool listened() const { return static_cast<bool>(listener_); }

  // Of bytes: part of what a fast event mixes in.
  static uint64_t digest(base::Bytes bytes);

 private:
  void mix(uint64_t word) {
    hash_ = (hash_ ^ word) * 0x9fb21c651e98df25U;
    hash_ ^= hash_ >> 32;
  }
  void tell(VirtualTime time, std::string_view node, TraceKind kind, std::string_view text);

  uint64_t hash_ = 0x5ea7f1a15ea7f1a1U;
  uint64_t events_ = 0;
  TraceListener listener_;
};

}  // namespace seatrial::sim
