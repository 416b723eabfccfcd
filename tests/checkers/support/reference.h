// The slow and obvious judge: walks over the events of a tiny history and keeps every state that
// a correct store could be in, over all keys at once. Between two events any open operation may
// take effect and any deadline that can have passed may strike.
//
// Shares nothing with the checkers but the history.
#pragma once

#include "tests/checkers/support/store.h"

#include <set>
#include <vector>

namespace seatrial::checkers {

class Reference {
 public:
  // At most 32 operations.
  explicit Reference(const History& history, Micros clock_skew = Micros(0))
      : history_(history), slack_(Micros(2000) + clock_skew) {
    CHECK(history.operations().size() <= 32);
    events_.resize(history.events());
    for (size_t i = 0; i < history.operations().size(); i++) {
      const Operation& operation = history.operations()[i];
      events_[operation.invoke_at] = {static_cast<int>(i), false, operation.invoke_time};
      if (operation.complete_at != kNeverAt) {
        events_[operation.complete_at] = {static_cast<int>(i), true, operation.complete_time};
      }
    }
  }

  // Whether some order explains the history.
  bool explains() {
    std::set<State> states = {State{}};
    for (const Event& event : events_) {
      states = at_event(saturate(states, event.time), event);
      if (states.empty()) return false;
      if (!event.completion) open_.push_back(event.operation);
    }
    return true;
  }

 private:
  struct State {
    uint32_t placed = 0;
    Store store;
    auto operator<=>(const State&) const = default;
  };
  struct Event {
    int operation = 0;
    bool completion = false;
    Micros time{0};
  };

  const Operation& op(int index) const { return history_.operations()[static_cast<size_t>(index)]; }

  // All states reachable in the gap that ends at `until`.
  std::set<State> saturate(const std::set<State>& from, Micros until) {
    std::set<State> reached = from;
    std::vector<State> work(from.begin(), from.end());
    const auto reach = [&](State state) {
      const auto [at, is_new] = reached.insert(std::move(state));
      if (is_new) work.push_back(*at);
    };
    while (!work.empty()) {
      const State state = std::move(work.back());
      work.pop_back();
      for (int index : open_) {
        if ((state.placed >> index & 1) != 0 || op(index).failed()) continue;
        State next = state;
        next.placed |= 1U << index;
        if (matches(op(index), next.store.perform(history_, op(index), index))) {
          reach(std::move(next));
        }
      }
      for (const auto& [key, entry] : state.store.data) {
        if (entry.owner < 0 || until < earliest_removal(entry.owner)) continue;
        State next = state;
        next.store.data.erase(key);
        reach(std::move(next));
      }
    }
    return reached;
  }

  // The states that agree with the event.
  std::set<State> at_event(const std::set<State>& from, const Event& event) {
    std::set<State> states;
    for (const State& state : from) {
      const bool answered = event.completion && op(event.operation).ok();
      if (answered && (state.placed >> event.operation & 1) == 0) continue;
      bool overdue = false;
      for (const auto& [key, entry] : state.store.data) {
        if (entry.owner >= 0 && event.time > latest_removal(entry.owner)) overdue = true;
      }
      if (!overdue) states.insert(state);
    }
    return states;
  }

  static bool matches(const Operation& operation, const Store::Reply& reply) {
    if (!operation.ok()) return true;
    if (operation.function == Function::kExec) {
      if (!reply.exec) return operation.result.is_nil();
      if (operation.result.is_nil()) return false;
      for (size_t i = 0; i < reply.exec->size(); i++) {
        if ((*reply.exec)[i] != answer_of(operation.result.items()[i])) return false;
      }
      return true;
    }
    const bool untold =
        operation.function == Function::kAppend && operation.result == Value::text("OK");
    return untold || reply.answer == answer_of(operation.result);
  }

  Micros px(int owner) const {
    return std::chrono::milliseconds(op(owner).argument.find("px")->as_integer());
  }
  Micros earliest_removal(int owner) const { return op(owner).invoke_time + px(owner) - slack_; }
  Micros latest_removal(int owner) const {
    if (!op(owner).ok()) return Micros::max();
    return op(owner).complete_time + px(owner) + slack_;
  }

  const History& history_;
  Micros slack_;
  std::vector<Event> events_;
  std::vector<int> open_;
};

}  // namespace seatrial::checkers
