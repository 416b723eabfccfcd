// Step 4: strings as rows of bits.
#include "kv/command_table.h"
#include "kv/commands/string_range.h"
#include "kv/data/bits.h"
#include "kv/errors.h"
#include "kv/session.h"
#include "kv/state.h"
#include "resp/number.h"

#include <string>
#include <utility>
#include <vector>

namespace seatrial::kv {
namespace {

// False: an error was answered. With a width, "#3" stands for the fourth field of that width.
bool parse_offset(Context& context, std::string_view text, unsigned width, uint64_t& offset) {
  const bool counts_fields = width > 0 && text.starts_with('#');
  const auto number = resp::parse_integer(counts_fields ? text.substr(1) : text);
  int64_t bits = number.value_or(-1);
  const bool wide = counts_fields && __builtin_mul_overflow(bits, int64_t{width}, &bits);
  const bool refused =
      !context.session.obeyed() && bits / 8 >= context.state.config.proto_max_bulk_bytes;
  if (!number || wide || bits < 0 || refused) {
    context.reply.error("ERR bit offset is not an integer or out of range");
    return false;
  }
  offset = static_cast<uint64_t>(bits);
  return true;
}

// The bytes of a string, or none; good while the entry is as it is.
std::string_view bytes_of(const Entry* entry, NumberText& digits) {
  return entry == nullptr ? std::string_view() : entry->text(digits);
}

// Makes the string at least long enough to hold bit `last`, and lets `write` change its bytes.
template <typename Write>
void edit_bits(Context& context, Entry* entry, uint64_t last, Write write) {
  const std::string_view key = context.args[1];
  if (entry == nullptr) entry = context.database().insert(key, {}, std::nullopt);
  context.database().edit_text(entry, last / 8 + 1, write);
}

void setbit(Context& context) {
  uint64_t offset = 0;
  if (!parse_offset(context, context.args[2], 0, offset)) return;
  const bool bit = context.args[3] == "1";
  if (!bit && context.args[3] != "0") {
    return context.reply.error("ERR bit is not an integer or out of range");
  }
  bool wrong_type = false;
  Entry* const entry = context.find_string(context.args[1], wrong_type);
  if (wrong_type) return;
  NumberText digits;
  const std::string_view bytes = bytes_of(entry, digits);
  const bool old = bit_at(bytes, offset);
  // A string that grows is changed, even if it grows by zeros only.
  if (offset / 8 >= bytes.size() || old != bit) {
    edit_bits(context, entry, offset, [&](std::span<char> text) { set_bit(text, offset, bit); });
    context.changed(context.args[1]);
    context.propagate();
  }
  context.reply.integer(old ? 1 : 0);
}

void getbit(Context& context) {
  uint64_t offset = 0;
  if (!parse_offset(context, context.args[2], 0, offset)) return;
  bool wrong_type = false;
  const Entry* const entry = context.find_string(context.args[1], wrong_type);
  if (wrong_type) return;
  NumberText digits;
  context.reply.integer(bit_at(bytes_of(entry, digits), offset) ? 1 : 0);
}

// BYTE or BIT. False: neither, which was answered.
bool parse_unit(Context& context, std::string_view word, bool& in_bits) {
  in_bits = equals_ignoring_case(word, "bit");
  if (in_bits || equals_ignoring_case(word, "byte")) return true;
  context.reply.error(kSyntaxError);
  return false;
}

// The bits that a range means, which counts bits or bytes.
Span bit_span(int64_t first, int64_t last, bool in_bits, size_t bytes) {
  const auto length = static_cast<int64_t>(bytes);
  if (in_bits) return clamp_span(first, last, length * 8);
  const Span span = clamp_span(first, last, length);
  return span.empty() ? span : Span{span.first * 8, span.last * 8 + 7};
}

// BITCOUNT key [start end [BYTE | BIT]]
void bitcount(Context& context) {
  bool wrong_type = false;
  const Entry* const entry = context.find_string(context.args[1], wrong_type);
  if (wrong_type) return;
  if (entry == nullptr) return context.reply.integer(0);
  const size_t words = context.args.size();
  if (words == 3 || words > 5) return context.reply.error(kSyntaxError);
  NumberText digits;
  const std::string_view bytes = entry->text(digits);
  int64_t first = 0;
  int64_t last = -1;
  bool in_bits = false;
  if (words >= 4) {
    if (!context.integer(context.args[2], first) || !context.integer(context.args[3], last)) return;
    // Redis looks at the unit only if the range may hold something.
    if (first < 0 && last < 0 && first > last) return context.reply.integer(0);
    if (words == 5 && !parse_unit(context, context.args[4], in_bits)) return;
  }
  const Span span = bit_span(first, last, in_bits, bytes.size());
  if (span.empty()) return context.reply.integer(0);
  const uint64_t count =
      count_ones(bytes, static_cast<uint64_t>(span.first), static_cast<uint64_t>(span.last));
  context.reply.integer(static_cast<int64_t>(count));
}

// BITPOS key bit [start [end [BYTE | BIT]]]
void bitpos(Context& context) {
  int64_t bit = 0;
  if (!context.integer(context.args[2], bit)) return;
  if (bit != 0 && bit != 1) return context.reply.error("ERR The bit argument must be 1 or 0.");
  const Entry* const entry = context.find(context.args[1]);
  // A row of zeros without an end.
  if (entry == nullptr) return context.reply.integer(bit == 1 ? -1 : 0);
  if (entry->type() != Type::kString) return context.reply.error(kWrongType);
  const size_t words = context.args.size();
  if (words > 6) return context.reply.error(kSyntaxError);
  int64_t first = 0;
  int64_t last = -1;
  bool in_bits = false;
  if (words >= 4 && !context.integer(context.args[3], first)) return;
  if (words == 6 && !parse_unit(context, context.args[5], in_bits)) return;
  const bool ends = words >= 5;
  if (ends && !context.integer(context.args[4], last)) return;
  NumberText digits;
  const std::string_view bytes = entry->text(digits);
  const Span span = bit_span(first, last, in_bits, bytes.size());
  if (span.empty()) return context.reply.integer(-1);
  const auto found = find_bit(bytes, bit == 1, static_cast<uint64_t>(span.first),
                              static_cast<uint64_t>(span.last));
  if (found) return context.reply.integer(static_cast<int64_t>(*found));
  // If no end was named, zeros follow.
  context.reply.integer(bit == 0 && !ends ? span.last + 1 : -1);
}

bool parse_bit_operation(std::string_view word, BitOperation& operation) {
  constexpr std::pair<std::string_view, BitOperation> kNames[] = {{"and", BitOperation::kAnd},
                                                                  {"or", BitOperation::kOr},
                                                                  {"xor", BitOperation::kXor},
                                                                  {"not", BitOperation::kNot}};
  for (const auto& [name, named] : kNames) {
    if (!equals_ignoring_case(word, name)) continue;
    operation = named;
    return true;
  }
  return false;
}

// BITOP operation destination key [key ...]
void bitop(Context& context) {
  BitOperation operation{};
  if (!parse_bit_operation(context.args[1], operation)) return context.reply.error(kSyntaxError);
  const resp::Args keys = context.args.subspan(3);
  if (operation == BitOperation::kNot && keys.size() != 1) {
    return context.reply.error("ERR BITOP NOT must be called with a single source key.");
  }
  std::vector<NumberText> digits(keys.size());
  std::vector<std::string_view> sources;
  for (size_t i = 0; i < keys.size(); ++i) {
    bool wrong_type = false;
    const Entry* const entry = context.find_string(keys[i], wrong_type);
    if (wrong_type) return;
    sources.push_back(bytes_of(entry, digits[i]));
  }
  const std::string result = combine_bits(operation, sources);
  const std::string_view target = context.args[2];
  Entry* const old = context.find(target);
  if (result.empty() && old != nullptr) {
    context.state.keyspace.erase(context.database_index(), target);
    context.propagate();
  } else if (!result.empty()) {
    if (old == nullptr) {
      context.database().insert(target, result, std::nullopt);
    } else {
      context.database().assign(old, result, std::nullopt);
    }
    context.changed(target);
    context.propagate();
  }
  context.reply.integer(static_cast<int64_t>(result.size()));
}

// One of the things that a BITFIELD asks for.
struct FieldRequest {
  enum class Kind : uint8_t { kGet, kSet, kIncrement };
  Kind kind;
  Overflow overflow;
  BitField field;
  uint64_t offset;
  int64_t value;
};

// "i16" or "u8"; false: something else, which was answered.
bool parse_field(Context& context, std::string_view text, BitField& field) {
  const bool is_signed = text.starts_with('i');
  if (is_signed || text.starts_with('u')) {
    const int64_t width = resp::parse_integer(text.substr(1)).value_or(0);
    if (width >= 1 && width <= (is_signed ? 64 : 63)) {
      field = {is_signed, static_cast<unsigned>(width)};
      return true;
    }
  }
  context.reply.error(
      "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but "
      "i64 is.");
  return false;
}

bool parse_overflow(Context& context, std::string_view word, Overflow& overflow) {
  if (equals_ignoring_case(word, "wrap")) {
    overflow = Overflow::kWrap;
  } else if (equals_ignoring_case(word, "sat")) {
    overflow = Overflow::kSaturate;
  } else if (equals_ignoring_case(word, "fail")) {
    overflow = Overflow::kFail;
  } else {
    context.reply.error("ERR Invalid OVERFLOW type specified");
    return false;
  }
  return true;
}

// False: an error was answered.
bool parse_field_requests(Context& context, std::vector<FieldRequest>& requests) {
  const resp::Args args = context.args;
  Overflow overflow = Overflow::kWrap;
  for (size_t i = 2; i < args.size();) {
    const size_t left = args.size() - i - 1;
    if (equals_ignoring_case(args[i], "overflow") && left >= 1) {
      if (!parse_overflow(context, args[i + 1], overflow)) return false;
      i += 2;
      continue;
    }
    FieldRequest request{FieldRequest::Kind::kGet, overflow, {}, 0, 0};
    if (equals_ignoring_case(args[i], "set") && left >= 3) {
      request.kind = FieldRequest::Kind::kSet;
    } else if (equals_ignoring_case(args[i], "incrby") && left >= 3) {
      request.kind = FieldRequest::Kind::kIncrement;
    } else if (!equals_ignoring_case(args[i], "get") || left < 2) {
      context.reply.error(kSyntaxError);
      return false;
    }
    const bool writes = request.kind != FieldRequest::Kind::kGet;
    if (!parse_field(context, args[i + 1], request.field)) return false;
    if (!parse_offset(context, args[i + 2], request.field.width, request.offset)) return false;
    if (writes && !context.integer(args[i + 3], request.value)) return false;
    requests.push_back(request);
    i += writes ? 4 : 3;
  }
  return true;
}

// Carries out one request and answers it; whether the bytes are others now.
bool write_one_field(Context& context, std::span<char> bytes, const FieldRequest& request) {
  const int64_t old = read_field({bytes.data(), bytes.size()}, request.field, request.offset);
  if (request.kind == FieldRequest::Kind::kGet) {
    context.reply.integer(old);
    return false;
  }
  const bool adds = request.kind == FieldRequest::Kind::kIncrement;
  const auto fresh = adds ? add_in_field(request.field, old, request.value, request.overflow)
                          : fit_into_field(request.field, request.value, request.overflow);
  if (!fresh) {
    context.reply.null();
    return false;
  }
  context.reply.integer(adds ? *fresh : old);
  write_field(bytes, request.field, request.offset, *fresh);
  return *fresh != old;
}

void read_fields(Context& context, const Entry* entry, const std::vector<FieldRequest>& requests) {
  NumberText digits;
  const std::string_view bytes = bytes_of(entry, digits);
  context.reply.array(requests.size());
  for (const FieldRequest& request : requests) {
    context.reply.integer(read_field(bytes, request.field, request.offset));
  }
}

// Makes room for the farthest field first, as Redis does, whether or not it is then written.
void write_fields(Context& context, Entry* entry, const std::vector<FieldRequest>& requests) {
  uint64_t last = 0;
  for (const FieldRequest& request : requests) {
    if (request.kind == FieldRequest::Kind::kGet) continue;
    last = std::max(last, request.offset + request.field.width - 1);
  }
  bool changed = entry == nullptr || entry->text_length() <= last / 8;
  context.reply.array(requests.size());
  edit_bits(context, entry, last, [&](std::span<char> bytes) {
    for (const FieldRequest& request : requests)
      changed |= write_one_field(context, bytes, request);
  });
  if (!changed) return;
  context.changed(context.args[1]);
  context.propagate();
}

void answer_fields(Context& context, bool may_write) {
  std::vector<FieldRequest> requests;
  if (!parse_field_requests(context, requests)) return;
  bool writes = false;
  for (const FieldRequest& request : requests) writes |= request.kind != FieldRequest::Kind::kGet;
  if (writes && !may_write) {
    return context.reply.error("ERR BITFIELD_RO only supports the GET subcommand");
  }
  bool wrong_type = false;
  Entry* const entry = context.find_string(context.args[1], wrong_type);
  if (wrong_type) return;
  if (writes) return write_fields(context, entry, requests);
  read_fields(context, entry, requests);
}

void bitfield(Context& context) { answer_fields(context, true); }
void bitfield_ro(Context& context) { answer_fields(context, false); }

constexpr KeyRange kOneKey{1, 1, 1};

constexpr Command kCommands[] = {
    {"bitcount", bitcount, -2, kReadOnly, Group::kBitmap, "2.6.0", "Counts the ones in a string",
     kOneKey, "RO access"},
    {"bitfield", bitfield, -2, kWrite | kDenyOom, Group::kBitmap, "3.2.0",
     "Reads and writes numbers of any width", kOneKey, "RW access update variable_flags"},
    {"bitfield_ro", bitfield_ro, -2, kReadOnly | kFast, Group::kBitmap, "6.0.0",
     "Reads numbers of any width", kOneKey, "RO access"},
    {"bitop",
     bitop,
     -4,
     kWrite | kDenyOom,
     Group::kBitmap,
     "2.6.0",
     "Combines strings bit by bit",
     {2, -1, 1},
     "OW update | RO access"},
    {"bitpos", bitpos, -3, kReadOnly, Group::kBitmap, "2.8.7", "Finds the first one or zero",
     kOneKey, "RO access"},
    {"getbit", getbit, 3, kReadOnly | kFast, Group::kBitmap, "2.2.0", "Answers a bit", kOneKey,
     "RO access"},
    {"setbit", setbit, 4, kWrite | kDenyOom, Group::kBitmap, "2.2.0", "Sets or clears a bit",
     kOneKey, "RW access update"},
};

}  // namespace

std::span<const Command> bit_commands() { return kCommands; }

}  // namespace seatrial::kv
