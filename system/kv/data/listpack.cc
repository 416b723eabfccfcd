#include "kv/data/listpack.h"

#include "base/check.h"
#include "resp/number.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstring>
#include <optional>

namespace seatrial::kv {
namespace {

static_assert(std::endian::native == std::endian::little, "listpacks are little endian");

constexpr uint8_t kEnd = 0xff;
constexpr uint8_t kLongString = 0xf0;
constexpr uint8_t kInt16 = 0xf1;
constexpr uint8_t kInt24 = 0xf2;
constexpr uint8_t kInt32 = 0xf3;
constexpr uint8_t kInt64 = 0xf4;

uint8_t byte_at(const char* at) { return static_cast<uint8_t>(*at); }

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

// What stands before an element's data, or all of a number.
struct Head {
  size_t bytes = 0;
  size_t string_bytes = 0;
};

// Of the element at `from`, of which at least its first `bytes` bytes are there (1, or 5 where
// those follow). nullopt: no element begins with that.
std::optional<Head> head_of(const char* from) {
  const uint8_t first = byte_at(from);
  if ((first & 0x80) == 0) return Head{1, 0};
  if ((first & 0xc0) == 0x80) return Head{1, first & 0x3fU};
  if ((first & 0xe0) == 0xc0) return Head{2, 0};
  if ((first & 0xf0) == 0xe0) return Head{2, ((first & 0x0fU) << 8) | byte_at(from + 1)};
  switch (first) {
    case kLongString: return Head{5, load<uint32_t>(from + 1)};
    case kInt16: return Head{3, 0};
    case kInt24: return Head{4, 0};
    case kInt32: return Head{5, 0};
    case kInt64: return Head{9, 0};
    default: return std::nullopt;
  }
}

// So many bytes of an element have to be there for head_of().
size_t head_needs(uint8_t first) {
  if (first == kLongString) return 5;
  return (first & 0xf0) == 0xe0 ? 2 : 1;
}

size_t length_bytes(size_t body) {
  if (body <= 127) return 1;
  if (body <= 16'383) return 2;
  if (body <= 2'097'151) return 3;
  return body <= 268'435'455 ? 4 : 5;
}

// The most significant seven bits first; all but the first byte are marked.
void write_length(char* to, size_t body) {
  const size_t count = length_bytes(body);
  for (size_t i = 0; i < count; i++) {
    const auto bits = static_cast<uint8_t>((body >> (7 * (count - 1 - i))) & 0x7f);
    to[i] = static_cast<char>(i == 0 ? bits : bits | 0x80);
  }
}

// The length that ends before `end`; 0: five bytes did not hold one.
size_t read_length(const char* end) {
  size_t body = 0;
  for (unsigned shift = 0; shift < 35; shift += 7) {
    const uint8_t byte = byte_at(--end);
    body |= static_cast<size_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return body;
  }
  return 0;
}

int64_t sign_extend(uint64_t value, unsigned bits) {
  const unsigned spare = 64 - bits;
  return static_cast<int64_t>(value << spare) >> spare;
}

}  // namespace

struct Listpack::Encoded {
  std::array<char, 9> head{};
  size_t head_bytes = 0;
  std::string_view data;

  explicit Encoded(std::string_view text) {
    if (const auto number = resp::parse_integer(text)) {
      encode(*number);
      return;
    }
    data = text;
    const auto size = static_cast<uint32_t>(text.size());
    if (size < 64) {
      put_head(1, static_cast<uint8_t>(0x80 | size));
    } else if (size < 4096) {
      put_head(2, static_cast<uint8_t>(0xe0 | (size >> 8)));
      head[1] = static_cast<char>(size & 0xff);
    } else {
      put_head(5, kLongString);
      store(head.data() + 1, size);
    }
  }
  explicit Encoded(int64_t number) { encode(number); }

  size_t body_bytes() const { return head_bytes + data.size(); }

