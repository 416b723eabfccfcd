#include "broker/log/checkpoint.h"

#include "base/crc32c.h"

#include <fmt/format.h>

#include <charconv>

namespace seatrial::broker {
namespace {

constexpr std::string_view kTitle = "seatrial log checkpoint 1";
constexpr uint64_t kBytesMax = 64 * 1024 * 1024;

// Takes one line, without its end, from the front; nullopt: there is no whole line.
std::optional<std::string_view> take_line(std::string_view& text) {
  const size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

template <typename T>
bool take_number(std::string_view& line, T& number, int base = 10) {
  if (!line.starts_with(' ')) return false;
  line.remove_prefix(1);
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number, base);
  if (error != std::errc()) return false;
  line.remove_prefix(static_cast<size_t>(end - line.data()));
  return true;
}

bool take_word(std::string_view& line, std::string_view word) {
  if (!line.starts_with(word)) return false;
  line.remove_prefix(word.size());
  return true;
}

bool parse_flushed(std::string_view line, Checkpoint& checkpoint) {
  return take_word(line, "flushed") && take_number(line, checkpoint.flushed_offset) &&
         take_number(line, checkpoint.segment) && take_number(line, checkpoint.position) &&
         line.empty();
}

bool parse_segment(std::string_view line, SealedSegment& segment) {
  return take_word(line, "segment") && take_number(line, segment.base_offset) &&
         take_number(line, segment.end_offset) && take_number(line, segment.bytes) &&
         take_number(line, segment.max_timestamp) && take_number(line, segment.sums.offsets, 16) &&
         take_number(line, segment.sums.times, 16) && line.empty();
}

}  // namespace

std::string format_checkpoint(const Checkpoint& checkpoint) {
  std::string text = fmt::format("{}\nflushed {} {} {}\n", kTitle, checkpoint.flushed_offset,
                                 checkpoint.segment, checkpoint.position);
  for (const SealedSegment& segment : checkpoint.sealed) {
    text +=
        fmt::format("segment {} {} {} {} {:08x} {:08x}\n", segment.base_offset, segment.end_offset,
                    segment.bytes, segment.max_timestamp, segment.sums.offsets, segment.sums.times);
  }
  return text + fmt::format("crc {:08x}\n", base::crc32c(text));
}

base::Result<Checkpoint> parse_checkpoint(std::string_view text, std::string_view path) {
  const std::string_view whole = text;
  int number = 0;
  const auto damaged = [&](std::string_view expected) {
    return base::fail(base::Errc::kInvalidData,
                      fmt::format("{}:{}: damaged: expected {}. Without this file a start takes "
                                  "any damage at the log's end for a torn write, and cuts it",
                                  path, number, expected));
  };
  ++number;
  if (take_line(text) != kTitle) return damaged(fmt::format("'{}'", kTitle));
  ++number;
  Checkpoint checkpoint;
  const auto flushed = take_line(text);
  if (!flushed || !parse_flushed(*flushed, checkpoint)) return damaged("'flushed' and 3 numbers");
  while (true) {
    ++number;
    const size_t covered = whole.size() - text.size();
    auto line = take_line(text);
    if (!line) return damaged("a line 'crc'");
    if (line->starts_with("segment")) {
      SealedSegment segment;
      if (!parse_segment(*line, segment)) return damaged("'segment' and 6 numbers");
      checkpoint.sealed.push_back(segment);
      continue;
    }
    uint32_t crc = 0;
    if (!take_word(*line, "crc") || !take_number(*line, crc, 16) || !line->empty()) {
      return damaged("'segment' or 'crc'");
    }
    if (crc != base::crc32c(whole.substr(0, covered))) return damaged("another checksum");
    if (!text.empty()) return damaged("nothing more");
    return checkpoint;
  }
}

base::Result<std::optional<Checkpoint>> read_checkpoint(os::Disk& disk,
                                                        std::string_view directory) {
  const std::string path = fmt::format("{}/{}", directory, kCheckpointName);
  auto text = os::read_file(disk, path, kBytesMax);
  if (!text && text.error() == base::Errc::kNotFound) return std::nullopt;
  if (!text) return base::fail(std::move(text).error());
  return TRY(parse_checkpoint(*text, path));
}

base::Result<void> write_checkpoint(os::Disk& disk, std::string_view directory,
                                    const Checkpoint& checkpoint) {
  const std::string path = fmt::format("{}/{}", directory, kCheckpointName);
  const std::string draft = path + ".draft";
  auto file = TRY(disk.open(draft, os::kReplace));
  TRY(os::pwrite_all(*file, 0, format_checkpoint(checkpoint)));
  TRY(file->sync_data());
  return disk.rename(draft, path);
}

}  // namespace seatrial::broker
