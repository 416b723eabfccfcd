#include "checkers/offsets.h"

#include "checkers/log_findings.h"
#include "checkers/log_groups.h"
#include "checkers/log_line.h"
#include "checkers/log_shapes.h"
#include "checkers/log_transactions.h"
#include "checkers/models/log_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace seatrial::checkers {
namespace {

constexpr std::string_view kChecker = "offsets";

struct LogLag {
  Micros time{0};
  const Operation* poll = nullptr;
};

// One partition.
class Judge {
 public:
  Judge(LogPartition& partition, const LogFacts& facts, const Options& options,
        LogFindings& findings)
      : partition_(partition),
        facts_(facts),
        punctuality_(options.punctuality),
        findings_(findings) {}

  void run() {
    collect_known();
    for (const LogReading& reading : partition_.readings) {
      judge_answer(reading);
      for (const Value& record : reading.records) judge_record(reading, record.items());
    }
    judge_consumers();
    judge_disputes();
    judge_line(partition_, facts_, findings_);
    for (const LogBatch& batch : partition_.batches) {
      judge_told(batch);
      judge_reach(batch);
    }
    judge_overlaps();
    judge_producers();
    judge_boundaries();
    judge_flushes();
    for (const LogListing& listing : partition_.listings) judge_listing(listing);
    judge_times();
    judge_punctuality();
  }

  // The answer that was furthest behind what had been told before it was asked for: a lower bound,
  // since what is there need not be told.
  LogLag worst_lag() const {
    LogLag worst;
    for (const LogReading& reading : partition_.readings) {
      const int64_t came_to = reading.records.empty()
                                  ? reading.from
                                  : reading.records.back().items()[0].as_integer() + 1;
      if (came_to == kNoOffset || reading.out_of_range) continue;
      const Micros told = LogPartition::reached(partition_.visible_growth, came_to);
      if (told == Micros::max()) continue;
      const Micros lag = reading.operation->invoke_time - told;
      if (lag > worst.time) worst = {lag, reading.operation};
    }
    return worst;
  }

 private:
  LogBatch& batch_of(const LogRecord& record) { return partition_.batches[record.batch]; }
  int64_t index_in_batch(size_t record) {
    return static_cast<int64_t>(record - batch_of(partition_.records[record]).first_record);
  }

  // Of a log with holes: the offsets that certainly hold a record.
  void collect_known() {
    if (!facts_.is_sparse()) return;
    for (const LogReading& reading : partition_.readings) {
      for (const Value& record : reading.records) known_.push_back(record.items()[0].as_integer());
    }
    for (const LogBatch& batch : partition_.batches) {
      if (!batch.durable() || batch.retried) continue;
      for (size_t i = 0; i < batch.count; i++) {
        known_.push_back(batch.told + static_cast<int64_t>(i));
      }
    }
    std::ranges::sort(known_);
    const auto rest = std::ranges::unique(known_);
    known_.erase(rest.begin(), rest.end());
  }

  // Whether whoever goes on at `next` and finds `offset` has missed a record.
  bool skips(int64_t next, int64_t offset) const {
    if (offset <= next || !facts_.is_sparse()) return offset > next;
    return *std::ranges::lower_bound(known_, std::max(next, partition_.greatest_start)) < offset;
  }

  // What an answer says of itself, and against what was known before it.
  void judge_answer(const LogReading& reading) {
    const Operation& poll = *reading.operation;
    const LogEnd& visible = reading.known.visible;
    if (reading.out_of_range) {
      if (reading.from == kNoOffset || reading.from > visible.end) return;
      if (reading.from < reading.known.start) return;
      return findings_.add("false-out-of-range", poll,
                           fmt::format("operation {} is refused offset {} of {}, whose visible end "
                                       "was {} already",
                                       poll.id, reading.from, name(), visible.end),
                           visible.by);
    }
    const bool tells_end = reading.end != kNoOffset;
    if (tells_end) judge_end(poll, reading.end, visible);
    if (reading.start != kNoOffset) {
      judge_start(poll, reading.start, tells_end ? reading.end : kOffsetMax, reading.known);
    }
    int64_t next = reading.from;
    for (const Value& record : reading.records) {
      const int64_t offset = record.items()[0].as_integer();
      const bool back = next != kNoOffset && offset < next;
      if (!reading.rebalanced && (back || (next != kNoOffset && skips(next, offset)))) {
        findings_.add(back ? "int-nonmonotonic-poll" : "int-poll-skip", poll,
                      fmt::format("operation {} finds offset {} of {} where {} comes next", poll.id,
                                  offset, name(), next));
      }
      if (tells_end && offset >= reading.end) {
        findings_.add("beyond-hw", poll,
                      fmt::format("operation {} finds offset {} of {} and tells that records end "
                                  "at {}",
                                  poll.id, offset, name(), reading.end));
      }
      next = offset + 1;
    }
    if (reading.from == kNoOffset) return;
    judge_amount(reading);
    judge_past_end(reading);
  }

