// Strings in an RDB: the value is one string element.
#include "kv/rdb/format.h"
#include "kv/rdb/types/type.h"

#include <string>

namespace seatrial::kv::rdb {
namespace {

constexpr uint8_t kCodes[] = {kTypeString};

uint8_t code(const Entry&) { return kTypeString; }

void write(const Entry& entry, Encoder& encoder) {
  if (entry.encoding() == Encoding::kInteger) return encoder.integer(entry.integer());
  NumberText unused;
  encoder.string(entry.text(unused));
}

base::Result<Entry::Owner> read(uint8_t, std::string_view key, std::optional<WallMs> deadline,
                                const CollectionSettings&, Decoder& decoder) {
  std::string value;
  TRY(decoder.string(value, kValueBytesMax, "a string value"));
  return Entry::make_string(key, value, deadline);
}

}  // namespace

const ValueType kStringType{Type::kString, kCodes, code, write, read};

}  // namespace seatrial::kv::rdb
