#include "broker/wire/decoder.h"

#include <fmt/format.h>

namespace seatrial::broker {

void Decoder::stop(Fault fault, int64_t wanted) {
  if (fault_ == Fault::kNone) {
    fault_ = fault;
    fault_at_ = at_;
    wanted_ = wanted;
  }
  // Nothing more is found from here on.
  at_ = bytes_.size();
}

void Decoder::operator()(bool& value) {
  int8_t byte = 0;
  (*this)(byte);
  value = byte != 0;
}

uint32_t Decoder::varint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 35; shift += 7) {
    const char* const at = take(1);
    if (at == nullptr) return 0;
    const auto byte = static_cast<unsigned char>(*at);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) != 0) continue;
    if (value > UINT32_MAX) break;
    return static_cast<uint32_t>(value);
  }
  stop(Fault::kVarint);
  return 0;
}

int64_t Decoder::bounded(int64_t length) {
  if (length <= static_cast<int64_t>(bytes_.size() - at_)) return length;
  stop(Fault::kShort, length);
  return 0;
}

int64_t Decoder::text_length() {
  if (flexible_) {
    const int64_t length = static_cast<int64_t>(varint()) - 1;
    if (length <= INT16_MAX) return bounded(length);
    stop(Fault::kLength, length);
    return 0;
  }
  int16_t length = 0;
  (*this)(length);
  return bounded(length);
}

int64_t Decoder::bytes_length() {
  if (flexible_) return bounded(static_cast<int64_t>(varint()) - 1);
  int32_t length = 0;
  (*this)(length);
  return bounded(length);
}

int64_t Decoder::array_count() {
  int64_t count = 0;
  if (flexible_) {
    count = static_cast<int64_t>(varint()) - 1;
  } else {
    int32_t word = 0;
    (*this)(word);
    count = word;
  }
  if (!good()) return 0;
  if (count > static_cast<int64_t>(bytes_.size() - at_)) {
    stop(Fault::kCount, count);
    return 0;
  }
  if (count < -1) {
    stop(Fault::kLength, count);
    return 0;
  }
  return count;
}

void Decoder::operator()(std::string& text) {
  text.clear();
  const int64_t length = text_length();
  if (length < 0 && good()) stop(Fault::kLength, length);
  if (!good()) return;
  const auto count = static_cast<size_t>(length);
  text.assign(take(count), count);
}

void Decoder::operator()(std::optional<std::string>& text) {
  text.reset();
  const int64_t length = text_length();
  if (length < -1) stop(Fault::kLength, length);
  if (length < 0 || !good()) return;
  const auto count = static_cast<size_t>(length);
  text.emplace(take(count), count);
}

void Decoder::operator()(Records& records) {
  records.reset();
  const int64_t length = bytes_length();
  if (length < -1) stop(Fault::kLength, length);
  if (length < 0 || !good()) return;
  const auto count = static_cast<size_t>(length);
  records.emplace(take(count), count);
}

void Decoder::tags() {
  if (!flexible_) return;
  const uint32_t count = varint();
  if (count > bytes_.size() - at_) return stop(Fault::kTooManyTags, count);
  for (uint32_t i = 0; i < count && good(); ++i) {
    varint();
    take(varint());
  }
}

base::Result<void> Decoder::result() const {
  const size_t left = bytes_.size() - fault_at_;
  std::string what;
  switch (fault_) {
    case Fault::kNone: return {};
    case Fault::kShort:
      what = fmt::format("{} bytes are needed, {} are left", wanted_, left);
      break;
    case Fault::kLength: what = fmt::format("a length of {}", wanted_); break;
    case Fault::kCount:
      what = fmt::format("an array of {} elements, {} bytes are left", wanted_, left);
      break;
    case Fault::kNullArray: what = "null where an array is expected"; break;
    case Fault::kVarint: what = "a variable-length integer of more than 32 bits"; break;
    case Fault::kTooManyTags:
      what = fmt::format("{} tagged fields, {} bytes are left", wanted_, left);
      break;
  }
  return base::fail(base::Errc::kInvalidData, fmt::format("at byte {}: {}", fault_at_, what));
}

base::Result<void> Decoder::finish() const {
  TRY(result());
  if (at_ == bytes_.size()) return {};
  return base::fail(
      base::Errc::kInvalidData,
      fmt::format("at byte {}: {} bytes more than the message has", at_, bytes_.size() - at_));
}

}  // namespace seatrial::broker
