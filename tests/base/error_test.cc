#include "base/error.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>

namespace seatrial::base {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return fail(Errc::kInvalidArgument, "odd: " + std::to_string(number));
  return number / 2;
}

Result<int> quarter(int number) {
  const int halved = TRY(half(number));
  return TRY(half(halved));
}

Result<void> quarter_and_forget(int number, bool& reached) {
  TRY(quarter(number));
  reached = true;
  return {};
}

TEST(Error, TryYieldsTheValueOrReturnsTheError) {
  EXPECT_EQ(quarter(12), 3);
  const Result<int> failed = quarter(6);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error(), Errc::kInvalidArgument);
  EXPECT_EQ(failed.error().message(), "odd: 3");
}

TEST(Error, TryWorksForVoid) {
  bool reached = false;
  EXPECT_FALSE(quarter_and_forget(2, reached));
  EXPECT_FALSE(reached);
  EXPECT_TRUE(quarter_and_forget(4, reached));
  EXPECT_TRUE(reached);
}

TEST(Error, TryMovesWhatCannotBeCopied) {
  const auto make = []() -> Result<std::unique_ptr<int>> { return std::make_unique<int>(5); };
  const auto use = [&]() -> Result<int> {
    const std::unique_ptr<int> number = TRY(make());
    return *number;
  };
  EXPECT_EQ(use(), 5);
}

TEST(Error, WithoutDetailTheCodeSpeaks) {
  const Error error(Errc::kNoSpace);
  EXPECT_EQ(error.detail(), "");
  EXPECT_EQ(error.message(), to_string(Errc::kNoSpace));
}

TEST(Error, InPutsThePlaceInFront) {
  const Error error = Error(Errc::kNotFound, "no such file").in("redis.conf").in("start");
  EXPECT_EQ(error.code(), Errc::kNotFound);
  EXPECT_EQ(error.message(), "start: redis.conf: no such file");
  EXPECT_EQ(Error(Errc::kIo).in("aof").message(), "aof: input/output error");
}

TEST(Error, CopiesShareTheDetail) {
  const Error error(Errc::kIo, "a detail");
  const Error copy = error;  // NOLINT: the copy is what is tested.
  EXPECT_EQ(copy.detail().data(), error.detail().data());
}

TEST(Error, EveryCodeHasAText) {
  std::set<std::string_view> texts;
  constexpr auto kLast = static_cast<int>(Errc::kInvalidData);
  for (int i = 0; i <= kLast; ++i) texts.insert(to_string(static_cast<Errc>(i)));
  EXPECT_EQ(texts.size(), static_cast<size_t>(kLast) + 1);
  EXPECT_FALSE(texts.contains("unknown error"));
  EXPECT_EQ(to_string(static_cast<Errc>(kLast + 1)), "unknown error");
}

}  // namespace
}  // namespace seatrial::base
