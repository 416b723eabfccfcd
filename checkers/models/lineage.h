// The order of a store's writes through its crashes: for each life of the server the writes by
// their places, as answers and views show them, and how much of it the next life must begin with.
// See checkers/prefix.h for the rules.
//
// Invariant: what a life's order says of a place was shown by an answer of that life, by one of a
// later life that has inherited it, or by one of an earlier life that must have left it behind.
#pragma once

#include "checkers/history.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace seatrial::checkers {

struct PrefixFinding {
  std::string_view anomaly;
  std::string summary;
  std::vector<OperationId> operations;
};

// So much of the order somebody had seen at that time.
struct PrefixSight {
  size_t place = 0;
  const Operation* operation = nullptr;
};

// From a start to the next stop.
struct PrefixLife {
  enum class Log : uint8_t { kAlways, kEverySecond, kNo, kOff };

  size_t number = 0;
  Log log = Log::kAlways;
  Micros window{0};
  Micros late{0};
  uint32_t start_at = 0;  // Its event.
  Micros end{Micros::max()};
  bool power_lost = false;  // With its end, or later, before the next life started.
  bool all_kept = false;    // It came to an orderly end, and had everything made durable.
  bool saved_last = false;  // At that end it made a save.

  // Answered operations, by invocation.
  std::vector<const Operation*> answered;
  std::vector<const Operation*> views;
  // By place from 1 on; null: not known which.
  std::vector<const Operation*> order;
  std::vector<const Operation*> shown_by;  // Who says so.
  // Places that were inherited, at least and at most.
  size_t inherited_min = 0;
  size_t inherited_max = SIZE_MAX;
  const Operation* bounded_by = nullptr;  // Who shows that there were no more.
};

class Lineage {
 public:
  explicit Lineage(const History& history);

  // Puts everything together; stops at the first thing that cannot be.
  void trace();
  const std::optional<PrefixFinding>& finding() const { return finding_; }
  const std::vector<PrefixLife>& lives() const { return lives_; }
  // The life in which the operation was asked for; 0 where it was asked before the first start.
  size_t life_of(const Operation& operation) const;

  // How many writes an answer shows there were.
  static size_t place_of(const Operation& operation);

 private:
  void find(std::string_view anomaly, std::string summary, std::vector<OperationId> operations);
  void split_lives();
  static bool served(const PrefixLife& life);
  void learn_all();
  void carry_promises();
  void learn_answers(PrefixLife& life);
  void learn_order(PrefixLife& life, const Operation& view);
  void learn(PrefixLife& life, size_t place, const Operation& write, const Operation& shown_by);
  void check_write(const PrefixLife& life, size_t place, const Operation& write,
                   const Operation& shown_by);
  void check_unknown(size_t place, const Operation& write, const Operation& shown_by);
  void check_real_time(const PrefixLife& life);
  void bound_inheritance(PrefixLife& life);
  void carry_back(const PrefixLife& life, PrefixLife& before);
  void check_carried(const PrefixLife& before, size_t place, const Operation& write,
                     const Operation& shown_by);
  static void carry_forth(const PrefixLife& before, PrefixLife& life);
  void check_promise(const PrefixSight& promised, const PrefixLife& life);
  void remember(PrefixLife& life, const PrefixSight& promised);
  void remember_saves(const PrefixLife& life);
  // What `before` must leave behind; its place may be 0.
  PrefixSight promised(const PrefixLife& before) const;
  PrefixSight promised_by_time(const PrefixLife& before) const;
  static PrefixSight promised_by_end(const PrefixLife& before);

  const History& history_;
  std::optional<PrefixFinding> finding_;
  std::vector<PrefixLife> lives_;
  // What was acknowledged up to the life at hand, as far as it has inherited that, and how much of
  // it complete saves hold.
  std::vector<PrefixSight> sights_;
  PrefixSight saved_;
};

}  // namespace seatrial::checkers
