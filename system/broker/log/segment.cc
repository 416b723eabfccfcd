#include "broker/log/segment.h"

#include "base/check.h"

#include <fmt/format.h>

#include <charconv>

namespace seatrial::broker {
namespace {

constexpr size_t kNameDigits = 20;
constexpr uint64_t kIndexFileBytesMax = 256 * 1024 * 1024;

base::Result<void> write_durably(os::Disk& disk, const std::string& path, base::Bytes bytes) {
  auto file = TRY(disk.open(path, os::kReplace));
  TRY(os::pwrite_all(*file, 0, bytes));
  return file->sync_data();
}

base::Result<std::string> read_or_nothing(os::Disk& disk, const std::string& path) {
  auto bytes = os::read_file(disk, path, kIndexFileBytesMax);
  if (bytes) return bytes;
  if (bytes.error() != base::Errc::kNotFound && bytes.error() != base::Errc::kExhausted) {
    return bytes;
  }
  return std::string();
}

}  // namespace

std::string segment_path(std::string_view directory, int64_t base_offset, std::string_view suffix) {
  return fmt::format("{}/{:020}{}", directory, base_offset, suffix);
}

std::optional<int64_t> parse_segment_name(std::string_view name) {
  if (name.size() != kNameDigits + kLogSuffix.size() || !name.ends_with(kLogSuffix)) {
    return std::nullopt;
  }
  int64_t offset = 0;
  const char* end = name.data() + kNameDigits;
  const auto [stopped, error] = std::from_chars(name.data(), end, offset);
  if (error != std::errc() || stopped != end || offset < 0) return std::nullopt;
  return offset;
}

base::Result<IndexSums> write_index_files(os::Disk& disk, std::string_view directory,
                                          const Segment& segment) {
  CHECK(segment.index != nullptr);
  const std::string offsets = segment.index->offset_file();
  const std::string times = segment.index->time_file();
  TRY(write_durably(disk, segment_path(directory, segment.base_offset, kIndexSuffix), offsets));
  TRY(write_durably(disk, segment_path(directory, segment.base_offset, kTimeIndexSuffix), times));
  return sums_of(offsets, times);
}

base::Result<IndexFiles> read_index_files(os::Disk& disk, std::string_view directory,
                                          int64_t base_offset) {
  IndexFiles files;
  files.offsets = TRY(read_or_nothing(disk, segment_path(directory, base_offset, kIndexSuffix)));
  files.times = TRY(read_or_nothing(disk, segment_path(directory, base_offset, kTimeIndexSuffix)));
  return files;
}

}  // namespace seatrial::broker
