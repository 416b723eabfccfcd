#include "resp/writer.h"

#include <cstring>

namespace seatrial::resp {
namespace {

constexpr size_t kHeaderBytesMax = 24;  // Type, sign, 19 digits, end of line.

// Writes `type`, the number and the end of line; returns what follows.
char* put_header(char* out, char type, bool negative, uint64_t value) {
  *out++ = type;
  if (negative) *out++ = '-';
  if (value < 10) {
    *out++ = static_cast<char>('0' + value);
  } else {
    char digits[20];
    char* first = digits + sizeof digits;
    do {
      *--first = static_cast<char>('0' + value % 10);
      value /= 10;
    } while (value != 0);
    const auto count = static_cast<size_t>(digits + sizeof digits - first);
    std::memcpy(out, first, count);
    out += count;
  }
  *out++ = '\r';
  *out++ = '\n';
  return out;
}

}  // namespace

void Writer::header(char type, uint64_t count) {
  char* out = buffer_.reserve(kHeaderBytesMax);
  buffer_.commit(static_cast<size_t>(put_header(out, type, false, count) - out));
}

void Writer::integer(int64_t value) {
  const bool negative = value < 0;
  const uint64_t magnitude =
      negative ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  char* out = buffer_.reserve(kHeaderBytesMax);
  buffer_.commit(static_cast<size_t>(put_header(out, ':', negative, magnitude) - out));
}

void Writer::bulk(std::string_view bytes) {
  char* const start = buffer_.reserve(kHeaderBytesMax + bytes.size() + 2);
  char* out = put_header(start, '$', false, bytes.size());
  if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
  out += bytes.size();
  *out++ = '\r';
  *out++ = '\n';
  buffer_.commit(static_cast<size_t>(out - start));
}

void Writer::simple(std::string_view text) {
  buffer_.append('+');
  buffer_.append(text);
  buffer_.append("\r\n");
}

void Writer::error(std::string_view text) {
  ++errors_;
  char* out = buffer_.reserve(text.size() + 3);
  *out++ = '-';
  for (char c : text) *out++ = c == '\r' || c == '\n' ? ' ' : c;
  *out++ = '\r';
  *out++ = '\n';
  buffer_.commit(text.size() + 3);
}

}  // namespace seatrial::resp
