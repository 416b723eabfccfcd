// Sets in an RDB: as the sorted numbers that they are, or member by member.
#include "kv/data/set_value.h"
#include "kv/rdb/format.h"
#include "kv/rdb/types/type.h"

#include <string>
#include <utility>

namespace seatrial::kv::rdb {
namespace {

constexpr uint8_t kCodes[] = {kTypeSet, kTypeSetIntSet};

const SetValue& set_of(const Entry& entry) {
  return static_cast<const SetValue&>(entry.collection());
}

uint8_t code(const Entry& entry) {
  return set_of(entry).int_set() != nullptr ? kTypeSetIntSet : kTypeSet;
}

void write(const Entry& entry, Encoder& encoder) {
  const SetValue& set = set_of(entry);
  if (const IntSet* const numbers = set.int_set()) return encoder.string(numbers->block());
  encoder.length(set.size());
  set.for_each([&](std::string_view member) { encoder.string(member); });
}

base::Result<std::unique_ptr<SetValue>> read_members(const CollectionSettings& settings,
                                                     Decoder& decoder) {
  const uint64_t begin = decoder.offset();
  const uint64_t count = TRY(decoder.length("the number of a set's members"));
  if (count == 0) return Decoder::fail(begin, "a set without members");
  auto set = std::make_unique<SetValue>(settings.seed);
  std::string member;
  for (uint64_t i = 0; i < count; i++) {
    const uint64_t at = decoder.offset();
    TRY(decoder.string(member, kValueBytesMax, "a member of a set"));
    if (!set->add(member, settings.set_numbers_max)) {
      return Decoder::fail(at, "a member stands twice in its set");
    }
  }
  return set;
}

base::Result<std::unique_ptr<SetValue>> read_int_set(const CollectionSettings& settings,
                                                     Decoder& decoder) {
  const uint64_t begin = decoder.offset();
  std::string block;
  TRY(decoder.string(block, kValueBytesMax, "a set as an intset"));
  auto numbers = IntSet::parse(block);
  if (!numbers) return Decoder::fail(begin, numbers.error().message());
  return SetValue::from_int_set(settings.seed, std::move(*numbers), settings.set_numbers_max);
}

base::Result<Entry::Owner> read(uint8_t code, std::string_view key, std::optional<WallMs> deadline,
                                const CollectionSettings& settings, Decoder& decoder) {
  auto set = code == kTypeSet ? TRY(read_members(settings, decoder))
                              : TRY(read_int_set(settings, decoder));
  return Entry::make_collection(key, std::move(set), deadline);
}

}  // namespace

const ValueType kSetType{Type::kSet, kCodes, code, write, read};

}  // namespace seatrial::kv::rdb
