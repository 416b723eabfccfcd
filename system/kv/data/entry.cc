#include "kv/data/entry.h"

#include "base/check.h"
#include "resp/number.h"

#include <fmt/format.h>

#include <cstring>
#include <new>
#include <utility>

namespace seatrial::kv {
namespace {

constexpr size_t round_up(size_t bytes) { return (bytes + 7) & ~size_t{7}; }

std::string_view format_integer(int64_t value, NumberText& digits) {
  const fmt::format_int text(value);
  std::memcpy(digits.bytes, text.data(), text.size());
  return {digits.bytes, text.size()};
}

}  // namespace

std::string_view to_string(Type type) {
  switch (type) {
    case Type::kString: return "string";
    case Type::kList: return "list";
    case Type::kSet: return "set";
    case Type::kZSet: return "zset";
    case Type::kHash: return "hash";
    case Type::kStream: return "stream";
  }
  UNREACHABLE("type {}", static_cast<int>(type));
}

size_t Entry::Shape::block_bytes() const {
  return round_up(kHeadBytes + (has_deadline ? 8 : 0) + body_bytes(encoding) + key_length +
                  (encoding == Encoding::kEmbedded ? value_length : 0));
}

Entry::Shape Entry::shape() const {
  return {encoding(), has_deadline(), key_length_,
          encoding() == Encoding::kEmbedded ? text_length() : 0};
}

Entry::Owner Entry::allocate(const Shape& shape, std::string_view key,
                             std::optional<WallMs> deadline) {
  CHECK(key.size() <= kKeyMax);
  CHECK(shape.has_deadline == deadline.has_value());
  auto* const entry = new (::operator new(shape.block_bytes())) Entry;
  entry->type_ = static_cast<uint32_t>(Type::kString);
  entry->encoding_ = static_cast<uint32_t>(shape.encoding) & 0xf;
  entry->access_ = 0;
  entry->key_length_ = static_cast<uint32_t>(key.size()) & kKeyMax;
  entry->has_deadline_ = deadline.has_value();
  entry->spare_ = 0;
  if (deadline) entry->write<int64_t>(kHeadBytes, *deadline);
  if (!key.empty()) std::memcpy(entry->key_bytes(), key.data(), key.size());
  return Owner(entry);
}

Entry::Owner Entry::make_string(std::string_view key, std::string_view value,
                                std::optional<WallMs> deadline) {
  if (const auto number = resp::parse_integer(value)) return make_integer(key, *number, deadline);
  if (value.size() > kEmbeddedMax) return make_text(key, std::string(value), deadline);
  Owner entry = allocate({Encoding::kEmbedded, deadline.has_value(), key.size(), value.size()}, key,
                         deadline);
  entry->write<uint8_t>(entry->body_offset(), static_cast<uint8_t>(value.size()));
  if (!value.empty()) std::memcpy(entry->key_bytes() + key.size(), value.data(), value.size());
  return entry;
}

Entry::Owner Entry::make_text(std::string_view key, std::string value,
                              std::optional<WallMs> deadline) {
  CHECK(value.size() > kEmbeddedMax);
  Owner entry = allocate({Encoding::kText, deadline.has_value(), key.size(), 0}, key, deadline);
  entry->write<std::string*>(entry->body_offset(), new std::string(std::move(value)));
  return entry;
}

Entry::Owner Entry::make_integer(std::string_view key, int64_t value,
                                 std::optional<WallMs> deadline) {
  Owner entry = allocate({Encoding::kInteger, deadline.has_value(), key.size(), 0}, key, deadline);
  entry->write<int64_t>(entry->body_offset(), value);
  return entry;
}

Entry::Owner Entry::make_collection(std::string_view key, std::unique_ptr<Collection> value,
                                    std::optional<WallMs> deadline) {
  Owner entry = allocate({Encoding::kOwn, deadline.has_value(), key.size(), 0}, key, deadline);
  entry->type_ = static_cast<uint32_t>(value->type()) & 0xf;
  entry->write<Collection*>(entry->body_offset(), value.release());
  return entry;
}

Entry::Owner Entry::copy(const Entry& entry) {
  Owner copied = allocate(entry.shape(), entry.key(), entry.deadline());
  copied->type_ = entry.type_;
  copied->access_ = entry.access_;
  const size_t body = body_bytes(entry.encoding());
  std::memcpy(copied->at(copied->body_offset()), entry.at(entry.body_offset()), body);
  if (entry.encoding() == Encoding::kEmbedded) {
    std::memcpy(copied->key_bytes() + copied->key_length_, entry.key_bytes() + entry.key_length_,
                entry.text_length());
  } else if (entry.encoding() == Encoding::kText) {
    NumberText unused;
    copied->write<std::string*>(copied->body_offset(), new std::string(entry.text(unused)));
  } else if (entry.encoding() == Encoding::kOwn) {
    copied->write<Collection*>(copied->body_offset(), entry.collection().copy().release());
  }
  return copied;
}

void Entry::destroy(Entry* entry) {
  if (entry->encoding() == Encoding::kText) delete &entry->own_text();
  if (entry->encoding() == Encoding::kOwn) delete &entry->collection();
  ::operator delete(entry, entry->shape().block_bytes());
}

Entry::Owner Entry::with_deadline(Owner entry, std::optional<WallMs> deadline) {
  if (entry->has_deadline() && deadline) {
    entry->set_deadline(*deadline);
    return entry;
  }
  const Entry& old = *entry;
  return move_to(std::move(entry), old.key(), deadline);
}

Entry::Owner Entry::with_key(Owner entry, std::string_view key) {
  const std::optional<WallMs> deadline = entry->deadline();
  return move_to(std::move(entry), key, deadline);
}

Entry::Owner Entry::move_to(Owner entry, std::string_view key, std::optional<WallMs> deadline) {
  Shape shape = entry->shape();
  shape.has_deadline = deadline.has_value();
  shape.key_length = key.size();
  Owner moved = allocate(shape, key, deadline);
  moved->type_ = entry->type_;
  moved->access_ = entry->access_;
  const size_t body = body_bytes(entry->encoding());
  std::memcpy(moved->at(moved->body_offset()), entry->at(entry->body_offset()), body);
  if (shape.value_length > 0) {
    std::memcpy(moved->key_bytes() + key.size(), entry->key_bytes() + entry->key_length_,
                shape.value_length);
  }
  // The value of its own, if there is one, now belongs to the new block.
  Entry* const old = entry.release();
  ::operator delete(old, old->shape().block_bytes());
  return moved;
}

void Entry::set_deadline(WallMs deadline) {
  CHECK(has_deadline_);
  write<int64_t>(kHeadBytes, deadline);
}

std::string_view Entry::text(NumberText& digits) const {
  CHECK(type() == Type::kString);
  switch (encoding()) {
    case Encoding::kInteger: return format_integer(integer(), digits);
    case Encoding::kEmbedded: return {key_bytes() + key_length_, text_length()};
    case Encoding::kText: return *read<std::string*>(body_offset());
    case Encoding::kOwn: break;
  }
  UNREACHABLE("encoding {}", static_cast<int>(encoding()));
}

size_t Entry::text_length() const {
  switch (encoding()) {
    case Encoding::kInteger: {
      NumberText digits;
      return format_integer(integer(), digits).size();
    }
    case Encoding::kEmbedded: return read<uint8_t>(body_offset());
    case Encoding::kText: return read<std::string*>(body_offset())->size();
    case Encoding::kOwn: break;
  }
  UNREACHABLE("encoding {}", static_cast<int>(encoding()));
}

int64_t Entry::integer() const {
  CHECK(encoding() == Encoding::kInteger);
  return read<int64_t>(body_offset());
}

void Entry::set_integer(int64_t value) {
  CHECK(encoding() == Encoding::kInteger);
  write<int64_t>(body_offset(), value);
}

std::string& Entry::own_text() {
  CHECK(encoding() == Encoding::kText);
  return *read<std::string*>(body_offset());
}

bool Entry::assign_in_place(std::string_view value) {
  if (type() != Type::kString) return false;
  const auto number = resp::parse_integer(value);
  if (number) {
    if (encoding() != Encoding::kInteger) return false;
    set_integer(*number);
    return true;
  }
  if (encoding() == Encoding::kText && value.size() > kEmbeddedMax) {
    own_text().assign(value);
    return true;
  }
  if (encoding() != Encoding::kEmbedded || value.size() > kEmbeddedMax) return false;
  Shape wanted = shape();
  const size_t block = wanted.block_bytes();
  wanted.value_length = value.size();
  if (wanted.block_bytes() != block) return false;
  write<uint8_t>(body_offset(), static_cast<uint8_t>(value.size()));
  if (!value.empty()) std::memcpy(key_bytes() + key_length_, value.data(), value.size());
  return true;
}

size_t Entry::bytes() const {
  size_t bytes = shape().block_bytes();
  if (encoding() == Encoding::kText) {
    bytes += sizeof(std::string) + read<std::string*>(body_offset())->capacity();
  } else if (encoding() == Encoding::kOwn) {
    bytes += collection().bytes();
  }
  return bytes;
}

}  // namespace seatrial::kv