  // Whoever stands beyond the end for good has to be told, or waits for ever.
  void judge_past_end(const LogReading& reading) {
    const auto sent = static_cast<int64_t>(partition_.records.size());
    if (facts_.tells_flushes() || facts_.is_sparse() || reading.from <= sent) return;
    const Operation& poll = *reading.operation;
    findings_.add("past-end-accepted", poll,
                  fmt::format("operation {} asks for offset {} of {} and is not refused, though "
                              "only {} records were ever sent there",
                              poll.id, reading.from, name(), sent));
  }

  void judge_amount(const LogReading& reading) {
    if (facts_.is_sparse()) return;
    const Operation& poll = *reading.operation;
    const int64_t there = std::max(reading.end, reading.known.visible.end) - reading.from;
    const int64_t due = std::min(there, reading.exact ? reading.limit : 1);
    const auto found = static_cast<int64_t>(reading.records.size());
    if (found > reading.limit) {
      findings_.add("protocol-error", poll,
                    fmt::format("operation {} finds {} records of {} and asked for {} at most",
                                poll.id, found, name(), reading.limit));
    }
    if (found >= due) return;
    findings_.add("withheld", poll,
                  fmt::format("operation {} finds {} records from offset {} of {} on, although {} "
                              "are visible",
                              poll.id, found, reading.from, name(), there),
                  reading.known.visible.by);
  }

  void judge_end(const Operation& operation, int64_t end, const LogEnd& visible) {
    if (end >= visible.end) return;
    // Behind an acknowledgement it is a loss by its plain name.
    const bool acknowledged = visible.by->function == Function::kSend;
    findings_.add(
        acknowledged ? "lost-write" : "hw-regress", operation,
        fmt::format("operation {} tells that the visible records of {} end at {}, but "
                    "operation {} {} up to {}",
                    operation.id, name(), end, visible.by->id,
                    acknowledged ? "was acknowledged" : "told them to be visible", visible.end),
        visible.by);
  }

  void judge_start(const Operation& operation, int64_t start, int64_t end, const Known& known) {
    if (start < known.start || start > end) {
      findings_.add("log-bounds", operation,
                    fmt::format("operation {} tells that {} starts at {}, after it was told to "
                                "start at {}; it ends at {}",
                                operation.id, name(), start, known.start, end));
    }
    if (start > 0 && !facts_.is_sparse()) {
      findings_.add("lost-write", operation,
                    fmt::format("operation {} tells that {} starts at {}, though nothing is ever "
                                "removed from it",
                                operation.id, name(), start));
    }
  }

  // One record of an answer.
  void judge_record(const LogReading& reading, std::span<const Value> parts) {
    const Operation& poll = *reading.operation;
    const int64_t offset = parts[0].as_integer();
    const auto found = partition_.record_of.find(parts[1]);
    const auto what = [&] {
      return fmt::format("operation {} finds {} at offset {} of {}", poll.id, parts[1].json(),
                         offset, name());
    };
    if (found == partition_.record_of.end()) {
      return findings_.add("garbage", poll, what() + ", which nobody sent there");
    }
    const size_t index = found->second;
    LogRecord& record = partition_.records[index];
    LogBatch& batch = batch_of(record);
    const Operation& send = *batch.operation;
    if (send.invoke_at > poll.complete_at) {
      return findings_.add("garbage", poll,
                           fmt::format("{}, before operation {} sent it", what(), send.id), &send);
    }
    if (batch.failed) {
      findings_.add("aborted-read", poll,
                    fmt::format("{}, though operation {} failed", what(), send.id), &send);
    }
    const auto changed = [&](const Value* sent, size_t part) {
      return sent != nullptr && parts.size() > part && !(*sent == parts[part]);
    };
    if (changed(record.timestamp, 2) || changed(record.hash, 3)) {
      findings_.add("payload-changed", poll,
                    fmt::format("{}, changed since operation {} sent it", what(), send.id), &send);
    }
    place(poll, offset, index, what);
  }

