#include "broker/wire/encoder.h"

#include "base/check.h"

namespace seatrial::broker {

void Encoder::varint(uint32_t value) {
  while (value >= 0x80) {
    buffer_.append(static_cast<char>((value & 0x7f) | 0x80));
    value >>= 7;
  }
  buffer_.append(static_cast<char>(value));
}

void Encoder::array_count(int64_t count) {
  CHECK(count < INT32_MAX);
  if (flexible_) {
    varint(static_cast<uint32_t>(count + 1));
  } else {
    (*this)(static_cast<int32_t>(count));
  }
}

void Encoder::text(const std::string* text) {
  CHECK(text == nullptr || text->size() <= INT16_MAX);
  if (flexible_) {
    varint(text == nullptr ? 0 : static_cast<uint32_t>(text->size() + 1));
  } else {
    (*this)(text == nullptr ? int16_t{-1} : static_cast<int16_t>(text->size()));
  }
  if (text != nullptr) buffer_.append(*text);
}

void Encoder::operator()(const std::string& value) { text(&value); }

void Encoder::operator()(const std::optional<std::string>& value) {
  text(value ? &*value : nullptr);
}

void Encoder::operator()(const Records& records) {
  CHECK(!records || records->size() < INT32_MAX);
  if (flexible_) {
    varint(records ? static_cast<uint32_t>(records->size() + 1) : 0);
  } else {
    (*this)(records ? static_cast<int32_t>(records->size()) : -1);
  }
  if (records) buffer_.append(*records);
}

}  // namespace seatrial::broker
