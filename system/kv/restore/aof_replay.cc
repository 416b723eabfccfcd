#include "kv/restore/aof_replay.h"

#include "base/check.h"
#include "kv/command_table.h"
#include "kv/propagate/aof_format.h"
#include "kv/rdb/format.h"
#include "os/mark.h"
#include "resp/parser.h"

#include <fmt/format.h>

#include <algorithm>

namespace seatrial::kv {
namespace {

constexpr size_t kCopyBytes = 64 * 1024;
constexpr int kReadAgain = 4;  // Before damage is believed.
// How Redis begins to append to a file, with aof-timestamp-enabled and without.
constexpr std::string_view kForeignSelect = "*2\r\n$6\r\nSELECT\r\n";
constexpr std::string_view kForeignTime = "#TS:";
// What was logged was accepted once, whatever the limits are now.
constexpr resp::ParserLimits kNoLimits{.bulk_bytes_max = SIZE_MAX, .line_bytes_max = SIZE_MAX};

class Replay {
 public:
  Replay(os::File& file, const std::string& path, uint64_t size, const ReplayOptions& options,
         base::Log& log, const ReplayCommand& execute)
      : file_(file),
        path_(path),
        options_(options),
        log_(log),
        execute_(execute),
        reader_(file, size) {}

  base::Result<Replayed> run();

 private:
  // Finds out whose file it is; position_ is then behind a snapshot.
  base::Result<void> read_head();
  base::Result<void> read_parts();
  // Whether another server has written what stands at position_, behind a part of ours.
  base::Result<bool> foreign_follows();
  // Reads another server's commands from position_ on, and moves behind them. True: a part of
  // ours follows; false: it was the rest of the file.
  base::Result<bool> read_foreign();
  // What follows a foreign command: a transaction's commands are executed at its end.
  base::Result<void> foreign_command(const AofReader::Item& item);
  base::Result<void> foreign_end(const AofReader::Item& item);
  // Power was lost while our first annotation was being added: its sector came back as zeros.
  base::Result<bool> torn_first_annotation(uint64_t offset);
  // Verifies and executes the batch at position_ and moves behind it; false: it is not intact.
  base::Result<bool> read_batch();
  // Parses and executes the commands of [begin, end).
  base::Result<void> execute(uint64_t begin, uint64_t end);
  base::Result<void> damaged(std::string_view what);
  // The greatest length claimed durable by an intact annotation behind position_.
  base::Result<uint64_t> claims_ahead();
  base::Result<bool> intact(const Annotation& annotation, uint64_t position);
  base::Result<void> cut();
  base::Result<void> make_durable();

  base::Error refuse(uint64_t offset, std::string_view what) const;

