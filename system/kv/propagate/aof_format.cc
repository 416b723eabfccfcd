#include "kv/propagate/aof_format.h"

#include "base/check.h"
#include "resp/number.h"

#define XXH_INLINE_ALL
#include <fmt/format.h>
#include <xxhash.h>

namespace seatrial::kv {
namespace {

constexpr size_t kHashDigits = 16;

// Reads digits up to ':' from the front of `text`, and removes both.
std::optional<uint64_t> take_number(std::string_view& text) {
  const size_t end = text.find(':');
  if (end == std::string_view::npos) return std::nullopt;
  const auto number = resp::parse_integer(text.substr(0, end));
  if (!number || *number < 0) return std::nullopt;
  text.remove_prefix(end + 1);
  return static_cast<uint64_t>(*number);
}

std::optional<uint64_t> parse_hash(std::string_view digits) {
  uint64_t value = 0;
  for (const char c : digits) {
    const bool decimal = c >= '0' && c <= '9';
    if (!decimal && !(c >= 'a' && c <= 'f')) return std::nullopt;
    value = value * 16 + static_cast<uint64_t>(decimal ? c - '0' : c - 'a' + 10);
  }
  return value;
}

}  // namespace

BatchHash::BatchHash() {
  XXH3_state_t* const state = XXH3_createState();
  CHECK(state != nullptr);
  XXH3_64bits_reset(state);
  state_ = state;
}
BatchHash::~BatchHash() { XXH3_freeState(static_cast<XXH3_state_t*>(state_)); }
void BatchHash::add(base::Bytes bytes) {
  XXH3_64bits_update(static_cast<XXH3_state_t*>(state_), bytes.data(), bytes.size());
}
uint64_t BatchHash::value() const {
  return XXH3_64bits_digest(static_cast<const XXH3_state_t*>(state_));
}

std::string make_annotation(base::Bytes batch, uint64_t begin, uint64_t durable) {
  CHECK(durable <= begin);
  std::string line = fmt::format("{}{}:{}:", kAnnotationPrefix, begin, durable);
  BatchHash hash;
  hash.add(batch);
  hash.add(line);
  line += fmt::format("{:016x}\r\n", hash.value());
  CHECK(line.size() <= kAnnotationBytesMax);
  return line;
}

std::optional<Annotation> parse_annotation(base::Bytes bytes) {
  bytes = bytes.substr(0, kAnnotationBytesMax);
  if (!bytes.starts_with(kAnnotationPrefix)) return std::nullopt;
  std::string_view rest = bytes.substr(kAnnotationPrefix.size());
  const auto begin = take_number(rest);
  if (!begin) return std::nullopt;
  const auto durable = take_number(rest);
  if (!durable || *durable > *begin) return std::nullopt;
  const size_t signed_bytes = bytes.size() - rest.size();
  if (rest.size() < kHashDigits + 2 || rest.substr(kHashDigits, 2) != "\r\n") return std::nullopt;
  const auto hash = parse_hash(rest.substr(0, kHashDigits));
  if (!hash) return std::nullopt;
  return Annotation{*begin, *durable, *hash, signed_bytes, signed_bytes + kHashDigits + 2};
}

}  // namespace seatrial::kv