  // Where a record stands: the same offset for ever, and its batch around it.
  template <typename Words>
  void place(const Operation& poll, int64_t offset, size_t index, const Words& what) {
    LogRecord& record = partition_.records[index];
    LogBatch& batch = batch_of(record);
    const auto [at, fresh] = holder_.emplace(offset, index);
    if (!fresh && at->second != index) {
      const LogRecord& other = partition_.records[at->second];
      findings_.add("inconsistent-offsets", poll,
                    fmt::format("{}, where operation {} found {}", what(), other.seen_by->id,
                                other.value.json()),
                    other.seen_by);
    }
    if (record.seen == kNoOffset) {
      record.seen = offset;
      record.seen_by = &poll;
    } else if (record.seen != offset && !batch.retried) {
      findings_.add("duplicate", poll,
                    fmt::format("{}, and operation {} found it at {}", what(), record.seen_by->id,
                                record.seen),
                    record.seen_by);
    }
    const int64_t base = offset - index_in_batch(index);
    if (base < 0) {
      return findings_.add("torn-batch", poll,
                           what() + ", where those before it in its batch have no room",
                           batch.operation);
    }
    if (batch.seen == kNoOffset) {
      batch.seen = base;
      batch.seen_by = &poll;
    }
    if (batch.retried) return;
    if (batch.told != kNoOffset && batch.told != base) {
      findings_.add("inconsistent-offsets", poll,
                    fmt::format("{}, but operation {} was told that its batch begins at {}", what(),
                                batch.told_by->id, batch.told),
                    batch.told_by);
    } else if (batch.seen != base) {
      findings_.add("torn-batch", poll,
                    fmt::format("{}, but its batch, of operation {}, begins at {}", what(),
                                batch.operation->id, batch.seen),
                    batch.operation);
    }
  }

  // An acknowledged batch against what was found at its offsets.
  void judge_told(const LogBatch& batch) {
    if (batch.told == kNoOffset || batch.retried) return;
    const Operation& send = *batch.operation;
    for (size_t i = 0; i < batch.count; i++) {
      const int64_t offset = batch.told + static_cast<int64_t>(i);
      const LogRecord& record = partition_.records[batch.first_record + i];
      const auto at = holder_.find(offset);
      if (at == holder_.end() || at->second == batch.first_record + i) continue;
      if (record.seen != kNoOffset) continue;  // Elsewhere: said already.
      const LogRecord& other = partition_.records[at->second];
      const Operation& poll = *other.seen_by;
      const bool may_be_lost =
          !batch.durable() && partition_.crashed_between(send.invoke_at, poll.complete_at);
      if (may_be_lost) continue;
      return findings_.add("lost-write", poll,
                           fmt::format("operation {} was told that {} is at offset {} of {}, but "
                                       "operation {} finds {} there",
                                       batch.told_by->id, record.value.json(), offset, name(),
                                       poll.id, other.value.json()),
                           batch.told_by);
    }
  }

  // An acknowledged batch that nobody found.
  void judge_reach(const LogBatch& batch) {
    if (batch.told == kNoOffset || batch.retried) return;
    const bool everything_read = facts_.has_final_readings();
    if (!everything_read && !reads_from_the_start()) return;
    const Operation& send = *batch.operation;
    if (!batch.durable() && partition_.crashed_between(send.invoke_at, kNeverAt)) return;
    for (size_t i = 0; i < batch.count; i++) {
      const LogRecord& record = partition_.records[batch.first_record + i];
      const int64_t offset = batch.told + static_cast<int64_t>(i);
      if (record.seen != kNoOffset || (!everything_read && offset > greatest_found())) continue;
      if (facts_.is_sparse() && offset < partition_.greatest_start) continue;
      return findings_.add(
          everything_read ? "unseen" : "lost-write", *batch.told_by,
          fmt::format("operation {} was told that {} is at offset {} of {}, and nobody "
                      "found it",
                      batch.told_by->id, record.value.json(), offset, name()));
    }
  }

