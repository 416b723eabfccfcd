#include "kv/replication/backlog.h"
#include "base/random.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace seatrial::kv {
namespace {

// All that a reader gets from its place on.
std::string drain(Backlog::Cursor& cursor) {
  std::string all;
  while (!cursor.bytes().empty()) {
    const base::Bytes bytes = cursor.bytes();
    all += bytes;
    cursor.advance(bytes.size());
  }
  return all;
}

TEST(Backlog, ReachesBackExactlyAsFarAsItIsLarge) {
  for (const uint64_t block : {1, 3, 7, 1000}) {
    Backlog backlog(1000, 10, block);
    EXPECT_TRUE(backlog.reaches(1000)) << "nothing is missing";
    EXPECT_FALSE(backlog.reaches(999));
    EXPECT_FALSE(backlog.reaches(1001));
    backlog.append("0123456789");
    EXPECT_TRUE(backlog.reaches(1000)) << "exactly at its size";
    EXPECT_TRUE(backlog.reaches(1010)) << "at its end";
    EXPECT_FALSE(backlog.reaches(1011)) << "one after its end";
    backlog.append("a");
    EXPECT_FALSE(backlog.reaches(1000)) << "one byte too far back";
    EXPECT_TRUE(backlog.reaches(1001));
    EXPECT_EQ(backlog.begin(), 1001U);
    EXPECT_EQ(backlog.end(), 1011U);
  }
}

TEST(Backlog, GivesWhatFollowsAnyPlaceThatItReaches) {
  for (const uint64_t block : {1, 2, 5, 16, 1000}) {
    auto backlog = std::make_shared<Backlog>(0, 20, block);
    std::string written;
    for (int i = 0; i < 100; ++i) {
      const std::string piece(static_cast<size_t>(i % 7), static_cast<char>('a' + i % 26));
      backlog->append(piece);
      written += piece;
      for (uint64_t at = backlog->begin(); at <= backlog->end(); ++at) {
        Backlog::Cursor cursor(backlog, at);
        EXPECT_EQ(drain(cursor), written.substr(at)) << block << " " << at;
      }
    }
  }
}

TEST(Backlog, KeepsWhatAReaderHasNotReadYet) {
  auto backlog = std::make_shared<Backlog>(0, 4, 2);
  std::optional<Backlog::Cursor> slow(std::in_place, backlog, 0);
  std::string written;
  for (int i = 0; i < 50; ++i) {
    backlog->append("xyz");
    written += "xyz";
  }
  EXPECT_EQ(slow->left(), 150U);
  EXPECT_FALSE(backlog->reaches(0)) << "for others it is as small as it was asked to be";
  const uint64_t held = backlog->bytes_held();
  EXPECT_EQ(drain(*slow), written);
  EXPECT_LT(backlog->bytes_held(), held / 10) << "and is given back then";
  backlog->append("tail");
  EXPECT_EQ(drain(*slow), "tail");
}

TEST(Backlog, GivesBackWhatAReaderWhoHasGoneHeld) {
  auto backlog = std::make_shared<Backlog>(0, 4, 2);
  {
    const Backlog::Cursor gone(backlog, 0);
    for (int i = 0; i < 50; ++i) backlog->append("xyz");
    EXPECT_GT(backlog->bytes_held(), 100U);
  }
  EXPECT_LT(backlog->bytes_held(), 20U);
}

TEST(Backlog, AReadersBytesStayWhereTheyAre) {
  auto backlog = std::make_shared<Backlog>(0, 1, 64);
  backlog->append("first");
  Backlog::Cursor cursor(backlog, 0);
  const base::Bytes bytes = cursor.bytes();
  const char* const place = bytes.data();
  for (int i = 0; i < 100; ++i) backlog->append("something that fills other blocks");
  EXPECT_EQ(bytes, "first");
  EXPECT_EQ(cursor.bytes().data(), place);
}

TEST(Backlog, OutlivesItsOwnerForItsReaders) {
  auto backlog = std::make_shared<Backlog>(0, 100, 8);
  backlog->append("old history");
  Backlog::Cursor cursor(backlog, 4);
  backlog.reset();
  EXPECT_EQ(drain(cursor), "history");
}

TEST(Backlog, GrowsAndShrinksWhenReconfigured) {
  Backlog backlog(0, 10, 4);
  backlog.append("0123456789");
  backlog.set_bytes_max(3);
  EXPECT_EQ(backlog.begin(), 7U);
  backlog.set_bytes_max(100);
  EXPECT_EQ(backlog.begin(), 7U) << "what has gone does not come back";
  backlog.append("0123456789");
  EXPECT_EQ(backlog.begin(), 7U);
}

TEST(Backlog, RandomReadersAllReadTheSameStream) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    base::RandomStream random(seed);
    auto backlog = std::make_shared<Backlog>(0, 1 + random.below(64), 1 + random.below(32));
    std::string written;
    struct Reader {
      Backlog::Cursor cursor;
      std::string read;
      uint64_t from;
    };
    std::vector<std::unique_ptr<Reader>> readers;
    for (int step = 0; step < 200; ++step) {
      const uint64_t what = random.below(6);
      if (what < 3) {
        std::string piece(random.below(20), static_cast<char>('a' + step % 26));
        backlog->append(piece);
        written += piece;
      } else if (what == 3) {
        const uint64_t from =
            backlog->begin() + random.below(backlog->end() - backlog->begin() + 1);
        readers.emplace_back(new Reader{{backlog, from}, {}, from});
      } else if (!readers.empty()) {
        Reader& reader = *readers[random.below(readers.size())];
        const base::Bytes bytes = reader.cursor.bytes();
        const uint64_t count = bytes.empty() ? 0 : 1 + random.below(bytes.size());
        reader.read += bytes.substr(0, count);
        reader.cursor.advance(count);
      }
    }
    for (const auto& reader : readers) {
      reader->read += drain(reader->cursor);
      EXPECT_EQ(reader->read, written.substr(reader->from)) << seed;
    }
  }
}

}  // namespace
}  // namespace seatrial::kv
