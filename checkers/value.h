// A value of a history: nil, an integer, a text, a list or an object. Sixteen bytes, trivially
// copied: texts and items live elsewhere, in a history's arena or in the caller's hands until
// the history has copied them.
//
// Invariants: an object's names are texts, in ascending order, each once.
#pragma once

#include "checkers/arena.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace seatrial::checkers {

class Value {
 public:
  enum class Kind : uint8_t { kNil, kInteger, kText, kList, kObject };

  constexpr Value() : integer_(0) {}
  static Value integer(int64_t number);
  static Value text(std::string_view text);
  static Value list(std::span<const Value> items);
  // Name, value, name, value...
  static Value object(std::span<const Value> names_and_values);

  Kind kind() const { return kind_; }
  bool is_nil() const { return kind_ == Kind::kNil; }
  bool is_integer() const { return kind_ == Kind::kInteger; }
  bool is_text() const { return kind_ == Kind::kText; }
  bool is_list() const { return kind_ == Kind::kList; }
  bool is_object() const { return kind_ == Kind::kObject; }

  // Each is to be asked only of its own kind.
  int64_t as_integer() const;
  std::string_view as_text() const;
  std::span<const Value> items() const;
  // The member of that name, or null where there is none.
  const Value* find(std::string_view name) const;

  // The same value with everything it refers to copied into `arena`.
  Value copy_to(Arena& arena) const;

  // As JSON, always the same bytes. Bytes that are not UTF-8 come out as \u00XX: a damaged
  // answer is still written down, and still differs from every sound one.
  void append_json(std::string& out) const;
  std::string json() const;

  uint64_t hash() const;
  friend bool operator==(const Value& a, const Value& b);

 private:
  union {
    int64_t integer_;
    const char* text_;
    const Value* items_;
  };
  uint32_t size_ = 0;
  Kind kind_ = Kind::kNil;
};

static_assert(sizeof(Value) == 16);

// `text` as a JSON string, quotes included.
void append_json_text(std::string_view text, std::string& out);

// For unordered containers.
struct ValueHash {
  size_t operator()(const Value& value) const { return value.hash(); }
};

}  // namespace seatrial::checkers
