#include "resp/writer.h"
#include "resp/number.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <limits>
#include <string>

namespace seatrial::resp {
namespace {

template <typename Write>
std::string written(Write write) {
  Writer writer;
  write(writer);
  return std::string(writer.bytes());
}

TEST(Writer, FormatsEachKindOfReply) {
  EXPECT_EQ(written([](Writer& w) { w.ok(); }), "+OK\r\n");
  EXPECT_EQ(written([](Writer& w) { w.bulk(""); }), "$0\r\n\r\n");
  EXPECT_EQ(written([](Writer& w) { w.bulk("a\r\nb"); }), "$4\r\na\r\nb\r\n");
  EXPECT_EQ(written([](Writer& w) { w.null(); }), "$-1\r\n");
  EXPECT_EQ(written([](Writer& w) { w.null_array(); }), "*-1\r\n");
  EXPECT_EQ(written([](Writer& w) { w.array(12); }), "*12\r\n");
  EXPECT_EQ(written([](Writer& w) { w.map(3); }), "*6\r\n");
  EXPECT_EQ(written([](Writer& w) { w.integer(0); }), ":0\r\n");
  EXPECT_EQ(written([](Writer& w) { w.integer(std::numeric_limits<int64_t>::min()); }),
            ":-9223372036854775808\r\n");
}

TEST(Writer, AnErrorStaysOnItsLine) {
  EXPECT_EQ(written([](Writer& w) { w.error("ERR a\r\nb"); }), "-ERR a  b\r\n");
  Writer writer;
  writer.error("ERR x");
  EXPECT_EQ(writer.errors(), 1U);
}

TEST(Writer, TruncateForgetsWhatFollowed) {
  Writer writer;
  writer.ok();
  const size_t size = writer.size();
  writer.bulk("gone");
  writer.truncate(size);
  EXPECT_EQ(writer.bytes(), "+OK\r\n");
}

RC_GTEST_PROP(NumberProperty, WhatIsWrittenIsReadBack, (int64_t value)) {
  const std::string text = std::to_string(value);
  RC_ASSERT(parse_integer(text) == value);
  RC_ASSERT(written([&](Writer& w) { w.integer(value); }) == ":" + text + "\r\n");
}

TEST(Number, AcceptsOnlyTheShortestForm) {
  for (const char* text : {"", "-", "+1", "01", "-0", " 1", "1 ", "1.0", "0x1", "--1",
                           "9223372036854775808", "-9223372036854775809", "99999999999999999999"}) {
    EXPECT_EQ(parse_integer(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_integer("-9223372036854775808"), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(parse_integer("9223372036854775807"), std::numeric_limits<int64_t>::max());
}

}  // namespace
}  // namespace seatrial::resp
