#include "broker/log/log_reader.h"

#include "base/check.h"
#include "broker/log/records.h"
#include "os/mark.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace seatrial::broker {
namespace {

constexpr size_t kLoadedIndexesMax = 8;

}  // namespace

std::unexpected<base::Error> LogReader::damaged(const Segment& segment, uint64_t position,
                                                std::string_view problem) const {
  MARK("log: damage found while reading");
  return base::fail(
      base::Errc::kInvalidData,
      fmt::format("{}: damaged at byte {}: {}",
                  segment_path(directory_, segment.base_offset, kLogSuffix), position, problem));
}

// ---- Segments, files, indexes

SegmentPtr LogReader::segment_of(int64_t offset) const {
  const auto after = std::ranges::upper_bound(segments_, offset, {},
                                              [](const SegmentPtr& s) { return s->base_offset; });
  CHECK(after != segments_.begin());
  return *std::prev(after);
}

base::Result<std::shared_ptr<os::File>> LogReader::file_of(const SegmentPtr& segment) const {
  if (segment->file == nullptr) {
    auto file = TRY(
        os_.disk.open(segment_path(directory_, segment->base_offset, kLogSuffix), os::kReadOnly));
    // Another reader may have been faster; then this one is closed again.
    if (segment->file == nullptr) segment->file = std::move(file);
  }
  return segment->file;
}

void LogReader::index_loaded(const SegmentPtr& segment) {
  if (!loaded_.empty() && loaded_.back() == segment) return;
  std::erase(loaded_, segment);
  loaded_.push_back(segment);
  if (loaded_.size() <= kLoadedIndexesMax) return;
  const SegmentPtr oldest = std::exchange(loaded_.front(), nullptr);
  loaded_.erase(loaded_.begin());
  if (oldest->sealed) oldest->index = nullptr;
}

base::Result<std::shared_ptr<SegmentIndex>> LogReader::index_of(const SegmentPtr& segment) {
  if (segment->index == nullptr) {
    CHECK(segment->sealed);
    const IndexFiles files = TRY(read_index_files(os_.disk, directory_, segment->base_offset));
    if (segment->index == nullptr) {
      std::optional<SegmentIndex> index;
      if (sums_of(files.offsets, files.times) == segment->sealed) {
        index =
            SegmentIndex::parse(segment->base_offset, segment->bytes, files.offsets, files.times);
      }
      if (!index) return TRY(make_index(segment));
      segment->index = std::make_shared<SegmentIndex>(*std::move(index));
    }
  }
  auto index = segment->index;
  if (segment != segments_.back()) index_loaded(segment);
  return index;
}

base::Result<std::shared_ptr<SegmentIndex>> LogReader::make_index(const SegmentPtr& segment) {
  MARK("log: damaged index made anew");
  os_.log.warn("{}: the indexes are missing or damaged, and are made anew",
               segment_path(directory_, segment->base_offset, kLogSuffix));
  auto index = std::make_shared<SegmentIndex>(segment->base_offset, options_.index_interval_bytes);
  const auto file = TRY(file_of(segment));
  BatchScan scan(*file, 0, segment->flushed, segment->base_offset);
  while (true) {
    const BatchScan::Step step = TRY(scan.next());
    if (step == BatchScan::Step::kInvalid) {
      return damaged(*segment, scan.position(), scan.problem());
    }
    if (step == BatchScan::Step::kEnd) break;
    index->add(scan.header(), static_cast<uint32_t>(scan.position()));
  }
  index->complete();
  // Its files are to be written again before they are believed.
  segment->sealed.reset();
  segment->index = index;
  index_loaded(segment);
  return index;
}

base::Result<BatchScan> LogReader::land(const SegmentPtr& segment, os::File& file,
                                        SegmentIndex::Landing& landing) {
  if (landing.last_offset >= 0) {
    BatchScan scan(file, landing.position, segment->flushed);
    const BatchScan::Step step = TRY(scan.next());
    if (step == BatchScan::Step::kBatch && scan.header().last_offset() == landing.last_offset) {
      scan.again();
      return scan;
    }
    if (segment != segments_.back()) TRY(make_index(segment));
    landing = {};
  }
  return BatchScan(file, 0, segment->flushed, segment->base_offset);
}

base::Result<uint32_t> LogReader::locate(const SegmentPtr& segment, os::File& file,
                                         int64_t offset) {
  auto landing = TRY(index_of(segment))->find(offset);
  BatchScan scan = TRY(land(segment, file, landing));
  while (true) {
    const BatchScan::Step step = TRY(scan.next());
    if (step == BatchScan::Step::kInvalid) {
      return damaged(*segment, scan.position(), scan.problem());
    }
    if (step == BatchScan::Step::kEnd) {
      return damaged(*segment, scan.position(), fmt::format("offset {} is missing", offset));
    }
    if (scan.header().last_offset() >= offset) return static_cast<uint32_t>(scan.position());
  }
}

// ---- By offset

std::optional<uint32_t> LogReader::take_hint(const SegmentPtr& segment, int64_t offset) const {
  for (const Hint& hint : hints_) {
    if (hint.offset == offset && hint.segment == segment) return hint.position;
  }
  return std::nullopt;
}

void LogReader::leave_hint(const SegmentPtr& segment, int64_t offset, uint32_t position) {
  hints_[next_hint_] = {offset, segment, position};
  next_hint_ = (next_hint_ + 1) % hints_.size();
}