 private:
  void put_head(size_t bytes, uint8_t first) {
    head_bytes = bytes;
    head[0] = static_cast<char>(first);
  }
  void encode(int64_t number) {
    if (number >= 0 && number <= 127) {
      put_head(1, static_cast<uint8_t>(number));
    } else if (number >= -4096 && number <= 4095) {
      const auto bits = static_cast<uint64_t>(number) & 0x1fff;
      put_head(2, static_cast<uint8_t>(0xc0 | (bits >> 8)));
      head[1] = static_cast<char>(bits & 0xff);
    } else {
      const int64_t magnitude = number < 0 ? ~number : number;
      const size_t bytes = magnitude < (1LL << 15)   ? 2
                           : magnitude < (1LL << 23) ? 3
                           : magnitude < (1LL << 31) ? 4
                                                     : 8;
      const uint8_t first = bytes == 2   ? kInt16
                            : bytes == 3 ? kInt24
                            : bytes == 4 ? kInt32
                                         : kInt64;
      put_head(1 + bytes, first);
      std::memcpy(head.data() + 1, &number, bytes);
    }
  }
};

std::string_view Listpack::Element::text(NumberText& digits) const {
  if (!is_number) return bytes;
  const fmt::format_int text(number);
  std::memcpy(digits.bytes, text.data(), text.size());
  return {digits.bytes, text.size()};
}

bool Listpack::Element::equals(std::string_view other) const {
  if (!is_number) return bytes == other;
  const auto value = resp::parse_integer(other);
  return value && *value == number;
}

Listpack::Listpack() : block_(static_cast<char*>(std::malloc(kHeaderBytes + 1))) {
  CHECK(block_ != nullptr);
  store<uint32_t>(block_.get(), kHeaderBytes + 1);
  store<uint16_t>(block_.get() + 4, 0);
  block_[kHeaderBytes] = static_cast<char>(kEnd);
}

Listpack::Listpack(const Listpack& other) : block_(static_cast<char*>(std::malloc(other.total()))) {
  CHECK(block_ != nullptr);
  std::memcpy(block_.get(), other.block_.get(), other.total());
}

Listpack& Listpack::operator=(const Listpack& other) {
  if (this != &other) *this = Listpack(other);
  return *this;
}

base::Result<Listpack> Listpack::parse(std::string_view block) {
  const auto wrong = [](std::string_view what) {
    return base::fail(base::Errc::kInvalidData, fmt::format("listpack: {}", what));
  };
  if (block.size() < kHeaderBytes + 1 || block.size() > kBytesMax) return wrong("of no such size");
  if (load<uint32_t>(block.data()) != block.size()) return wrong("its size is not what it says");
  const auto told = load<uint16_t>(block.data() + 4);
  size_t count = 0;
  size_t at = kHeaderBytes;
  while (byte_at(block.data() + at) != kEnd) {
    // One byte is left for the end.
    const size_t left = block.size() - 1 - at;
    if (left < head_needs(byte_at(block.data() + at))) return wrong("an element is cut off");
    const auto head = head_of(block.data() + at);
    if (!head) return wrong("an element of no known encoding");
    const size_t body = head->bytes + head->string_bytes;
    if (left < body + length_bytes(body)) return wrong("an element is cut off");
    std::array<char, 5> length{};
    write_length(length.data(), body);
    if (std::memcmp(length.data(), block.data() + at + body, length_bytes(body)) != 0) {
      return wrong("an element's length is not repeated at its end");
    }
    at += body + length_bytes(body);
    count++;
    if (at >= block.size()) return wrong("it does not end");
  }
  if (at + 1 != block.size()) return wrong("it ends early");
  if (told != kCountUnknown && told != count) return wrong("it holds another number of elements");
  Listpack parsed;
  parsed.block_.reset(static_cast<char*>(std::malloc(block.size())));
  CHECK(parsed.block_ != nullptr);
  std::memcpy(parsed.block_.get(), block.data(), block.size());
  return parsed;
}

uint32_t Listpack::total() const { return load<uint32_t>(block_.get()); }

size_t Listpack::size() const {
  const auto told = load<uint16_t>(block_.get() + 4);
  if (told != kCountUnknown) return told;
  size_t count = 0;
  for (Position at = begin(); at != end(); at = next(at)) count++;
  return count;
}

size_t Listpack::body_bytes(Position at) const {
  const auto head = head_of(block_.get() + at);
  CHECK_MSG(head && at < end(), "no element at {} of {}", at, total());
  return head->bytes + head->string_bytes;
}

Listpack::Position Listpack::next(Position at) const {
  const size_t body = body_bytes(at);
  return static_cast<Position>(at + body + length_bytes(body));
}

Listpack::Position Listpack::previous(Position at) const {
  if (at == begin()) return end();
  const size_t body = read_length(block_.get() + at);
  return static_cast<Position>(at - body - length_bytes(body));
}

Listpack::Position Listpack::at(int64_t index) const {
  if (index >= 0) {
    Position found = begin();
    while (found != end() && index-- > 0) found = next(found);
    return found;
  }
  Position found = last();
  while (found != end() && ++index < 0) found = previous(found);
  return found;
}

Listpack::Element Listpack::get(Position at) const {
  const char* const from = block_.get() + at;
  const auto head = head_of(from);
  CHECK_MSG(head && at < end(), "no element at {} of {}", at, total());
  const uint8_t first = byte_at(from);
  const bool is_string = (first & 0xc0) == 0x80 || (first & 0xf0) == 0xe0 || first == kLongString;
  if (is_string) return {.bytes = {from + head->bytes, head->string_bytes}};
  Element element{.is_number = true};
  if ((first & 0x80) == 0) {
    element.number = first;
  } else if ((first & 0xe0) == 0xc0) {
    element.number = sign_extend(((first & 0x1fULL) << 8) | byte_at(from + 1), 13);
  } else {
    const auto bytes = static_cast<unsigned>(head->bytes - 1);
    uint64_t value = 0;
    std::memcpy(&value, from + 1, bytes);
    element.number = sign_extend(value, 8 * bytes);
  }
  return element;
}

Listpack::Position Listpack::find(std::string_view wanted, Position from, unsigned skip) const {
  const auto number = resp::parse_integer(wanted);
  unsigned skipped = 0;
  for (Position at = from; at != end(); at = next(at)) {
    if (skipped > 0) {
      skipped--;
      continue;
    }
    const Element element = get(at);
    const bool same = element.is_number ? number && *number == element.number
                                        : !number && element.bytes == wanted;
    if (same) return at;
    skipped = skip;
  }
  return end();
}

void Listpack::splice(Position at, size_t removed, size_t added, int64_t elements) {
  const uint32_t old_total = total();
  const size_t new_total = old_total - removed + added;
  CHECK_MSG(new_total <= kBytesMax, "a listpack of {} bytes", new_total);
  const size_t tail = old_total - at - removed;
  const auto resize = [&] {
    char* const moved = static_cast<char*>(std::realloc(block_.get(), new_total));
    CHECK(moved != nullptr);
    (void)block_.release();
    block_.reset(moved);
  };
  if (new_total > old_total) resize();
  std::memmove(block_.get() + at + added, block_.get() + at + removed, tail);
  if (new_total < old_total) resize();
  const auto told = load<uint16_t>(block_.get() + 4);
  store<uint32_t>(block_.get(), static_cast<uint32_t>(new_total));
  if (told == kCountUnknown) {
    // Known again once there are few enough.
    const size_t count = elements < 0 ? size() : kCountUnknown;
    if (count < kCountUnknown) store<uint16_t>(block_.get() + 4, static_cast<uint16_t>(count));
    return;
  }
  const int64_t count = told + elements;
  store<uint16_t>(block_.get() + 4,
                  count < kCountUnknown ? static_cast<uint16_t>(count) : kCountUnknown);
}

Listpack::Position Listpack::put(Position at, size_t removed, const Encoded& encoded) {
  const size_t body = encoded.body_bytes();
  splice(at, removed, body + length_bytes(body), removed == 0 ? 1 : 0);
  char* to = block_.get() + at;
  std::memcpy(to, encoded.head.data(), encoded.head_bytes);
  to += encoded.head_bytes;
  if (!encoded.data.empty()) std::memcpy(to, encoded.data.data(), encoded.data.size());
  write_length(to + encoded.data.size(), body);
  return at;
}

Listpack::Position Listpack::insert(Position at, std::string_view value) {
  return put(at, 0, Encoded(value));
}
Listpack::Position Listpack::insert(Position at, int64_t value) {
  return put(at, 0, Encoded(value));
}
Listpack::Position Listpack::replace(Position at, std::string_view value) {
  return put(at, next(at) - at, Encoded(value));
}
Listpack::Position Listpack::replace(Position at, int64_t value) {
  return put(at, next(at) - at, Encoded(value));
}

Listpack::Position Listpack::erase(Position at, size_t count) {
  Position until = at;
  size_t erased = 0;
  for (; erased < count && until != end(); erased++) until = next(until);
  splice(at, until - at, 0, -static_cast<int64_t>(erased));
  return at;
}

}  // namespace seatrial::kv
