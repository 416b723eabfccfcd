#include "kv/replication/history.h"

#include "base/check.h"

#include <fmt/format.h>

#include <utility>

namespace seatrial::kv {

std::string make_replication_id(base::RandomStream& random) {
  // One after the other: arguments are evaluated in no particular order.
  std::string id;
  for (int i = 0; i < 5; ++i) id += fmt::format("{:08x}", random.next() & 0xffffffffU);
  return id;
}

bool is_replication_id(std::string_view text) {
  return text.size() == kReplicationIdDigits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

void History::begin(std::string id, uint64_t offset) {
  CHECK(is_replication_id(id));
  id_ = std::move(id);
  offset_ = offset;
  forget_previous();
}

void History::branch(std::string id) {
  CHECK(is_replication_id(id));
  previous_id_ = std::exchange(id_, std::move(id));
  previous_offset_ = offset_;
}

void History::forget_previous() {
  previous_id_.clear();
  previous_offset_ = 0;
}

std::string History::previous_id() const {
  return has_previous() ? previous_id_ : std::string(kReplicationIdDigits, '0');
}

int64_t History::second_offset() const {
  return has_previous() ? static_cast<int64_t>(previous_offset_) + 1 : -1;
}

}  // namespace seatrial::kv
