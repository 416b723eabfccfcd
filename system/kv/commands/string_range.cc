// Step 4: parts of strings: GETRANGE, SETRANGE, and what two strings have in common.
#include "kv/commands/string_range.h"

#include "base/check.h"
#include "kv/command_table.h"
#include "kv/errors.h"
#include "kv/session.h"
#include "kv/state.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

namespace seatrial::kv {
namespace {

void setrange(Context& context) {
  int64_t offset = 0;
  if (!context.integer(context.args[2], offset)) return;
  if (offset < 0) return context.reply.error("ERR offset is out of range");
  const std::string_view key = context.args[1];
  const std::string_view part = context.args[3];
  bool wrong_type = false;
  Entry* entry = context.find_string(key, wrong_type);
  if (wrong_type) return;
  if (part.empty()) {
    return context.reply.integer(entry == nullptr ? 0 : static_cast<int64_t>(entry->text_length()));
  }
  const auto begin = static_cast<size_t>(offset);
  if (!length_allowed(context, begin, part.size())) return;
  if (entry == nullptr) entry = context.database().insert(key, {}, std::nullopt);
  entry = context.database().edit_text(entry, begin + part.size(), [&](std::span<char> text) {
    std::memcpy(text.data() + begin, part.data(), part.size());
  });
  context.changed(key);
  context.propagate();
  context.reply.integer(static_cast<int64_t>(entry->text_length()));
}

void getrange(Context& context) {
  int64_t first = 0;
  int64_t last = 0;
  if (!context.integer(context.args[2], first)) return;
  if (!context.integer(context.args[3], last)) return;
  bool wrong_type = false;
  const Entry* const entry = context.find_string(context.args[1], wrong_type);
  if (wrong_type) return;
  if (entry == nullptr || (first < 0 && last < 0 && first > last)) return context.reply.bulk({});
  NumberText digits;
  const std::string_view text = entry->text(digits);
  const Span span = clamp_span(first, last, static_cast<int64_t>(text.size()));
  if (span.empty()) return context.reply.bulk({});
  context.reply.bulk(text.substr(static_cast<size_t>(span.first),
                                 static_cast<size_t>(span.last - span.first + 1)));
}

struct LcsOptions {
  bool length = false;           // LEN
  bool ranges = false;           // IDX
  bool with_lengths = false;     // WITHMATCHLEN
  int64_t match_length_min = 0;  // MINMATCHLEN
};

// False: an error was answered.
bool parse_lcs_options(Context& context, LcsOptions& options) {
  const resp::Args args = context.args;
  for (size_t i = 3; i < args.size(); ++i) {
    if (equals_ignoring_case(args[i], "idx")) {
      options.ranges = true;
    } else if (equals_ignoring_case(args[i], "len")) {
      options.length = true;
    } else if (equals_ignoring_case(args[i], "withmatchlen")) {
      options.with_lengths = true;
    } else if (equals_ignoring_case(args[i], "minmatchlen") && i + 1 < args.size()) {
      if (!context.integer(args[++i], options.match_length_min)) return false;
    } else {
      context.reply.error(kSyntaxError);
      return false;
    }
  }
  if (!options.ranges || !options.length) return true;
  context.reply.error("ERR If you want both the length and indexes, please just use IDX.");
  return false;
}

// Of each pair of beginnings of two strings, how long their longest common subsequence is.
class LcsTable {
 public:
  static uint64_t bytes(std::string_view a, std::string_view b) {
    return (a.size() + 1) * (b.size() + 1) * sizeof(uint32_t);
  }

  LcsTable(std::string_view a, std::string_view b)
      : a_(a), b_(b), row_(b.size() + 1), lengths_((a.size() + 1) * row_) {
    for (size_t i = 1; i <= a.size(); ++i) {
      uint32_t* const row = &lengths_[i * row_];
      const uint32_t* const above = row - row_;
      for (size_t j = 1; j <= b.size(); ++j) {
        row[j] = a[i - 1] == b[j - 1] ? above[j - 1] + 1 : std::max(above[j], row[j - 1]);
      }
    }
  }

  uint32_t length() const { return at(a_.size(), b_.size()); }

  // Calls with the positions of each byte in common, from the end to the beginning. Of several
  // subsequences it is the one that Redis finds.
  template <typename Match>
  void for_each_match(Match match) const {
    size_t i = a_.size();
    size_t j = b_.size();
    while (i > 0 && j > 0) {
      if (a_[i - 1] == b_[j - 1]) {
        --i;
        --j;
        match(i, j);
      } else if (at(i - 1, j) > at(i, j - 1)) {
        --i;
      } else {
        --j;
      }
    }
  }

