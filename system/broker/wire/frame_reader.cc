#include "broker/wire/frame_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace seatrial::broker {
namespace {

constexpr size_t kLengthBytes = 4;
constexpr size_t kReadBytesMax = 64 * 1024;  // Of a read whose end is not known.

}  // namespace

std::optional<int32_t> FrameReader::length() const {
  const base::Bytes bytes = input_.bytes().substr(given_);
  if (bytes.size() < kLengthBytes) return std::nullopt;
  uint32_t word = 0;
  for (size_t i = 0; i < kLengthBytes; ++i) {
    word = word << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return static_cast<int32_t>(word);
}

bool FrameReader::ready() const {
  const auto size = length();
  return size && *size >= 0 && buffered() - kLengthBytes >= static_cast<size_t>(*size);
}

void FrameReader::release() {
  input_.consume(std::exchange(given_, 0));
  input_.shrink_to(kReadBytesMax);
}

base::Result<std::optional<base::Bytes>> FrameReader::next(os::MonotonicTime deadline) {
  input_.consume(std::exchange(given_, 0));
  while (true) {
    size_t missing = 0;
    if (const auto size = length()) {
      if (*size < 0 || static_cast<size_t>(*size) > frame_bytes_max_) {
        return base::fail(
            base::Errc::kInvalidData,
            fmt::format("a length of {} bytes, expected 0 to {}", *size, frame_bytes_max_));
      }
      const size_t whole = kLengthBytes + static_cast<size_t>(*size);
      if (input_.size() >= whole) {
        given_ = whole;
        return input_.bytes().substr(kLengthBytes, whole - kLengthBytes);
      }
      missing = whole - input_.size();
    }
    const size_t trusted = std::min(missing, std::max(input_.size(), kReadBytesMax));
    const size_t want = std::max(read_bytes_, trusted);
    char* const room = input_.reserve(want);
    const size_t count = TRY(stream_.read({room, want}, deadline));
    input_.commit(count);
    bytes_read_ += count;
    read_bytes_ = count == want ? std::min(2 * read_bytes_, kReadBytesMax) : read_bytes_;
    if (count > 0) continue;
    if (input_.empty()) return std::optional<base::Bytes>();
    return base::fail(
        base::Errc::kInvalidData,
        fmt::format("the stream ends within a frame, after {} bytes of it", input_.size()));
  }
}

}  // namespace seatrial::broker
