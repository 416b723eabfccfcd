#include "checkers/bank.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

namespace seatrial::checkers {
namespace {

using Balances = std::map<std::string_view, Value>;  // By account.

bool is_exec_of(const Operation& operation, std::string_view function) {
  return operation.function == Function::kExec && !operation.argument.items().empty() &&
         std::ranges::all_of(operation.argument.items(), [&](const Value& command) {
           return command.items()[0].as_text() == function;
         });
}

std::optional<int64_t> parse_balance(const Value& value) {
  if (value.is_integer()) return value.as_integer();
  if (!value.is_text()) return std::nullopt;
  const std::string_view text = value.as_text();
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool ends = end == text.data() + text.size() || *end == ':';
  return error == std::errc() && ends ? std::optional(number) : std::nullopt;
}

// The accounts as their opening wrote them.
Balances opened(const Operation& opening) {
  Balances accounts;
  for (const Value& command : opening.argument.items()) {
    accounts[command.items()[1].as_text()] = command.items()[2];
  }
  return accounts;
}

// What an audit read; nullopt where the operation is none.
std::optional<Balances> audited(const Operation& operation, const Balances& accounts) {
  if (!operation.ok() || !operation.result.is_list() || !is_exec_of(operation, "get")) {
    return std::nullopt;
  }
  const std::span<const Value> commands = operation.argument.items();
  const std::span<const Value> results = operation.result.items();
  if (results.size() != commands.size()) return std::nullopt;
  Balances read;
  for (size_t i = 0; i < commands.size(); i++) {
    const std::string_view account = commands[i].items()[1].as_text();
    if (accounts.contains(account)) read[account] = results[i];
  }
  return read.size() == accounts.size() ? std::optional(read) : std::nullopt;
}

Verdict violation(const History& history, const Operation& opening, const Operation& audit,
                  std::string_view anomaly, std::string summary) {
  Verdict verdict;
  verdict.outcome = Outcome::kViolation;
  verdict.checker = "bank";
  verdict.anomaly = anomaly;
  verdict.summary = std::move(summary);
  verdict.explanation = {quote(history, opening), quote(history, audit)};
  verdict.operations = {audit.id};
  verdict.sub_history = {opening.id, audit.id};
  return verdict;
}

// The verdict on one audit; nullopt where it is right.
std::optional<Verdict> judge(const History& history, const Operation& opening,
                             const Operation& audit, const Balances& read, int64_t total) {
  const bool none =
      std::ranges::all_of(read, [](const auto& pair) { return pair.second.is_nil(); });
  if (none && !opening.precedes(audit)) return std::nullopt;
  int64_t sum = 0;
  for (const auto& [account, value] : read) {
    if (value.is_nil()) {
      return violation(history, opening, audit, "missing-account",
                       fmt::format("audit {} found no account {}", audit.id, account));
    }
    const std::optional<int64_t> balance = parse_balance(value);
    if (!balance || __builtin_add_overflow(sum, *balance, &sum)) {
      return violation(
          history, opening, audit, "garbage",
          fmt::format("audit {} read {} in account {}", audit.id, value.json(), account));
    }
  }
  if (sum == total) return std::nullopt;
  return violation(history, opening, audit, "wrong-total",
                   fmt::format("audit {} found a total of {}, the accounts opened with {}",
                               audit.id, sum, total));
}

}  // namespace

Verdict check_bank(const History& history, const Options&) {
  Verdict verdict;
  verdict.checker = "bank";
  const auto opening = std::ranges::find_if(history.operations(), [](const Operation& operation) {
    return !operation.failed() && is_exec_of(operation, "set");
  });
  if (opening == history.operations().end()) {
    verdict.summary = "no accounts were opened";
    return verdict;
  }
  const Balances accounts = opened(*opening);
  int64_t total = 0;
  for (const auto& [account, value] : accounts) {
    const std::optional<int64_t> balance = parse_balance(value);
    if (!balance || __builtin_add_overflow(total, *balance, &total)) {
      verdict.outcome = Outcome::kUndecided;
      verdict.summary =
          fmt::format("account {} opened with {}, which is no balance", account, value.json());
      return verdict;
    }
  }
  size_t audits = 0;
  for (const Operation& operation : history.operations()) {
    const std::optional<Balances> read = audited(operation, accounts);
    if (!read) continue;
    audits++;
    if (auto found = judge(history, *opening, operation, *read, total)) return *found;
  }
  verdict.summary =
      fmt::format("{} audits of {} accounts found the total of {}", audits, accounts.size(), total);
  return verdict;
}

}  // namespace seatrial::checkers
