#include "base/crc32c.h"

#include <gtest/gtest.h>

#include <string>

namespace seatrial::base {
namespace {

// The vectors of RFC 3720, appendix B.4.
TEST(Crc32c, GivesThePublishedValues) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43U);
  std::string ascending;
  for (int i = 0; i < 32; ++i) ascending += static_cast<char>(i);
  EXPECT_EQ(crc32c(ascending), 0x46dd794eU);
}

TEST(Crc32c, GoesOnFromWhatWasCovered) {
  std::string bytes;
  for (int i = 0; i < 1000; ++i) bytes += static_cast<char>(i * 7);
  const uint32_t whole = crc32c(bytes);
  for (size_t cut = 0; cut <= bytes.size(); cut += 13) {
    EXPECT_EQ(crc32c(Bytes(bytes).substr(cut), crc32c(Bytes(bytes).substr(0, cut))), whole);
  }
  EXPECT_EQ(crc32c(""), 0U);
}

}  // namespace
}  // namespace seatrial::base
