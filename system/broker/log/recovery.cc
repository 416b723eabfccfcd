#include "broker/log/recovery.h"

#include "base/check.h"
#include "broker/log/batch_scan.h"
#include "broker/log/checkpoint.h"
#include "os/mark.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace seatrial::broker {
namespace {

constexpr size_t kCopyBytes = 256 * 1024;
constexpr uint64_t kSegmentBytesMax = INT32_MAX;

class Recovery {
 public:
  Recovery(os::Os& os, const std::string& directory, const LogOptions& options)
      : os_(os), directory_(directory), options_(options) {}

  base::Result<Segments> run();

 private:
  base::Result<void> find_segments();
  // Nothing is changed by these.
  base::Result<void> check_checkpoint();
  base::Result<void> check_complete(size_t at);
  base::Result<void> check_last();
  base::Result<void> check_index_files(Segment& segment, const SealedSegment* sealed);
  // And everything by these.
  base::Result<void> make_first();
  base::Result<void> repair_last();
  base::Result<void> write_again(os::File& file, uint64_t begin, uint64_t end);

  // How far a segment's file holds intact batches, and what is wrong with what follows.
  struct Extent {
    uint64_t bytes = 0;
    int64_t end_offset = 0;
    std::string_view problem{};  // Empty: the file ends there.
  };
  base::Result<Extent> scan(Segment& segment, uint64_t file_bytes);
  const SealedSegment* sealed_of(int64_t base_offset) const;
  // How much of the segment the checkpoint says is flushed.
  uint64_t flushed_bytes(const Segment& segment) const;
  std::string path_of(const Segment& segment) const {
    return segment_path(directory_, segment.base_offset, kLogSuffix);
  }
  std::unexpected<base::Error> refuse(const std::string& path, uint64_t position,
                                      std::string_view problem) const;

