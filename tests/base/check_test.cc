#include "base/check.h"

#include <gtest/gtest.h>

namespace seatrial::base {
namespace {

TEST(Check, WhatHoldsCostsNothingButTheLook) {
  int looks = 0;
  CHECK(++looks == 1);
  CHECK_MSG(++looks == 2, "looks is {}", looks);
  EXPECT_EQ(looks, 2);
}

TEST(Check, TextNamesPlaceExpressionAndMessage) {
  EXPECT_EQ(to_string(CheckFailure{"a == b", "file.cc", 7, ""}), "file.cc:7: CHECK(a == b) failed");
  EXPECT_EQ(to_string(CheckFailure{"a == b", "file.cc", 7, "a is 1"}),
            "file.cc:7: CHECK(a == b) failed: a is 1");
}

TEST(Check, SettingAHandlerReturnsTheOneBefore) {
  const CheckHandler mine = [](const CheckFailure&) {};
  const CheckHandler before = set_check_handler(mine);
  EXPECT_EQ(set_check_handler(before), mine);
}

TEST(CheckDeathTest, AbortsWithTheMessage) {
  const int number = 3;
  EXPECT_DEATH(CHECK_MSG(number == 4, "number is {}", number),
               "check_test.cc:[0-9]+: CHECK\\(number == 4\\) failed: number is 3");
  EXPECT_DEATH(CHECK(number == 4), "CHECK\\(number == 4\\) failed");
  EXPECT_DEATH(UNREACHABLE("wake {}", 9), "wake 9");
}

TEST(CheckDeathTest, TheHandlerSpeaksFirst) {
  EXPECT_EXIT(
      {
        set_check_handler([](const CheckFailure& failure) {
          std::exit(std::string_view(failure.expression) == "1 > 2" ? 17 : 18);
        });
        CHECK(1 > 2);
      },
      testing::ExitedWithCode(17), "");
}

TEST(CheckDeathTest, AHandlerThatReturnsDoesNotHealIt) {
  EXPECT_DEATH(
      {
        set_check_handler([](const CheckFailure&) {});
        CHECK(1 > 2);
      },
      "CHECK\\(1 > 2\\) failed");
}

}  // namespace
}  // namespace seatrial::base
