#include "kv/replication/transfer.h"

#include "os/mark.h"
#include "resp/number.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace seatrial::kv {
namespace {

constexpr std::string_view kMarkPrefix = "$EOF:";

// How much of the end of `bytes` may be the beginning of `mark`.
size_t possible_mark(base::Bytes bytes, std::string_view mark) {
  size_t length = std::min(bytes.size(), mark.size() - 1);
  for (; length > 0; --length) {
    if (bytes.substr(bytes.size() - length) == mark.substr(0, length)) break;
  }
  return length;
}

}  // namespace

base::Result<SnapshotInput> SnapshotInput::open(LinkInput& input) {
  const std::string head = TRY(input.line());
  SnapshotInput opened(input);
  if (head.starts_with(kMarkPrefix)) {
    opened.end_mark_ = head.substr(kMarkPrefix.size());
    if (opened.end_mark_.size() == kMarkBytes) return opened;
    return base::fail(base::Errc::kInvalidData,
                      fmt::format("expected a mark of {} bytes behind {}, found {}", kMarkBytes,
                                  kMarkPrefix, opened.end_mark_.size()));
  }
  if (head.starts_with('-')) {
    return base::fail(base::Errc::kInvalidData,
                      fmt::format("the primary cannot send a snapshot: {}", head.substr(1)));
  }
  const auto length =
      head.starts_with('$') ? resp::parse_integer(std::string_view(head).substr(1)) : std::nullopt;
  if (!length || *length <= 0) {
    return base::fail(base::Errc::kInvalidData,
                      fmt::format("expected a snapshot as $<length> or $EOF:<mark>, found '{}'",
                                  head.substr(0, 64)));
  }
  opened.length_ = static_cast<uint64_t>(*length);
  return opened;
}

base::Result<size_t> SnapshotInput::read(base::MutableBytes into) {
  if (!end_mark_.empty()) return read_marked(into);
  const uint64_t left = *length_ - received_;
  if (left == 0) return 0;
  const size_t count =
      TRY(input_->read(into.first(static_cast<size_t>(std::min<uint64_t>(left, into.size())))));
  received_ += count;
  return count;
}

base::Result<size_t> SnapshotInput::read_marked(base::MutableBytes into) {
  resp::Buffer& buffer = input_->buffer();
  while (!ended_) {
    const base::Bytes bytes = buffer.bytes();
    const size_t found = bytes.find(end_mark_);
    // Before the mark, or before what may turn out to be one, all is the snapshot's.
    const size_t certain =
        found != base::Bytes::npos ? found : bytes.size() - possible_mark(bytes, end_mark_);
    if (certain > 0) {
      const size_t count = std::min(certain, into.size());
      std::memcpy(into.data(), bytes.data(), count);
      buffer.consume(count);
      received_ += count;
      return count;
    }
    if (found == 0) {
      buffer.consume(end_mark_.size());
      ended_ = true;
      break;
    }
    if (!bytes.empty()) MARK("replication: mark of a snapshot in pieces");
    TRY(input_->fill());
  }
  return 0;
}

}  // namespace seatrial::kv