  os::File& file_;
  const std::string& path_;
  const ReplayOptions& options_;
  base::Log& log_;
  const ReplayCommand& execute_;
  AofReader reader_;
  Replayed result_;
  uint64_t position_ = 0;           // Everything before it is intact and was executed.
  uint64_t durable_ = 0;            // The greatest length claimed so far.
  bool foreign_ = false;            // The part at position_ is another server's.
  uint64_t transaction_begin_ = 0;  // Of a foreign MULTI without its EXEC yet.
  bool in_transaction_ = false;
};

base::Error Replay::refuse(uint64_t offset, std::string_view what) const {
  std::string text = fmt::format("{}: damaged at offset {} of {}: {}. Restore the file from a copy",
                                 path_, offset, reader_.size(), what);
  if (!options_.base) {
    text +=
        fmt::format(" or, accepting to lose everything from there on, cut it: truncate -s {} '{}'",
                    position_, path_);
    if (!options_.last_file) text += ", and take the files behind it out of the manifest";
  }
  return {base::Errc::kInvalidData, std::move(text)};
}

base::Result<Replayed> Replay::run() {
  TRY(read_head());
  TRY(read_parts());
  const bool must_be_whole = options_.base || !options_.last_file;
  if (must_be_whole && !foreign_ && !result_.closed) {
    return base::fail(refuse(position_, "the line that ends a finished file is missing"));
  }
  if (position_ < reader_.size()) TRY(cut());
  TRY(make_durable());
  result_.bytes = position_;
  return result_;
}

base::Result<void> Replay::read_head() {
  const base::Bytes head = TRY(reader_.bytes(0, kAnnotationBytesMax));
  foreign_ = !head.starts_with(kAnnotationPrefix);
  if (head.starts_with(rdb::kMagic)) {
    if (!options_.read_snapshot) {
      return base::fail(refuse(0, "an RDB snapshot may only stand at the beginning of a log"));
    }
    position_ = TRY(options_.read_snapshot(file_));
    return {};
  }
  // Our file's first line was on disk before the manifest named the file: it cannot be torn.
  const auto first = foreign_ ? std::nullopt : parse_annotation(head);
  // Of all comments, others begin a file with the time only: anything else was ours.
  const bool torn = foreign_ && head.starts_with('#') && !head.starts_with(kForeignTime);
  if (torn || (!foreign_ && (!first || first->begin != 0 || !TRY(intact(*first, 0))))) {
    return base::fail(refuse(0, "the first line, which marks the file as this server's"));
  }
  return {};
}

base::Result<void> Replay::read_parts() {
  while (foreign_ || position_ < reader_.size()) {
    if (foreign_ || TRY(foreign_follows())) {
      MARK("aof: another server's part");
      foreign_ = true;
      result_.closed = false;
      if (!TRY(read_foreign())) return {};
      foreign_ = false;
    }
    if (TRY(read_batch())) continue;
    // Only the way from the disk may have been bad. A cut destroys: first it is read again.
    bool intact_after_all = false;
    for (int again = 0; again < kReadAgain && !intact_after_all; ++again) {
      reader_.forget();
      intact_after_all = TRY(read_batch());
    }
    if (!intact_after_all) return damaged("a batch that is not intact");
    MARK("aof: a batch was intact when it was read again");
  }
  return {};
}

base::Result<bool> Replay::foreign_follows() {
  const base::Bytes next = TRY(reader_.bytes(position_, kForeignSelect.size()));
  return next.starts_with(kForeignSelect) || next.starts_with(kForeignTime);
}

base::Result<bool> Replay::read_foreign() {
  uint64_t offset = position_;
  while (true) {
    const AofReader::Item item = TRY(reader_.item(offset));
    switch (item.kind) {
      case AofReader::Kind::kCommand: TRY(foreign_command(item)); break;
      case AofReader::Kind::kComment:
        if (TRY(reader_.bytes(item.begin, kAnnotationBytesMax)).starts_with(kAnnotationPrefix)) {
          // Where our part begins. Whether it is intact is judged as for any batch.
          if (in_transaction_) return base::fail(refuse(transaction_begin_, "MULTI without EXEC"));
          return true;
        }
        if (!in_transaction_) position_ = item.end;
        break;
      case AofReader::Kind::kMalformed:
        if (!TRY(torn_first_annotation(item.begin))) {
          return base::fail(refuse(item.begin, item.problem));
        }
        TRY(damaged("an annotation not finished"));
        return false;
      case AofReader::Kind::kEnd:
      case AofReader::Kind::kTruncated: TRY(foreign_end(item)); return false;
    }
    offset = item.end;
  }
}

base::Result<void> Replay::foreign_command(const AofReader::Item& item) {
  resp::Parser parser(kNoLimits);
  const auto outcome =
      parser.next(TRY(reader_.bytes(item.begin, static_cast<size_t>(item.end - item.begin))));
  CHECK(outcome == resp::Parser::Outcome::kRequest);
  const std::string_view name = parser.args()[0];
  if (!in_transaction_ && equals_ignoring_case(name, "multi")) {
    in_transaction_ = true;
    transaction_begin_ = item.begin;
  } else if (in_transaction_ && equals_ignoring_case(name, "exec")) {
    in_transaction_ = false;
    TRY(execute(transaction_begin_, item.end));
  } else if (!in_transaction_) {
    TRY(execute(item.begin, item.end));
  }
  if (!in_transaction_) position_ = item.end;
  return {};
}

base::Result<bool> Replay::torn_first_annotation(uint64_t offset) {
  const uint64_t left = reader_.size() - offset;
  if (in_transaction_ || left > kAnnotationBytesMax) return false;
  return TRY(reader_.bytes(offset, 1))[0] == '\0';
}

base::Result<void> Replay::foreign_end(const AofReader::Item& item) {
  if (position_ == item.end) return {};
  const std::string_view what =
      item.kind == AofReader::Kind::kEnd ? "MULTI without EXEC" : "the file ends within a command";
  if (!options_.cut_truncated) return base::fail(refuse(item.begin, what));
  MARK("aof: unfinished end of a foreign file");
  return damaged(what);
}

base::Result<bool> Replay::read_batch() {
  uint64_t offset = position_;
  AofReader::Item item = TRY(reader_.item(offset));
  while (item.kind == AofReader::Kind::kCommand) {
    offset = item.end;
    item = TRY(reader_.item(offset));
  }
  if (item.kind != AofReader::Kind::kComment) return false;
  const auto annotation = parse_annotation(TRY(reader_.bytes(offset, kAnnotationBytesMax)));
  if (!annotation || annotation->begin != position_) return false;
  if (!TRY(intact(*annotation, offset))) return false;
  TRY(execute(position_, offset));
  durable_ = std::max(durable_, annotation->durable);
  // The first line only says whose the file is.
  result_.closed = offset > 0 && offset == annotation->begin && offset == annotation->durable;
  position_ = offset + annotation->bytes;
  return true;
}

base::Result<bool> Replay::intact(const Annotation& annotation, uint64_t position) {
  CHECK(annotation.begin <= position);
  BatchHash hash;
  const uint64_t end = position + annotation.signed_bytes;
  for (uint64_t at = annotation.begin; at < end;) {
    const size_t count = static_cast<size_t>(std::min<uint64_t>(kCopyBytes, end - at));
    hash.add(TRY(reader_.bytes(at, count)));
    at += count;
  }
  return hash.value() == annotation.hash;
}

base::Result<void> Replay::execute(uint64_t begin, uint64_t end) {
  // The reader's window may move while a command runs; the unit is kept apart.
  const std::string unit(TRY(reader_.bytes(begin, static_cast<size_t>(end - begin))));
  resp::Parser parser(kNoLimits);
  base::Bytes rest = unit;
  while (!rest.empty()) {
    if (rest[0] == '#') {
      rest.remove_prefix(rest.find('\n') + 1);
      continue;
    }
    const auto outcome = parser.next(rest);
    CHECK(outcome == resp::Parser::Outcome::kRequest);
    ++result_.commands;
    if (auto executed = execute_(parser.args()); !executed) {
      const uint64_t offset = begin + unit.size() - rest.size();
      return base::fail(refuse(offset, executed.error().message()));
    }
    rest.remove_prefix(parser.consumed());
  }
  return {};
}

base::Result<void> Replay::damaged(std::string_view what) {
  const uint64_t claimed = std::max(durable_, TRY(claims_ahead()));
  if (claimed > position_) {
    MARK("aof: damaged middle refused");
    return base::fail(
        refuse(position_, fmt::format("{}, although {} bytes had been synced", what, claimed)));
  }
  if (!options_.last_file) {
    return base::fail(refuse(position_, fmt::format("{}, and it is not the last file", what)));
  }
  return {};
}

base::Result<uint64_t> Replay::claims_ahead() {
  uint64_t greatest = 0;
  uint64_t at = position_;
  while (true) {
    at = TRY(reader_.find(kAnnotationPrefix, at, reader_.size()));
    if (at == reader_.size()) return greatest;
    const auto annotation = parse_annotation(TRY(reader_.bytes(at, kAnnotationBytesMax)));
    // Only a claim beyond the damage decides anything; only then is its batch read.
    const bool matters = annotation && annotation->durable > position_ &&
                         annotation->durable > greatest && annotation->begin <= at;
    if (matters && TRY(intact(*annotation, at))) greatest = annotation->durable;
    at += kAnnotationPrefix.size();
  }
}

base::Result<void> Replay::cut() {
  MARK("aof: torn tail cut");
  result_.cut = reader_.size() - position_;
  log_.warn("{}: torn tail: {} bytes from offset {} on were never promised and are cut off", path_,
            result_.cut, position_);
  return file_.truncate(position_);
}

base::Result<void> Replay::make_durable() {
  CHECK(durable_ <= position_);
  // A base was synced before it got its name, whoever wrote it.
  if (options_.base) return file_.sync_data();
  std::string chunk(kCopyBytes, '\0');
  std::string again(kCopyBytes, '\0');
  for (uint64_t at = durable_; at < position_;) {
    const size_t count = static_cast<size_t>(std::min<uint64_t>(kCopyBytes, position_ - at));
    const size_t filled = TRY(os::pread_full(file_, at, {chunk.data(), count}));
    if (filled != count) return base::fail(base::Errc::kIo, path_ + ": shorter than it was");
    // A bit that was wrong on its way must not be written down.
    TRY(os::pread_full(file_, at, {again.data(), count}));
    if (chunk.compare(0, count, again, 0, count) != 0) {
      return base::fail(base::Errc::kIo, path_ + ": two reads of the same bytes differ");
    }
    TRY(os::pwrite_all(file_, at, base::Bytes(chunk).substr(0, count)));
    at += count;
  }
  TRY(file_.sync_data());
  // An empty file that is not written to any more stays as it is.
  if (!foreign_ || (position_ == 0 && !options_.last_file)) return {};
  // Two syncs, so that the line claims only what is on disk when it is written.
  const std::string line = make_annotation({}, position_, position_);
  TRY(os::pwrite_all(file_, position_, line));
  TRY(file_.sync_data());
  result_.closed = position_ > 0;
  position_ += line.size();
  return {};
}

}  // namespace

base::Result<Replayed> replay_aof(os::File& file, const std::string& path,
                                  const ReplayOptions& options, base::Log& log,
                                  const ReplayCommand& execute) {
  Replay replay(file, path, TRY(file.size()), options, log, execute);
  return TRY(replay.run());
}

}  // namespace seatrial::kv
