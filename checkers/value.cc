#include "checkers/value.h"

#include "base/check.h"
#include "base/random.h"

#include <fmt/format.h>

#include <algorithm>

namespace seatrial::checkers {
namespace {

// Length of the UTF-8 character at the front of `text`, or 0 where there is none.
size_t utf8_length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  const size_t length = lead < 0x80   ? 1
                        : lead < 0xc2 ? 0
                        : lead < 0xe0 ? 2
                        : lead < 0xf0 ? 3
                        : lead < 0xf5 ? 4
                                      : 0;
  if (length == 0 || length > text.size()) return 0;
  for (size_t i = 1; i < length; i++) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, and what lies above U+10FFFF.
  if (lead == 0xe0 && byte(1) < 0xa0) return 0;
  if (lead == 0xed && byte(1) > 0x9f) return 0;
  if (lead == 0xf0 && byte(1) < 0x90) return 0;
  if (lead == 0xf4 && byte(1) > 0x8f) return 0;
  return length;
}

}  // namespace

Value Value::integer(int64_t number) {
  Value value;
  value.kind_ = Kind::kInteger;
  value.integer_ = number;
  return value;
}

Value Value::text(std::string_view text) {
  CHECK(text.size() < std::numeric_limits<uint32_t>::max());
  Value value;
  value.kind_ = Kind::kText;
  value.text_ = text.data();
  value.size_ = static_cast<uint32_t>(text.size());
  return value;
}

Value Value::list(std::span<const Value> items) {
  CHECK(items.size() < std::numeric_limits<uint32_t>::max());
  Value value;
  value.kind_ = Kind::kList;
  value.items_ = items.data();
  value.size_ = static_cast<uint32_t>(items.size());
  return value;
}

Value Value::object(std::span<const Value> names_and_values) {
  CHECK(names_and_values.size() % 2 == 0);
  for (size_t i = 0; i < names_and_values.size(); i += 2) {
    CHECK(i == 0 || names_and_values[i - 2].as_text() < names_and_values[i].as_text());
  }
  Value value = list(names_and_values);
  value.kind_ = Kind::kObject;
  return value;
}

int64_t Value::as_integer() const {
  CHECK(is_integer());
  return integer_;
}

std::string_view Value::as_text() const {
  CHECK(is_text());
  return {text_, size_};
}

std::span<const Value> Value::items() const {
  CHECK(is_list() || is_object());
  return {items_, size_};
}

const Value* Value::find(std::string_view name) const {
  CHECK(is_object());
  for (uint32_t i = 0; i < size_; i += 2) {
    if (items_[i].as_text() == name) return &items_[i + 1];
  }
  return nullptr;
}

Value Value::copy_to(Arena& arena) const {
  switch (kind_) {
    case Kind::kNil:
    case Kind::kInteger: return *this;
    case Kind::kText: return text(arena.copy(as_text()));
    case Kind::kList:
    case Kind::kObject: break;
  }
  std::span<Value> copies = arena.make<Value>(size_);
  for (uint32_t i = 0; i < size_; i++) copies[i] = items_[i].copy_to(arena);
  Value value = *this;
  value.items_ = copies.data();
  return value;
}

void append_json_text(std::string_view text, std::string& out) {
  out += '"';
  while (!text.empty()) {
    const char c = text.front();
    const size_t length = utf8_length(text);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (length == 0 || static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  out += '"';
}

void Value::append_json(std::string& out) const {
  switch (kind_) {
    case Kind::kNil: out += "null"; return;
    case Kind::kInteger: fmt::format_to(std::back_inserter(out), "{}", integer_); return;
    case Kind::kText: append_json_text(as_text(), out); return;
    case Kind::kList: out += '['; break;
    case Kind::kObject: out += '{'; break;
  }
  for (uint32_t i = 0; i < size_; i++) {
    if (i > 0) out += is_object() && i % 2 == 1 ? ':' : ',';
    items_[i].append_json(out);
  }
  out += is_object() ? '}' : ']';
}

std::string Value::json() const {
  std::string out;
  append_json(out);
  return out;
}

uint64_t Value::hash() const {
  uint64_t hash = base::mix64(static_cast<uint64_t>(kind_) * 0x9e37U + size_);
  switch (kind_) {
    case Kind::kNil: break;
    case Kind::kInteger: hash = base::mix64(hash ^ static_cast<uint64_t>(integer_)); break;
    case Kind::kText: hash = base::mix64(hash ^ base::hash_name(as_text())); break;
    case Kind::kList:
    case Kind::kObject:
      for (const Value& item : items()) hash = base::mix64(hash ^ item.hash());
      break;
  }
  return hash;
}

bool operator==(const Value& a, const Value& b) {
  if (a.kind_ != b.kind_ || a.size_ != b.size_) return false;
  switch (a.kind_) {
    case Value::Kind::kNil: return true;
    case Value::Kind::kInteger: return a.integer_ == b.integer_;
    case Value::Kind::kText: return a.as_text() == b.as_text();
    case Value::Kind::kList:
    case Value::Kind::kObject: break;
  }
  return std::ranges::equal(a.items(), b.items());
}

}  // namespace seatrial::checkers
