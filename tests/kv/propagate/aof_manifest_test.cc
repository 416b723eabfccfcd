#include "kv/propagate/aof_manifest.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <string>

namespace seatrial::kv {
namespace {

TEST(AofManifest, IsReadAsRedisWritesIt) {
  const std::string text =
      "file appendonly.aof.2.base.rdb seq 2 type b\n"
      "file appendonly.aof.1.base.rdb seq 1 type h\n"
      "file appendonly.aof.1.incr.aof seq 1 type h\n"
      "file appendonly.aof.2.incr.aof seq 2 type i\n"
      "file appendonly.aof.4.incr.aof seq 4 type i\n";
  const auto manifest = parse_manifest(text, "m");
  ASSERT_TRUE(manifest) << manifest.error().message();
  EXPECT_EQ(manifest->base->name, "appendonly.aof.2.base.rdb");
  ASSERT_EQ(manifest->increments.size(), 2U);
  EXPECT_EQ(manifest->increments[1], (ManifestFile{"appendonly.aof.4.incr.aof", 4}));
  EXPECT_EQ(manifest->history.size(), 2U);
  EXPECT_EQ(format_manifest(*manifest), text);
}

TEST(AofManifest, RemarksOtherKeysAndOrderOfKeysDoNotMatter) {
  const auto manifest =
      parse_manifest("# a remark\n\nTYPE i Seq 3 file a.aof startoffset 17\n", "m");
  ASSERT_TRUE(manifest) << manifest.error().message();
  EXPECT_EQ(format_manifest(*manifest), "file a.aof seq 3 type i\n");
}

TEST(AofManifest, DamageIsNamedWithItsLine) {
  for (const char* text :
       {"file a seq 1\n", "file a/b seq 1 type i\n", "file a seq 0 type i\n",
        "file a seq -1 type i\n", "file a seq x type i\n", "file a seq 1 type z\n",
        "file a seq 1 type ii\n", "file .. seq 1 type b\n", "file a seq 1 type i", "nonsense\n",
        "file \"a seq 1 type i\n", "file a seq 1 type\n",
        "file a file b seq 99999999999999999999\n", "file \"\" seq 1 type b\n",
        "file \"a\\x00\" seq 1 type b\n"}) {
    const auto manifest = parse_manifest(text, "m");
    ASSERT_FALSE(manifest) << text;
    EXPECT_TRUE(manifest.error().message().starts_with("m:1: ")) << manifest.error().message();
  }
  EXPECT_EQ(parse_manifest("", "m").error().message(), "m: it names no file");
  EXPECT_EQ(parse_manifest("# only a remark\n", "m").error().message(), "m: it names no file");
  EXPECT_FALSE(parse_manifest(std::string(2000, 'x') + " a seq 1 type i\n", "m"));
}

TEST(AofManifest, WhatContradictsItselfIsRefused) {
  const auto problem = [](const std::string& text) {
    const auto manifest = parse_manifest(text, "m");
    return manifest ? std::string() : std::string(manifest.error().message());
  };
  EXPECT_EQ(problem("file a seq 1 type b\nfile b seq 2 type b\n"),
            "m:2: a second base file, found \"file b seq 2 type b\"");
  EXPECT_EQ(problem("file a seq 2 type i\nfile b seq 2 type i\n"),
            "m:2: its sequence number does not rise, found \"file b seq 2 type i\"");
  EXPECT_EQ(problem("file a seq 2 type i\nfile a seq 3 type i\n"),
            "m:2: the file is named twice, found \"file a seq 3 type i\"");
}

TEST(AofManifest, FileNames) {
  for (const auto& [kind, sequence, text] :
       {std::tuple(LogFileKind::kBaseRdb, 1, "x.y.1.base.rdb"),
        std::tuple(LogFileKind::kBaseAof, 12, "x.y.12.base.aof"),
        std::tuple(LogFileKind::kIncrement, 3, "x.y.3.incr.aof")}) {
    EXPECT_EQ(log_file_name("x.y", {kind, static_cast<uint64_t>(sequence)}), text);
    const auto parsed = parse_log_file_name("x.y", text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(parsed->kind, kind);
    EXPECT_EQ(parsed->sequence, static_cast<uint64_t>(sequence));
  }
  for (const char* text : {"x.y", "x.y.manifest", "x.y.0.incr.aof", "x.y.01.incr.aof",
                           "x.y.1.incr.rdb", "x.y.1.incr.aof~", "x.1.incr.aof", "x.y.1", "x.y."}) {
    EXPECT_FALSE(parse_log_file_name("x.y", text)) << text;
  }
}

RC_GTEST_PROP(AofManifestProperty, WhatIsWrittenIsReadBack, ()) {
  Manifest manifest;
  const auto name = [](const char* prefix, size_t number) {
    const auto odd = *rc::gen::element<std::string>("", " ", "\"", "\\", "'", "\xc3\xa4", "\t\x01");
    return prefix + odd + std::to_string(number);
  };
  if (*rc::gen::arbitrary<bool>()) manifest.base = ManifestFile{name("b", 1), 1};
  const auto increments = *rc::gen::inRange<size_t>(0, 4);
  for (size_t i = 1; i <= increments; ++i) manifest.increments.push_back({name("i", i), i * 3});
  const auto history = *rc::gen::inRange<size_t>(manifest.empty() ? 1 : 0, 4);
  for (size_t i = 1; i <= history; ++i) manifest.history.push_back({name("h", i), i});
  const std::string text = format_manifest(manifest);
  const auto parsed = parse_manifest(text, "m");
  RC_ASSERT(parsed.has_value());
  RC_ASSERT(*parsed == manifest);
  // Cut anywhere it is refused, or ends with a whole line.
  const auto cut = *rc::gen::inRange<size_t>(0, text.size());
  if (parse_manifest(text.substr(0, cut), "m")) RC_ASSERT(text[cut - 1] == '\n');
}

}  // namespace
}  // namespace seatrial::kv
