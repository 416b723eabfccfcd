#include "kv/data/hash_value.h"

#include "base/check.h"

#include <cstring>
#include <new>

namespace seatrial::kv {

size_t Field::bytes_of(size_t name, size_t value) {
  return (sizeof(Field) + name + value + 7) & ~size_t{7};
}

Field::Owner Field::make(std::string_view name, std::string_view value) {
  Owner field(new (::operator new(bytes_of(name.size(), value.size()))) Field);
  field->name_length_ = static_cast<uint32_t>(name.size());
  field->value_length_ = static_cast<uint32_t>(value.size());
  if (!name.empty()) std::memcpy(field->text(), name.data(), name.size());
  if (!value.empty()) std::memcpy(field->text() + name.size(), value.data(), value.size());
  return field;
}

void Field::Free::operator()(Field* field) const { ::operator delete(field, field->bytes()); }

bool Field::assign(std::string_view value) {
  if (bytes_of(name_length_, value.size()) != bytes()) return false;
  value_length_ = static_cast<uint32_t>(value.size());
  if (!value.empty()) std::memcpy(text() + name_length_, value.data(), value.size());
  return true;
}

HashValue::~HashValue() {
  if (table_) table_->for_each([](Field* field) { Field::Owner owned(field); });
}

HashValue::HashValue(const HashValue& other)
    : Collection(other), seed_(other.seed_), pairs_(other.pairs_) {
  if (!other.table_) return;
  become_table();
  other.for_each(
      [this](std::string_view name, std::string_view value) { set_in_table(name, value); });
}

std::unique_ptr<Collection> HashValue::copy() const {
  return std::unique_ptr<HashValue>(new HashValue(*this));
}

std::unique_ptr<HashValue> HashValue::from_listpack(uint64_t seed, Listpack pairs,
                                                    const CompactLimits& limits) {
  if (pairs.size() % 2 != 0) return nullptr;
  auto hash = std::make_unique<HashValue>(seed);
  hash->pairs_ = std::move(pairs);
  const size_t count = hash->size();
  // A table tells whether a field stands there twice.
  HashValue table(seed);
  table.become_table();
  bool within = count <= limits.entries;
  hash->for_each([&](std::string_view name, std::string_view value) {
    within = within && name.size() <= limits.value_bytes && value.size() <= limits.value_bytes;
    table.set_in_table(name, value);
  });
  if (table.size() != count) return nullptr;
  if (!within) hash->become_table();
  return hash;
}

size_t HashValue::bytes() const {
  return sizeof(*this) + pairs_.bytes() +
         (table_ ? sizeof(Table) + table_->bytes() + field_bytes_ : 0);
}

std::optional<std::string_view> HashValue::find(std::string_view name, NumberText& digits) const {
  if (table_) {
    // A look leaves the table as it is: its memory is counted where the hash is changed.
    const Field* const field = table_->peek(name);
    if (field == nullptr) return std::nullopt;
    return field->value();
  }
  const auto at = pairs_.find(name, pairs_.begin(), 1);
  if (at == pairs_.end()) return std::nullopt;
  return pairs_.get(pairs_.next(at)).text(digits);
}

bool HashValue::set(std::string_view name, std::string_view value, const CompactLimits& limits) {
  // Whatever the limits are, a listpack has a largest size.
  const bool fits =
      name.size() <= limits.value_bytes && value.size() <= limits.value_bytes &&
      pairs_.bytes() + Listpack::bytes_of(name) + Listpack::bytes_of(value) <= Listpack::kBytesMax;
  if (!table_ && !fits) become_table();
  if (table_) return set_in_table(name, value);
  if (const auto at = pairs_.find(name, pairs_.begin(), 1); at != pairs_.end()) {
    pairs_.replace(pairs_.next(at), value);
    return false;
  }
  pairs_.push_back(name);
  pairs_.push_back(value);
  if (size() > limits.entries) become_table();
  return true;
}

bool HashValue::set_in_table(std::string_view name, std::string_view value) {
  Field** const slot = table_->find(name);
  if (slot != nullptr && (*slot)->assign(value)) return false;
  Field* const fresh = Field::make(name, value).release();
  field_bytes_ += fresh->bytes();
  if (slot == nullptr) {
    table_->insert(fresh);
    return true;
  }
  const Field::Owner old(std::exchange(*slot, fresh));
  field_bytes_ -= old->bytes();
  return false;
}

bool HashValue::erase(std::string_view name) {
  if (table_) {
    const Field::Owner field(table_->take(name));
    if (field == nullptr) return false;
    field_bytes_ -= field->bytes();
    return true;
  }
  const auto at = pairs_.find(name, pairs_.begin(), 1);
  if (at == pairs_.end()) return false;
  pairs_.erase(at, 2);
  return true;
}

void HashValue::become_table() {
  CHECK(!table_);
  table_ = std::make_unique<Table>(seed_);
  const Listpack pairs = std::exchange(pairs_, Listpack());
  for (auto at = pairs.begin(); at != pairs.end();) {
    NumberText name_digits;
    NumberText value_digits;
    const auto value_at = pairs.next(at);
    set_in_table(pairs.get(at).text(name_digits), pairs.get(value_at).text(value_digits));
    at = pairs.next(value_at);
  }
}

}  // namespace seatrial::kv
