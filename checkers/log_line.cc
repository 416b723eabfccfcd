#include "checkers/log_line.h"

#include "checkers/log_shapes.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace seatrial::checkers {
namespace {

// An end that somebody was told.
struct Told {
  int64_t end = 0;
  const Operation* by = nullptr;
};

uint32_t answered_at(const Told& told) { return told.by->complete_at; }

// All of them, by completion.
std::vector<Told> ends_told(const LogPartition& partition) {
  std::vector<Told> told;
  for (const LogBatch& batch : partition.batches) {
    if (batch.told == kNoOffset) continue;
    told.push_back({batch.told + static_cast<int64_t>(batch.count), batch.told_by});
  }
  for (const LogReading& reading : partition.readings) {
    told.push_back({reading.end, reading.operation});
    if (reading.records.empty()) continue;
    told.push_back({reading.records.back().items()[0].as_integer() + 1, reading.operation});
  }
  for (const LogFlush& flush : partition.flushes) {
    if (flush.operation->ok()) told.push_back({flush.most, flush.operation});
  }
  for (const LogListing& listing : partition.listings) {
    const Value& wanted = listing.operation->argument;
    if (wanted == Value::text("earliest")) continue;
    told.push_back({listing.offset + (wanted.is_integer() ? 1 : 0), listing.operation});
  }
  std::ranges::stable_sort(told, {}, answered_at);
  return told;
}

// Below an end that was told, each offset holds a record that had been sent by then: where it is
// not known which, one of those of which it is not known where they are, and each of them once.
// Of what a crash may take as much stays as what was sent after it leaves room for, since then the
// fewest are needed.
class Room {
 public:
  explicit Room(const LogPartition& partition) : partition_(partition) {
    for (const LogBatch& batch : partition.batches) sent_in_all_ += records_max(batch);
    holders_.resize(static_cast<size_t>(sent_in_all_));
  }

  // Ends come by completion.
  bool reaches(const Told& told) {
    advance(answered_at(told));
    if (told.end > sent_) return false;
    // In which of the log's lives it was told is not known.
    if (told.by->invoke_at < crashed_at_) return true;
    for (; end_ < told.end; end_++) {
      if (!hold(end_)) continue;
      if (used_++ == adrift_) return false;
    }
    return true;
  }
  int64_t sent() const { return sent_; }

 private:
  static int64_t records_max(const LogBatch& batch) {
    return batch.failed ? 0 : static_cast<int64_t>(batch.count) * batch.tries;
  }
  static bool is_known(const LogBatch& batch) {
    return !batch.failed && !batch.retried && batch.base() != kNoOffset;
  }
  // When its records certainly were where they are known to be.
  static uint32_t known_at(const LogBatch& batch) {
    uint32_t at = kNeverAt;
    if (batch.told_by != nullptr) at = batch.told_by->complete_at;
    if (batch.seen_by != nullptr) at = std::min(at, batch.seen_by->complete_at);
    return at;
  }

  void advance(uint32_t to) {
    while (true) {
      const bool sends = batch_ < partition_.batches.size();
      const bool crashes = crash_ < partition_.crashes.size();
      const uint32_t send_at = sends ? partition_.batches[batch_].operation->invoke_at : kNeverAt;
      const uint32_t crash_at = crashes ? partition_.crashes[crash_] : kNeverAt;
      if (std::min(send_at, crash_at) >= to) return;
      if (send_at < crash_at) {
        send(partition_.batches[batch_++]);
      } else {
        crashed_at_ = crash_at;
        crash_++;
        crash();
      }
    }
  }

  void send(const LogBatch& batch) {
    sent_ += records_max(batch);
    if (!is_known(batch)) {
      adrift_ += records_max(batch);
      return;
    }
    place(batch);
    open_.push_back(&batch);
  }

  void crash() {
    const int64_t kept = room_left();
    for (int64_t at = kept; at < top_; at++) holders_[static_cast<size_t>(at)] = false;
    top_ = std::min(top_, kept);
    end_ = std::min(end_, kept);
    // They may come only now.
    std::erase_if(open_, [&](const LogBatch* batch) { return known_at(*batch) < crashed_at_; });
    for (const LogBatch* batch : open_) place(*batch);
  }

