// A sequential store with the meaning of every function, as plainly as possible: what histories
// are generated from and what the reference judges by.
#pragma once

#include "base/check.h"
#include "checkers/history.h"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace seatrial::checkers {

// Values as texts: 7 and "7" are the same.
inline std::string text_of(const Value& value) {
  return value.is_integer() ? std::to_string(value.as_integer()) : std::string(value.as_text());
}
inline std::optional<std::string> answer_of(const Value& value) {
  if (value.is_nil()) return std::nullopt;
  return text_of(value);
}

struct Store {
  using Answer = std::optional<std::string>;

  struct Entry {
    std::string value;
    int owner = -1;  // The operation whose set gave the deadline in force.
    auto operator<=>(const Entry&) const = default;
  };
  struct Reply {
    Answer answer;                            // Of one command.
    std::optional<std::vector<Answer>> exec;  // Of exec; nullopt: aborted.
  };

  std::map<std::string, Entry> data;  // Absent keys are not in it.
  std::map<std::string, int> versions;
  std::map<ProcessId, std::map<std::string, int>> watches;
  auto operator<=>(const Store&) const = default;

  Reply perform(const History& history, const Operation& operation, int index) {
    if (operation.function == Function::kExec) return {std::nullopt, exec(operation)};
    if (operation.function == Function::kWatch) {
      for (const Value& key : operation.argument.items()) {
        const std::string name(key.as_text());
        watches[operation.process].try_emplace(name, versions[name]);
      }
      return {"OK", std::nullopt};
    }
    const std::string key(history.key_name(operation.key));
    return {run(operation.function, key, operation.argument, index), std::nullopt};
  }

  std::optional<std::vector<Answer>> exec(const Operation& operation) {
    const std::map<std::string, int> watched = watches[operation.process];
    watches.erase(operation.process);
    for (const auto& [key, version] : watched) {
      if (versions[key] != version) return std::nullopt;
    }
    std::vector<Answer> answers;
    for (const Value& command : operation.argument.items()) {
      const std::span<const Value> words = command.items();
      const bool is_set = words[0].as_text() == "set";
      answers.push_back(run(is_set ? Function::kSet : Function::kGet,
                            std::string(words[1].as_text()), is_set ? words[2] : Value(), -1));
    }
    return answers;
  }

  Answer run(Function function, const std::string& key, const Value& argument, int index) {
    const auto found = data.find(key);
    const bool present = found != data.end();
    const Answer before = present ? Answer(found->second.value) : std::nullopt;
    const int owner = present ? found->second.owner : -1;
    const auto put = [&](const std::string& value, int deadline_owner) {
      data[key] = {value, deadline_owner};
      versions[key]++;
    };
    switch (function) {
      case Function::kGet: return before;
      case Function::kSet:
        if (argument.is_object()) {
          put(text_of(*argument.find("v")), index);
        } else {
          put(text_of(argument), -1);
        }
        return "OK";
      case Function::kGetset: put(text_of(argument), -1); return before;
      case Function::kCas:
        if (before != answer_of(argument.items()[0])) return "0";
        put(text_of(argument.items()[1]), -1);
        return "1";
      case Function::kDel:
        if (!present) return "0";
        data.erase(key);
        versions[key]++;
        return "1";
      case Function::kIncr: {
        const std::string value = std::to_string(std::stoll(before.value_or("0")) + 1);
        put(value, owner);
        return value;
      }
      case Function::kAppend: {
        const std::string value = before.value_or("") + text_of(argument);
        put(value, owner);
        return std::to_string(value.size());
      }
      default: break;
    }
    UNREACHABLE("function {}", to_string(function));
  }
};

}  // namespace seatrial::checkers
