// A set. Compact as sorted numbers while all members are whole numbers and few enough; else a
// table.
#pragma once

#include "base/random.h"
#include "kv/data/collection.h"
#include "kv/data/dict.h"
#include "kv/data/int_set.h"

#include <cstdint>
#include <memory>
#include <string_view>

namespace seatrial::kv {

// A member in one block of memory.
class Member {
 public:
  struct Free {
    void operator()(Member* member) const;
  };
  using Owner = std::unique_ptr<Member, Free>;

  static Owner make(std::string_view text);

  // Behind this.
  std::string_view text() const { return {reinterpret_cast<const char*>(this + 1), length_}; }
  size_t bytes() const { return bytes_of(length_); }

 private:
  static size_t bytes_of(size_t length) { return (sizeof(Member) + length + 7) & ~size_t{7}; }

  uint32_t length_ = 0;
};

struct MemberText {
  std::string_view operator()(const Member& member) const { return member.text(); }
};

class SetValue final : public Collection {
 public:
  explicit SetValue(uint64_t seed) : seed_(seed) {}
  // As an RDB has it; one of more than so many becomes a table.
  static std::unique_ptr<SetValue> from_int_set(uint64_t seed, IntSet numbers, size_t numbers_max);
  ~SetValue() override;

  Type type() const override { return Type::kSet; }
  std::string_view encoding() const override { return table_ ? "hashtable" : "intset"; }
  size_t size() const override { return table_ ? table_->size() : numbers_.size(); }
  std::unique_ptr<Collection> copy() const override;
  size_t bytes() const override;

  bool contains(std::string_view member) const;
  // Whether it was not there. More than `numbers_max` numbers are kept as a table.
  bool add(std::string_view member, size_t numbers_max);
  // Whether it was there.
  bool erase(std::string_view member);

  // visit(member); numbers come in order while it is compact.
  template <typename Visit>
  void for_each(Visit visit) const {
    if (table_) {
      table_->for_each([&](const Member* member) { visit(member->text()); });
      return;
    }
    for (size_t i = 0; i < numbers_.size(); i++) visit_number(i, visit);
  }
  // As Dict::scan(); a compact one is visited whole.
  template <typename Visit>
  uint64_t scan(uint64_t cursor, Visit visit) const {
    if (table_) {
      return table_->scan(cursor, [&](const Member* member) { visit(member->text()); });
    }
    for_each(visit);
    return 0;
  }
  // visit(member) of some member; it is not empty.
  template <typename Visit>
  void sample(base::RandomStream& random, Visit visit) const {
    if (table_) return visit(table_->sample(random)->text());
    visit_number(random.below(size()), visit);
  }

  // nullptr: it is a table.
  const IntSet* int_set() const { return table_ ? nullptr : &numbers_; }

 private:
  using Table = Dict<Member, MemberText>;

  SetValue(const SetValue& other);
  bool add_to_table(std::string_view member);
  void become_table();
  std::string_view number_text(size_t index, NumberText& digits) const;
  template <typename Visit>
  void visit_number(size_t index, Visit& visit) const {
    NumberText digits;
    visit(number_text(index, digits));
  }

  uint64_t seed_;
  IntSet numbers_;  // While table_ is null.
  std::unique_ptr<Table> table_;
  size_t member_bytes_ = 0;
};

}  // namespace seatrial::kv