  // Consumers of such a history never say where they begin, so they have read all up to where
  // they are.
  bool reads_from_the_start() {
    if (!from_the_start_) {
      from_the_start_ = !facts_.tells_flushes() &&
                        std::ranges::all_of(partition_.readings, [](const LogReading& r) {
                          return r.from == kNoOffset;
                        });
    }
    return *from_the_start_;
  }
  int64_t greatest_found() {
    if (!greatest_found_) {
      greatest_found_ = kNoOffset;
      for (const LogRecord& record : partition_.records) {
        greatest_found_ = std::max(*greatest_found_, record.seen);
      }
    }
    return *greatest_found_;
  }

  // Two batches that were told the same offsets: one of them must have been lost in a crash.
  void judge_overlaps() {
    std::vector<const LogBatch*> told;
    for (const LogBatch& batch : partition_.batches) {
      if (batch.told != kNoOffset && !batch.retried) told.push_back(&batch);
    }
    std::ranges::stable_sort(told, {}, [](const LogBatch* b) { return b->told; });
    const auto end_of = [](const LogBatch* b) { return b->told + static_cast<int64_t>(b->count); };
    const LogBatch* widest = nullptr;
    for (size_t i = 0; i < told.size(); i++) {
      if (i > 0) judge_pair(*told[i - 1], *told[i]);
      if (widest != nullptr) judge_pair(*widest, *told[i]);
      if (widest == nullptr || end_of(told[i]) > end_of(widest)) widest = told[i];
    }
  }

  void judge_pair(const LogBatch& a, const LogBatch& b) {
    if (a.told + static_cast<int64_t>(a.count) <= b.told) return;
    const auto lost = [&](const LogBatch& gone, const LogBatch& stays) {
      return !gone.durable() &&
             partition_.crashed_between(gone.operation->invoke_at, stays.told_by->complete_at);
    };
    if (lost(a, b) || lost(b, a)) return;
    findings_.add(
        "inconsistent-offsets", *b.told_by,
        fmt::format("operations {} and {} were both told that they are at offset {} of {}",
                    a.told_by->id, b.told_by->id, b.told, name()),
        a.told_by);
  }

  // Each connection's batches, in the order in which it sent them.
  void judge_producers() {
    std::unordered_map<Value, const LogBatch*, ValueHash> last;
    const LogBatch* latest = nullptr;
    for (const LogBatch& batch : partition_.batches) {
      if (batch.base() == kNoOffset || batch.retried) continue;
      // A transaction of nobody in particular still has an order of its own.
      if (latest != nullptr && latest->operation != batch.operation) latest = nullptr;
      const LogBatch*& before = batch.by.is_nil() ? latest : last[batch.by];
      if (before != nullptr &&
          batch.base() < before->base() + static_cast<int64_t>(before->count) &&
          !may_have_gone(*before, batch)) {
        const bool inside = before->operation == batch.operation;
        findings_.add(
            inside ? "int-nonmonotonic-send" : "nonmonotonic-send", *batch.operation,
            fmt::format("operation {} is at offset {} of {}, and operation {}, sent before it "
                        "by {}, is at {}",
                        batch.operation->id, batch.base(), name(), before->operation->id,
                        batch.by.json(), before->base()),
            before->operation);
      }
      if (before == nullptr || batch.base() > before->base()) before = &batch;
    }
  }

  bool may_have_gone(const LogBatch& before, const LogBatch& after) {
    return before.seen == kNoOffset && !before.durable() &&
           partition_.crashed_between(before.operation->invoke_at, after.operation->complete_at);
  }

  // Each consumer's answers, one after the other; a transaction's on their own where it is told
  // of no consumer.
  void judge_consumers() {
    std::unordered_map<Value, const LogReading*, ValueHash> positions;
    const LogReading* in_transaction = nullptr;
    for (const LogReading& reading : partition_.readings) {
      if (reading.records.empty()) continue;
      const bool inside =
          in_transaction != nullptr && in_transaction->operation == reading.operation;
      const LogReading* before = inside ? in_transaction : nullptr;
      if (!reading.by.is_nil()) {
        const LogReading*& position = positions[reading.by];
        if (before == nullptr) before = position;
        position = &reading;
      }
      in_transaction = &reading;
      if (before != nullptr && !reading.rebalanced) judge_succession(*before, reading);
    }
  }

