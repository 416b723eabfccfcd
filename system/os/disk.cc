#include "os/disk.h"

#include <fmt/format.h>

namespace seatrial::os {

Result<void> append_all(File& file, Bytes from) {
  while (!from.empty()) from.remove_prefix(TRY(file.append(from)));
  return {};
}

Result<void> pwrite_all(File& file, uint64_t offset, Bytes from) {
  while (!from.empty()) {
    const size_t written = TRY(file.pwrite(offset, from));
    offset += written;
    from.remove_prefix(written);
  }
  return {};
}

Result<size_t> pread_full(File& file, uint64_t offset, MutableBytes into) {
  size_t filled = 0;
  while (filled < into.size()) {
    const size_t count = TRY(file.pread(offset + filled, into.subspan(filled)));
    if (count == 0) break;
    filled += count;
  }
  return filled;
}

Result<std::string> read_file(Disk& disk, std::string_view path, uint64_t bytes_max) {
  auto file = TRY(disk.open(path, kReadOnly));
  const uint64_t size = TRY(file->size());
  if (size > bytes_max) {
    return base::fail(base::Errc::kExhausted,
                      fmt::format("{}: {} bytes, more than the {} allowed", path, size, bytes_max));
  }
  std::string bytes(size, '\0');
  bytes.resize(TRY(pread_full(*file, 0, bytes)));
  return bytes;
}

Result<bool> exists(Disk& disk, std::string_view path) {
  auto file = disk.open(path, kReadOnly);
  if (file || file.error() == base::Errc::kIsDirectory) return true;
  if (file.error() == base::Errc::kNotFound) return false;
  return base::fail(file.error());
}

std::string_view directory_of(std::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace seatrial::os
