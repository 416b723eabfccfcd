// Files of other writers, element by element, and what is said of those that cannot be read.
#include "kv/rdb/reader.h"
#include "tests/kv/rdb/memory.h"

#include <gtest/gtest.h>

#include <string>

namespace seatrial::kv::rdb {
namespace {

// Not checked.
const std::string kNoSum(8, '\0');

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (const int value : values) text.push_back(static_cast<char>(value));
  return text;
}
std::string word(const std::string& text) {
  return std::string(1, static_cast<char>(text.size())) + text;
}
std::string pair(const std::string& key, const std::string& value) {
  return std::string(1, '\0') + word(key) + word(value);
}
std::string file(const std::string& body, const std::string& version = "0010") {
  return "REDIS" + version + body + "\xff" + kNoSum;
}

using Contents = std::map<std::string, std::string>;

TEST(RdbReader, ReadsAllThatMayStandBeforeAKey) {
  Data data;
  const std::string body = bytes({0xfa}) + word("future-field") + word("anything") +  //
                           bytes({0xfe, 2, 0xfb, 0xc0 & 0x3f, 0}) +                   //
                           bytes({0xfc, 1, 0, 0, 0, 0, 0, 0, 0, 0xf8, 7}) + pair("a", "x") +
                           bytes({0xfd, 2, 0, 0, 0, 0xf9, 200}) + pair("b", "y") +
                           bytes({0xfd, 0xff, 0xff, 0xff, 0xff}) + pair("c", "z") + pair("d", "w");
  EXPECT_EQ(problem(file(body), data), "");
  EXPECT_EQ(contents(data.keyspace),
            (Contents{{"2 a", "x 1"}, {"2 b", "y 2000"}, {"2 c", "z -1000"}, {"2 d", "w -"}}));
}

TEST(RdbReader, ReadsVersionOneWithoutChecksum) {
  Data data;
  EXPECT_EQ(problem("REDIS0001" + bytes({0xfe, 0}) + pair("a", "b") + "\xff", data), "");
  EXPECT_EQ(contents(data.keyspace), (Contents{{"0 a", "b -"}}));
}

TEST(RdbReader, ReadsEveryEncodingOfAString) {
  Data data;
  const auto value = [](const std::string& key, const std::string& encoded) {
    return std::string(1, '\0') + word(key) + encoded;
  };
  const std::string body =
      value("i8", bytes({0xc0, 0x85})) + value("i16", bytes({0xc1, 0x00, 0x80})) +
      value("i32", bytes({0xc2, 1, 2, 3, 0x84})) + value("l14", bytes({0x40, 2}) + "ab") +
      value("l32", bytes({0x80, 0, 0, 0, 2}) + "cd") +
      value("l64", bytes({0x81, 0, 0, 0, 0, 0, 0, 0, 2}) + "ef") +
      value("lzf", bytes({0xc3, 5, 10, 0, 'x', 0xe0, 0, 0}));
  EXPECT_EQ(problem(file(body), data), "");
  EXPECT_EQ(contents(data.keyspace), (Contents{{"0 i8", "-123 -"},
                                               {"0 i16", "-32768 -"},
                                               {"0 i32", "-2080177663 -"},
                                               {"0 l14", "ab -"},
                                               {"0 l32", "cd -"},
                                               {"0 l64", "ef -"},
                                               {"0 lzf", "xxxxxxxxxx -"}}));
}

TEST(RdbReader, LeavesOutWhatHasExpiredIfAskedTo) {
  Data data;
  for (const WallMs deadline : {9, 10, 11}) {
    data.set(0, std::to_string(deadline), "x", deadline);
  }
  MemorySource source(written(data.keyspace));
  Data back;
  const auto info = read(source, back.keyspace, {.expire_at = 10});
  ASSERT_TRUE(info);
  EXPECT_EQ(info->keys, 3U);
  EXPECT_EQ(info->keys_expired, 1U);
  EXPECT_EQ(contents(back.keyspace), (Contents{{"0 10", "x 10"}, {"0 11", "x 11"}}));
}

TEST(RdbReader, SaysWhereAndWhatWasExpected) {
  const auto says = [](const std::string& file_bytes, std::string_view text) {
    const std::string message = problem(file_bytes);
    EXPECT_NE(message.find(text), std::string::npos) << message;
  };
  says("", "it ends at offset 0, expected the header");
  says("RIDES0010", "at offset 0: expected the header");
  says("REDIS00x0", "at offset 5: expected the header");
  says("REDIS0000", "at offset 5: RDB version 0 cannot be read");
  says("REDIS0011", "at offset 5: RDB version 11 cannot be read, only 1 to 10");
  says(file(bytes({0xfe, 16})), "at offset 10: database 16, but the setting 'databases'");
  says(file(bytes({0xfe, 0xc0, 1})), "at offset 10: expected the number of a database");
  says(file(bytes({0xfe, 0xbf})), "at offset 10: expected the number of a database");
  says(file(bytes({100})), "at offset 9: expected a value's type or an opcode, found byte 100");
  says(file(bytes({0xf7, 1})), "at offset 9: data of a module");
  says(file(bytes({0xf5, 1})), "at offset 9: a library of functions");
  says(file(bytes({15}) + word("user:1") + "\x01"),
       "at offset 9: the key 'user:1' of database 0 has a value of type 15 (stream)");
  says(file(bytes({2}) + word("s") + std::string(1, '\0')), "a set without members");
  says(file(bytes({2}) + word("s") + "\x02" + word("1") + word("1")),
       "a member stands twice in its set");
  says(file(bytes({11}) + word("s") + word("no intset")), "intset: numbers of no such width");
  says(file(bytes({4}) + word("h") + std::string(1, '\0')), "a hash without fields");
  says(file(bytes({4}) + word("h") + "\x02" + word("a") + word("1") + word("a") + word("2")),
       "a field stands twice in its hash");
  says(file(bytes({16}) + word("h") + word("no listpack")), "listpack: its size is not what");
  says(file(bytes({18}) + word("q\n") + "\x01"),
       "the key 'q\\x0a' of database 0 has a value of "
       "type 18 (list as quicklist, version 2)");
  says(file(pair("a", "1") + pair("a", "1")), "at offset 14: the key 'a' stands twice");
  says(file(bytes({0xfc, 1, 0, 0, 0, 0, 0, 0, 0, 0xfe, 0})), "at offset 18: expected a key behind");
  says(file(bytes({0, 1, 'k', 0xc5})), "key 'k': at offset 12: expected a string value, found the");
  says(file(bytes({0, 1, 'k', 0xc3, 3, 9, 0, 'x', 0xe0})), "it does not decompress to 9 bytes");
  says("REDIS0010\xff" + std::string(7, '\0'), "it ends at offset 17, expected the checksum");
  says("REDIS0010\xff" + std::string(8, 'x'), "at offset 10: the checksum is 7878787878787878");
}

// What a length claims is not believed.
TEST(RdbReader, ReservesNothingForBytesThatAreNotThere) {
  const std::string huge = bytes({0x81, 0x3f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff});
  EXPECT_NE(problem(file(bytes({0, 1, 'k'}) + huge + "some")).find("it ends"), std::string::npos);
  EXPECT_NE(problem(file(bytes({0}) + huge)).find("at most"), std::string::npos);
  EXPECT_NE(problem(file(bytes({0, 1, 'k', 0xc3, 4}) + huge + "abcd")).find("are claimed"),
            std::string::npos);
  Data data;
  EXPECT_EQ(problem(file(bytes({0xfb}) + huge + huge + pair("a", "b")), data), "");
}

}  // namespace
}  // namespace seatrial::kv::rdb
