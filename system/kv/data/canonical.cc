#include "kv/data/canonical.h"

#include "base/check.h"
#include "kv/data/hash_value.h"
#include "kv/data/set_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace seatrial::kv {
namespace {

// Behind its length, so that no text is two others side by side.
void add(std::string& text, std::string_view part) {
  fmt::format_to(std::back_inserter(text), "{}:{}", part.size(), part);
}

std::string fields_of(const HashValue& hash) {
  std::vector<std::pair<std::string, std::string>> fields;
  hash.for_each(
      [&](std::string_view name, std::string_view value) { fields.emplace_back(name, value); });
  std::ranges::sort(fields);
  std::string text = "hash ";
  for (const auto& [name, value] : fields) {
    add(text, name);
    add(text, value);
  }
  return text;
}

std::string members_of(const SetValue& set) {
  std::vector<std::string> members;
  set.for_each([&](std::string_view member) { members.emplace_back(member); });
  std::ranges::sort(members);
  std::string text = "set ";
  for (const std::string& member : members) add(text, member);
  return text;
}

}  // namespace

std::string canonical_text(const Entry& entry) {
  NumberText digits;
  switch (entry.type()) {
    case Type::kString: return std::string(entry.text(digits));
    case Type::kHash: return fields_of(static_cast<const HashValue&>(entry.collection()));
    case Type::kSet: return members_of(static_cast<const SetValue&>(entry.collection()));
    case Type::kList:
    case Type::kZSet:
    case Type::kStream: break;
  }
  UNREACHABLE("no text of type {}", to_string(entry.type()));
}

}  // namespace seatrial::kv
