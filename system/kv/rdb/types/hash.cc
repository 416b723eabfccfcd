// Hashes in an RDB: as the listpack that they are, or field by field.
#include "kv/data/hash_value.h"
#include "kv/rdb/format.h"
#include "kv/rdb/types/type.h"

#include <fmt/format.h>

#include <string>
#include <utility>

namespace seatrial::kv::rdb {
namespace {

constexpr uint8_t kCodes[] = {kTypeHash, kTypeHashListpack};

const HashValue& hash_of(const Entry& entry) {
  return static_cast<const HashValue&>(entry.collection());
}

uint8_t code(const Entry& entry) {
  return hash_of(entry).listpack() != nullptr ? kTypeHashListpack : kTypeHash;
}

void write(const Entry& entry, Encoder& encoder) {
  const HashValue& hash = hash_of(entry);
  if (const Listpack* const listpack = hash.listpack()) return encoder.string(listpack->block());
  encoder.length(hash.size());
  hash.for_each([&](std::string_view name, std::string_view value) {
    encoder.string(name);
    encoder.string(value);
  });
}

base::Result<std::unique_ptr<HashValue>> read_fields(const CollectionSettings& settings,
                                                     Decoder& decoder) {
  const uint64_t begin = decoder.offset();
  const uint64_t count = TRY(decoder.length("the number of a hash's fields"));
  if (count == 0) return Decoder::fail(begin, "a hash without fields");
  auto hash = std::make_unique<HashValue>(settings.seed);
  std::string name;
  std::string value;
  for (uint64_t i = 0; i < count; i++) {
    const uint64_t at = decoder.offset();
    TRY(decoder.string(name, kValueBytesMax, "a field of a hash"));
    TRY(decoder.string(value, kValueBytesMax, "a value of a hash"));
    if (!hash->set(name, value, settings.hash)) {
      return Decoder::fail(at, "a field stands twice in its hash");
    }
  }
  return hash;
}

base::Result<std::unique_ptr<HashValue>> read_listpack(const CollectionSettings& settings,
                                                       Decoder& decoder) {
  const uint64_t begin = decoder.offset();
  std::string block;
  TRY(decoder.string(block, Listpack::kBytesMax, "a hash as a listpack"));
  auto pairs = Listpack::parse(block);
  if (!pairs) return Decoder::fail(begin, pairs.error().message());
  auto hash = HashValue::from_listpack(settings.seed, std::move(*pairs), settings.hash);
  if (hash == nullptr || hash->size() == 0) {
    return Decoder::fail(begin, "a hash without fields, with a field twice or without its value");
  }
  return hash;
}

base::Result<Entry::Owner> read(uint8_t code, std::string_view key, std::optional<WallMs> deadline,
                                const CollectionSettings& settings, Decoder& decoder) {
  auto hash = code == kTypeHash ? TRY(read_fields(settings, decoder))
                                : TRY(read_listpack(settings, decoder));
  return Entry::make_collection(key, std::move(hash), deadline);
}

}  // namespace

const ValueType kHashType{Type::kHash, kCodes, code, write, read};

}  // namespace seatrial::kv::rdb
