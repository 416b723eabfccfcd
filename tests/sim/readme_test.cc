// The guide's tables of faults and the simulator's own list are the same.
#include "sim/faults/fault.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <string_view>

namespace seatrial::sim {
namespace {

// Words between backticks that have a fault's shape: "net.partition".
std::set<std::string> named_kinds(const std::string& text) {
  std::set<std::string> prefixes;
  for (const Fault* fault : all_faults()) {
    const std::string_view kind = fault->info().kind;
    prefixes.emplace(kind.substr(0, kind.find('.')));
  }
  std::set<std::string> kinds;
  for (size_t at = text.find('`'); at != std::string::npos; at = text.find('`', at + 1)) {
    const std::string word = text.substr(at + 1, text.find('`', at + 1) - at - 1);
    const size_t dot = word.find('.');
    if (dot == std::string::npos || !prefixes.contains(word.substr(0, dot))) continue;
    const std::string_view rest = std::string_view(word).substr(dot + 1);
    const bool plain =
        std::ranges::all_of(rest, [](char c) { return c == '_' || (c >= 'a' && c <= 'z'); });
    if (plain && rest.size() > 1) kinds.insert(word);
  }
  return kinds;
}

TEST(Readme, NamesEachFaultThereIsAndNoOther) {
  std::ifstream file(SEATRIAL_SOURCE_DIR "/sim/README.md");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  ASSERT_FALSE(text.empty());
  const std::set<std::string> named = named_kinds(text);
  for (const std::string& kind : named) {
    EXPECT_NE(find_fault(kind), nullptr) << kind << " is in sim/README.md, and is no fault";
  }
  for (const Fault* fault : all_faults()) {
    const std::string kind(fault->info().kind);
    EXPECT_TRUE(named.contains(kind)) << kind << " is missing in the tables of sim/README.md";
  }
}

}  // namespace
}  // namespace seatrial::sim