 private:
  uint32_t at(size_t i, size_t j) const { return lengths_[i * row_ + j]; }

  std::string_view a_;
  std::string_view b_;
  size_t row_;
  std::vector<uint32_t> lengths_;
};

// Where the same bytes stand in both.
struct LcsRange {
  size_t a;
  size_t b;
  size_t length;
};

void answer_ends(resp::Writer& reply, size_t first, size_t length) {
  reply.array(2);
  reply.integer(static_cast<int64_t>(first));
  reply.integer(static_cast<int64_t>(first + length - 1));
}

void answer_ranges(resp::Writer& reply, const LcsTable& table, const LcsOptions& options) {
  std::vector<LcsRange> ranges;
  table.for_each_match([&](size_t a, size_t b) {
    const bool goes_on = !ranges.empty() && ranges.back().a == a + 1 && ranges.back().b == b + 1;
    if (goes_on) {
      ranges.back() = {a, b, ranges.back().length + 1};
    } else {
      ranges.push_back({a, b, 1});
    }
  });
  std::erase_if(ranges, [&](const LcsRange& range) {
    return static_cast<int64_t>(range.length) < options.match_length_min;
  });
  reply.map(2);
  reply.bulk("matches");
  reply.array(ranges.size());
  for (const LcsRange& range : ranges) {
    reply.array(options.with_lengths ? 3 : 2);
    answer_ends(reply, range.a, range.length);
    answer_ends(reply, range.b, range.length);
    if (options.with_lengths) reply.integer(static_cast<int64_t>(range.length));
  }
  reply.bulk("len");
  reply.integer(table.length());
}

void lcs(Context& context) {
  const Entry* const first = context.find(context.args[1]);
  const Entry* const second = context.find(context.args[2]);
  for (const Entry* const entry : {first, second}) {
    if (entry != nullptr && entry->type() != Type::kString) {
      return context.reply.error("ERR The specified keys must contain string values");
    }
  }
  LcsOptions options;
  if (!parse_lcs_options(context, options)) return;
  NumberText first_digits;
  NumberText second_digits;
  const std::string_view a = first == nullptr ? "" : first->text(first_digits);
  const std::string_view b = second == nullptr ? "" : second->text(second_digits);
  constexpr size_t kLengthMax = UINT32_MAX - 2;
  if (a.size() > kLengthMax || b.size() > kLengthMax) {
    return context.reply.error("ERR String too long for LCS");
  }
  if (LcsTable::bytes(a, b) > static_cast<uint64_t>(context.state.config.proto_max_bulk_bytes)) {
    return context.reply.error(
        "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
  }
  const LcsTable table(a, b);
  if (options.ranges) return answer_ranges(context.reply, table, options);
  if (options.length) return context.reply.integer(table.length());
  std::string common;
  table.for_each_match([&](size_t i, size_t) { common += a[i]; });
  std::ranges::reverse(common);
  context.reply.bulk(common);
}

constexpr KeyRange kOneKey{1, 1, 1};

constexpr Command kCommands[] = {
    {"getrange", getrange, 4, kReadOnly, Group::kString, "2.4.0", "Answers a part of a string",
     kOneKey, "RO access"},
    {"lcs",
     lcs,
     -3,
     kReadOnly,
     Group::kString,
     "7.0.0",
     "Finds the longest subsequence that two strings have in common",
     {1, 2, 1},
     "RO access"},
    {"setrange", setrange, 4, kWrite | kDenyOom, Group::kString, "2.2.0",
     "Overwrites a part of a string", kOneKey, "RW update"},
    {"substr", getrange, 4, kReadOnly, Group::kString, "1.0.0",
     "Answers a part of a string; GETRANGE in its older form", kOneKey, "RO access"},
};

}  // namespace

bool length_allowed(Context& context, uint64_t offset, size_t added) {
  const auto limit = static_cast<uint64_t>(
      context.session.obeyed() ? INT64_MAX : context.state.config.proto_max_bulk_bytes);
  uint64_t length = 0;
  if (!__builtin_add_overflow(offset, added, &length) && length <= limit) return true;
  context.reply.error(kStringTooLong);
  return false;
}

Span clamp_span(int64_t first, int64_t last, int64_t length) {
  CHECK(length >= 0);
  if (first < 0) first = std::max<int64_t>(first + length, 0);
  if (last < 0) last = std::max<int64_t>(last + length, 0);
  return {first, std::min(last, length - 1)};
}

std::span<const Command> string_range_commands() { return kCommands; }

}  // namespace seatrial::kv