base::Result<BatchRun> LogReader::read(int64_t offset, size_t bytes_max, bool whole_first) {
  const SegmentPtr segment = segment_of(offset);
  const auto file = TRY(file_of(segment));
  BatchRun run{.bytes = {}, .next_offset = offset};
  if (const auto hint = take_hint(segment, offset)) {
    if (TRY(read_at(segment, *file, *hint, offset, bytes_max, whole_first, run))) {
      return run;
    }
  }
  MARK("log: read through the index");
  const uint32_t position = TRY(locate(segment, *file, offset));
  if (!TRY(read_at(segment, *file, position, offset, bytes_max, whole_first, run))) {
    return damaged(*segment, position, fmt::format("offset {} is missing", offset));
  }
  return run;
}

base::Result<bool> LogReader::read_at(const SegmentPtr& segment, os::File& file, uint32_t position,
                                      int64_t offset, size_t bytes_max, bool whole_first,
                                      BatchRun& run) {
  std::string& batches = run.bytes;
  const size_t available = segment->flushed - std::min(position, segment->flushed);
  if (available < kBatchHeaderBytes) return false;
  batches.resize(std::min(available, std::max(bytes_max, kBatchHeaderBytes)));
  batches.resize(TRY(os::pread_full(file, position, batches)));
  if (batches.size() < kBatchHeaderBytes) return false;
  const BatchHeader first = read_batch_header(batches);
  if (!batch_header_problem(first).empty() || first.bytes() > available) return false;
  if (first.base_offset > offset || first.last_offset() < offset) return false;
  if (first.bytes() > bytes_max && !whole_first) {
    batches.clear();
    return true;
  }
  if (const size_t had = batches.size(); had < first.bytes()) {
    batches.resize(first.bytes());
    const auto rest = base::MutableBytes(batches).subspan(had);
    batches.resize(had + TRY(os::pread_full(file, position + had, rest)));
  }
  TRY(keep_intact(segment, position, run));
  leave_hint(segment, run.next_offset, position + static_cast<uint32_t>(batches.size()));
  return true;
}

base::Result<void> LogReader::keep_intact(const SegmentPtr& segment, uint32_t position,
                                          BatchRun& run) const {
  std::string& batches = run.bytes;
  size_t at = 0;
  int64_t offset = -1;
  std::string_view problem;
  while (batches.size() - at >= kBatchHeaderBytes) {
    const base::Bytes rest = base::Bytes(batches).substr(at);
    const BatchHeader header = read_batch_header(rest);
    problem = batch_header_problem(header);
    if (problem.empty() && offset >= 0 && header.base_offset != offset) {
      problem = "the base offset does not follow the batch before";
    }
    if (!problem.empty() || header.bytes() > rest.size()) break;
    if (!batch_crc_matches(rest.substr(0, header.bytes()), header)) {
      problem = "the checksum of a batch is wrong";
    } else if (header.leader_epoch < 0 || header.leader_epoch > options_.leader_epoch) {
      problem = "the leader epoch is impossible";
    }
    if (!problem.empty()) break;
    offset = header.next_offset();
    at += header.bytes();
  }
  // What stands before the damage is good; who comes for the rest is told.
  if (at == 0) return damaged(*segment, position, problem.empty() ? "the file ends" : problem);
  batches.resize(at);
  run.next_offset = offset;
  return {};
}

// ---- By time

base::Result<std::optional<TimeOffset>> LogReader::offset_for_time(int64_t timestamp,
                                                                   int64_t limit) {
  // The list may grow while this one parks.
  for (size_t i = 0; i < segments_.size(); ++i) {
    const SegmentPtr segment = segments_[i];
    if (segment->base_offset >= limit) break;
    if (segment->max_timestamp < timestamp) continue;
    const auto file = TRY(file_of(segment));
    auto landing = TRY(index_of(segment))->find_time(timestamp);
    // The index of the last segment also knows what is not flushed yet.
    if (landing.position >= segment->flushed) continue;
    BatchScan scan = TRY(land(segment, *file, landing));
    while (true) {
      const BatchScan::Step step = TRY(scan.next());
      if (step == BatchScan::Step::kInvalid) {
        return damaged(*segment, scan.position(), scan.problem());
      }
      if (step == BatchScan::Step::kEnd || scan.header().base_offset >= limit) break;
      if (!TRY(scan.crc_matches())) {
        return damaged(*segment, scan.position(), "the checksum of a batch is wrong");
      }
      if (scan.header().max_timestamp < timestamp) continue;
      return TRY(first_in_batch(scan, timestamp));
    }
  }
  return std::nullopt;
}

base::Result<TimeOffset> LogReader::first_in_batch(BatchScan& scan, int64_t timestamp) {
  const BatchHeader& header = scan.header();
  const TimeOffset whole{header.max_timestamp, header.base_offset};
  // One timestamp for all, or nobody here can read them.
  if (header.log_append_time() || header.compressed()) return whole;
  const std::string bytes = TRY(scan.bytes());
  RecordCursor cursor(base::Bytes(bytes).substr(kBatchHeaderBytes));
  while (const auto record = cursor.next()) {
    const auto at = static_cast<int64_t>(static_cast<uint64_t>(header.base_timestamp) +
                                         static_cast<uint64_t>(record->timestamp_delta));
    if (at >= timestamp) return TimeOffset{at, header.base_offset + record->offset_delta};
  }
  return whole;
}

}  // namespace seatrial::broker