  // The first offset that was given away between this crash and the next.
  int64_t room_left() const {
    const uint32_t next =
        crash_ < partition_.crashes.size() ? partition_.crashes[crash_] : kNeverAt;
    int64_t first = kOffsetMax;
    for (size_t i = batch_; i < partition_.batches.size(); i++) {
      const LogBatch& batch = partition_.batches[i];
      if (batch.operation->invoke_at > next) break;
      if (is_known(batch) && known_at(batch) < next) first = std::min(first, batch.base());
    }
    return first;
  }

  void place(const LogBatch& batch) {
    for (size_t i = 0; i < batch.count; i++) hold(batch.base() + static_cast<int64_t>(i));
  }

  // False where it was held. What is further away than all that was sent needs no room.
  bool hold(int64_t offset) {
    if (offset >= sent_in_all_ || holders_[static_cast<size_t>(offset)]) return false;
    holders_[static_cast<size_t>(offset)] = true;
    top_ = std::max(top_, offset + 1);
    return true;
  }

  const LogPartition& partition_;
  int64_t sent_in_all_ = 0;            // Records, each as often as it may be there.
  std::vector<bool> holders_;          // By offset: whether there is, or will be, a record.
  int64_t top_ = 0;                    // From here on nothing is held.
  int64_t end_ = 0;                    // All below is held.
  int64_t sent_ = 0;                   // Of records, up to now.
  int64_t adrift_ = 0;                 // Of these: nobody was told or found where they are...
  int64_t used_ = 0;                   // ...and so many are needed where nobody else is.
  std::vector<const LogBatch*> open_;  // Sent, and known where only later.
  size_t batch_ = 0;                   // The next of the partition's.
  size_t crash_ = 0;
  uint32_t crashed_at_ = 0;
};

class LineJudge {
 public:
  LineJudge(const LogPartition& partition, const LogFacts& facts, LogFindings& findings)
      : partition_(partition), facts_(facts), findings_(findings) {}

  void run() {
    collect_lasting();
    LogEnd lasting;
    auto next = lasting_.begin();
    for (const LogBatch& batch : partition_.batches) {
      for (; next != lasting_.end() && (*next)->told_by->complete_at < batch.operation->invoke_at;
           ++next) {
        const int64_t end = (*next)->told + static_cast<int64_t>((*next)->count);
        if (end > lasting.end) lasting = {end, (*next)->told_by};
      }
      if (batch.base() == kNoOffset || batch.retried) continue;
      judge_offset(batch, lasting);
    }
    if (!facts_.is_sparse()) judge_room();
  }

 private:
  // Batches that no crash took, by the time at which that which stands there was told.
  void collect_lasting() {
    for (const LogBatch& batch : partition_.batches) {
      if (batch.told != kNoOffset && batch.lasts() && !batch.retried) lasting_.push_back(&batch);
    }
    std::ranges::sort(lasting_, {}, [](const LogBatch* b) { return b->told_by->complete_at; });
  }

  // An offset given to a new batch must have been free.
  void judge_offset(const LogBatch& batch, const LogEnd& lasting) {
    const Operation& send = *batch.operation;
    const Operation& told = batch.told != kNoOffset ? *batch.told_by : *batch.seen_by;
    const auto taken = [&](const LogEnd& end) { return batch.base() < end.end; };
    // What was appended, but not flushed, may have gone in a crash that came later.
    const bool given_away = taken(batch.known.appended) &&
                            !partition_.crashed_between(send.invoke_at, told.complete_at);
    const LogEnd* end = &batch.known.visible;
    if (!taken(*end) && given_away) end = &batch.known.appended;
    if (!taken(*end) && taken(lasting)) end = &lasting;
    if (!taken(*end)) return;
    findings_.add("offset-reused", told,
                  fmt::format("operation {} is given offset {} of {}, but operation {} had told of "
                              "offsets up to {} before it was sent",
                              send.id, batch.base(), partition_.name, end->by->id, end->end - 1),
                  end->by);
  }

  void judge_room() {
    Room room(partition_);
    for (const Told& told : ends_told(partition_)) {
      if (room.reaches(told)) continue;
      return findings_.add(
          "beyond-sent", *told.by,
          fmt::format("operation {} is told of offset {} of {}, but what had been sent there by "
                      "then, {} records, cannot fill all up to there",
                      told.by->id, told.end - 1, partition_.name, room.sent()));
    }
  }

  const LogPartition& partition_;
  const LogFacts& facts_;
  LogFindings& findings_;
  std::vector<const LogBatch*> lasting_;
};

}  // namespace

void judge_line(const LogPartition& partition, const LogFacts& facts, LogFindings& findings) {
  LineJudge(partition, facts, findings).run();
}

}  // namespace seatrial::checkers
