// The loops around File, on a file that does everything in small steps.
#include "os/disk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace seatrial::os {
namespace {

using base::Errc;

// Takes and gives at most three bytes a call; fails when `calls_left` is used up.
class SlowFile final : public File {
 public:
  Result<size_t> pread(uint64_t offset, MutableBytes into) override {
    if (calls_left-- == 0) return base::fail(Errc::kIo);
    if (offset >= bytes.size()) return 0;
    const size_t count = std::min({into.size(), size_t{3}, bytes.size() - offset});
    std::copy_n(bytes.data() + offset, count, into.data());
    return count;
  }
  Result<size_t> pwrite(uint64_t offset, Bytes from) override {
    if (calls_left-- == 0) return base::fail(Errc::kNoSpace);
    const size_t count = std::min(from.size(), size_t{3});
    if (bytes.size() < offset + count) bytes.resize(offset + count);
    std::copy_n(from.data(), count, bytes.data() + offset);
    return count;
  }
  Result<size_t> append(Bytes from) override { return pwrite(bytes.size(), from); }
  Result<void> truncate(uint64_t size) override {
    bytes.resize(size);
    return {};
  }
  Result<uint64_t> size() override { return bytes.size(); }
  Result<void> sync_data() override { return {}; }

  std::string bytes;
  int calls_left = 1000;
};

TEST(DiskLoops, WriteAllOfIt) {
  SlowFile file;
  EXPECT_TRUE(append_all(file, "0123456789"));
  EXPECT_EQ(file.bytes, "0123456789");
  EXPECT_TRUE(pwrite_all(file, 2, "abcdefgh"));
  EXPECT_EQ(file.bytes, "01abcdefgh");
  EXPECT_TRUE(append_all(file, ""));
  EXPECT_EQ(file.bytes.size(), 10u);
}

TEST(DiskLoops, StopAtTheFirstError) {
  SlowFile file;
  file.calls_left = 2;
  EXPECT_EQ(append_all(file, "0123456789").error(), Errc::kNoSpace);
  EXPECT_EQ(file.bytes, "012345");
  file.calls_left = 1;
  char buffer[6];
  EXPECT_EQ(pread_full(file, 0, buffer).error(), Errc::kIo);
}

TEST(DiskLoops, ReadUpToTheEnd) {
  SlowFile file;
  file.bytes = "0123456789";
  char buffer[8];
  EXPECT_EQ(pread_full(file, 0, buffer), 8u);
  EXPECT_EQ(std::string_view(buffer, 8), "01234567");
  EXPECT_EQ(pread_full(file, 6, buffer), 4u);
  EXPECT_EQ(pread_full(file, 10, buffer), 0u);
}

TEST(DiskPaths, DirectoryOf) {
  EXPECT_EQ(directory_of("a/b/c"), "a/b");
  EXPECT_EQ(directory_of("c"), ".");
  EXPECT_EQ(directory_of("/c"), "/");
  EXPECT_EQ(directory_of("/a/b"), "/a");
}

}  // namespace
}  // namespace seatrial::os
