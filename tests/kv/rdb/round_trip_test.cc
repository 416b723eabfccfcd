// What the writer writes the reader reads; and any damage to it is seen, or does none.
#include "kv/rdb/format.h"
#include "tests/kv/rdb/memory.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <tuple>
#include <vector>

namespace seatrial::kv::rdb {
namespace {

// Every form of length and string, several databases, deadlines.
void fill(Data& data) {
  data.set(0, "a", "1");
  data.set(0, "", "");
  data.set(0, "minus", "-129", 1'700'000'000'123);
  data.set(0, "wide", "123456789");
  data.set(0, "wider", "12345678901");
  data.set(0, "widest", "-9223372036854775808");
  data.set(3, std::string(70, 'k'), "a value that is not compressed", 5);
  data.set(15, "zipped", std::string(100, 'z') + "end");
  data.set_field(1, "small hash", "field", "-1");
  data.set_field(1, "small hash", "", "");
  for (int i = 0; i < 3; ++i) {
    data.set_field(2, "large hash", std::to_string(i), std::string(65 * i, 'x'));
    data.add_member(4, "small set", std::to_string(i * 40'000));
    data.add_member(4, "large set", std::string(40 * i, 'x'));
  }
}

TEST(RdbRoundTrip, GivesBackAllEncodings) {
  for (const bool compress : {false, true}) {
    Data data;
    fill(data);
    for (const int64_t edge : {0x7fL, 0x80L, 0x7fffL, 0x8000L, 0x7fffffffL, 0x80000000L}) {
      data.set(1, std::to_string(edge), std::to_string(edge));
      data.set(1, std::to_string(-edge), std::to_string(-edge));
    }
    for (const size_t size : {63U, 64U, 16383U, 16384U, 70'000U, 200'000U}) {
      std::string text(size, 'x');
      for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * i >> 3);
      data.set(2, std::to_string(size), text);
      data.set(2, std::to_string(size) + "same", std::string(size, 'y'));
    }
    Data back;
    const std::string bytes = written(data.keyspace, {}, {.compress = compress});
    EXPECT_EQ(problem(bytes, back), "");
    EXPECT_EQ(contents(back.keyspace), contents(data.keyspace));
    EXPECT_EQ(back.keyspace.at(3).timed(), 1U);
  }
}

TEST(RdbRoundTrip, KeepsWhatItSaysOfItself) {
  Data data;
  Info info;
  info.created_seconds = 1'700'000'000;
  info.used_memory_bytes = 12345;
  info.replication_database = 3;
  info.replication_id = std::string(40, 'f');
  info.replication_offset = 1'000'000'000'000;
  info.aof_base = true;
  MemorySource source(written(data.keyspace, info));
  const auto read_back = read(source, data.keyspace);
  ASSERT_TRUE(read_back);
  info.version = kVersionWritten;
  EXPECT_EQ(*read_back, info);
}

TEST(RdbRoundTrip, TakesNoMoreFromAStreamThanIsItsOwn) {
  Data data;
  fill(data);
  for (const size_t step : {1U, 7U, 100'000U}) {
    MemorySource source(written(data.keyspace) + "*1\r\n$4\r\nPING\r\n", step);
    Data back;
    ASSERT_TRUE(read(source, back.keyspace));
    std::string rest(source.rest());
    while (!source.at_end().value()) rest = source.take(14, "the rest").value();
    EXPECT_TRUE(std::string("*1\r\n$4\r\nPING\r\n").starts_with(rest) || rest.size() == 14);
    EXPECT_EQ(contents(back.keyspace), contents(data.keyspace));
  }
}

TEST(RdbRoundTrip, EveryTruncationIsAnError) {
  Data data;
  fill(data);
  const std::string bytes = written(data.keyspace);
  for (size_t size = 0; size < bytes.size(); ++size) {
    const std::string message = problem(bytes.substr(0, size));
    EXPECT_NE(message.find("it ends at offset " + std::to_string(size)), std::string::npos)
        << message;
  }
}

TEST(RdbRoundTrip, EveryFlippedBitIsAnErrorOrHarmless) {
  Data data;
  fill(data);
  const std::string bytes = written(data.keyspace);
  const auto expected = contents(data.keyspace);
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = bytes;
      flipped[i] = static_cast<char>(flipped[i] ^ (1 << bit));
      Data back;
      if (problem(flipped, back).empty()) {
        EXPECT_EQ(contents(back.keyspace), expected) << "byte " << i << " bit " << bit;
      }
    }
  }
}

TEST(RdbRoundTrip, EveryChangedByteWithoutChecksumIsNoCrash) {
  Data data;
  fill(data);
  const std::string bytes = written(data.keyspace, {}, {.checksum = false});
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (int value = 0; value < 256; ++value) {
      std::string changed = bytes;
      changed[i] = static_cast<char>(value);
      problem(changed);
    }
  }
}

TEST(RdbRoundTrip, AFullDiskIsAnError) {
  Data data;
  for (int i = 0; i < 20'000; ++i) data.set(0, "key" + std::to_string(i), "value");
  const size_t size = written(data.keyspace).size();
  for (const size_t room : {size_t{0}, size_t{70'000}, size - 1}) {
    MemorySink sink;
    sink.bytes_max = room;
    const auto outcome = write(data.keyspace, {}, sink);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error(), base::Errc::kNoSpace);
  }
}

RC_GTEST_PROP(RdbProperty, AnyDataComesBack, ()) {
  using Row = std::tuple<uint8_t, std::string, std::string, rc::Maybe<int64_t>>;
  const auto number = rc::gen::map(rc::gen::arbitrary<int64_t>(),
                                   [](int64_t value) { return std::to_string(value); });
  const auto few = rc::gen::container<std::string>(rc::gen::element('a', 'b'));
  const auto value = rc::gen::oneOf(rc::gen::arbitrary<std::string>(), number, few);
  const auto rows = *rc::gen::container<std::vector<Row>>(
      rc::gen::tuple(rc::gen::inRange<uint8_t>(0, 16), rc::gen::arbitrary<std::string>(), value,
                     rc::gen::maybe(rc::gen::arbitrary<int64_t>())));
  Data data;
  for (const auto& [database, key, text, deadline] : rows) {
    data.set(database, key, text, deadline ? std::optional<WallMs>(*deadline) : std::nullopt);
  }
  const WriteOptions options{.compress = *rc::gen::arbitrary<bool>(),
                             .checksum = *rc::gen::arbitrary<bool>()};
  Data back;
  RC_ASSERT(problem(written(data.keyspace, {}, options), back).empty());
  RC_ASSERT(contents(back.keyspace) == contents(data.keyspace));
}

RC_GTEST_PROP(RdbProperty, AnyBytesAreNoCrash, (const std::string& bytes)) {
  problem(std::string("REDIS0010") + bytes);
  problem(bytes);
}

}  // namespace
}  // namespace seatrial::kv::rdb
