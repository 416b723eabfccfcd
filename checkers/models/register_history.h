// What a history of read-write-register transactions says about its versions: who wrote and who
// read each, and what contradicts itself without a cycle.
//
// A version is a key with a value. Its order among others is known only by those who read it and
// then wrote the key: they stand behind it.
#pragma once

#include "base/random.h"
#include "checkers/graph/anomaly.h"
#include "checkers/history.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace seatrial::checkers {

// A transaction is the index of its operation in the history.
class RegisterHistory {
 public:
  struct Version {
    uint32_t key;
    Value value;                         // Nil: absent, before any write.
    std::vector<uint32_t> writers;       // Of the final value of a transaction.
    std::vector<uint32_t> intermediate;  // Wrote it, and then another one.
    std::vector<uint32_t> failed;        // Would have written it.
    std::vector<uint32_t> readers;       // Before they wrote the key themselves.
  };
  struct Key {
    std::string_view name;
    std::vector<uint32_t> writers;
  };

  explicit RegisterHistory(const History& history);

  const History& history() const { return history_; }
  const Operation& operation(uint32_t txn) const { return history_.operations()[txn]; }
  std::span<const Key> keys() const { return keys_; }
  std::span<const Version> versions() const { return versions_; }
  // Whether it took effect: it answered, or somebody read what only it wrote.
  const std::vector<bool>& certain() const { return certain_; }
  bool writes(uint32_t txn, uint32_t key) const;
  // The one that wrote it; nullopt for nil, and where several did or none.
  std::optional<uint32_t> writer_of(const Version& version) const;
  const Findings& findings() const { return findings_; }

 private:
  struct Local {
    uint32_t key;
    std::optional<Value> known;
    std::optional<Value> written;
  };
  struct Named {
    uint32_t key;
    Value value;
    bool operator==(const Named&) const = default;
  };
  struct NamedHash {
    size_t operator()(const Named& named) const {
      return base::mix64(named.value.hash() ^ (uint64_t{named.key} << 32));
    }
  };

  void take(uint32_t txn);
  void read(uint32_t txn, Local& local, const Value& answer);
  void write(uint32_t txn, Local& local, const Value& value);
  Local& local_of(uint32_t key);
  uint32_t intern(std::string_view name);
  Version& version(uint32_t key, const Value& value);
  void judge_reads();
  void judge_read(const Version& version, uint32_t reader);
  void find_lost_updates();
  void found(std::string_view name, std::vector<uint32_t> txns, std::string text);

  const History& history_;
  std::vector<Key> keys_;
  std::unordered_map<std::string_view, uint32_t> key_ids_;
  std::vector<Version> versions_;
  std::unordered_map<Named, uint32_t, NamedHash> version_ids_;
  std::vector<bool> certain_;
  std::vector<Local> locals_;
  Findings findings_;
};

}  // namespace seatrial::checkers
