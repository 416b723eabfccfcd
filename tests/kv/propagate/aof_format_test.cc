#include "kv/propagate/aof_format.h"

#include <gtest/gtest.h>

#include <string>

namespace seatrial::kv {
namespace {

TEST(AofFormat, AnAnnotationIsReadBack) {
  const std::string batch = "*1\r\n$8\r\nFLUSHALL\r\n";
  const std::string line = make_annotation(batch, 4096, 1024);
  const auto annotation = parse_annotation(line + "*1\r\n");
  ASSERT_TRUE(annotation);
  EXPECT_EQ(annotation->begin, 4096U);
  EXPECT_EQ(annotation->durable, 1024U);
  EXPECT_EQ(annotation->bytes, line.size());
  BatchHash hash;
  hash.add(batch.substr(0, 5));
  hash.add(batch.substr(5));
  hash.add(line.substr(0, annotation->signed_bytes));
  EXPECT_EQ(hash.value(), annotation->hash);
}

TEST(AofFormat, AnyMissingByteMakesItNone) {
  const std::string line = make_annotation("x", 100, 7);
  for (size_t size = 0; size < line.size(); ++size) {
    EXPECT_FALSE(parse_annotation(std::string_view(line).substr(0, size))) << size;
  }
}

TEST(AofFormat, ImpossibleClaimsAreNone) {
  EXPECT_FALSE(parse_annotation("#seatrial:5:6:0123456789abcdef\r\n"));
  EXPECT_FALSE(parse_annotation("#seatrial:-5:-6:0123456789abcdef\r\n"));
  EXPECT_FALSE(parse_annotation("#seatrial:5:5:0123456789ABCDEF\r\n"));
  EXPECT_TRUE(parse_annotation("#seatrial:5:5:0123456789abcdef\r\n"));
}

}  // namespace
}  // namespace seatrial::kv
