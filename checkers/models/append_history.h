// What a history of list-append transactions says about its lists: who appended what, what was
// read, and from both the order of each list's elements.
//
// The longest list that was read is the order; each other must be a beginning of it. An RPUSH
// that answered the length after it names its element's position, which orders elements that
// nobody read as well. Elements that neither tells are "loose": they stand somewhere behind all
// that were read.
//
// Kingsbury and Alvaro, "Elle: Inferring Isolation Anomalies from Experimental Observations",
// VLDB 2020, without the told lengths.
#pragma once

#include "checkers/graph/anomaly.h"
#include "checkers/history.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace seatrial::checkers {

inline constexpr uint32_t kNoElement = UINT32_MAX;

// A transaction is the index of its operation in the history.
class AppendHistory {
 public:
  struct Element {
    uint32_t txn;
    uint32_t key;
    const Value* value;
    uint32_t told = 0;      // Its position by RPUSH's answer, from 1; 0: not told.
    uint32_t position = 0;  // From 1; 0: loose.
    bool final = true;      // The transaction's last one of that key.
  };
  // A list as a transaction found it before it appended to it itself.
  struct Read {
    uint32_t txn;
    uint32_t key;
    std::span<const Value> list;
    bool updated;  // The transaction then appended to it.
    bool sound;    // A beginning of the key's order.
  };
  struct Key {
    std::string_view name;
    std::span<const Value> longest;
    uint32_t longest_by = 0;
    std::vector<uint32_t> elements;  // By invocation.
    // By position from 1 on (the 0th is unused); kNoElement: unknown.
    std::vector<uint32_t> order = {kNoElement};
  };

  explicit AppendHistory(const History& history);

  const History& history() const { return history_; }
  const Operation& operation(uint32_t txn) const { return history_.operations()[txn]; }
  std::span<const Key> keys() const { return keys_; }
  std::span<const Element> elements() const { return elements_; }
  std::span<const Read> reads() const { return reads_; }
  // Whether it took effect: it answered, or somebody read what it appended.
  const std::vector<bool>& certain() const { return certain_; }
  // It failed, or answered nil.
  bool aborted(uint32_t txn) const;

  // Whatever contradicts itself without a cycle.
  const Findings& findings() const { return findings_; }
  // Why nothing can be said: values that are not unique. Empty where something can.
  const std::string& unusable() const { return unusable_; }

 private:
  // What a transaction knows about a list while its commands run.
  struct Local {
    uint32_t key;
    std::optional<uint32_t> base;  // The length that it found.
    const Value* found = nullptr;  // The list that it last read.
    uint32_t read = kNoElement;    // Its Read.
    std::vector<uint32_t> own;     // What it appended.
  };
  struct FullRead {
    uint32_t txn;
    uint32_t key;
    std::span<const Value> list;
  };

  void take(uint32_t txn);
  void append(uint32_t txn, Local& local, const Value& value, const Value* answer);
  void read(uint32_t txn, Local& local, const Value& answer);
  Local& local_of(uint32_t key);
  uint32_t intern(std::string_view name);
  void index_elements();
  uint32_t find_element(uint32_t key, const Value& value) const;
  size_t slot_of(uint32_t key, const Value& value) const;
  void order_reads();
  void compare(uint32_t txn, Key& key, std::span<const Value> list, bool& sound);
  void place_read_elements(uint32_t key);
  void place_read_element(uint32_t key, uint32_t position);
  void place_told_elements(uint32_t key);
  void find_disorder();
  void find_intermediate_reads();
  void find_lost_updates();
  void found(std::string_view name, std::vector<uint32_t> txns, std::string text);

  const History& history_;
  std::vector<Key> keys_;
  std::unordered_map<std::string_view, uint32_t> key_ids_;
  std::vector<Element> elements_;
  std::vector<Read> reads_;
  std::vector<FullRead> own_reads_;  // With elements of the reader's own at the end.
  std::vector<uint32_t> table_;      // Elements by key and value.
  std::vector<bool> certain_;
  std::vector<Local> locals_;
  size_t locals_used_ = 0;
  Findings findings_;
  std::string unusable_;
};

}  // namespace seatrial::checkers
