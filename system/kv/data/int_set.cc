#include "kv/data/int_set.h"

#include "base/check.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <limits>
#include <utility>

namespace seatrial::kv {
namespace {

static_assert(std::endian::native == std::endian::little, "intsets are little endian");

template <typename T>
T load(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <typename T>
void store(char* to, T value) {
  std::memcpy(to, &value, sizeof value);
}

template <typename T>
bool holds(int64_t number) {
  return number >= std::numeric_limits<T>::min() && number <= std::numeric_limits<T>::max();
}

size_t width_of(int64_t number) {
  if (holds<int16_t>(number)) return 2;
  return holds<int32_t>(number) ? 4 : 8;
}

}  // namespace

IntSet::IntSet() : block_(kHeaderBytes, '\0') { store<uint32_t>(block_.data(), 2); }

base::Result<IntSet> IntSet::parse(std::string_view block) {
  const auto wrong = [](std::string_view what) {
    return base::fail(base::Errc::kInvalidData, fmt::format("intset: {}", what));
  };
  if (block.size() < kHeaderBytes) return wrong("too short");
  const auto width = load<uint32_t>(block.data());
  if (width != 2 && width != 4 && width != 8) return wrong("numbers of no such width");
  const size_t count = load<uint32_t>(block.data() + 4);
  if (count == 0 || count > kCountMax) return wrong("no numbers, or too many");
  if (block.size() != kHeaderBytes + count * width) return wrong("its size is not what it says");
  IntSet set;
  set.block_ = block;
  for (size_t i = 1; i < count; i++) {
    if (set.at(i - 1) >= set.at(i)) return wrong("its numbers are not in order");
  }
  return set;
}

size_t IntSet::size() const { return load<uint32_t>(block_.data() + 4); }
size_t IntSet::width() const { return load<uint32_t>(block_.data()); }

void IntSet::set_size(size_t count) {
  store<uint32_t>(block_.data() + 4, static_cast<uint32_t>(count));
}

int64_t IntSet::at(size_t index) const {
  CHECK(index < size());
  const char* const from = block_.data() + offset(index);
  switch (width()) {
    case 2: return load<int16_t>(from);
    case 4: return load<int32_t>(from);
    default: return load<int64_t>(from);
  }
}

void IntSet::write(size_t index, int64_t number) {
  // The low bytes come first.
  std::memcpy(block_.data() + offset(index), &number, width());
}

size_t IntSet::lower_bound(int64_t number) const {
  size_t begin = 0;
  size_t end = size();
  while (begin < end) {
    const size_t middle = begin + (end - begin) / 2;
    if (at(middle) < number) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  return begin;
}

bool IntSet::contains(int64_t number) const {
  const size_t index = lower_bound(number);
  return index < size() && at(index) == number;
}

void IntSet::widen(size_t width) {
  const IntSet old = std::exchange(*this, IntSet());
  store<uint32_t>(block_.data(), static_cast<uint32_t>(width));
  set_size(old.size());
  block_.resize(offset(old.size()));
  for (size_t i = 0; i < old.size(); i++) write(i, old.at(i));
}

bool IntSet::insert(int64_t number) {
  const size_t index = lower_bound(number);
  const size_t count = size();
  if (index < count && at(index) == number) return false;
  CHECK(count <= kCountMax);
  if (width_of(number) > width()) widen(width_of(number));
  block_.insert(offset(index), width(), '\0');
  set_size(count + 1);
  write(index, number);
  return true;
}

bool IntSet::erase(int64_t number) {
  const size_t index = lower_bound(number);
  if (index >= size() || at(index) != number) return false;
  block_.erase(offset(index), width());
  set_size(size() - 1);
  return true;
}

}  // namespace seatrial::kv
