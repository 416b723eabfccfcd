#include "kv/propagate/unit.h"

#include <gtest/gtest.h>

#include <string>

namespace seatrial::kv {
namespace {

constexpr std::string_view kMulti = "*1\r\n$5\r\nMULTI\r\n";
constexpr std::string_view kExec = "*1\r\n$4\r\nEXEC\r\n";
constexpr std::string_view kSetA = "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n";
constexpr std::string_view kSetB = "*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$1\r\n2\r\n";

class Unit : public testing::Test {
 protected:
  Unit() { effects_.set_wanted(true); }

  std::string encode() {
    resp::Buffer buffer;
    const size_t bytes = encoder_.append(effects_, buffer);
    EXPECT_EQ(bytes, buffer.size());
    effects_.clear();
    return std::string(buffer.bytes());
  }

  Effects effects_;
  UnitEncoder encoder_;
};

TEST_F(Unit, SelectsOnlyWhereTheDatabaseChanges) {
  effects_.record(0, {"SET", "a", "1"});
  EXPECT_EQ(encode(), select_command(0).append(kSetA));
  effects_.record(0, {"SET", "b", "2"});
  EXPECT_EQ(encode(), kSetB);
  effects_.record(10, {"SET", "b", "2"});
  EXPECT_EQ(encode(), select_command(10).append(kSetB));
  EXPECT_EQ(encoder_.database(), 10);
}

TEST_F(Unit, SeveralEffectsAreATransactionWithItsFirstSelectInFront) {
  effects_.record(3, {"SET", "a", "1"});
  effects_.record(4, {"SET", "b", "2"});
  std::string expected = select_command(3).append(kMulti).append(kSetA);
  expected.append(select_command(4)).append(kSetB).append(kExec);
  EXPECT_EQ(encode(), expected);
}

TEST_F(Unit, NoEffectsAreNoBytes) {
  EXPECT_EQ(encode(), "");
  EXPECT_EQ(encoder_.database(), UnitEncoder::kUnknown);
}

TEST_F(Unit, AReaderWhoBeginsAnewIsToldTheDatabase) {
  effects_.record(2, {"SET", "a", "1"});
  encode();
  encoder_.restart();
  effects_.record(2, {"SET", "a", "1"});
  EXPECT_EQ(encode(), select_command(2).append(kSetA));
  encoder_.restart(5);
  effects_.record(5, {"SET", "a", "1"});
  EXPECT_EQ(encode(), kSetA);
}

TEST_F(Unit, IdleBytesSelectWhatIsSelected) {
  resp::Buffer buffer;
  EXPECT_EQ(encoder_.append_idle(buffer), select_command(0).size());
  encoder_.restart(7);
  encoder_.append_idle(buffer);
  EXPECT_EQ(buffer.bytes(), select_command(0) + select_command(7));
}

}  // namespace
}  // namespace seatrial::kv
