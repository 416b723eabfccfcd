#include "kv/rdb/sink.h"

namespace seatrial::kv::rdb {

base::Result<void> FileSink::put(base::Bytes bytes) {
  TRY(os::pwrite_all(file_, size_, bytes));
  size_ += bytes.size();
  return {};
}

base::Result<void> StreamSink::put(base::Bytes bytes) {
  return os::write_all(stream_, bytes, clock_.monotonic() + patience_);
}

}  // namespace seatrial::kv::rdb