  void judge_succession(const LogReading& before, const LogReading& after) {
    const int64_t first = after.records.front().items()[0].as_integer();
    const int64_t last = before.records.back().items()[0].as_integer();
    const bool back = first <= last;
    if (!back && !skips(last + 1, first)) return;
    const Operation& poll = *after.operation;
    if (before.operation == &poll) {
      return findings_.add(back ? "int-nonmonotonic-poll" : "int-poll-skip", poll,
                           fmt::format("operation {} finds offset {} of {} after offset {}",
                                       poll.id, first, name(), last));
    }
    if (may_move(before, after)) return;
    findings_.add(
        back ? "nonmonotonic-poll" : "poll-skip", poll,
        fmt::format("operation {} of {} finds offset {} of {} first, after operation {} had come "
                    "to {}",
                    poll.id, after.by.json(), first, name(), before.operation->id, last),
        before.operation);
  }

  // Whether the consumer may stand elsewhere than it stood: it has subscribed, so that others may
  // have had the partition in between, or it had let go of it.
  bool may_move(const LogReading& before, const LogReading& after) const {
    const std::vector<LogChoice>* choices = facts_.choices_of(after.by);
    if (choices == nullptr) return false;
    const auto invoked = [](const LogChoice& choice) { return choice.operation->invoke_at; };
    const auto end = std::ranges::lower_bound(*choices, after.operation->complete_at, {}, invoked);
    auto at = std::ranges::lower_bound(*choices, before.operation->invoke_at, {}, invoked);
    if (at != choices->begin()) --at;  // The one that holds when the earlier poll begins.
    for (; at != end; ++at) {
      if (at->subscribes) return true;
      const bool later = at->operation->invoke_at > before.operation->invoke_at;
      if (later && !std::ranges::binary_search(at->keys, name())) return true;
    }
    return false;
  }

  // An idempotent producer is told the same, however often it asks.
  void judge_disputes() {
    for (const LogDispute& dispute : partition_.disputes) {
      const LogBatch& batch = partition_.batches[dispute.batch];
      findings_.add(
          "duplicate", *dispute.attempt,
          fmt::format("operation {} is told that its batch begins at {} of {}, and "
                      "operation {} was told that the same batch begins at {}",
                      dispute.attempt->id, dispute.told, name(), batch.told_by->id, batch.told),
          batch.told_by);
    }
  }

  // The visible end never stands inside a batch: neither of one that stays, nor of one that was
  // told its place, unless a crash may have taken it.
  void judge_boundaries() {
    judge_boundaries(true);
    judge_boundaries(false);
  }

  void judge_boundaries(bool lasting) {
    std::vector<const LogBatch*> placed;
    for (const LogBatch& batch : partition_.batches) {
      if (batch.base() == kNoOffset || batch.count == 1 || batch.retried) continue;
      if (batch.lasts() == lasting) placed.push_back(&batch);
    }
    std::ranges::stable_sort(placed, {}, [](const LogBatch* b) { return b->base(); });
    const auto look = [&](const Operation& operation, int64_t end) {
      auto at =
          std::ranges::lower_bound(placed, end, {}, [](const LogBatch* b) { return b->base(); });
      if (at == placed.begin()) return;
      const LogBatch& batch = **--at;
      if (batch.base() + static_cast<int64_t>(batch.count) <= end) return;
      const uint32_t sent_at = batch.operation->invoke_at;
      if (!lasting && partition_.crashed_between(sent_at, operation.complete_at)) return;
      findings_.add(
          "torn-batch", operation,
          fmt::format("operation {} tells that the visible records of {} end at {}, inside "
                      "the batch of operation {}, which is at {} to {}",
                      operation.id, name(), end, batch.operation->id, batch.base(),
                      batch.base() + static_cast<int64_t>(batch.count) - 1),
          batch.operation);
    };
    for (const LogReading& reading : partition_.readings) {
      if (reading.end != kNoOffset) look(*reading.operation, reading.end);
    }
    for (const LogListing& listing : partition_.listings) {
      if (listing.operation->argument == Value::text("latest"))
        look(*listing.operation, listing.offset);
    }
  }