  os::Os& os_;
  const std::string& directory_;
  const LogOptions& options_;
  Segments segments_;
  Checkpoint checkpoint_;
  uint64_t verify_left_ = 0;
  uint64_t last_file_bytes_ = 0;
  std::string_view tail_problem_;
};

std::unexpected<base::Error> Recovery::refuse(const std::string& path, uint64_t position,
                                              std::string_view problem) const {
  MARK("log: damage to flushed data refused");
  return base::fail(base::Errc::kInvalidData,
                    fmt::format("{}: damaged at byte {}: {}, although it had been flushed. Nothing "
                                "was changed; restore the files of {} from a copy",
                                path, position, problem, directory_));
}

base::Result<Segments> Recovery::run() {
  verify_left_ = options_.verify_bytes;
  TRY(find_segments());
  TRY(check_checkpoint());
  if (!segments_.empty()) {
    // Newest first: what was written last is read through first.
    for (size_t at = segments_.size() - 1; at-- > 0;) TRY(check_complete(at));
    TRY(check_last());
  }
  if (segments_.empty()) {
    TRY(make_first());
  } else {
    TRY(repair_last());
  }
  // The names: of the segments, and of the directory itself.
  TRY(os_.disk.sync_directory(directory_));
  TRY(os_.disk.sync_directory(os::directory_of(directory_)));
  return std::move(segments_);
}

base::Result<void> Recovery::find_segments() {
  auto entries = os_.disk.list(directory_);
  if (!entries && entries.error() == base::Errc::kNotFound) {
    return os_.disk.make_directory(directory_);
  }
  if (!entries) return base::fail(std::move(entries).error());
  for (const os::DirectoryEntry& entry : *entries) {
    if (entry.kind != os::EntryKind::kFile) continue;
    const auto base_offset = parse_segment_name(entry.name);
    if (!base_offset) continue;
    auto segment = std::make_shared<Segment>();
    segment->base_offset = *base_offset;
    segments_.push_back(std::move(segment));
  }
  CHECK(std::ranges::is_sorted(segments_, {}, [](const SegmentPtr& s) { return s->base_offset; }));
  auto checkpoint = TRY(read_checkpoint(os_.disk, directory_));
  if (checkpoint) checkpoint_ = *std::move(checkpoint);
  return {};
}

base::Result<void> Recovery::check_checkpoint() {
  const auto missing = [&](int64_t base_offset) {
    return refuse(segment_path(directory_, base_offset, kLogSuffix), 0, "the file is missing");
  };
  const auto is_there = [&](int64_t base_offset) {
    return std::ranges::any_of(
        segments_, [&](const SegmentPtr& segment) { return segment->base_offset == base_offset; });
  };
  for (const SealedSegment& sealed : checkpoint_.sealed) {
    if (!is_there(sealed.base_offset)) return missing(sealed.base_offset);
  }
  if (checkpoint_.flushed_offset > 0 && !is_there(checkpoint_.segment)) {
    return missing(checkpoint_.segment);
  }
  return {};
}

const SealedSegment* Recovery::sealed_of(int64_t base_offset) const {
  const auto found =
      std::ranges::find(checkpoint_.sealed, base_offset, &SealedSegment::base_offset);
  return found == checkpoint_.sealed.end() ? nullptr : &*found;
}

uint64_t Recovery::flushed_bytes(const Segment& segment) const {
  return checkpoint_.segment == segment.base_offset ? checkpoint_.position : 0;
}

base::Result<Recovery::Extent> Recovery::scan(Segment& segment, uint64_t file_bytes) {
  segment.index =
      std::make_shared<SegmentIndex>(segment.base_offset, options_.index_interval_bytes);
  Extent extent{.end_offset = segment.base_offset};
  int32_t leader_epoch = 0;
  BatchScan scan(*segment.file, 0, file_bytes, segment.base_offset);
  while (true) {
    const BatchScan::Step step = TRY(scan.next());
    if (step == BatchScan::Step::kEnd) break;
    extent.problem = scan.problem();
    if (step == BatchScan::Step::kInvalid) break;
    const BatchHeader& header = scan.header();
    if (scan.position() + header.bytes() > kSegmentBytesMax ||
        header.last_offset() - segment.base_offset > INT32_MAX) {
      extent.problem = "the segment is larger than its index can tell";
    } else if (header.leader_epoch < leader_epoch || header.leader_epoch > options_.leader_epoch) {
      // The checksum does not cover it.
      extent.problem = "the leader epoch is impossible";
    } else if (!TRY(scan.crc_matches())) {
      extent.problem = "the checksum of a batch is wrong";
    }
    if (!extent.problem.empty()) break;
    segment.index->add(header, static_cast<uint32_t>(scan.position()));
    leader_epoch = header.leader_epoch;
    extent.bytes = scan.position() + header.bytes();
    extent.end_offset = header.next_offset();
  }
  segment.end_offset = extent.end_offset;
  segment.bytes = static_cast<uint32_t>(extent.bytes);
  segment.written = segment.flushed = segment.bytes;
  segment.max_timestamp = segment.index->max_timestamp();
  return extent;
}

base::Result<void> Recovery::check_complete(size_t at) {
  Segment& segment = *segments_[at];
  const std::string path = path_of(segment);
  const int64_t next = segments_[at + 1]->base_offset;
  segment.file = TRY(os_.disk.open(path, os::kReadOnly));
  const uint64_t file_bytes = TRY(segment.file->size());
  const SealedSegment* sealed = sealed_of(segment.base_offset);
  if (sealed != nullptr && sealed->bytes != file_bytes) {
    return refuse(path, std::min<uint64_t>(sealed->bytes, file_bytes),
                  fmt::format("the file has {} bytes instead of {}", file_bytes, sealed->bytes));
  }
  const bool read_through = sealed == nullptr || file_bytes <= verify_left_;
  if (read_through) {
    verify_left_ -= std::min(verify_left_, file_bytes);
    const Extent extent = TRY(scan(segment, file_bytes));
    if (!extent.problem.empty()) return refuse(path, extent.bytes, extent.problem);
    segment.index->complete();
    TRY(check_index_files(segment, sealed));
  } else {
    segment.end_offset = sealed->end_offset;
    segment.bytes = segment.written = segment.flushed = sealed->bytes;
    segment.max_timestamp = sealed->max_timestamp;
    segment.sealed = sealed->sums;
    segment.file = nullptr;
  }
  if (segment.end_offset == next) return {};
  return refuse(path, segment.bytes,
                fmt::format("it ends at offset {}, and the next segment begins at {}",
                            segment.end_offset, next));
}

base::Result<void> Recovery::check_index_files(Segment& segment, const SealedSegment* sealed) {
  if (sealed == nullptr) return {};
  const IndexFiles files = TRY(read_index_files(os_.disk, directory_, segment.base_offset));
  if (sums_of(files.offsets, files.times) == sealed->sums) {
    segment.sealed = sealed->sums;
    return {};
  }
  MARK("log: damaged index made anew at start");
  os_.log.warn("{}: the indexes are missing or damaged, and are made anew", path_of(segment));
  return {};
}

base::Result<void> Recovery::check_last() {
  Segment& segment = *segments_.back();
  const std::string path = path_of(segment);
  if (const SealedSegment* sealed = sealed_of(segment.base_offset)) {
    return refuse(segment_path(directory_, sealed->end_offset, kLogSuffix), 0,
                  "the file is missing");
  }
  segment.file = TRY(os_.disk.open(path, os::kReadWrite));
  last_file_bytes_ = TRY(segment.file->size());
  Extent extent = TRY(scan(segment, last_file_bytes_));
  if (!extent.problem.empty()) {
    // Only the way from the disk may have been bad. A cut destroys: first it is read again.
    const uint64_t before = extent.bytes;
    extent = TRY(scan(segment, last_file_bytes_));
    if (extent.bytes > before) MARK("log: a batch was intact when it was read again");
  }
  tail_problem_ = extent.problem;
  const uint64_t flushed = flushed_bytes(segment);
  if (extent.bytes < flushed || extent.end_offset < checkpoint_.flushed_offset) {
    return refuse(path, extent.bytes, extent.problem.empty() ? "the file ends" : extent.problem);
  }
  return {};
}

base::Result<void> Recovery::make_first() {
  auto segment = std::make_shared<Segment>();
  segment->index = std::make_shared<SegmentIndex>(0, options_.index_interval_bytes);
  segment->file = TRY(os_.disk.open(path_of(*segment), os::kCreateNew));
  segments_.push_back(std::move(segment));
  return {};
}

base::Result<void> Recovery::repair_last() {
  Segment& segment = *segments_.back();
  if (segment.bytes < last_file_bytes_) {
    MARK("log: torn tail cut");
    os_.log.warn("{}: torn tail at byte {}: {}; {} bytes that nobody has seen are cut off",
                 path_of(segment), segment.bytes, tail_problem_, last_file_bytes_ - segment.bytes);
    TRY(segment.file->truncate(segment.bytes));
  }
  TRY(write_again(*segment.file, flushed_bytes(segment), segment.bytes));
  return segment.file->sync_data();
}

base::Result<void> Recovery::write_again(os::File& file, uint64_t begin, uint64_t end) {
  if (begin < end) MARK("log: unflushed batches kept");
  std::string chunk;
  std::string again;
  for (uint64_t at = begin; at < end;) {
    chunk.resize(static_cast<size_t>(std::min<uint64_t>(kCopyBytes, end - at)));
    if (TRY(os::pread_full(file, at, chunk)) != chunk.size()) {
      return base::fail(base::Errc::kIo, directory_ + ": a segment is shorter than it was");
    }
    // A bit that was wrong on its way must not be written down.
    again.resize(chunk.size());
    TRY(os::pread_full(file, at, again));
    if (again != chunk) {
      return base::fail(base::Errc::kIo, directory_ + ": two reads of the same bytes differ");
    }
    TRY(os::pwrite_all(file, at, chunk));
    at += chunk.size();
  }
  return {};
}

}  // namespace

base::Result<Segments> recover_log(os::Os& os, const std::string& directory,
                                   const LogOptions& options) {
  Recovery recovery(os, directory, options);
  return TRY(recovery.run());
}

}  // namespace seatrial::broker
