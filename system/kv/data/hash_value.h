// A hash: fields with their values. Compact as a listpack of field, value, field, value...; else a
// table.
#pragma once

#include "base/random.h"
#include "kv/data/collection.h"
#include "kv/data/dict.h"
#include "kv/data/listpack.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace seatrial::kv {

// A field and its value in one block of memory.
class Field {
 public:
  struct Free {
    void operator()(Field* field) const;
  };
  using Owner = std::unique_ptr<Field, Free>;

  static Owner make(std::string_view name, std::string_view value);

  std::string_view name() const { return {text(), name_length_}; }
  std::string_view value() const { return {text() + name_length_, value_length_}; }
  size_t bytes() const { return bytes_of(name_length_, value_length_); }
  // False: another block is needed.
  bool assign(std::string_view value);

 private:
  static size_t bytes_of(size_t name, size_t value);

  // The name and then the value, behind this.
  const char* text() const { return reinterpret_cast<const char*>(this + 1); }
  char* text() { return reinterpret_cast<char*>(this + 1); }

  uint32_t name_length_ = 0;
  uint32_t value_length_ = 0;
};

struct FieldName {
  std::string_view operator()(const Field& field) const { return field.name(); }
};

class HashValue final : public Collection {
 public:
  explicit HashValue(uint64_t seed) : seed_(seed) {}
  // As an RDB has it; one that is above the limits becomes a table. nullptr: a field stands there
  // twice, or has no value.
  static std::unique_ptr<HashValue> from_listpack(uint64_t seed, Listpack pairs,
                                                  const CompactLimits& limits);
  ~HashValue() override;

  Type type() const override { return Type::kHash; }
  std::string_view encoding() const override { return table_ ? "hashtable" : "listpack"; }
  size_t size() const override { return table_ ? table_->size() : pairs_.size() / 2; }
  std::unique_ptr<Collection> copy() const override;
  size_t bytes() const override;

  // The view is good until the hash changes or `digits` goes.
  std::optional<std::string_view> find(std::string_view name, NumberText& digits) const;
  // Whether the field was not there.
  bool set(std::string_view name, std::string_view value, const CompactLimits& limits);
  bool erase(std::string_view name);

  // visit(name, value); in the order in which fields came while it is compact.
  template <typename Visit>
  void for_each(Visit visit) const {
    if (table_) {
      table_->for_each([&](const Field* field) { visit(field->name(), field->value()); });
      return;
    }
    for (auto at = pairs_.begin(); at != pairs_.end();) {
      NumberText name_digits;
      NumberText value_digits;
      const auto value_at = pairs_.next(at);
      visit(pairs_.get(at).text(name_digits), pairs_.get(value_at).text(value_digits));
      at = pairs_.next(value_at);
    }
  }
  // As Dict::scan(); a compact one is visited whole.
  template <typename Visit>
  uint64_t scan(uint64_t cursor, Visit visit) const {
    if (table_) {
      return table_->scan(cursor,
                          [&](const Field* field) { visit(field->name(), field->value()); });
    }
    for_each(visit);
    return 0;
  }
  // visit(name, value) of some field; it is not empty.
  template <typename Visit>
  void sample(base::RandomStream& random, Visit visit) const {
    if (table_) {
      const Field& field = *table_->sample(random);
      return visit(field.name(), field.value());
    }
    NumberText name_digits;
    NumberText value_digits;
    const auto at = pairs_.at(static_cast<int64_t>(2 * random.below(size())));
    visit(pairs_.get(at).text(name_digits), pairs_.get(pairs_.next(at)).text(value_digits));
  }

  // nullptr: it is a table.
  const Listpack* listpack() const { return table_ ? nullptr : &pairs_; }

 private:
  using Table = Dict<Field, FieldName>;

  HashValue(const HashValue& other);
  bool set_in_table(std::string_view name, std::string_view value);
  void become_table();

  uint64_t seed_;
  Listpack pairs_;  // While table_ is null.
  std::unique_ptr<Table> table_;
  size_t field_bytes_ = 0;
};

}  // namespace seatrial::kv
