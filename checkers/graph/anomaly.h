// What is wrong with a history of transactions: one finding, with its reasons.
#pragma once

#include "checkers/graph/dependency_graph.h"
#include "checkers/history.h"
#include "checkers/sentence.h"

#include <string>
#include <vector>

namespace seatrial::checkers {

struct Anomaly {
  std::string name;  // "G-single", "lost-update"...
  std::vector<const Operation*> operations;
  std::vector<Sentence> explanation;
  std::vector<Edge> cycle;  // Of operations by their index; empty where it is none.
};

// Keeps the first finding of each name; the others are only counted.
class Findings {
 public:
  void add(Anomaly anomaly) {
    for (size_t i = 0; i < all_.size(); i++) {
      if (all_[i].name != anomaly.name) continue;
      more_[i]++;
      return;
    }
    all_.push_back(std::move(anomaly));
    more_.push_back(0);
  }
  bool has(std::string_view name) const {
    for (const Anomaly& anomaly : all_) {
      if (anomaly.name == name) return true;
    }
    return false;
  }
  bool empty() const { return all_.empty(); }
  const std::vector<Anomaly>& all() const { return all_; }
  // How many of the i-th one's name were found beside it.
  size_t more(size_t i) const { return more_[i]; }

 private:
  std::vector<Anomaly> all_;
  std::vector<size_t> more_;
};

}  // namespace seatrial::checkers
