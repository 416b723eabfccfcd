// Tiny literal histories of transactions, in JSON as files have them.
#pragma once

#include "checkers/hjl.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace seatrial::checkers {

// Operations are numbered from 0 on in the order of their invocation.
//   TxnScript("appendtxn").invoke(0, R"([["rpush","x",1]])").ok(0, "[1]").history()
class TxnScript {
 public:
  explicit TxnScript(std::string_view type)
      : text_(fmt::format("{{\"hdr\":\"hjl/1\",\"type\":\"{}\"}}\n", type)) {}

  TxnScript& invoke(int process, std::string_view commands) {
    open_[process] = next_;
    return line(process, next_++, "invoke", fmt::format(",\"f\":\"exec\",\"a\":{}", commands));
  }
  TxnScript& ok(int process, std::string_view answers) {
    return line(process, open_[process], "ok", fmt::format(",\"r\":{}", answers));
  }
  TxnScript& fail(int process) { return line(process, open_[process], "fail", ""); }
  TxnScript& info(int process) { return line(process, open_[process], "info", ""); }
  TxnScript& txn(int process, std::string_view commands, std::string_view answers) {
    return invoke(process, commands).ok(process, answers);
  }
  // All open together, each of a process of its own, from 0 on.
  TxnScript& together(
      const std::vector<std::pair<std::string_view, std::string_view>>& transactions) {
    for (size_t i = 0; i < transactions.size(); i++) {
      invoke(static_cast<int>(i), transactions[i].first);
    }
    for (size_t i = 0; i < transactions.size(); i++) {
      ok(static_cast<int>(i), transactions[i].second);
    }
    return *this;
  }

  History history() const {
    Result<History> history = read_hjl(text_);
    EXPECT_TRUE(history) << history.error().message() << "\n" << text_;
    return std::move(*history);
  }

 private:
  TxnScript& line(int process, int id, std::string_view event, std::string_view rest) {
    text_ += fmt::format("{{\"t\":{},\"p\":{},\"id\":{},\"e\":\"{}\"{}}}\n", time_++, process, id,
                         event, rest);
    return *this;
  }

  std::string text_;
  std::map<int, int> open_;
  int next_ = 0;
  int time_ = 0;
};

}  // namespace seatrial::checkers
