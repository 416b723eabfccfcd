#include "kv/replication/history.h"

#include <gtest/gtest.h>

namespace seatrial::kv {
namespace {

const std::string kFirst(40, '1');
const std::string kSecond(40, '2');
const std::string kThird(40, '3');

TEST(History, AgreesUpToItsOwnOffset) {
  History history(kFirst);
  history.advance(100);
  EXPECT_TRUE(history.agrees(kFirst, 0));
  EXPECT_TRUE(history.agrees(kFirst, 100));
  EXPECT_FALSE(history.agrees(kFirst, 101)) << "it has not come so far";
  EXPECT_FALSE(history.agrees(kSecond, 50)) << "another history";
  EXPECT_FALSE(history.agrees(std::string(40, '0'), 0)) << "there is no previous id";
  EXPECT_FALSE(history.agrees("", 0));
  EXPECT_EQ(history.previous_id(), std::string(40, '0'));
  EXPECT_EQ(history.second_offset(), -1);
}

TEST(History, AgreesWithThePreviousIdUpToWhereTheyParted) {
  History history(kFirst);
  history.advance(100);
  history.branch(kSecond);
  history.advance(50);
  EXPECT_EQ(history.id(), kSecond);
  EXPECT_EQ(history.previous_id(), kFirst);
  EXPECT_EQ(history.second_offset(), 101);
  EXPECT_TRUE(history.agrees(kFirst, 99));
  EXPECT_TRUE(history.agrees(kFirst, 100));
  EXPECT_FALSE(history.agrees(kFirst, 101)) << "what came then is another history's";
  EXPECT_TRUE(history.agrees(kSecond, 150));
  EXPECT_FALSE(history.agrees(kSecond, 151));
}

TEST(History, KnowsOnlyOnePreviousId) {
  History history(kFirst);
  history.advance(10);
  history.branch(kSecond);
  history.advance(10);
  history.branch(kThird);
  EXPECT_FALSE(history.agrees(kFirst, 5));
  EXPECT_TRUE(history.agrees(kSecond, 20));
  EXPECT_EQ(history.second_offset(), 21);
}

TEST(History, ForgetsWhenAllDataIsReplaced) {
  History history(kFirst);
  history.advance(10);
  history.branch(kSecond);
  history.begin(kThird, 7);
  EXPECT_EQ(history.offset(), 7U);
  EXPECT_FALSE(history.has_previous());
  EXPECT_FALSE(history.agrees(kFirst, 5));
  EXPECT_FALSE(history.agrees(kSecond, 5));
  EXPECT_TRUE(history.agrees(kThird, 7));
}

TEST(History, IdsAreFortyHexadecimalDigits) {
  base::RandomStream random(1);
  const std::string one = make_replication_id(random);
  const std::string other = make_replication_id(random);
  EXPECT_TRUE(is_replication_id(one));
  EXPECT_NE(one, other);
  EXPECT_FALSE(is_replication_id(std::string(39, 'a')));
  EXPECT_FALSE(is_replication_id(std::string(40, 'g')));
  EXPECT_FALSE(is_replication_id(std::string(40, 'A')));
}

}  // namespace
}  // namespace seatrial::kv
