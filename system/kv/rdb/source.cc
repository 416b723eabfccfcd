#include "kv/rdb/source.h"

#include "base/check.h"

#include <fmt/format.h>

namespace seatrial::kv::rdb {

base::Result<base::Bytes> Source::take(size_t count, std::string_view expected) {
  CHECK(count <= kWindowBytes);
  while (window_.size() < count) {
    if (TRY(fill()) > 0) continue;
    return base::fail(base::Errc::kInvalidData, fmt::format("it ends at offset {}, expected {}",
                                                            offset_ + window_.size(), expected));
  }
  const base::Bytes taken = window_.bytes().substr(0, count);
  // The bytes stay where they are until the window is filled again.
  window_.consume(count);
  offset_ += count;
  return taken;
}

base::Result<bool> Source::at_end() {
  if (!window_.empty()) return false;
  return TRY(fill()) == 0;
}

base::Result<size_t> Source::fill() {
  char* const room = window_.reserve(kWindowBytes);
  const size_t count = TRY(read({room, kWindowBytes}));
  window_.commit(count);
  return count;
}

base::Result<size_t> FileSource::read(base::MutableBytes into) {
  const size_t count = TRY(file_.pread(position_, into));
  position_ += count;
  return count;
}

base::Result<size_t> StreamSource::read(base::MutableBytes into) {
  return stream_.read(into, clock_.monotonic() + patience_);
}

}  // namespace seatrial::kv::rdb
