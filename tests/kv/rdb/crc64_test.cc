#include "kv/rdb/crc64.h"

#include <gtest/gtest.h>

#include <string>

namespace seatrial::kv::rdb {
namespace {

TEST(Crc64, IsThePublishedCheckValue) {
  EXPECT_EQ(crc64(0, "123456789"), 0xe9c6d914c4b8d9caU);
  EXPECT_EQ(crc64(0, ""), 0U);
}

TEST(Crc64, DoesNotDependOnHowTheBytesAreCut) {
  std::string text;
  for (int i = 0; i < 100; ++i) text.push_back(static_cast<char>(i * 37));
  const uint64_t whole = crc64(0, text);
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    EXPECT_EQ(crc64(crc64(0, text.substr(0, cut)), text.substr(cut)), whole) << cut;
  }
}

}  // namespace
}  // namespace seatrial::kv::rdb
