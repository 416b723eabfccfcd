#include "kv/rdb/lzf.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

namespace seatrial::kv::rdb {
namespace {

std::string round_trip(LzfCompressor& compressor, const std::string& text) {
  const std::string packed(compressor.compress(text, text.size() + text.size() / 32 + 1));
  std::string back;
  return lzf_decompress(packed, text.size(), back) ? back : "does not decompress";
}

TEST(Lzf, ShortensWhatRepeats) {
  LzfCompressor compressor;
  for (const size_t size : {3U, 4U, 8U, 9U, 31U, 33U, 264U, 265U, 300U, 9000U, 100'000U}) {
    const std::string text(size, 'x');
    EXPECT_EQ(round_trip(compressor, text), text) << size;
    if (size < 100) continue;
    EXPECT_LT(compressor.compress(text, size).size(), size / 20) << size;
  }
}

// A match may lie 8192 bytes back and no more.
TEST(Lzf, SeesRepetitionsAsFarBackAsTheFormatReaches) {
  LzfCompressor compressor;
  for (size_t gap = 8180; gap < 8200; ++gap) {
    std::string text = "a word that comes twice";
    for (uint32_t i = 0; text.size() < gap; ++i) text.push_back(static_cast<char>(i * i * 7 + i));
    text += "a word that comes twice";
    EXPECT_EQ(round_trip(compressor, text), text) << gap;
  }
}

TEST(Lzf, GivesUpWhereNothingIsWon) {
  LzfCompressor compressor;
  EXPECT_EQ(compressor.compress("abcdefghijklmnopqrstuvwxyz", 22), "");
  EXPECT_EQ(compressor.compress(std::string(300, 'x'), 3), "");
}

TEST(Lzf, WhatCameBeforeChangesNothing) {
  LzfCompressor used;
  const std::string text = "abcabcabcabc 0123456789 abcabcabcabc";
  const std::string first(used.compress(text, 100));
  for (int i = 0; i < 20; ++i) {
    used.compress(std::string(static_cast<size_t>(i), 'q') + text, 100);
    EXPECT_EQ(used.compress(text, 100), first);
  }
}

TEST(Lzf, RefusesWhatItDoesNotStandFor) {
  std::string into;
  EXPECT_FALSE(lzf_decompress("", 5, into));
  EXPECT_FALSE(lzf_decompress(base::Bytes("\x00", 1), 1, into));
  EXPECT_FALSE(lzf_decompress("\x05x", 6, into));
  EXPECT_FALSE(lzf_decompress("\xe0\xff\xff", 264, into)) << "a match before the beginning";
  EXPECT_FALSE(lzf_decompress(base::Bytes("\x00x", 2), size_t{1} << 40, into));
  EXPECT_FALSE(lzf_decompress(base::Bytes("\x00x", 2), 2, into));
  EXPECT_TRUE(lzf_decompress(base::Bytes("\x00x", 2), 1, into));
}

RC_GTEST_PROP(LzfProperty, GivesBackWhatItTook, ()) {
  LzfCompressor compressor;
  for (int i = 0; i < 3; ++i) {
    const auto text =
        *rc::gen::container<std::string>(rc::gen::element('a', 'b', 'c', static_cast<char>(0xff)));
    if (!text.empty()) RC_ASSERT(round_trip(compressor, text) == text);
  }
}

}  // namespace
}  // namespace seatrial::kv::rdb
