#include "kv/replication/link_input.h"

#include "os/mark.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace seatrial::kv {
namespace {

constexpr size_t kReadBytes = 64 * 1024;

}  // namespace

base::Result<void> LinkInput::fill() {
  char* const room = buffer_.reserve(kReadBytes);
  const auto patience = std::chrono::seconds(config_.repl_timeout_seconds);
  const auto count = stream_.read({room, kReadBytes}, clock_.monotonic() + patience);
  if (!count && count.error() == base::Errc::kDeadline) {
    MARK("replication: primary silent for too long");
    return base::fail(base::Errc::kDeadline, "the primary sent nothing for repl-timeout");
  }
  if (!count) return base::fail(count.error());
  if (*count == 0) return base::fail(base::Errc::kReset, "the primary has ended the connection");
  buffer_.commit(*count);
  heard_ = clock_.monotonic();
  return {};
}

base::Result<std::string> LinkInput::line() {
  while (true) {
    const base::Bytes bytes = buffer_.bytes();
    const size_t end = bytes.substr(0, kLineBytesMax).find('\n');
    if (end == base::Bytes::npos) {
      if (bytes.size() >= kLineBytesMax) {
        return base::fail(
            base::Errc::kInvalidData,
            fmt::format("expected a line, found {} bytes without an end of line", kLineBytesMax));
      }
      TRY(fill());
      continue;
    }
    base::Bytes text = bytes.substr(0, end);
    if (text.ends_with('\r')) text.remove_suffix(1);
    const std::string line(text);
    buffer_.consume(end + 1);
    if (!line.empty()) return line;
  }
}

base::Result<size_t> LinkInput::read(base::MutableBytes into) {
  if (buffer_.empty()) TRY(fill());
  const size_t count = std::min(into.size(), buffer_.size());
  std::memcpy(into.data(), buffer_.bytes().data(), count);
  buffer_.consume(count);
  return count;
}

}  // namespace seatrial::kv
