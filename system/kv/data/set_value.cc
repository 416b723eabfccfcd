#include "kv/data/set_value.h"

#include "base/check.h"
#include "resp/number.h"

#include <fmt/format.h>

#include <cstring>
#include <new>
#include <optional>
#include <utility>

namespace seatrial::kv {

Member::Owner Member::make(std::string_view text) {
  Owner member(new (::operator new(bytes_of(text.size()))) Member);
  member->length_ = static_cast<uint32_t>(text.size());
  if (!text.empty()) std::memcpy(member.get() + 1, text.data(), text.size());
  return member;
}

void Member::Free::operator()(Member* member) const { ::operator delete(member, member->bytes()); }

SetValue::~SetValue() {
  if (table_) table_->for_each([](Member* member) { Member::Owner owned(member); });
}

SetValue::SetValue(const SetValue& other)
    : Collection(other), seed_(other.seed_), numbers_(other.numbers_) {
  if (!other.table_) return;
  become_table();
  other.for_each([this](std::string_view member) { add_to_table(member); });
}

std::unique_ptr<Collection> SetValue::copy() const {
  return std::unique_ptr<SetValue>(new SetValue(*this));
}

std::unique_ptr<SetValue> SetValue::from_int_set(uint64_t seed, IntSet numbers,
                                                 size_t numbers_max) {
  auto set = std::make_unique<SetValue>(seed);
  set->numbers_ = std::move(numbers);
  if (set->size() > numbers_max) set->become_table();
  return set;
}

size_t SetValue::bytes() const {
  return sizeof(*this) + numbers_.bytes() +
         (table_ ? sizeof(Table) + table_->bytes() + member_bytes_ : 0);
}

bool SetValue::contains(std::string_view member) const {
  if (table_) return table_->peek(member) != nullptr;
  const auto number = resp::parse_integer(member);
  return number && numbers_.contains(*number);
}

bool SetValue::add(std::string_view member, size_t numbers_max) {
  const auto number = table_ ? std::nullopt : resp::parse_integer(member);
  if (!table_ && !number) become_table();
  if (table_) return add_to_table(member);
  if (!numbers_.insert(*number)) return false;
  if (numbers_.size() > numbers_max) become_table();
  return true;
}

bool SetValue::add_to_table(std::string_view member) {
  if (table_->find(member) != nullptr) return false;
  Member* const fresh = Member::make(member).release();
  member_bytes_ += fresh->bytes();
  table_->insert(fresh);
  return true;
}

bool SetValue::erase(std::string_view member) {
  if (table_) {
    const Member::Owner taken(table_->take(member));
    if (taken == nullptr) return false;
    member_bytes_ -= taken->bytes();
    return true;
  }
  const auto number = resp::parse_integer(member);
  return number && numbers_.erase(*number);
}

void SetValue::become_table() {
  CHECK(!table_);
  table_ = std::make_unique<Table>(seed_);
  const IntSet numbers = std::exchange(numbers_, IntSet());
  for (size_t i = 0; i < numbers.size(); i++) {
    const fmt::format_int text(numbers.at(i));
    add_to_table({text.data(), text.size()});
  }
}

std::string_view SetValue::number_text(size_t index, NumberText& digits) const {
  const fmt::format_int text(numbers_.at(index));
  std::memcpy(digits.bytes, text.data(), text.size());
  return {digits.bytes, text.size()};
}

}  // namespace seatrial::kv