  // Where flushes are told, they alone make records visible.
  void judge_flushes() {
    if (!facts_.tells_flushes()) return;
    std::vector<std::pair<uint32_t, int64_t>> covers;  // Event, and the greatest cover up to it.
    int64_t cover = 0;
    for (const LogFlush& flush : partition_.flushes) {
      cover = std::max(cover, flush.most);
      covers.emplace_back(flush.operation->invoke_at, cover);
      if (flush.operation->ok()) judge_end(*flush.operation, flush.most, flush.known.visible);
    }
    for (const LogReading& reading : partition_.readings) {
      const uint32_t at = reading.operation->complete_at;
      const auto after =
          std::ranges::lower_bound(covers, at, {}, [](const auto& c) { return c.first; });
      const int64_t most = after == covers.begin() ? 0 : std::prev(after)->second;
      if (reading.end <= most) continue;
      findings_.add(
          "early-visible", *reading.operation,
          fmt::format("operation {} tells that records of {} are visible up to {}, but no flush "
                      "can have covered more than {}",
                      reading.operation->id, name(), reading.end, most));
    }
  }

  void judge_listing(const LogListing& listing) {
    const Operation& operation = *listing.operation;
    if (operation.argument == Value::text("latest")) {
      judge_end(operation, listing.offset, listing.known.visible);
    } else if (operation.argument == Value::text("earliest")) {
      judge_start(operation, listing.offset, std::numeric_limits<int64_t>::max(), listing.known);
    }
  }

  // Offsets by time, against a scan of all records that are known.
  void judge_times() {
    const bool asked = std::ranges::any_of(partition_.listings, [](const LogListing& listing) {
      return listing.operation->argument.is_integer();
    });
    if (!asked || facts_.is_sparse()) return;
    std::vector<int64_t> greatest;  // Timestamp of all records up to an offset.
    std::vector<int64_t> timestamps;
    for (auto at = holder_.find(0); at != holder_.end();
         at = holder_.find(static_cast<int64_t>(greatest.size()))) {
      const Value* timestamp = partition_.records[at->second].timestamp;
      if (timestamp == nullptr) break;
      timestamps.push_back(timestamp->as_integer());
      greatest.push_back(
          std::max(greatest.empty() ? timestamps[0] : greatest.back(), timestamps.back()));
    }
    for (const LogListing& listing : partition_.listings) {
      if (listing.operation->argument.is_integer()) judge_time(listing, greatest, timestamps);
    }
  }

  void judge_time(const LogListing& listing, const std::vector<int64_t>& greatest,
                  const std::vector<int64_t>& timestamps) {
    const Operation& operation = *listing.operation;
    const int64_t wanted = operation.argument.as_integer();
    const auto known_end = static_cast<int64_t>(greatest.size());
    const int64_t first = std::ranges::lower_bound(greatest, wanted) - greatest.begin();
    const bool none = listing.offset < 0;
    bool right = false;
    if (none) {
      right = first >= std::min(known_end, listing.known.visible.end);
    } else if (first < known_end) {
      right = listing.offset == first;
      const Value* told = listing.timestamp;
      if (told != nullptr && right)
        right = told->as_integer() == timestamps[static_cast<size_t>(first)];
    } else {
      right = listing.offset >= known_end;
    }
    if (right) return;
    findings_.add(
        "wrong-time-index", operation,
        fmt::format("operation {} is told that {} is the first offset of {} from time {} on, "
                    "but it is {}",
                    operation.id, operation.result.json(), name(), wanted,
                    first < known_end ? fmt::format("{}, at time {}", first,
                                                    timestamps[static_cast<size_t>(first)])
                                      : fmt::format("none below {}", known_end)));
  }

  // In the calm, nobody waits longer than the flush takes, nor longer than it wanted to.
  void judge_punctuality() {
    if (punctuality_.calm_from == Micros::max()) return;
    const Micros flush = punctuality_.flush_interval;
    const Micros allowance = punctuality_.allowance;
    for (const LogReading& reading : partition_.readings) {
      const Operation& poll = *reading.operation;
      if (poll.invoke_time < punctuality_.calm_from) continue;
      judge_wait(poll);
      if (reading.from == kNoOffset) continue;
      const Micros visible = LogPartition::reached(partition_.visible_growth, reading.from);
      const Micros appended = LogPartition::reached(partition_.appended_growth, reading.from);
      const Micros ready =
          std::min(visible, appended == Micros::max() ? appended : appended + flush);
      // What was there before it asked may be much, and takes the network's time.
      if (ready == Micros::max() || ready < poll.invoke_time) continue;
      if (poll.complete_time <= ready + allowance) continue;
      findings_.add(
          "late", poll,
          fmt::format(
              "operation {} waits for offset {} of {} until {} us, but it was there by {} us",
              poll.id, reading.from, name(), poll.complete_time.count(), ready.count()));
    }
    for (const LogBatch& batch : partition_.batches) {
      if (batch.told == kNoOffset) continue;
      const Operation& send = *batch.told_by;
      if (send.invoke_time < punctuality_.calm_from || send.function == Function::kTxn) continue;
      const Micros due =
          send.invoke_time + allowance + (batch.acks == kAllReplicas ? flush : Micros(0));
      if (send.complete_time <= due) continue;
      findings_.add("late", send,
                    fmt::format("operation {} is acknowledged after {} us", send.id,
                                (send.complete_time - send.invoke_time).count()));
    }
  }

