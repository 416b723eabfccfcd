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

TEST(AofFormat, ManifestsAreReadAsRedisWritesThem) {
  const auto files = parse_manifest(
      "file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.2.incr.aof seq 2 type i\n",
      "m");
  ASSERT_TRUE(files);
  ASSERT_EQ(files->size(), 2U);
  EXPECT_EQ((*files)[1].name, "appendonly.aof.2.incr.aof");
  EXPECT_EQ((*files)[1].sequence, 2U);
  EXPECT_EQ((*files)[1].type, 'i');
  EXPECT_EQ(format_manifest({(*files)[1]}), "file appendonly.aof.2.incr.aof seq 2 type i\n");
}

TEST(AofFormat, ADamagedManifestIsNamedWithItsLine) {
  for (const char* text : {"file a seq 1\n", "file a/b seq 1 type i\n", "file a seq 0 type i\n",
                           "file a seq x type i\n", "file a seq 1 type z\n", "nonsense\n"}) {
    const auto files = parse_manifest(text, "m");
    ASSERT_FALSE(files) << text;
    EXPECT_TRUE(files.error().message().starts_with("m:1: ")) << files.error().message();
  }
  EXPECT_EQ(parse_manifest("", "m").error().message(), "m: it names no file");
}

}  // namespace
}  // namespace seatrial::kv