  void judge_wait(const Operation& poll) {
    const Value* wait = poll.argument.is_object() ? poll.argument.find("wait") : nullptr;
    constexpr int64_t kWaitMax = int64_t{1} << 42;
    if (wait == nullptr || wait->as_integer() > kWaitMax) return;
    const Micros took = poll.complete_time - poll.invoke_time;
    if (took <= std::chrono::milliseconds(wait->as_integer()) + punctuality_.allowance) return;
    findings_.add("late", poll,
                  fmt::format("operation {} is answered after {} us, and wanted to wait for {} ms",
                              poll.id, took.count(), wait->as_integer()));
  }

  std::string_view name() const { return partition_.name; }

  LogPartition& partition_;
  const LogFacts& facts_;
  const Punctuality& punctuality_;
  LogFindings& findings_;
  std::vector<int64_t> known_;                  // Of a log with holes; ascending.
  std::unordered_map<int64_t, size_t> holder_;  // By offset, the record that was first found there.
  std::optional<bool> from_the_start_;
  std::optional<int64_t> greatest_found_;
};

void judge_topics(const History& history, const LogFacts& facts, LogFindings& findings) {
  for (const TopicTold& told : facts.topics()) {
    if (told.operation->function == Function::kCreateTopic || told.partitions >= told.known.end)
      continue;
    findings.add(
        "lost-topic", *told.operation,
        fmt::format("operation {} finds {} partitions of {}, operation {} had told of {}",
                    told.operation->id, told.partitions, history.key_name(told.operation->key),
                    told.known.by->id, told.known.end),
        told.known.by);
  }
}

}  // namespace

Verdict check_offsets(const History& history, const Options& options) {
  LogFacts facts(history);
  Verdict verdict;
  verdict.checker = kChecker;
  verdict.nodes = history.operations().size();
  if (!facts.ambiguity().empty()) {
    verdict.outcome = Outcome::kUndecided;
    verdict.summary = "undecided: " + facts.ambiguity();
    return verdict;
  }
  LogFindings findings;
  size_t records = 0;
  size_t batches = 0;
  size_t partitions = 0;
  LogLag worst;
  for (LogPartition& partition : facts.partitions()) {
    Judge judge(partition, facts, options, findings);
    judge.run();
    if (const LogLag lag = judge.worst_lag(); lag.time > worst.time) worst = lag;
    records += partition.records.size();
    batches += partition.batches.size();
    if (!partition.batches.empty()) partitions++;
  }
  judge_topics(history, facts, findings);
  judge_keys(history, findings);
  judge_transactions(history, facts, findings);
  const bool decided = judge_groups(history, facts, options, findings);
  for (const Operation* protest : facts.protests()) {
    findings.add("protocol-error", *protest,
                 fmt::format("operation {}: {}", protest->id, protest->argument.as_text()));
  }
  if (!findings.empty()) {
    findings.describe(history, verdict);
    return verdict;
  }
  if (!decided) {
    verdict.outcome = Outcome::kUndecided;
    verdict.summary = "undecided: the budget ended before the committed offsets were in order";
    return verdict;
  }
  verdict.summary =
      fmt::format("{} records in {} batches on {} partitions stay where they were told and found",
                  records, batches, partitions);
  if (worst.poll != nullptr) {
    verdict.summary += fmt::format("; operation {} is the stalest, at least {} us behind",
                                   worst.poll->id, worst.time.count());
  }
  return verdict;
}

}  // namespace seatrial::checkers
